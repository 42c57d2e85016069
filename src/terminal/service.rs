//! What the counter's acts do: records, PINs, consents, templates, roll calls. Each is kept before the
//! screen says that it is done.

use tokio::sync::mpsc;

use super::cabinet::{Cabinet, CabinetError};
use super::collect::{Collect, Collected};
use super::counter::{Act, Counter, Known};
use super::evidence::Rule;
use super::register::Consent;
use super::share::{self, Exchange, Newest, What};
use super::{Answer, AttendError, ConsentText, Door, SitePlan, TakeError, Terminal};
use crate::camera::Frame;
use crate::checkin::Advice;
use crate::domain::{Bilingual, Note, NoticeKind, OtherPerson, PersonId};
use crate::face::gallery::EnrolError;
use crate::face::{Look, Pipeline, Thresholds};
use crate::kiosk::{Message, Outline, Page, Said};
use crate::platform::chance;
use crate::platform::clock::Clock;
use crate::platform::telemetry::{Chain, Class};

/// How often it is looked for templates that have expired, in milliseconds.
const SWEEP_MS: u64 = 3_600_000;

/// The counter with all that it keeps.
pub struct Service {
    counter: Counter,
    pub(super) cabinet: Cabinet,
    pub(super) consent: ConsentText,
    pub(super) thresholds: Thresholds,
    /// How often a search may take a stranger for somebody ([`crate::checkin::Settings::fpir_max`]).
    pub(super) fpir_max: f64,
    /// How long a template is kept.
    pub(super) template_days: u32,
    /// With the other terminals of the institution; `None`: templates stay here.
    pub(super) exchange: Option<Exchange>,
    collect: Option<Collect>,
    swept_ms: Option<u64>,
}

/// What a service works with at the moment.
pub(super) struct At<'a> {
    pub(super) door: &'a mut Door,
    pub(super) terminal: &'a Terminal,
    pub(super) clock: &'a dyn Clock,
    pub(super) page: &'a Page,
    pub(super) site: &'a SitePlan,
    pub(super) rule: Rule,
}

impl Service {
    /// Nobody is at the counter.
    pub fn new(
        cabinet: Cabinet,
        consent: ConsentText,
        thresholds: Thresholds,
        fpir_max: f64,
        template_days: u32,
    ) -> Self {
        Self {
            counter: Counter::default(),
            cabinet,
            consent,
            thresholds,
            fpir_max,
            template_days,
            exchange: None,
            collect: None,
            swept_ms: None,
        }
    }

    /// Whom the person before the camera says to be.
    pub(super) fn claim(&self, at_ms: u64) -> Option<PersonId> {
        self.counter.claim.holds(at_ms)
    }

    /// The claim was answered.
    pub(super) fn answered(&mut self) {
        self.counter.claim.over();
    }

    /// Whether a dialog stands between the camera and the people.
    pub(super) fn is_busy(&self) -> bool {
        self.counter.is_busy()
    }

    /// Hears what was said since the last frame, does it, and shows the next dialog.
    pub(super) fn listen(
        &mut self,
        ear: &mut mpsc::Receiver<Said>,
        at: &mut At<'_>,
    ) -> Result<(), AttendError> {
        let at_ms = at.clock.uptime().as_ms();
        if self.counter.tick(at_ms) {
            self.collect = None;
        }
        while let Ok(said) = ear.try_recv() {
            let act = self.hear(&said, at, at_ms);
            self.perform(act, at)?;
        }
        match at.door.obey(at.terminal, at.clock.now()) {
            Ok(Some(_)) => tracing::info!("The roll is called: it was ordered."),
            Ok(None) => {}
            Err(error) => self.not_stored(error, at)?,
        }
        if let Some(lesson) = at.door.desk().roll_is_due(at.clock.now()) {
            tracing::info!(%lesson, "The roll is called: its time has come.");
            self.call_roll(at)?;
        }
        if self.swept_ms.is_none_or(|swept| at_ms.saturating_sub(swept) >= SWEEP_MS) {
            self.swept_ms = Some(at_ms);
            self.sweep(at)?;
        }
        self.exchange(at)?;
        let dialog = self.with_known(at, |counter, known| counter.dialog(known));
        at.page.dialog(dialog);
        Ok(())
    }

    fn hear(&mut self, said: &Said, at: &mut At<'_>, at_ms: u64) -> Act {
        let salt = chance::random_bytes();
        let mut counter = std::mem::take(&mut self.counter);
        let act = self.with_known(at, |_, known| counter.hear(said, known, at_ms, salt));
        self.counter = counter;
        act
    }

    fn with_known<T>(&self, at: &mut At<'_>, ask: impl FnOnce(&Counter, &Known<'_>) -> T) -> T {
        let now = at.clock.now();
        let room = at.door.desk().room(now);
        let roll_minutes = at.door.desk().roll_call(now).map(|roll| roll.minutes_left(now));
        let gallery = at.door.gallery();
        let known = Known {
            site: at.site,
            register: self.cabinet.register(),
            has_template: &|person| gallery.contains(person),
            consent: &self.consent,
            evidence_days: at.rule.pictures.then_some(at.rule.days),
            room: &room,
            roll_minutes,
        };
        ask(&self.counter, &known)
    }

    fn perform(&mut self, act: Act, at: &mut At<'_>) -> Result<(), AttendError> {
        let at_ms = at.clock.uptime().as_ms();
        match act {
            Act::Nothing => {}
            Act::Tell(text) => {
                if !self.counter.is_busy() {
                    at.door.show(&Message::advice(text), None, at_ms);
                }
            }
            Act::Decide(unseen) => {
                let answer = at.door.unseen(at.terminal, at.clock, &unseen);
                if let Some(Answer::Stored { checkin, .. }) = passed(answer)? {
                    self.counter.tell(Message::stored(&checkin, 0, None).text);
                }
            }
            Act::Enrol(person) => self.agreed(person, at)?,
            Act::SetPin(person, verifier) => {
                let kept = self.cabinet.change(|register| {
                    register.of(person).pin = Some(verifier);
                });
                self.told(kept, Bilingual::new("密码已设置", "The PIN is set"), at);
            }
            Act::Withdraw(person) => self.withdraw(person, at)?,
            Act::CallRoll => self.call_roll(at)?,
            Act::GiveUp => self.collect = None,
        }
        Ok(())
    }

    fn call_roll(&mut self, at: &mut At<'_>) -> Result<(), AttendError> {
        let text = match at.door.call_roll(at.terminal, at.clock.now()) {
            Ok(Some(_)) => {
                Bilingual::new("点名开始，请到镜头前", "The roll is called: please show your face")
            }
            Ok(None) => Bilingual::new(
                "现在没有课，或已在点名",
                "No lesson now, or the roll is being called",
            ),
            Err(error) => return self.not_stored(error, at),
        };
        self.counter.tell(text);
        Ok(())
    }

    /// She agreed: that is on record before the camera looks at her for it.
    fn agreed(&mut self, person: PersonId, at: &mut At<'_>) -> Result<(), AttendError> {
        let (digest, now) = (self.consent.digest, at.clock.now());
        let note = Note::about(person, NoticeKind::ConsentGiven, Some(digest));
        if let Err(error) = at.terminal.note(&note) {
            return self.not_stored(error, at);
        }
        let kept = self.cabinet.change(|register| {
            register.of(person).consent = Some(Consent { text: digest, at: now });
        });
        match kept {
            Ok(()) => self.collect = Some(Collect::new(person)),
            Err(error) => self.not_kept(&error, at),
        }
        Ok(())
    }

    /// Deletes a template. First it is gone, then that is on record: a record that says so never lies.
    /// What the register says is changed last, so that a crash in between is made up for.
    pub(super) fn delete(&mut self, person: PersonId, at: &mut At<'_>) -> Result<(), DeleteError> {
        let mut gallery = at.door.gallery().clone();
        gallery.remove(&person);
        self.cabinet.keep(&gallery)?;
        at.door.regard(gallery, &self.thresholds, self.fpir_max);
        at.terminal.note(&Note::about(person, NoticeKind::TemplateDeleted, None))?;
        Ok(self.cabinet.change(|register| {
            register.of(person).template_made = None;
            share::look_again(register);
        })?)
    }

    fn withdraw(&mut self, person: PersonId, at: &mut At<'_>) -> Result<(), AttendError> {
        let note = Note::about(person, NoticeKind::ConsentWithdrawn, None);
        if let Err(error) = at.terminal.note(&note) {
            return self.not_stored(error, at);
        }
        let (now, here) = (at.clock.now(), at.terminal.id().clone());
        // A crash after this line leaves a deletion that the next start does; the other terminals are told
        // of it whether she had a template here or not.
        let known = self.cabinet.change(|register| {
            let trainee = register.of(person);
            trainee.consent = None;
            trainee.share = Some(Newest::change(trainee.share.as_ref(), now, &here, What::Deleted));
        });
        match known.map_err(DeleteError::from).and_then(|()| self.delete(person, at)) {
            Ok(()) => {
                let text =
                    Bilingual::new("已撤回，模板已删除", "Withdrawn; the template is deleted");
                self.told(Ok(()), text, at);
                Ok(())
            }
            Err(error) => self.not_deleted(error, at),
        }
    }

    pub(super) fn not_deleted(
        &mut self,
        error: DeleteError,
        at: &mut At<'_>,
    ) -> Result<(), AttendError> {
        match error {
            DeleteError::Cabinet(error) => {
                self.not_kept(&error, at);
                Ok(())
            }
            DeleteError::Take(error) => self.not_stored(error, at),
        }
    }

    /// Deletes what has expired; each deletion is on record. Templates that came by `rollcall terminal
    /// enrol` are put on record and dated today.
    fn sweep(&mut self, at: &mut At<'_>) -> Result<(), AttendError> {
        self.tidy(at)?;
        let now = at.clock.now();
        let undated: Vec<_> = at
            .door
            .gallery()
            .persons()
            .filter(|person| {
                let trainee = self.cabinet.register().trainees.get(person);
                trainee.is_none_or(|trainee| trainee.template_made.is_none())
            })
            .collect();
        for person in undated {
            let note = Note::about(person, NoticeKind::TemplateMade, None);
            if let Err(error) = at.terminal.note(&note) {
                return self.not_stored(error, at);
            }
            let dated =
                self.cabinet.change(|register| register.of(person).template_made = Some(now));
            if let Err(error) = dated {
                tracing::error!("Could not date a template: {}.", Chain(&error));
                break;
            }
        }
        for person in self.cabinet.register().expired(self.oldest(now)) {
            let done = self.delete(person, at).and_then(|()| {
                // Each terminal finds by itself what has expired: nobody needs to be told.
                Ok(self.cabinet.change(|register| register.of(person).share = None)?)
            });
            match done {
                Ok(()) => tracing::info!("Deleted a template that had expired."),
                Err(DeleteError::Cabinet(error)) => {
                    tracing::error!("Could not delete an expired template: {}.", Chain(&error));
                }
                Err(DeleteError::Take(error)) => return self.not_stored(error, at),
            }
        }
        self.keep_books(at);
        Ok(())
    }

    /// Looks at a frame for an enrolment, if one is under way; whether it was.
    pub(super) fn collect(
        &mut self,
        pipeline: &mut Pipeline,
        frame: &Frame,
        at: &mut At<'_>,
    ) -> Result<bool, AttendError> {
        let at_ms = at.clock.uptime().as_ms();
        let Some(collect) = &mut self.collect else { return Ok(false) };
        at.door.preview(frame);
        let look = pipeline.look(frame)?;
        let same = self.thresholds.matching.cosine;
        let message = match collect.look(&look, at.door.numbers(), same, at_ms) {
            Collected::Advice(Advice::NobodyThere) => Message::idle(Advice::NobodyThere.text()),
            Collected::Advice(advice) => Message::advice(advice.text()),
            Collected::Ask(side, percent) => {
                let (word, text) = side.asked();
                Message::ask(word, text, percent)
            }
            Collected::Done => {
                self.finish(at)?;
                return Ok(true);
            }
        };
        at.door.show(&message, outline(&look), at_ms);
        Ok(true)
    }

    /// All pictures are there: makes the template, unless the face is somebody else's.
    fn finish(&mut self, at: &mut At<'_>) -> Result<(), AttendError> {
        let at_ms = at.clock.uptime().as_ms();
        let Some(collect) = self.collect.take() else { return Ok(()) };
        self.counter.collected(at_ms);
        let (person, now) = (collect.person, at.clock.now());
        let same = self.thresholds.matching.cosine;
        let mut gallery = at.door.gallery().clone();
        if let Err(error) = gallery.enrol(person, collect.faces(), same) {
            let text = match error {
                EnrolError::NotOnePerson { .. } | EnrolError::NoPicture => Bilingual::new(
                    "照片不像同一人，请重新登记",
                    "The pictures do not look like one person: please enrol again",
                ),
                EnrolError::Full | EnrolError::OtherModel => Bilingual::new(
                    "本机不能再登记人脸，请联系管理员",
                    "No more faces fit on this terminal: please ask the operator",
                ),
            };
            tracing::warn!("{}.", Chain(&error));
            self.counter.tell(text);
            return Ok(());
        }
        if let Some(other) = gallery.somebody_else(&person, &self.thresholds, self.fpir_max) {
            let other = OtherPerson { person: other.person, score: other.score };
            let note = Note {
                other: Some(other),
                ..Note::about(person, NoticeKind::TemplateRefused, None)
            };
            if let Err(error) = at.terminal.note(&note) {
                return self.not_stored(error, at);
            }
            let whose = at.site.masked_name(&other.person).unwrap_or_default();
            self.counter.tell(Bilingual::new(
                format!("这张脸已登记为 {whose}，未登记；请核对身份"),
                format!("This face is enrolled as {whose}: not enrolled, please look into it"),
            ));
            return Ok(());
        }
        // The template first: a record that says that it was made never lies.
        if let Err(error) = self.cabinet.keep(&gallery) {
            self.not_kept(&error, at);
            return Ok(());
        }
        at.door.regard(gallery, &self.thresholds, self.fpir_max);
        if let Err(error) = at.terminal.note(&Note::about(person, NoticeKind::TemplateMade, None)) {
            return self.not_stored(error, at);
        }
        let (shares, here) = (self.exchange.is_some(), at.terminal.id().clone());
        let kept = self.cabinet.change(|register| {
            let trainee = register.of(person);
            trainee.template_made = Some(now);
            let change = Newest::change(trainee.share.as_ref(), now, &here, What::Held);
            trainee.share = shares.then_some(change);
        });
        self.told(kept, Bilingual::new("登记成功", "Enrolled"), at);
        Ok(())
    }

    fn told(&mut self, kept: Result<(), CabinetError>, text: Bilingual, at: &mut At<'_>) {
        match kept {
            Ok(()) => {
                self.counter.tell(text.clone());
                at.door.show(&Message::done(text), None, at.clock.uptime().as_ms());
            }
            Err(error) => self.not_kept(&error, at),
        }
    }

    pub(super) fn not_kept(&mut self, error: &CabinetError, at: &mut At<'_>) {
        tracing::error!("Could not keep what was done at the counter: {}.", Chain(error));
        let why = Bilingual::new("终端存储故障，请联系老师", "the terminal cannot store");
        let message = Message::not_stored(&why);
        self.counter.tell(message.text.clone());
        at.door.show(&message, None, at.clock.uptime().as_ms());
    }

    /// A full journal is red and passes; a broken one ends the terminal.
    pub(super) fn not_stored(
        &mut self,
        error: TakeError,
        at: &mut At<'_>,
    ) -> Result<(), AttendError> {
        let why = Bilingual::new(
            "终端存储故障或已满，请联系老师",
            "the terminal cannot store or is full: please ask the teacher",
        );
        let message = Message::not_stored(&why);
        self.counter.tell(message.text.clone());
        at.door.show(&message, None, at.clock.uptime().as_ms());
        if error.class() == Class::Transient { Ok(()) } else { Err(error.into()) }
    }
}

/// Why a template could not be deleted, or its deletion not be put on record.
pub(super) enum DeleteError {
    Cabinet(CabinetError),
    Take(TakeError),
}

impl From<CabinetError> for DeleteError {
    fn from(error: CabinetError) -> Self {
        Self::Cabinet(error)
    }
}

impl From<TakeError> for DeleteError {
    fn from(error: TakeError) -> Self {
        Self::Take(error)
    }
}

/// The answer, unless the journal was full: the screen says so already.
fn passed(answer: Result<Answer, AttendError>) -> Result<Option<Answer>, AttendError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(AttendError::Take(error)) if error.class() == Class::Transient => Ok(None),
        Err(error) => Err(error),
    }
}

fn outline(look: &Look) -> Option<Outline> {
    let face = look.face.as_ref()?;
    Some(Outline::of(&face.place(look.frame)))
}
