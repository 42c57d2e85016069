//! How errors are classed and told, and how logs are set up.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal;

/// What the caller shall do about an error. It hangs on this class, never on text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Try again later; nothing is wrong that time cannot mend.
    Transient,
    /// The same call will fail again; somebody must change something.
    Permanent,
    /// Going on would break a promise: the process ends and recovery runs at the next start.
    FailStop,
}

/// Shows an error with all its causes, joined once.
pub struct Chain<'e>(pub &'e (dyn Error + 'e));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Sends logs to standard error; `RUST_LOG` chooses what, else `level` (`warn`, `error` …).
/// Libraries that tell of every broken connection are kept quiet: our own adapters tell it once.
pub fn start_logging(level: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new(format!("{level},rumqttd=off,rumqttc=off"))
    });
    // A second call (several roles in one process) finds logging started already: that is fine.
    drop(
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
    );
}
