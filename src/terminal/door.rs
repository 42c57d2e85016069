//! The classroom door: joins camera, face, desk, journal and screen for one person at a time.
//!
//! frame → look → sighting → visit → decision → sealed and durable → shown. The order is the promise:
//! whatever is shown as stored has been synced before ([`Terminal::take`]).

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::camera::{self, Frame};
use crate::checkin::challenge::{self, Move};
use crate::checkin::{Advice, Desk, Numbers, Plan, Settings, Step, Visit, advise_picture};
use crate::domain::{Bilingual, CheckIn, Event, Outcome, PersonId, Policy, Score, Timestamp};
use crate::face::{Gallery, LookError, Pipeline, Recent, Thresholds, Timings, Track, sight};
use crate::journal::{Journal, ReplayError};
use crate::kiosk::{Message, Outline, Screen};
use crate::platform::chance;
use crate::platform::clock::Clock;
use crate::record::Record;

use super::{TakeError, Taken, Terminal};

/// Records read at once when a door begins: some 150 kB.
const RECALL_RECORDS: usize = 256;

/// How long the same "no" to somebody who says no name is not made a record again: people stand
/// still before a camera that looks five times a second.
const SAME_ANSWER_MS: i64 = 10_000;

/// How far a face may be lifted and lowered: wide, because nobody is to be turned away for looking a
/// little up or down.
const NOD_RANGE: (f32, f32) = (0.38, 0.78);

/// How far a head may lean, in degrees: alignment turns it upright again.
const LEAN_DEG_MAX: f32 = 30.0;

/// What came of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// No decision: one instruction is on the screen.
    Wait(Advice),
    /// No decision yet: the terminal looks on.
    Look,
    /// No decision yet: a movement is asked for, or none between two.
    Asked(Option<Move>),
    /// The same as a moment ago: the answer is still on the screen, and no second record is made.
    Same,
    /// A record exists, durably; its answer is on the screen.
    Stored {
        /// What was decided.
        checkin: CheckIn,
        /// The record.
        taken: Taken,
    },
}

/// No answer could be given; the screen is red.
#[derive(Debug, thiserror::Error)]
pub enum AttendError {
    /// The face pipeline failed.
    #[error("could not look at the frame")]
    Look(#[from] LookError),
    /// The record could not be kept.
    #[error("could not keep the decision")]
    Take(#[from] TakeError),
}

/// One door with its people.
pub struct Door {
    visit: Visit,
    track: Track,
    gallery: Gallery,
    recent: Recent,
    roster: Vec<PersonId>,
    screen: Box<dyn Screen>,
    /// What the screen calls people, masked.
    names: BTreeMap<PersonId, String>,
    /// The newest stored answer, and when.
    last: Option<(Option<PersonId>, Outcome, Timestamp)>,
    /// How long the nets took for the newest frame.
    timings: Timings,
    /// The day whose faces are remembered.
    day: Option<Date>,
}

impl Door {
    /// A door with its timetable and templates. `thresholds` are those of the model pack that made
    /// the templates.
    pub fn new(
        numbers: Numbers,
        plans: Vec<Plan>,
        gallery: Gallery,
        thresholds: &Thresholds,
        screen: Box<dyn Screen>,
    ) -> Self {
        let roster = roster_of(&plans);
        let visit = Visit::new(Desk::new(numbers, plans));
        let track = Track::new(thresholds.matching.cosine);
        let recent = Recent::new(thresholds.confident.cosine);
        Self {
            visit,
            track,
            gallery,
            recent,
            roster,
            screen,
            names: BTreeMap::new(),
            last: None,
            timings: Timings::default(),
            day: None,
        }
    }

    /// The same with names for the screen, masked.
    #[must_use]
    pub fn with_names(self, names: BTreeMap<PersonId, String>) -> Self {
        Self { names, ..self }
    }

    /// Goes on with other lessons and rosters: who is in stays in. `names` are masked.
    pub fn replan(
        &mut self,
        numbers: Numbers,
        plans: Vec<Plan>,
        names: BTreeMap<PersonId, String>,
    ) {
        self.roster = roster_of(&plans);
        self.names = names;
        self.visit.replan(numbers, plans);
    }

    /// The templates of this door.
    pub fn gallery(&self) -> &Gallery {
        &self.gallery
    }

    /// How long each net took for the newest frame.
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// Takes note of who is in, from what this terminal has stored: a restart in the middle of a
    /// lesson forgets nobody.
    pub fn recall(&mut self, journal: &Journal) -> Result<(), ReplayError> {
        let mut from = journal.standing().kept_from;
        loop {
            let page = journal.replay(from, RECALL_RECORDS)?;
            let Some((newest, _)) = page.last() else { return Ok(()) };
            from = newest + 1;
            for (_, parcel) in &page {
                let Ok((record, _)) = Record::peek(parcel.sealed.bytes()) else { continue };
                if let (Some(Outcome::Accepted), Some(lesson), Some(opening)) =
                    (record.outcome, &record.lesson, parcel.person)
                {
                    self.visit.recall(record.event, lesson, opening.person, record.clock.wall);
                }
            }
        }
    }

    /// Looks at one frame and answers. Blocks for the nets and the disk.
    pub fn attend(
        &mut self,
        pipeline: &mut Pipeline,
        terminal: &Terminal,
        clock: &dyn Clock,
        frame: &Frame,
        claim: Option<PersonId>,
    ) -> Result<Answer, AttendError> {
        let (now, at_ms) = (clock.now(), clock.uptime().as_ms());
        if self.screen.wants_picture() {
            self.screen.picture(camera::preview(frame));
        }
        let look = match pipeline.look(frame) {
            Ok(look) => look,
            Err(error) => {
                let why = Bilingual::new(
                    "人脸识别故障，请联系老师",
                    "the recognition failed: please ask the teacher",
                );
                self.screen.show(&Message::not_stored(&why), at_ms);
                return Err(error.into());
            }
        };
        self.timings = look.timings;
        // Faces are compared within a day, and not kept beyond it.
        let today = now.shanghai().date();
        if self.day.replace(today) != Some(today) {
            self.recent.clear();
        }
        if let Some(face) = &look.face {
            let poor = advise_picture(&face.quality, self.visit.numbers()).is_some();
            self.track.follow(face, look.in_front == 1 && !poor, at_ms);
        }
        let (track, roster) = (&self.track, &self.roster);
        let sighting = sight(&look, track, &self.gallery, &self.recent, claim, roster);
        self.screen.outline(sighting.face.as_ref().map(|face| Outline::of(&face.place)));
        let checkin = match self.visit.step(&sighting, claim, now, at_ms, chance::random_bytes()) {
            Step::Decided(checkin) => checkin,
            Step::Wait(advice) => {
                let message = match advice {
                    Advice::NobodyThere => Message::idle(advice.text()),
                    Advice::OneAtATime
                    | Advice::ComeCloser
                    | Advice::MoreLight
                    | Advice::LessLight
                    | Advice::FaceFront
                    | Advice::TakeOffMask
                    | Advice::HoldStill => Message::advice(advice.text()),
                };
                self.screen.show(&message, at_ms);
                return Ok(Answer::Wait(advice));
            }
            Step::Look => {
                self.screen.show(&Message::look(), at_ms);
                return Ok(Answer::Look);
            }
            Step::Ask { asked, done_percent } => {
                let (word, text) = match asked {
                    Some(asked) => (asked.code(), asked.text()),
                    None => ("front", Bilingual::new("请正对镜头", "Look straight at the camera")),
                };
                self.screen.show(&Message::ask(word, text, done_percent), at_ms);
                return Ok(Answer::Asked(asked));
            }
            Step::Answered => return Ok(Answer::Same),
        };
        if claim.is_none() && self.repeats(&checkin, now) {
            return Ok(Answer::Same);
        }
        self.keep(terminal, checkin, now, at_ms)
    }

    /// Seals and stores a decision, and shows it only then.
    fn keep(
        &mut self,
        terminal: &Terminal,
        checkin: CheckIn,
        now: Timestamp,
        at_ms: u64,
    ) -> Result<Answer, AttendError> {
        match terminal.take(&checkin) {
            Ok(taken) => {
                self.visit.confirm(&checkin, now);
                self.last = Some((checkin.person, checkin.outcome, now));
                self.remember(&checkin, taken.seq);
                let slip = terminal.slip(&taken).to_string();
                let name = checkin.person.and_then(|person| self.names.get(&person).cloned());
                let message = Message::stored(&checkin, taken.seq, taken.clock_doubt)
                    .with_name(name)
                    .with_slip(slip);
                self.screen.show(&message, at_ms);
                terminal.shown();
                Ok(Answer::Stored { checkin, taken })
            }
            Err(error) => {
                self.visit.not_stored();
                let why = Bilingual::new(
                    "终端存储故障或已满，请联系老师",
                    "the terminal cannot store or is full: please ask the teacher",
                );
                self.screen.show(&Message::not_stored(&why), at_ms);
                Err(error.into())
            }
        }
    }

    /// Whether this is the answer that the same person got a moment ago. A claim is never passed
    /// over, nor a failed challenge: repeating it is evidence.
    fn repeats(&self, checkin: &CheckIn, now: Timestamp) -> bool {
        let challenged = checkin.scores.is_some_and(|scores| scores.challenge.is_some());
        checkin.event == Event::Attempt
            && !challenged
            && self.last.is_some_and(|(person, outcome, at)| {
                let same = outcome == checkin.outcome
                    || (outcome, checkin.outcome) == (Outcome::Accepted, Outcome::AlreadyIn);
                let lately = (0..SAME_ANSWER_MS).contains(&now.ms_since(at));
                person == checkin.person && same && lately
            })
    }

    /// Under this name this face was accepted: a later look under another name will say so.
    fn remember(&mut self, checkin: &CheckIn, seq: u64) {
        if let (Outcome::Accepted, Some(person), Some(face)) =
            (checkin.outcome, checkin.person, self.track.face())
        {
            self.recent.remember(person, seq, face);
        }
    }
}

/// Everybody whom these lessons expect, each once.
fn roster_of(plans: &[Plan]) -> Vec<PersonId> {
    let mut roster: Vec<_> = plans.iter().flat_map(|plan| plan.roster.clone()).collect();
    roster.sort();
    roster.dedup();
    roster
}

/// How many people a search without a claim tells apart: those on a roster who have a template.
pub fn people_searched(plans: &[Plan], gallery: &Gallery) -> usize {
    roster_of(plans).iter().filter(|person| gallery.contains(person)).count()
}

/// All numbers of a decision: from the policy profile, the model pack, the site's settings, and how
/// many people a search tells apart ([`people_searched`]).
pub fn numbers(
    policy: &Policy,
    thresholds: &Thresholds,
    settings: &Settings,
    people: usize,
) -> Numbers {
    const MINUTE_MS: i64 = 60_000;
    let minutes = |count: u32| i64::from(count) * MINUTE_MS;
    Numbers {
        door_opens_ms_before: minutes(policy.door_opens_minutes_before()),
        door_closes_ms_after: minutes(policy.door_closes_minutes_after()),
        checkout_ms_after: minutes(policy.checkout_after_minutes()),
        early_ms_max: minutes(settings.early_minutes_max),
        open_stay_ms_max: minutes(settings.open_stay_minutes_max),
        match_threshold: thresholds.matching.cosine,
        search_threshold: thresholds.search_threshold(people, settings.fpir_max),
        confident_threshold: thresholds.confident.cosine.max(policy.stand_in_score_min()),
        margin: policy.match_margin_min(),
        live_threshold: settings.live_min.map(Score::from_f32),
        eye_distance_px_min: settings.eye_distance_px_min,
        sharpness_min: settings.sharpness_min,
        brightness_range: (settings.brightness_min, settings.brightness_max),
        turn_max: settings.turn_max,
        nod_range: NOD_RANGE,
        lean_deg_max: LEAN_DEG_MAX,
        mouth_detail_min: settings.mouth_detail_min,
        pictures_min: settings.pictures_min,
        patience_ms: settings.patience_ms.into(),
        again_ms: settings.again_ms.into(),
        when: settings.challenge,
        share_percent: policy.challenge_share_percent(),
        thin_margin: policy.thin_match_margin(),
        challenge: challenge::Numbers::default(),
    }
}
