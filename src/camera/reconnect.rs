//! A camera that is opened again whenever it was lost: unplugged, without power, behind a network
//! that is down. [`Backoff`] says when; [`Kept`] is the camera. Time comes from the clock that is handed in.

use std::sync::Arc;

use super::{CaptureError, Frame, FrameSource, Identity};
use crate::platform::clock::Clock;

/// First wait before trying again, in milliseconds: a cable that was moved.
const WAIT_MS_MIN: u64 = 500;

/// Longest wait, in milliseconds: whoever plugs a camera in looks at the screen for so long.
const WAIT_MS_MAX: u64 = 8_000;

/// When to try again: at once, then after a wait that doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    wait_ms: u64,
    due_ms: u64,
}

impl Backoff {
    /// Whether it is time to try.
    pub fn is_due(self, now_ms: u64) -> bool {
        now_ms >= self.due_ms
    }

    /// It failed.
    pub fn failed(&mut self, now_ms: u64) {
        self.wait_ms = (self.wait_ms * 2).clamp(WAIT_MS_MIN, WAIT_MS_MAX);
        self.due_ms = now_ms.saturating_add(self.wait_ms);
    }

    /// It gives frames again.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

/// A camera that was opened, and who it is as far as that can be known.
pub struct Opened {
    /// Gives frames.
    pub source: Box<dyn FrameSource>,
    /// `None`: a stream over the network says nothing of itself.
    pub identity: Option<Identity>,
}

/// Opens a camera.
pub type Opener = Box<dyn FnMut() -> Result<Opened, CaptureError> + Send>;

/// See the file's head.
pub struct Kept {
    open: Opener,
    camera: Option<Box<dyn FrameSource>>,
    backoff: Backoff,
    pinned: Option<Identity>,
    other: Option<[u8; 32]>,
    clock: Arc<dyn Clock>,
}

impl Kept {
    /// Not opened yet: the first frame does that. `pinned` is who it should be.
    pub fn new(open: Opener, pinned: Option<Identity>, clock: Arc<dyn Clock>) -> Self {
        Self { open, camera: None, backoff: Backoff::default(), pinned, other: None, clock }
    }

    fn lost(&mut self, error: CaptureError) -> CaptureError {
        self.camera = None;
        self.backoff.failed(self.clock.uptime().as_ms());
        error
    }
}

impl FrameSource for Kept {
    /// [`CaptureError::Away`] while it waits to try again.
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        if self.camera.is_none() {
            if !self.backoff.is_due(self.clock.uptime().as_ms()) {
                return Err(CaptureError::Away);
            }
            match (self.open)() {
                Ok(Opened { source, identity }) => {
                    let differs = |(is, pinned): &(Identity, &Identity)| !is.is(pinned);
                    let other = identity.zip(self.pinned.as_ref()).filter(differs);
                    self.other = other.map(|(identity, _)| identity.digest());
                    self.camera = Some(source);
                }
                Err(error) => return Err(self.lost(error)),
            }
        }
        let Some(camera) = &mut self.camera else { return Err(CaptureError::Away) };
        match camera.next() {
            Ok(Some(frame)) => {
                self.backoff.succeeded();
                Ok(Some(frame))
            }
            Err(error @ CaptureError::Picture { .. }) => Err(error),
            // A camera has no end.
            Ok(None) => Err(self.lost(CaptureError::Ended)),
            Err(error) => Err(self.lost(error)),
        }
    }

    fn is_lost(&self) -> bool {
        self.camera.is_none()
    }

    fn other(&self) -> Option<[u8; 32]> {
        self.other
    }
}
