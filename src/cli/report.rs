//! How a role tells a person why it ended: three lines (what failed, because of what, what to do)
//! and an exit code that systemd and scripts rely on.
//!
//! ```text
//! rollcall terminal: could not open the journal at /var/lib/rollcall/journal
//!   because: it belongs to terminal b-204, and this is terminal b-207
//!   hint: if the board was re-used, …
//! ```

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use crate::platform::secret::SecretError;
use crate::platform::telemetry::Chain;

/// Why a process ended. The numbers are a contract with systemd and scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: it did what it was asked.
    Fine,
    /// 1: it looked and found something wrong.
    Found,
    /// 2: bad usage or configuration; starting again will not help.
    Usage,
    /// 3: the environment (camera, disk, broker, a port).
    Environment,
    /// 4: going on would have broken a promise; the next start recovers.
    FailStop,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Fine => 0,
            Exit::Found => 1,
            Exit::Usage => 2,
            Exit::Environment => 3,
            Exit::FailStop => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// The three lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What failed: "could not open the journal at …".
    pub what: String,
    /// Because of what.
    pub because: String,
    /// What the reader can do about it.
    pub hint: String,
}

impl Report {
    /// From its three lines.
    pub fn new(
        what: impl Into<String>,
        because: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), because: because.into(), hint: hint.into() }
    }

    /// From an error: it says what was attempted, and its sources say why. An error without a
    /// source gives its reason after a colon: "could not open X: there is none".
    pub fn of(error: &dyn Error, hint: impl Into<String>) -> Self {
        let what = error.to_string();
        if let Some(source) = error.source() {
            return Self::new(what, Chain(source).to_string(), hint);
        }
        match what.split_once(": ") {
            Some((what, because)) => Self::new(what, because, hint),
            None => Self::new(what, "there is no deeper cause", hint),
        }
    }

    /// Prints the three lines to standard error for `role` ("terminal", "collector", "verify") and
    /// gives the exit code to end with.
    pub fn tell(&self, role: &str, exit: Exit) -> ExitCode {
        eprintln!("rollcall {role}: {self}");
        exit.into()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A cause may bring its own line breaks (a parser's drawing): they stay inside its line's
        // indent, so that three lines stay three paragraphs.
        let because = self.because.trim_end().replace('\n', "\n    ");
        write!(f, "{}\n  because: {because}\n  hint: {}", self.what, self.hint)
    }
}

/// How a role tells that it cannot use a key or another secret.
#[cfg(any(feature = "terminal", feature = "collector"))]
pub(super) fn secret_failed(error: &SecretError) -> (Exit, Report) {
    let (exit, hint) = match error {
        SecretError::Missing { .. } => (
            Exit::Environment,
            "is its disk mounted? `rollcall terminal init` or `rollcall collector init` makes it, once",
        ),
        SecretError::Exists { .. } => {
            (Exit::Usage, "it is set up already; a second key would be a second history")
        }
        SecretError::Open { .. } => (Exit::Usage, "make it readable by its owner alone: chmod 600"),
        SecretError::Credential { .. } => (
            Exit::Environment,
            "name it in the service's unit: LoadCredentialEncrypted=NAME:FILE; docs/decisions/0015",
        ),
        SecretError::Content { .. } => (Exit::Usage, "put it back from its backup"),
        SecretError::Read { .. } | SecretError::Write { .. } => {
            (Exit::Environment, "look at the disk and who may use it")
        }
    };
    (exit, Report::of(error, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not open the journal at {path}")]
    struct Outer {
        path: &'static str,
        #[source]
        source: std::io::Error,
    }

    #[test]
    fn an_error_is_told_in_three_lines() {
        let error = Outer { path: "/there", source: std::io::Error::other("disk on fire") };
        let report = Report::of(&error, "put it out");
        assert_eq!(
            report.to_string(),
            "could not open the journal at /there\n  because: disk on fire\n  hint: put it out"
        );
        let error = std::io::Error::other("could not open it: there is none");
        let report = Report::of(&error, "make one");
        assert_eq!(
            report.to_string(),
            "could not open it\n  because: there is none\n  hint: make one"
        );
    }
}
