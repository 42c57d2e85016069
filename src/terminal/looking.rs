//! One look after the other: a frame from the camera, what was said at the screen meanwhile, and
//! the door's answer. Whoever runs the terminal calls [`Looking::once`] at the camera's pace.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::{mpsc, watch};

use super::evidence::{Album, Rule};
use super::panel::CameraState;
use super::service::{At, Service};
use super::{Answer, AttendError, Door, SitePlan, TakeError, Terminal, numbers, people_searched};
use crate::camera::{CaptureError, FrameSource};
use crate::checkin::Settings;
use crate::domain::{Note, NoticeKind, Policy};
use crate::face::Pipeline;
use crate::kiosk::{Page, Said};
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
    /// The lessons and people of the site, as they stand now.
    pub site: watch::Receiver<Arc<SitePlan>>,
    /// The policy profile of a plan that has none.
    pub policy: Policy,
    /// The site's own numbers.
    pub settings: Settings,
    /// The screen.
    pub page: Page,
    /// What is said at it.
    pub ear: mpsc::Receiver<Said>,
    /// What is done at it by hand.
    pub service: Service,
    /// The evidence pictures.
    pub album: Album,
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
    /// Somebody types, chooses or is enrolled: nobody is let in meanwhile.
    Served,
}

impl Looking {
    /// Takes the next frame and answers it. Blocks for the camera, the nets and the disk.
    ///
    /// An error ends the terminal: models or disk can no longer be relied on. A full journal is
    /// none: the screen is red, and stays so until receipts make room.
    pub fn once(&mut self, terminal: &Terminal, clock: &dyn Clock) -> Result<Looked, AttendError> {
        self.replan();
        self.listen(terminal, clock)?;
        let rule = self.rule();
        self.album.tick(terminal, &rule, clock.uptime().as_ms())?;
        *self.camera_state.unkept.lock().expect("no code under this lock panics") =
            self.album.unkept();
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
        let site = Arc::clone(&self.site.borrow());
        let (door, page) = (&mut self.door, &self.page);
        let mut at = At { door, terminal, clock, page, site: &site, rule };
        let served = match self.service.collect(&mut self.pipeline, &frame, &mut at) {
            Err(AttendError::Look(error)) if error.class() == Class::Transient => {
                tracing::warn!("Passed over a frame: {}.", Chain(&error));
                return Ok(Looked::Lost);
            }
            served => served?,
        };
        if served || self.service.is_busy() {
            if !served {
                self.door.preview(&frame);
            }
            return Ok(Looked::Served);
        }
        let claim = self.service.claim(at_ms);
        let answer = self.door.attend(&mut self.pipeline, terminal, clock, &frame, claim);
        self.album.see(&rule, &frame, self.door.visitor());
        match answer {
            Ok(answer) => {
                if let Answer::Stored { checkin, taken } = &answer {
                    self.service.answered();
                    // After the answer is on the screen: nobody waits for a picture.
                    self.album.keep(terminal, &rule, (checkin, taken), clock.now())?;
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
            terminal.note(&Note::new(NoticeKind::CameraChanged, Some(digest)))?;
            tracing::warn!("The camera is not the pinned one; this is on record.");
        }
        *stated = other;
        Ok(())
    }

    /// Serves those who type and choose: also without a picture they come by card and PIN.
    fn listen(&mut self, terminal: &Terminal, clock: &dyn Clock) -> Result<(), AttendError> {
        let (site, rule) = (Arc::clone(&self.site.borrow()), self.rule());
        let (door, page) = (&mut self.door, &self.page);
        let mut at = At { door, terminal, clock, page, site: &site, rule };
        self.service.listen(&mut self.ear, &mut at)?;
        let now = clock.now();
        *self.camera_state.roll.lock().expect("no code under this lock panics") =
            at.door.desk().roll_call(now).map(|roll| (roll.missing(), roll.minutes_left(now)));
        Ok(())
    }

    /// What the policy in force says about evidence pictures.
    fn rule(&self) -> Rule {
        Rule::of(self.site.borrow().policy.as_deref().unwrap_or(&self.policy))
    }

    /// Goes on by the newest plan.
    fn replan(&mut self) {
        // A plan from a file has nobody who could change it.
        if !self.site.has_changed().unwrap_or(false) {
            return;
        }
        let site = Arc::clone(&self.site.borrow_and_update());
        let Ok(thresholds) = self.pipeline.thresholds() else { return };
        let people = people_searched(&site.plans, self.door.gallery());
        let policy = site.policy.as_deref().unwrap_or(&self.policy);
        let numbers = numbers(policy, thresholds, &self.settings, people);
        self.door.replan(numbers, &site);
    }
}
