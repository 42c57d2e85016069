//! What the trainee reads: one message at a time, in words and a sign, never by colour alone.

use serde::Serialize;

use crate::domain::{Bilingual, CheckIn, ClockDoubt, Event, Outcome, Way};

/// The four states of the light, each with a word and a sign beside its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// Nothing to say: the terminal waits or looks.
    Calm,
    /// Stored: done.
    Green,
    /// Nothing to worry about, something to do.
    Amber,
    /// The terminal cannot take records: call somebody.
    Red,
}

impl Light {
    /// The sign beside the words.
    pub fn sign(self) -> &'static str {
        match self {
            Light::Calm => "·",
            Light::Green => "✔",
            Light::Amber => "!",
            Light::Red => "✘",
        }
    }
}

/// What kind of message it is: the screen draws each in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nobody is there.
    Idle,
    /// The terminal looks at somebody.
    Look,
    /// Something to change.
    Advice,
    /// Something to do, to show that it is a living person.
    Ask,
    /// The answer.
    Answer,
    /// No answer could be given.
    Broken,
}

/// What is shown, until the next person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// What kind.
    pub kind: Kind,
    /// The light.
    pub light: Light,
    /// The words in large letters.
    pub text: Bilingual,
    /// Small words below: the record's number, what is doubtful.
    pub note: Option<Bilingual>,
    /// Whom it concerns, masked ([`crate::domain::masked_name`]).
    pub name: Option<String>,
    /// Stable word of the movement that is asked for: `turn_left`.
    pub asked: Option<&'static str>,
    /// How much of it is done, in percent.
    pub done_percent: Option<u8>,
    /// What the trainee may take home at once: the text of a QR code.
    pub slip: Option<String>,
}

impl Message {
    fn new(kind: Kind, light: Light, text: Bilingual) -> Self {
        Self {
            kind,
            light,
            text,
            note: None,
            name: None,
            asked: None,
            done_percent: None,
            slip: None,
        }
    }

    /// Nobody is there: an invitation.
    pub fn idle(invitation: Bilingual) -> Self {
        Self::new(Kind::Idle, Light::Calm, invitation)
    }

    /// No decision yet: one instruction, in place of whatever was shown to the person before.
    pub fn advice(instruction: Bilingual) -> Self {
        Self::new(Kind::Advice, Light::Amber, instruction)
    }

    /// The terminal looks; nothing to do but to stay.
    pub fn look() -> Self {
        let text = Bilingual::new("正在识别，请看镜头", "Looking: please stay");
        Self::new(Kind::Look, Light::Calm, text)
    }

    /// A movement that shows that the person is alive.
    pub fn ask(asked: &'static str, text: Bilingual, done_percent: u8) -> Self {
        let mut message = Self::new(Kind::Ask, Light::Calm, text);
        (message.asked, message.done_percent) = (Some(asked), Some(done_percent));
        message
    }

    /// The answer to a decision whose record is on stable storage as number `seq`. A clock that is
    /// not to be believed is said; it stops nobody.
    pub fn stored(checkin: &CheckIn, seq: u64, clock: Option<ClockDoubt>) -> Self {
        let mut note = Bilingual::new(format!("{seq} 号"), format!("no. {seq}"));
        if let Some(doubt) = clock {
            let Bilingual { zh, en } = doubt.text();
            note.zh += &format!("，终端时钟存疑：{zh}");
            note.en += &format!(", clock in doubt: it {en}");
        }
        let (light, text) = (light_of(checkin.outcome), words_of(checkin));
        Self { note: Some(note), ..Self::new(Kind::Answer, light, text) }
    }

    /// The same with a slip beside it.
    #[must_use]
    pub fn with_slip(self, slip: String) -> Self {
        Self { slip: Some(slip), ..self }
    }

    /// The same with the name, masked.
    #[must_use]
    pub fn with_name(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }

    /// Something that the staff wanted is done, and kept.
    pub fn done(text: Bilingual) -> Self {
        Self::new(Kind::Answer, Light::Green, text)
    }

    /// The record could not be stored: nothing counts, and everybody can see it.
    pub fn not_stored(why: &Bilingual) -> Self {
        let text = Bilingual::new(
            format!("未能保存，签到无效：{}", why.zh),
            format!("Not stored, this does not count: {}", why.en),
        );
        Self::new(Kind::Broken, Light::Red, text)
    }

    /// Words and note on one line, in both languages.
    pub fn line(&self) -> Bilingual {
        let mut line = self.text.clone();
        if let Some(note) = &self.note {
            line.zh += &format!("（{}）", note.zh);
            line.en += &format!(" ({})", note.en);
        }
        line
    }
}

fn light_of(outcome: Outcome) -> Light {
    match outcome {
        Outcome::Accepted | Outcome::AlreadyIn => Light::Green,
        Outcome::NotRecognised
        | Outcome::LooksLikeOther
        | Outcome::Ambiguous
        | Outcome::NotOnRoster
        | Outcome::TooEarly
        | Outcome::TooLate
        | Outcome::NotLive
        | Outcome::NoLesson
        | Outcome::RefusedByPolicy => Light::Amber,
    }
}

fn words_of(checkin: &CheckIn) -> Bilingual {
    match (checkin.outcome, checkin.event) {
        (Outcome::Accepted, Event::CheckOut) => Bilingual::new("签退成功", "Checked out"),
        (Outcome::Accepted, Event::Presence) => Bilingual::new("在场确认", "Present"),
        (Outcome::Accepted, Event::CheckIn | Event::Attempt | Event::Gap | Event::Notice) => {
            Bilingual::new("签到成功", "Checked in")
        }
        (Outcome::AlreadyIn, _) => Bilingual::new("您已签到", "You are already checked in"),
        (Outcome::NotRecognised, _) if checkin.way == Some(Way::Credential) => {
            Bilingual::new("密码不正确，请重试", "The PIN is not right: please try again")
        }
        (Outcome::NotRecognised, _) => Bilingual::new(
            "未能识别，请正对镜头再试",
            "Not recognised: please face the camera and try again",
        ),
        (Outcome::LooksLikeOther, _) => Bilingual::new(
            "与所报姓名不符，请联系老师",
            "This does not look like the person named: please ask the teacher",
        ),
        (Outcome::Ambiguous, _) => Bilingual::new(
            "请刷卡或选姓名，再试一次",
            "Please say who you are (card or list) and try again",
        ),
        (Outcome::NotOnRoster, _) => {
            Bilingual::new("您不在本课名单中", "You are not on the roster of this lesson")
        }
        (Outcome::TooEarly, _) => Bilingual::new("签到尚未开始", "Check-in is not open yet"),
        (Outcome::TooLate, _) => Bilingual::new("签到已结束", "Check-in has closed"),
        (Outcome::NotLive, _) => Bilingual::new(
            "未完成动作，请再试一次",
            "The movements were not seen: please try again",
        ),
        (Outcome::NoLesson, _) => Bilingual::new(
            "现在没有课，已记录，不计学时",
            "No lesson now: recorded, counts no hours",
        ),
        (Outcome::RefusedByPolicy, _) => {
            Bilingual::new("按规定不能签到", "The rules do not allow this")
        }
    }
}
