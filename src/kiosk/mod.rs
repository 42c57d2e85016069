//! What the trainee sees: one message, in letters and never by colour alone. The screen itself,
//! a page on loopback, follows; [`Console`] prints for a demo and a log.
//!
//! A message of success exists only for a record that is already durable: [`Message::stored`]
//! takes the sequence number that the journal gave it.

mod console;

pub use console::Console;

use crate::domain::{Bilingual, CheckIn, ClockDoubt, Event, Outcome};

/// The three states of the light, each with a word and a sign beside its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// Stored: done.
    Green,
    /// Nothing to worry about, something to do.
    Amber,
    /// The terminal cannot take records: call somebody.
    Red,
}

/// What is shown, until the next person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The light.
    pub light: Light,
    /// The words.
    pub text: Bilingual,
    /// What the trainee may take home at once: the text of a QR code.
    pub slip: Option<String>,
}

/// Something that can show a message.
pub trait Screen: Send {
    /// Shows it in place of the last one.
    fn show(&mut self, message: &Message);
}

impl Message {
    /// No decision yet: one instruction, in place of whatever was shown to the person before.
    pub fn wait(instruction: Bilingual) -> Self {
        Self { light: Light::Amber, text: instruction, slip: None }
    }

    /// The answer to a decision whose record is on stable storage as number `seq`. A clock that is
    /// not to be believed is said; it stops nobody.
    pub fn stored(checkin: &CheckIn, seq: u64, clock: Option<ClockDoubt>) -> Self {
        let light = match checkin.outcome {
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
        };
        let text = match (checkin.outcome, checkin.event) {
            (Outcome::Accepted, Event::CheckOut) => Bilingual::new("签退成功", "Checked out"),
            (Outcome::Accepted, Event::CheckIn | Event::Attempt | Event::Gap) => {
                Bilingual::new("签到成功", "Checked in")
            }
            (Outcome::AlreadyIn, _) => Bilingual::new("您已签到", "You are already checked in"),
            (Outcome::NotRecognised, _) => Bilingual::new(
                "未能识别，请正对镜头再试",
                "Not recognised: please face the camera and try again",
            ),
            (Outcome::LooksLikeOther, _) => Bilingual::new(
                "与所报姓名不符，请联系老师",
                "This does not look like the person named: please ask the teacher",
            ),
            (Outcome::Ambiguous, _) => Bilingual::new(
                "请刷卡或选择姓名后再试",
                "Please say who you are (card or list) and try again",
            ),
            (Outcome::NotOnRoster, _) => {
                Bilingual::new("您不在本课名单中", "You are not on the roster of this lesson")
            }
            (Outcome::TooEarly, _) => Bilingual::new("签到尚未开始", "Check-in is not open yet"),
            (Outcome::TooLate, _) => Bilingual::new("签到已结束", "Check-in has closed"),
            (Outcome::NotLive, _) => {
                Bilingual::new("请本人到镜头前", "Please come before the camera yourself")
            }
            (Outcome::NoLesson, _) => Bilingual::new(
                "现在没有课，已记录，不计学时",
                "No lesson now: recorded, counts no hours",
            ),
            (Outcome::RefusedByPolicy, _) => {
                Bilingual::new("按规定不能签到", "The rules do not allow this")
            }
        };
        let Bilingual { zh, en } = text;
        let (doubt_zh, doubt_en) = clock.map_or_else(Default::default, |doubt| {
            let Bilingual { zh, en } = doubt.text();
            (format!("（终端时钟存疑：{zh}）"), format!(" (clock in doubt: it {en})"))
        });
        let zh = format!("{zh}（{seq} 号）{doubt_zh}");
        let text = Bilingual::new(zh, format!("{en} (no. {seq}){doubt_en}"));
        Self { light, text, slip: None }
    }

    /// The same with a slip beside it.
    #[must_use]
    pub fn with_slip(self, slip: String) -> Self {
        Self { slip: Some(slip), ..self }
    }

    /// The record could not be stored: nothing counts, and everybody can see it.
    pub fn not_stored(why: &Bilingual) -> Self {
        let text = Bilingual::new(
            format!("未能保存，签到无效：{}", why.zh),
            format!("Not stored, this does not count: {}", why.en),
        );
        Self { light: Light::Red, text, slip: None }
    }
}
