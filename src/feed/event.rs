//! What an event says. The JSON names of these fields are a contract (docs/spec/feed-v1.md): they
//! may be added to, never renamed. Times are milliseconds since 1970 UTC.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    self, AnomalyId, AnomalyKind, Bilingual, LedgerRange, Outcome, Severity, TerminalId, Timestamp,
};

/// One numbered event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number: grows, never used twice, may have holes.
    pub id: u64,
    /// What it says.
    #[serde(flatten)]
    pub body: Body,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// A rule saw something that an investigator should look at.
    Anomaly(Anomaly),
    /// A record of attendance was committed.
    Attendance(Attendance),
    /// A terminal's state changed; replaces what was said of it before.
    Terminal(Terminal),
}

impl Body {
    /// `anomaly`, `attendance` or `terminal`.
    pub fn kind(&self) -> &'static str {
        match self {
            Body::Anomaly(_) => "anomaly",
            Body::Attendance(_) => "attendance",
            Body::Terminal(_) => "terminal",
        }
    }
}

/// A person as she may be shown to the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Her part in the matter: 学员 trainee, 冒名者 stand-in …
    pub role: Bilingual,
    /// Her name, in clear or masked (张*): the announcer decides.
    pub name: String,
}

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The training institution.
    pub institution: Bilingual,
    /// The teaching site.
    pub site: Bilingual,
    /// The town.
    pub town: Bilingual,
}

/// One ledger entry that supports an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its place in the ledger.
    pub index: u64,
    /// The first digits of its hash, for people to compare; the entry itself has all of them.
    pub hash: String,
    /// What it says, in one short line.
    pub what: Bilingual,
}

/// An anomaly, as told to people. Compare [`crate::domain::Anomaly`], which holds ids only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Names the anomaly by kind and evidence: announced once under it.
    #[serde(with = "hex_id")]
    pub anomaly: AnomalyId,
    /// What was seen.
    pub kind: AnomalyKind,
    /// How soon somebody should look.
    pub severity: Severity,
    /// When it happened.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// When the entry that completed the evidence was committed.
    #[serde(rename = "committed_ms")]
    pub committed_at: Timestamp,
    /// Whom it is about; empty where nobody is known.
    pub who: Vec<Person>,
    /// Where; `None` where no registered site is concerned.
    #[serde(rename = "where")]
    pub place: Option<Place>,
    /// Which terminals it happened at, or was sent as.
    pub terminals: Vec<TerminalId>,
    /// What was seen, and what it can and cannot mean.
    pub why: Bilingual,
    /// The entries that prove it.
    pub evidence: Vec<Evidence>,
    /// Name and version of the policy profile whose numbers were used.
    pub policy: String,
    /// Version of the rule; 0 in what was announced before rules had versions.
    #[serde(default)]
    pub rule: u16,
    /// The numbers of the profile that the rule reads.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// What had been judged of the ledger; `None` in what was announced before this was told.
    #[serde(default)]
    pub ledger: Option<LedgerRange>,
}

/// A committed record of attendance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendance {
    /// Its place in the ledger: announced once under it.
    pub index: u64,
    /// When it happened, by the terminal's clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Who, as may be shown; `None` where nobody was recognised.
    pub person: Option<String>,
    /// Which terminal stated it.
    pub terminal: TerminalId,
    /// Where the terminal stands.
    #[serde(rename = "where")]
    pub place: Option<Place>,
    /// The lesson, for people: class and time.
    pub lesson: Option<Bilingual>,
    /// Came, left, or tried.
    pub event: domain::Event,
    /// The terminal's answer.
    pub outcome: Option<Outcome>,
    /// Minutes after the lesson's begin; `None` when in time or without a lesson.
    pub late_minutes: Option<u32>,
}

/// What a terminal is able to do just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalState {
    /// Connected, nothing wrong.
    Online,
    /// Not heard of; it records on and sends later.
    Offline,
    /// Its journal is full: it refuses visibly and somebody must come.
    Full,
    /// Its clock contradicts evidence: its times are not counted until confirmed.
    ClockDoubtful,
}

/// The newest record that the centre holds of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// Its number at the terminal.
    pub seq: u64,
    /// When it was made, by the terminal's clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
}

/// A registered terminal and its state: a hint for people, never evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Which one.
    pub terminal: TerminalId,
    /// Where it stands.
    #[serde(rename = "where")]
    pub place: Option<Place>,
    /// What it is able to do.
    pub state: TerminalState,
    /// Records that wait in its journal for a receipt, by its own word; `None` when unknown.
    pub waiting: Option<u64>,
    /// The newest record that the centre holds of it.
    pub last: Option<Reported>,
}

/// Anomaly ids stand in JSON as 32 hexadecimal digits.
mod hex_id {
    use data_encoding::HEXLOWER;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::AnomalyId;

    pub(super) fn serialize<S: Serializer>(id: &AnomalyId, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<AnomalyId, D::Error> {
        let text = String::deserialize(d)?;
        HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(AnomalyId)
            .ok_or_else(|| D::Error::custom("an anomaly id is 32 hexadecimal digits"))
    }
}
