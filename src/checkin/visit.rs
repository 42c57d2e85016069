//! A visit: one person before the camera, from the first picture to the answer and until she is
//! gone. It looks at several pictures, gives one instruction at a time, and answers once.
//!
//! A "yes" comes as soon as enough good pictures agree on it. A "no" comes only when the
//! terminal has looked on for a while: the next picture is often the better one, and a wrong
//! refusal hurts. Then the same person gets a new look after a moment, or at once when she says who
//! she is.

use super::challenge::{Challenge, Failure, Move, Progress};
use super::{Advice, Desk, Numbers, Plan, When, advise};
use crate::domain::{
    Challenged, CheckIn, Event, LessonId, Outcome, PersonId, Score, SeenFace, Sighting, Timestamp,
};

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
    /// A movement is asked for; `None`: look straight ahead.
    Ask {
        /// Which.
        asked: Option<Move>,
        /// How much is done.
        done_percent: u8,
    },
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
    /// This visitor does movements; she had so many good pictures before.
    Moving { visit: u64, pictures: u32 },
    /// She has done them, then, and is looked at once more.
    Moved { visit: u64, pictures: u32, at_ms: u64 },
    /// This visitor got this answer, then.
    Answered { visit: u64, outcome: Outcome, at_ms: u64 },
}

/// Decides about one person after the other. Give it each sighting once, in the order of time.
#[derive(Debug)]
pub struct Visit {
    desk: Desk,
    phase: Phase,
    /// The challenge, and what is decided when it is passed.
    challenge: Option<(Challenge, CheckIn)>,
    /// The newest instruction that would be right, and since when.
    advice: Option<(Advice, u64)>,
    seen_ms: Option<u64>,
    claimed: Option<PersonId>,
}

impl Visit {
    /// Nobody is there yet.
    pub fn new(desk: Desk) -> Self {
        Self {
            desk,
            phase: Phase::Empty,
            challenge: None,
            advice: None,
            seen_ms: None,
            claimed: None,
        }
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
    /// timetable, `at_ms` monotonic time for everything else, `random` fresh random bytes.
    pub fn step(
        &mut self,
        sighting: &Sighting,
        claim: Option<PersonId>,
        now: Timestamp,
        at_ms: u64,
        random: [u8; 32],
    ) -> Step {
        if let Some(face) = &sighting.face {
            self.seen_ms = Some(at_ms);
            let before = self.phase;
            self.arrive(face.visit, claim, at_ms);
            // Somebody else stands there in the middle of a challenge.
            let another = matches!(before, Phase::Moving { .. }) && before != self.phase;
            if another && let Some(checkin) = self.abandoned() {
                return Step::Decided(checkin);
            }
        } else if let (Phase::Moving { visit, .. }, Some((challenge, _))) =
            (self.phase, &mut self.challenge)
        {
            let progress = challenge.step(None, at_ms);
            return self.moving(progress, None, visit, claim, now, at_ms);
        } else if self.seen_ms.is_some_and(|seen| at_ms.saturating_sub(seen) <= GONE_MS) {
            // The detector blinked, or she is about to go.
            return self.meanwhile();
        } else {
            self.phase = Phase::Empty;
        }
        let visit = match self.phase {
            Phase::Empty => return self.advised(Advice::NobodyThere, at_ms),
            Phase::Answered { .. } => return Step::Answered,
            Phase::Looking { visit, .. } | Phase::Moved { visit, .. } => visit,
            Phase::Moving { visit, .. } => {
                let face = sighting.face.as_ref().filter(|_| sighting.faces == 1);
                let Some((challenge, _)) = &mut self.challenge else { return Step::Look };
                let progress = challenge.step(face, at_ms);
                return self.moving(progress, face, visit, claim, now, at_ms);
            }
        };
        match advise(sighting, &self.desk.numbers) {
            Ok(face) => self.look(face, visit, claim, now, (at_ms, random)),
            Err(advice) => self.advised(advice, at_ms),
        }
    }

    /// Who stands there now: somebody new, or the same who may have said her name meanwhile.
    fn arrive(&mut self, visit: u64, claim: Option<PersonId>, at_ms: u64) {
        let says_who = claim.is_some() && claim != self.claimed;
        self.claimed = claim;
        let looks_anew = match self.phase {
            Phase::Empty => true,
            Phase::Looking { visit: before, .. }
            | Phase::Moving { visit: before, .. }
            | Phase::Moved { visit: before, .. } => visit != before,
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
        (at_ms, random): (u64, [u8; 32]),
    ) -> Step {
        self.advice = None;
        if let Phase::Moved { pictures, at_ms: moved_ms, .. } = self.phase {
            let checkin = challenged(self.desk.decide(face, claim, now), Challenged::Passed);
            // The first pictures after a movement may still show her turned.
            let patient = at_ms.saturating_sub(moved_ms) < self.desk.numbers.patience_ms;
            if face.pictures <= pictures || (patient && may_improve(checkin.outcome)) {
                return Step::Look;
            }
            return self.answer(checkin, visit, at_ms);
        }
        let since_ms = match self.phase {
            Phase::Looking { since_ms: Some(since_ms), .. } => since_ms,
            Phase::Looking { .. }
            | Phase::Empty
            | Phase::Moving { .. }
            | Phase::Moved { .. }
            | Phase::Answered { .. } => at_ms,
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
        if checkin.outcome == Outcome::Accepted && self.must_move(face, &checkin, claim, random) {
            // The first byte decided whether; sixteen others decide in which order.
            let mut order = [0; 16];
            order.copy_from_slice(&random[16..]);
            let challenge = Challenge::begin(order, numbers.challenge, at_ms);
            self.challenge = Some((challenge, checkin));
            self.phase = Phase::Moving { visit, pictures: face.pictures };
            return Step::Ask { asked: None, done_percent: 0 };
        }
        self.answer(checkin, visit, at_ms)
    }

    fn answer(&mut self, checkin: CheckIn, visit: u64, at_ms: u64) -> Step {
        self.challenge = None;
        self.phase = Phase::Answered { visit, outcome: checkin.outcome, at_ms };
        Step::Decided(checkin)
    }

    /// Whether there is a reason to ask for movements before this "yes".
    fn must_move(
        &self,
        face: &SeenFace,
        checkin: &CheckIn,
        claim: Option<PersonId>,
        random: [u8; 32],
    ) -> bool {
        let numbers = &self.desk.numbers;
        // A single picture cannot move.
        if numbers.pictures_min <= 1 {
            return false;
        }
        let passive = face.liveness.is_some() && numbers.live_threshold.is_some();
        let thin = checkin.scores.is_some_and(|scores| {
            let lead = |score: Score| score.as_e4() - scores.threshold.as_e4();
            scores.match_score.map_or(0, lead) < numbers.thin_margin.as_e4()
        });
        // One of 256 values each: as near to a percentage as chance needs to be.
        let by_chance = u32::from(random[0]) * 100 < numbers.share_percent * 256;
        match numbers.when {
            When::Never => false,
            When::Always => true,
            When::Risk => claim.is_some() || !passive || thin || by_chance,
        }
    }

    /// What came of one frame of a challenge.
    fn moving(
        &mut self,
        progress: Progress,
        face: Option<&SeenFace>,
        visit: u64,
        claim: Option<PersonId>,
        now: Timestamp,
        at_ms: u64,
    ) -> Step {
        let percent = |done: usize, of: usize| u8::try_from(done * 100 / of.max(1)).unwrap_or(100);
        let pictures = match self.phase {
            Phase::Moving { pictures, .. } => pictures,
            Phase::Empty | Phase::Looking { .. } | Phase::Moved { .. } | Phase::Answered { .. } => {
                0
            }
        };
        let why = match progress {
            Progress::Front { done, of, .. } => {
                return Step::Ask { asked: None, done_percent: percent(done, of) };
            }
            Progress::Asking { asked, done, of, .. } => {
                return Step::Ask { asked: Some(asked), done_percent: percent(done, of) };
            }
            Progress::Passed(_) => {
                self.phase = Phase::Moved { visit, pictures, at_ms };
                return Step::Ask { asked: None, done_percent: 100 };
            }
            Progress::Failed(why, _) => why,
        };
        let came_of_it = match (why, face) {
            // Gone, or another one in her place: whoever stands there is looked at.
            (Failure::Lost, _) | (_, None) => {
                self.phase = Phase::Looking { visit, since_ms: None };
                return self.abandoned().map_or(Step::Look, Step::Decided);
            }
            (Failure::Flat, Some(_)) => Challenged::Flat,
            (Failure::TooLate | Failure::WrongMove, Some(_)) => Challenged::NotFollowed,
            (Failure::Repeated, Some(_)) => Challenged::Repeated,
        };
        let Some(face) = face else { return Step::Look };
        let mut checkin = challenged(self.desk.decide(face, claim, now), came_of_it);
        (checkin.event, checkin.outcome) = (Event::Attempt, Outcome::NotLive);
        checkin.same_face = None;
        self.answer(checkin, visit, at_ms)
    }

    /// The challenge ended in the middle. Where a movement had been asked for it is an attempt: a
    /// recording that waits for its own order shall not try for nothing.
    fn abandoned(&mut self) -> Option<CheckIn> {
        let (challenge, checkin) = self.challenge.take()?;
        let mut checkin = challenged(checkin, Challenged::NotFollowed);
        (checkin.event, checkin.outcome) = (Event::Attempt, Outcome::NotLive);
        checkin.same_face = None;
        challenge.has_asked().then_some(checkin)
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
            Phase::Looking { .. } | Phase::Moving { .. } | Phase::Moved { .. } => Step::Look,
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

    /// Goes on with other lessons, rosters or numbers: who is in stays in, and whoever stands there is
    /// answered.
    pub fn replan(&mut self, numbers: Numbers, plans: Vec<Plan>) {
        self.desk.replan(numbers, plans);
    }

    /// Takes note of a coming or going that was stored before ([`Desk::recall`]).
    pub fn recall(&mut self, event: Event, lesson: &LessonId, person: PersonId, at: Timestamp) {
        self.desk.recall(event, lesson, person, at);
    }
}

fn challenged(mut checkin: CheckIn, came_of_it: Challenged) -> CheckIn {
    if let Some(scores) = &mut checkin.scores {
        scores.challenge = Some(came_of_it);
    }
    checkin
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
