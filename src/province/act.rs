//! What happens before a terminal, as the terminal tells of it: one act, one record. The words are those
//! of a real terminal's decisions; the numbers are drawn.

use super::customs;
use super::dice::Dice;
use super::people::{best_stranger, score};
use crate::domain::{
    Challenged, ClockQuality, Event, LessonId, Notice, NoticeKind, OtherPerson, Outcome, PersonId,
    Score, Scores, Timestamp, Way,
};

/// See the file's head.
#[derive(Debug, Clone)]
pub(super) struct Act {
    /// When it truly happens.
    pub(super) at: Timestamp,
    /// At which terminal, by its place in the school's list.
    pub(super) terminal: usize,
    /// People come through a door one after the other; software does not.
    pub(super) queues: bool,
    pub(super) event: Event,
    pub(super) outcome: Option<Outcome>,
    pub(super) lesson: Option<LessonId>,
    pub(super) person: Option<PersonId>,
    pub(super) way: Option<Way>,
    pub(super) scores: Option<Scores>,
    pub(super) other: Option<OtherPerson>,
    /// Whose face it is as well, if she was accepted here today.
    pub(super) like: Option<(PersonId, Score)>,
    pub(super) staff: Option<PersonId>,
    pub(super) notice: Option<Notice>,
    /// What the clock shows, where somebody has set it.
    pub(super) clock: Option<Shown>,
}

/// A clock that somebody has set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) wall: Timestamp,
    pub(super) quality: ClockQuality,
    /// A time of the centre that the terminal holds, where it is newer than its own.
    pub(super) signed: Option<Timestamp>,
    /// Whether it was switched off for it, so that its running time fits what the clock shows.
    pub(super) fits: bool,
}

impl Act {
    /// Nobody in particular yet.
    pub(super) fn new(at: Timestamp, terminal: usize, event: Event, outcome: Outcome) -> Self {
        Self {
            at,
            terminal,
            queues: true,
            event,
            outcome: Some(outcome),
            lesson: None,
            person: None,
            way: None,
            scores: None,
            other: None,
            like: None,
            staff: None,
            notice: None,
            clock: None,
        }
    }

    /// The terminal states something about itself, a consent or a lesson.
    pub(super) fn notice(
        at: Timestamp,
        terminal: usize,
        kind: NoticeKind,
        dice: &mut Dice,
    ) -> Self {
        let digest = (kind != NoticeKind::RollCalled).then(|| dice.bytes());
        let act = Self::new(at, terminal, Event::Notice, Outcome::Accepted);
        Self { queues: false, outcome: None, notice: Some(Notice { kind, digest }), ..act }
    }

    pub(super) fn of(mut self, person: PersonId, lesson: Option<&LessonId>) -> Self {
        self.person = Some(person);
        self.lesson = lesson.cloned();
        self
    }

    /// By a face that is so much like the named person's template.
    pub(super) fn face(self, way: Way, own_e4: i64, among: usize, dice: &mut Dice) -> Self {
        let second = best_stranger(among, dice);
        self.face_of(way, own_e4, second, dice)
    }

    /// The same, with a second person who is so much alike.
    pub(super) fn face_of(
        mut self,
        way: Way,
        own_e4: i64,
        second_e4: i64,
        dice: &mut Dice,
    ) -> Self {
        let challenge = dice.happens(customs::CHALLENGED).then_some(Challenged::Passed);
        self.way = Some(way);
        self.scores = Some(Scores {
            match_score: Some(score(own_e4)),
            second_score: Some(score(second_e4)),
            threshold: score(customs::MATCH),
            detection: score(dice.around(9_300, 200)),
            liveness: None,
            pictures: Some(u32::try_from(dice.between(3, 8)).unwrap_or(3)),
            challenge,
        });
        self
    }

    /// Movements were asked for, and this came of it.
    pub(super) fn challenged(mut self, challenge: Challenged) -> Self {
        if let Some(scores) = &mut self.scores {
            scores.challenge = Some(challenge);
        }
        self
    }

    /// By card and PIN.
    pub(super) fn card(mut self) -> Self {
        self.way = Some(Way::Credential);
        self
    }

    /// Confirmed by the staff.
    pub(super) fn by_staff(mut self, staff: PersonId) -> Self {
        self.way = Some(Way::Staff);
        self.staff = Some(staff);
        self
    }

    /// At this very moment, whatever the door allows.
    pub(super) fn at_once(mut self) -> Self {
        self.queues = false;
        self
    }
}

/// Sends people through each terminal's door one after the other: whoever comes too close behind
/// another waits. Gives the acts in the order of their time.
pub(super) fn through_doors(mut acts: Vec<Act>, terminals: usize, dice: &mut Dice) -> Vec<Act> {
    acts.sort_by_key(|act| act.at);
    let (least, more) = customs::DOOR_MS;
    let mut free = vec![Timestamp::from_ms(i64::MIN); terminals];
    for act in acts.iter_mut().filter(|act| act.queues) {
        act.at = act.at.max(free[act.terminal]);
        free[act.terminal] = act.at.plus_ms(least + dice.tail(more));
    }
    acts.sort_by_key(|act| act.at);
    acts
}
