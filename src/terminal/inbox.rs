//! Takes the centre's dispatches and lets the terminal work by them: each is judged, stored as it came
//! (encrypted), and only then in use. A terminal that starts without a network goes on with the one
//! that it stored. What is refused changes nothing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::dispatched::{Judged, Reader, Refused};
use super::{DispatchFiles, SitePlan, Terminal};
use crate::domain::{TerminalId, Timestamp};
use crate::platform::clock::Clock;
use crate::platform::durable::{self, Access, WriteError};
use crate::platform::secret::{self, SecretError};
use crate::platform::telemetry::Chain;
use crate::record::dispatch::DISPATCH_BYTES_MAX;
use crate::record::{ReadingKey, VerifyingKey};

/// The inbox does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenInboxError {
    /// The reading key cannot be used.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// The stored dispatch cannot be read.
    #[error("could not read the dispatch in {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
}

/// A dispatch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeDispatchError {
    /// It is refused.
    #[error("could not take the dispatch")]
    Refused(#[from] Refused),
    /// It cannot be kept.
    #[error("could not keep the dispatch")]
    Write(#[from] WriteError),
}

impl TakeDispatchError {
    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            TakeDispatchError::Refused(refused) => refused.hint(),
            TakeDispatchError::Write(_) => "look at the folder's rights and free space",
        }
    }
}

/// See the file's head.
#[derive(Debug)]
pub struct Inbox {
    reader: Reader,
    file: PathBuf,
    /// The version in use.
    held: Option<u64>,
}

impl Inbox {
    /// Opens it with the plan of the stored dispatch, if there is one; `None` for a terminal that gets
    /// no dispatches. One that cannot be believed is passed over: the centre sends the newest again.
    pub fn open(
        terminal: &TerminalId,
        files: &DispatchFiles,
        centre: &[VerifyingKey],
    ) -> Result<Option<(Self, Option<SitePlan>)>, OpenInboxError> {
        let Some(key_file) = &files.reading_key_file else { return Ok(None) };
        let reading = ReadingKey::from_secret(&secret::read(key_file)?);
        let reader = Reader { terminal: terminal.clone(), reading };
        let file = files.dispatch_file.clone();
        let stored = read(&file).map_err(|io| OpenInboxError::Read { path: file.clone(), io })?;
        let plan = stored.and_then(|bytes| match reader.read_again(&bytes, centre) {
            Ok(plan) => Some(plan),
            Err(refused) => {
                tracing::warn!("Passed over the stored dispatch: {}.", Chain(&refused));
                None
            }
        });
        let held = plan.as_ref().and_then(|plan| plan.version);
        Ok(Some((Self { reader, file, held }, plan)))
    }

    /// Takes a dispatch: on `Ok(Some(…))` it is on stable storage and its plan may be used; `None`: it
    /// is the one that is held. `now`: the time, unless the clock is in doubt. Blocks for the disk.
    pub fn take(
        &mut self,
        bytes: &[u8],
        centre: &[VerifyingKey],
        now: Option<Timestamp>,
    ) -> Result<Option<SitePlan>, TakeDispatchError> {
        match self.reader.judge(bytes, centre, self.held, now)? {
            Judged::Held => Ok(None),
            Judged::Newer(plan) => {
                // A crash before this line leaves the one of before; the centre's is still there.
                durable::write(&self.file, bytes, Access::Owner)?;
                self.held = plan.version;
                Ok(Some(*plan))
            }
        }
    }

    /// Takes whatever the uplink brings, and tells each new plan. Ends only by being dropped.
    pub async fn keep(
        mut self,
        terminal: Arc<Terminal>,
        clock: Arc<dyn Clock>,
        plans: watch::Sender<Arc<SitePlan>>,
    ) {
        let mut delivered = terminal.delivered();
        delivered.mark_changed();
        while delivered.changed().await.is_ok() {
            // Only the newest key: what it follows seals nothing more.
            let (bytes, key) = {
                let delivered = delivered.borrow_and_update();
                (delivered.dispatch.clone(), delivered.keys.newest())
            };
            let Some(bytes) = bytes else { continue };
            let doubted = terminal.clock_evidence().1.is_some();
            let now = (!doubted).then(|| clock.now());
            let taking = spawn_blocking(move || {
                let taken = self.take(&bytes, &[key], now);
                (self, taken)
            });
            let (back, taken) = taking.await.expect("taking a dispatch does not panic");
            self = back;
            match taken {
                Ok(None) => {}
                Ok(Some(plan)) => {
                    tracing::info!(version = self.held, "Took a new dispatch.");
                    terminal.work_by(&plan);
                    plans.send_replace(Arc::new(plan));
                }
                Err(error) => {
                    tracing::warn!("{}; {}.", Chain(&error), error.hint());
                }
            }
        }
        // The uplink is gone; its end is told by others.
        std::future::pending().await
    }
}

/// A file with a dispatch, or nothing where there is none.
pub fn read(path: &std::path::Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    // One byte more: that it is too long is told where it is opened.
    let limit = u64::try_from(DISPATCH_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
