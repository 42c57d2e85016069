//! What a doctor finds on a terminal: one [`Finding`] for each thing that was looked at, with what is
//! to be done about it. Pure: `cli/terminal_doctor.rs` looks, here is judged.
//!
//! *Wrong* is what keeps a trainee from checking in or a record from reaching the centre; a *warning* is
//! what will do so, or what a person should know; everything else is *ok*.

mod judge;

use serde::Serialize;

pub use self::judge::{
    Eye, JournalFacts, LockFacts, PictureFacts, camera, certificate, clock, disk, evidence,
    journal, key, light, network, plan, policy, templates,
};

/// How a thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing to be done.
    Ok,
    /// Somebody should look at it.
    Warning,
    /// The terminal cannot do its work.
    Wrong,
}

impl State {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Wrong => "wrong",
        }
    }
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The camera and its pictures.
    Camera,
    /// How its pictures are lit.
    Light,
    /// The wall clock.
    Clock,
    /// Room and sync of the journal's disk.
    Disk,
    /// The journal itself.
    Journal,
    /// The keys that seal records and templates.
    Key,
    /// The terminal's own certificate for the broker.
    Certificate,
    /// The way to the broker, and whether it lets the terminal in.
    Network,
    /// The model pack.
    Models,
    /// The templates of those who may come in.
    Templates,
    /// The policy profile.
    Policy,
    /// Lessons and rosters.
    Plan,
    /// The evidence pictures.
    Evidence,
}

impl Part {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Part::Camera => "camera",
            Part::Light => "light",
            Part::Clock => "clock",
            Part::Disk => "disk",
            Part::Journal => "journal",
            Part::Key => "key",
            Part::Certificate => "certificate",
            Part::Network => "network",
            Part::Models => "models",
            Part::Templates => "templates",
            Part::Policy => "policy",
            Part::Plan => "plan",
            Part::Evidence => "evidence",
        }
    }
}

/// What was found of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of what.
    pub part: Part,
    /// How it is.
    pub state: State,
    /// What was found.
    pub what: String,
    /// Because of what; empty where it is ok.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// What to do; empty where it is ok.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

impl Finding {
    /// All is well.
    pub fn ok(part: Part, what: impl Into<String>) -> Self {
        let (because, hint) = (String::new(), String::new());
        Self { part, state: State::Ok, what: what.into(), because, hint }
    }

    /// Somebody should look at it.
    pub fn warning(
        part: Part,
        what: impl Into<String>,
        because: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (what, because, hint) = (what.into(), because.into(), hint.into());
        Self { part, state: State::Warning, what, because, hint }
    }

    /// The terminal cannot do its work.
    pub fn wrong(
        part: Part,
        what: impl Into<String>,
        because: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { state: State::Wrong, ..Self::warning(part, what, because, hint) }
    }
}
