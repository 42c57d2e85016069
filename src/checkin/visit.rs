//! A visit: one person before the camera, from the first picture to the answer and until she is
//! gone. It looks at several pictures, gives one instruction at a time, and answers once.
//!
//! A "yes" comes as soon as enough good pictures agree on it. A "no" comes only when the
//! terminal has looked on for a while: the next picture is often the better one, and a wrong
//! refusal hurts. Then the same person gets a new look after a moment, or at once when she says who
//! she is.

use super::{Advice, Desk, Numbers, advise};
use crate::domain::{CheckIn, Event, Outcome, PersonId, SeenFace, Sighting, Timestamp};

/// An instruction is given when it has been right for so long, in milliseconds: single poor
/// pictures are normal, and words that flicker cannot be read.
const STEADY_MS: u64 = 300;

/// Nobody for so long is an empty place, in milliseconds.
const GONE_MS: u64 = 700;

/// What to show, and once per visit what was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// No decision yet, and what to change.
    Wait(Advice),
    /// The terminal is looking; nothing to do but to stay.
    Look,
    /// A decision, to be sealed and made durable before anything is shown.
    Decided(CheckIn),
    /// The answer was given; it stays on the screen as long as the person stays.
    Answered,
}

/// Where a visit stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Nobody is there.
    Empty,
    /// Since when the terminal looks at this visitor's good pictures.
    Looking { visit: u64, since_ms: Option<u64> },
    /// This visitor got this answer, then.
    Answered { visit: u64, outcome: Outcome, at_ms: u64 },
}

/// Decides about one person after the other. Give it each sighting once, in the order of time.
#[derive(Debug)]
pub struct Visit {
    desk: Desk,
    phase: Phase,
    /// The newest instruction that would be right, and since when.
    advice: Option<(Advice, u64)>,
    seen_ms: Option<u64>,
    claimed: Option<PersonId>,
}

impl Visit {
    /// Nobody is there yet.
    pub fn new(desk: Desk) -> Self {
        Self { desk, phase: Phase::Empty, advice: None, seen_ms: None, claimed: None }
    }

    /// The desk that decides.
    pub fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    /// The numbers that decisions rest on.
    pub fn numbers(&self) -> &Numbers {
        &self.desk.numbers
    }

    /// Looks at one sighting. `claim` is whom the person says to be, `now` wall time for the
    /// timetable, `at_ms` monotonic time for everything else.
    pub fn step(
        &mut self,
        sighting: &Sighting,
        claim: Option<PersonId>,
        now: Timestamp,
        at_ms: u64,
    ) -> Step {
        if let Some(face) = &sighting.face {
            self.seen_ms = Some(at_ms);
            self.arrive(face.visit, claim, at_ms);
        } else if self.seen_ms.is_some_and(|seen| at_ms.saturating_sub(seen) <= GONE_MS) {
            // The detector blinked, or she is about to go.
            return self.meanwhile();
        } else {
            self.phase = Phase::Empty;
        }
        let visit = match self.phase {
            Phase::Empty => return self.advised(Advice::NobodyThere, at_ms),
            Phase::Answered { .. } => return Step::Answered,
            Phase::Looking { visit, .. } => visit,
        };
        match advise(sighting, &self.desk.numbers) {
            Ok(face) => self.look(face, visit, claim, now, at_ms),
            Err(advice) => self.advised(advice, at_ms),
        }
    }

    /// Who stands there now: somebody new, or the same who may have said her name meanwhile.
    fn arrive(&mut self, visit: u64, claim: Option<PersonId>, at_ms: u64) {
        let says_who = claim.is_some() && claim != self.claimed;
        self.claimed = claim;
        let looks_anew = match self.phase {
            Phase::Empty => true,
            Phase::Looking { visit: before, .. } => visit != before,
            Phase::Answered { visit: before, outcome, at_ms: answered } => {
                let long_ago = at_ms.saturating_sub(answered) >= self.desk.numbers.again_ms;
                visit != before || says_who || (may_try_again(outcome) && long_ago)
            }
        };
        if looks_anew {
            self.phase = Phase::Looking { visit, since_ms: None };
            self.advice = None;
        }
    }

    /// A good picture.
    fn look(
        &mut self,
        face: &SeenFace,
        visit: u64,
        claim: Option<PersonId>,
        now: Timestamp,
        at_ms: u64,
    ) -> Step {
        self.advice = None;
        let since_ms = match self.phase {
            Phase::Looking { since_ms: Some(since_ms), .. } => since_ms,
            Phase::Looking { .. } | Phase::Empty | Phase::Answered { .. } => at_ms,
        };
        self.phase = Phase::Looking { visit, since_ms: Some(since_ms) };
        let numbers = &self.desk.numbers;
        if face.pictures < numbers.pictures_min {
            return Step::Look;
        }
        let patient = at_ms.saturating_sub(since_ms) < numbers.patience_ms;
        let checkin = self.desk.decide(face, claim, now);
        if patient && numbers.pictures_min > 1 && may_improve(checkin.outcome) {
            return Step::Look;
        }
        self.phase = Phase::Answered { visit, outcome: checkin.outcome, at_ms };
        Step::Decided(checkin)
    }

    /// An instruction, once it has been right for a moment.
    fn advised(&mut self, advice: Advice, at_ms: u64) -> Step {
        let since = match self.advice {
            Some((before, since)) if before == advice => since,
            Some(_) | None => {
                self.advice = Some((advice, at_ms));
                at_ms
            }
        };
        let at_once = advice == Advice::NobodyThere || self.desk.numbers.pictures_min == 1;
        if at_once || at_ms.saturating_sub(since) >= STEADY_MS {
            Step::Wait(advice)
        } else {
            Step::Look
        }
    }

    fn meanwhile(&self) -> Step {
        match self.phase {
            Phase::Empty => Step::Wait(Advice::NobodyThere),
            Phase::Looking { .. } => Step::Look,
            Phase::Answered { .. } => Step::Answered,
        }
    }

    /// Takes note that a decision is durable ([`Desk::confirm`]).
    pub fn confirm(&mut self, checkin: &CheckIn, now: Timestamp) {
        self.desk.confirm(checkin, now);
    }

    /// Takes note that a decision could not be stored: nothing was answered, she tries again.
    pub fn not_stored(&mut self) {
        if let Phase::Answered { visit, .. } = self.phase {
            self.phase = Phase::Looking { visit, since_ms: None };
        }
    }

    /// Takes note of a coming or going that was stored before ([`Desk::recall`]).
    pub fn recall(
        &mut self,
        event: Event,
        lesson: &crate::domain::LessonId,
        person: PersonId,
        at: Timestamp,
    ) {
        self.desk.recall(event, lesson, person, at);
    }
}

/// Whether more pictures may turn this answer into a yes.
fn may_improve(outcome: Outcome) -> bool {
    match outcome {
        Outcome::NotRecognised
        | Outcome::LooksLikeOther
        | Outcome::Ambiguous
        | Outcome::NotLive => true,
        Outcome::Accepted
        | Outcome::AlreadyIn
        | Outcome::NotOnRoster
        | Outcome::TooEarly
        | Outcome::TooLate
        | Outcome::NoLesson
        | Outcome::RefusedByPolicy => false,
    }
}

/// Whether the same person, still there, gets another look.
fn may_try_again(outcome: Outcome) -> bool {
    may_improve(outcome)
}
