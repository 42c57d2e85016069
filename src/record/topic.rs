//! The MQTT topics between terminal and centre (docs/spec/transport.md, "Topics").

use crate::domain::{PlatformId, TerminalId};

/// Filter for all records of all terminals.
pub const ALL_RECORDS: &str = "rollcall/v1/+/records";
/// Filter for all questions of all terminals.
pub const ALL_QUESTIONS: &str = "rollcall/v1/+/ask";
/// Filter for the state of all terminals.
pub const ALL_STATUS: &str = "rollcall/v1/+/status";

/// Filter for the shares of all terminals.
pub const ALL_SHARES: &str = "rollcall/v1/+/share";

/// Filter for the reports of all platforms.
pub const ALL_REPORTS: &str = "rollcall/v1/platform/+/reports";

/// What stands before a platform's name.
const PLATFORM: &str = "rollcall/v1/platform/";

/// Where a platform's reports go.
pub fn reports_of(platform: &PlatformId) -> String {
    format!("{PLATFORM}{platform}/reports")
}

/// Where the centre answers them.
pub fn taken_of(platform: &PlatformId) -> String {
    format!("{PLATFORM}{platform}/taken")
}

/// Whose reports a topic is for; `None` when it is for none.
pub fn platform_of(topic: &str) -> Option<PlatformId> {
    topic.strip_prefix(PLATFORM)?.strip_suffix("/reports")?.parse().ok()
}

/// Everything that is told of anomalies and cases.
pub const ALL_ALERTS: &str = "rollcall/v1/alerts/#";

/// The topic for what is told of a region. `region`: an area's number or a town's name, in the characters
/// of names.
pub fn alerts(region: &str, severity: &str) -> String {
    format!("rollcall/v1/alerts/{region}/{severity}")
}

/// What a topic of a terminal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Terminal → centre: a [`super::Batch`].
    Records,
    /// Terminal → centre: 16 random bytes, answered with a signed time.
    Ask,
    /// Centre → terminal: one sealed answer (receipt, refusal, wanted, time).
    Answers,
    /// Centre → terminal, retained: what it works by ([`super::dispatch`]).
    Dispatch,
    /// Terminal → centre: a share, or the question for those of others ([`super::share`]).
    Share,
    /// Centre → terminal: shares of its institution.
    Shared,
    /// Terminal → anybody, retained, also the last will: a hint, never evidence.
    Status,
}

impl Channel {
    const ALL: [Self; 7] = [
        Self::Records,
        Self::Ask,
        Self::Answers,
        Self::Dispatch,
        Self::Share,
        Self::Shared,
        Self::Status,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Channel::Records => "records",
            Channel::Ask => "ask",
            Channel::Answers => "answers",
            Channel::Dispatch => "dispatch",
            Channel::Share => "share",
            Channel::Shared => "shared",
            Channel::Status => "status",
        }
    }

    /// The topic of this channel for `terminal`.
    pub fn of(self, terminal: &TerminalId) -> String {
        format!("rollcall/v1/{terminal}/{}", self.as_str())
    }

    /// Takes a topic apart; `None` when it is none of ours.
    pub fn parse(topic: &str) -> Option<(TerminalId, Self)> {
        let rest = topic.strip_prefix("rollcall/v1/")?;
        let (terminal, channel) = rest.split_once('/')?;
        let channel = Self::ALL.into_iter().find(|c| c.as_str() == channel)?;
        Some((terminal.parse().ok()?, channel))
    }
}
