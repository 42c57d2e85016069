//! One look after the other: a frame from the camera, what was said at the screen meanwhile, and
//! the door's answer. Whoever runs the terminal calls [`Looking::once`] at the camera's pace.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::panel::CameraState;
use super::{Answer, AttendError, Claim, Door, SitePlan, TakeError, Terminal};
use crate::camera::{CaptureError, FrameSource};
use crate::domain::{Notice, NoticeKind};
use crate::face::Pipeline;
use crate::kiosk::{Message, Page, Said, Screen};
use crate::platform::clock::Clock;
use crate::platform::telemetry::{Chain, Class};

/// Camera, models, door and screen of one terminal.
pub struct Looking {
    /// Where frames come from.
    pub camera: Box<dyn FrameSource>,
    /// What the camera is like, for the screen.
    pub camera_state: Arc<CameraState>,
    /// The models.
    pub pipeline: Pipeline,
    /// Who may come in.
    pub door: Door,
    /// The lessons and people of the site.
    pub site: Arc<SitePlan>,
    /// The screen.
    pub page: Page,
    /// What is said at it.
    pub ear: mpsc::Receiver<Said>,
    /// Who the person before the camera says to be.
    pub claim: Claim,
}

/// What came of one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// The recording is over; a camera has no end.
    Over,
    /// No frame, or no answer to it; the next one may be better. It is told where it was found.
    Lost,
    /// The door's answer.
    Answered(Answer),
}

impl Looking {
    /// Takes the next frame and answers it. Blocks for the camera, the nets and the disk.
    ///
    /// An error ends the terminal: models or disk can no longer be relied on. A full journal is
    /// none: the screen is red, and stays so until receipts make room.
    pub fn once(&mut self, terminal: &Terminal, clock: &dyn Clock) -> Result<Looked, AttendError> {
        let frame = match self.camera.next() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(Looked::Over),
            Err(error) => {
                // One broken picture is one lost frame, not the end of the lesson.
                self.camera_state.lost.store(self.camera.is_lost(), Ordering::Relaxed);
                if !matches!(error, CaptureError::Away) {
                    tracing::warn!("Passed over a frame: {}.", Chain(&error));
                }
                return Ok(Looked::Lost);
            }
        };
        self.camera_state.lost.store(false, Ordering::Relaxed);
        if let Err(error) = self.hold_against_pin(terminal) {
            // A full journal takes no notice either; it is tried again with the next frame.
            if error.class() != Class::Transient {
                return Err(error.into());
            }
        }
        let at_ms = clock.uptime().as_ms();
        self.listen(at_ms);
        let claim = self.claim.holds(at_ms);
        match self.door.attend(&mut self.pipeline, terminal, clock, &frame, claim) {
            Ok(answer) => {
                if matches!(answer, Answer::Stored { .. }) {
                    self.claim.over();
                }
                Ok(Looked::Answered(answer))
            }
            Err(AttendError::Look(error)) if error.class() == Class::Transient => {
                tracing::warn!("Passed over a frame: {}.", Chain(&error));
                Ok(Looked::Lost)
            }
            Err(AttendError::Take(error)) if error.class() == Class::Transient => Ok(Looked::Lost),
            Err(error) => Err(error),
        }
    }

    /// Another camera than the pinned one is shown, and on record once for each that comes.
    fn hold_against_pin(&self, terminal: &Terminal) -> Result<(), TakeError> {
        let other = self.camera.other();
        self.camera_state.changed.store(other.is_some(), Ordering::Relaxed);
        let mut stated = self.camera_state.stated.lock().expect("no code under this lock panics");
        if *stated == other {
            return Ok(());
        }
        if let Some(digest) = other {
            let notice = Notice { kind: NoticeKind::CameraChanged, digest: Some(digest) };
            terminal.state(notice)?;
            tracing::warn!("The camera is not the pinned one; this is on record.");
        }
        *stated = other;
        Ok(())
    }

    /// Takes what was said at the screen since the last frame.
    fn listen(&mut self, at_ms: u64) {
        while let Ok(said) = self.ear.try_recv() {
            if let Err(unknown) = self.claim.hear(&said, &self.site, at_ms) {
                self.page.show(&Message::advice(unknown), at_ms);
            }
        }
    }
}
