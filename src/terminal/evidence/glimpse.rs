//! The newest picture of whoever is, or was, before the camera. Who goes away in the middle of a
//! challenge, or lets another one step in her place, is decided about when she is gone: the picture of
//! that moment would show an empty room, or the wrong person.

use crate::camera::Frame;
use crate::domain::CheckIn;

/// Held in memory alone, and only while a policy demands pictures.
#[derive(Debug, Default)]
pub(super) struct Glimpse {
    /// The visit, its newest picture, and whether it is its first one.
    newest: Option<(u64, Frame, bool)>,
    /// The last picture of the visit before it.
    before: Option<Frame>,
}

impl Glimpse {
    /// Takes note of a picture; `visit` is whose, `None` where nobody is in it.
    pub(super) fn see(&mut self, frame: &Frame, visit: Option<u64>) {
        let Some(visit) = visit else { return };
        let same = matches!(&self.newest, Some((of, ..)) if *of == visit);
        let last = self.newest.replace((visit, frame.clone(), !same));
        if !same {
            self.before = last.map(|(_, frame, _)| frame);
        }
    }

    /// The picture that a decision is about, made at the newest picture seen.
    pub(super) fn of(&self, checkin: &CheckIn) -> Option<&Frame> {
        let (_, newest, first) = self.newest.as_ref()?;
        let challenged = checkin.scores.is_some_and(|scores| scores.challenge.is_some());
        // Nobody does movements in her first picture: it was the one before her who did.
        if *first && challenged { self.before.as_ref() } else { Some(newest) }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
