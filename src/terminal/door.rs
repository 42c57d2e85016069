//! The classroom door: joins camera, face, desk, journal and screen for one person at a time.
//!
//! frame → look → sighting → visit → decision → sealed and durable → shown. The order is the promise:
//! whatever is shown as stored has been synced before ([`Terminal::take`]).

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::camera::{self, Frame};
use crate::checkin::challenge::{self, Move};
use crate::checkin::{
    Advice, Desk, Numbers, Plan, Room, Settings, Step, Unseen, Visit, advise_picture, spot_checks,
};
use crate::domain::{
    Bilingual, CheckIn, Event, LessonId, Note, NoticeKind, Outcome, PersonId, Policy, Score,
    Timestamp,
};
use crate::face::{
    Gallery, LookError, Pipeline, Recent, Thresholds, Timings, Track, sight, sight_one,
};
use crate::journal::{Journal, ReplayError};
use crate::kiosk::{Message, Outline, Screen};
use crate::platform::chance;
use crate::platform::clock::Clock;
use crate::record::Record;
use crate::record::dispatch::Ordered;

use super::{SitePlan, TakeError, Taken, Terminal};

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
        checkin: Box<CheckIn>,
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
    /// The visit of whoever is in the newest frame.
    visitor: Option<u64>,
    /// The newest stored answer, and when.
    last: Option<(Option<PersonId>, Outcome, Timestamp)>,
    /// How long the nets took for the newest frame.
    timings: Timings,
    /// What the times of roll calls follow from; without it they are only called by hand.
    spot_seed: Option<[u8; 32]>,
    /// What pictures of many faces have shown, while the roll is called.
    room: Room,
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
            visitor: None,
            last: None,
            timings: Timings::default(),
            spot_seed: None,
            room: Room::default(),
            day: None,
        }
    }

    /// The same with the seed that times of roll calls follow from.
    #[must_use]
    pub fn with_spot_checks(mut self, seed: [u8; 32]) -> Self {
        self.spot_seed = Some(seed);
        self.plan_spot_checks();
        self
    }

    fn plan_spot_checks(&mut self) {
        let count = self.visit.numbers().spot_checks;
        if let Some(seed) = &self.spot_seed {
            self.visit.desk().plan_spot_checks(|lesson| spot_checks(seed, lesson, count));
        }
    }

    /// The same with names for the screen, masked.
    #[must_use]
    pub fn with_names(self, names: BTreeMap<PersonId, String>) -> Self {
        Self { names, ..self }
    }

    /// The same with the roll calls that were ordered here.
    #[must_use]
    pub fn with_orders(mut self, orders: Vec<Ordered>) -> Self {
        self.visit.desk().set_orders(orders);
        self
    }

    /// Goes on with other lessons, rosters and orders: who is in stays in.
    pub fn replan(&mut self, numbers: Numbers, site: &SitePlan) {
        self.roster = roster_of(&site.plans);
        self.names = site.masked_names();
        self.visit.replan(numbers, site.plans.clone());
        self.visit.desk().set_orders(site.orders.clone());
        self.spot_seed = site.spot_seed.or(self.spot_seed);
        self.plan_spot_checks();
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
                let called = record.notice.filter(|notice| notice.kind == NoticeKind::RollCalled);
                if let (Some(notice), Some(lesson)) = (called, &record.lesson) {
                    let desk = self.visit.desk();
                    desk.begin_roll_call(lesson, notice.digest, record.clock.wall);
                }
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
        self.visitor = None;
        self.preview(frame);
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
        let many = look.in_front > 1 && self.visit.numbers().roll_faces_max > 1;
        if many && claim.is_none() && self.visit.desk().roll_call(now).is_some() {
            return self.attend_room(pipeline, terminal, frame, now, at_ms);
        }
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
        self.visitor = sighting.face.as_ref().map(|face| face.visit);
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

    /// While the roll is called: confirms everybody in the picture who was asked.
    fn attend_room(
        &mut self,
        pipeline: &mut Pipeline,
        terminal: &Terminal,
        frame: &Frame,
        now: Timestamp,
        at_ms: u64,
    ) -> Result<Answer, AttendError> {
        let faces_max = self.visit.numbers().roll_faces_max;
        let faces = pipeline.look_at_all(frame, faces_max)?;
        let sides = frame_sides(frame);
        let seen: Vec<_> =
            faces.iter().map(|face| sight_one(face, sides, &self.gallery, &self.roster)).collect();
        self.screen.outline(None);
        let desk = self.visit.desk();
        let confirmed = self.room.look(&seen, faces_max, desk, now, at_ms);
        let mut answer = Answer::Look;
        for checkin in confirmed {
            if let Some(person) = checkin.person {
                self.room.confirmed(&person);
            }
            answer = self.keep(terminal, checkin, now, at_ms)?;
        }
        if answer == Answer::Look {
            self.screen.show(&Message::look(), at_ms);
        }
        Ok(answer)
    }

    /// Decides about somebody who comes without a face, and answers.
    pub fn unseen(
        &mut self,
        terminal: &Terminal,
        clock: &dyn Clock,
        unseen: &Unseen,
    ) -> Result<Answer, AttendError> {
        let (now, at_ms) = (clock.now(), clock.uptime().as_ms());
        let checkin = self.visit.desk().decide_unseen(unseen, now);
        self.keep(terminal, checkin, now, at_ms)
    }

    /// Calls the roll of the lesson that is under way: first on record, then begun. `None` where no
    /// lesson is, or one is being called.
    pub fn call_roll(
        &mut self,
        terminal: &Terminal,
        now: Timestamp,
    ) -> Result<Option<Taken>, TakeError> {
        let Some(lesson) = self.visit.desk().roll_can_be_called(now) else { return Ok(None) };
        self.begin_roll_call(terminal, lesson, None, now).map(Some)
    }

    /// Calls the roll that somebody who supervises has ordered, if one is to begin now.
    pub fn obey(
        &mut self,
        terminal: &Terminal,
        now: Timestamp,
    ) -> Result<Option<Taken>, TakeError> {
        let ordered = self.visit.desk().order_is_due(now);
        let Some(Ordered { order, lesson, .. }) = ordered.cloned() else { return Ok(None) };
        self.begin_roll_call(terminal, lesson, Some(order), now).map(Some)
    }

    fn begin_roll_call(
        &mut self,
        terminal: &Terminal,
        lesson: LessonId,
        order: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Taken, TakeError> {
        let notice = Note::new(NoticeKind::RollCalled, order);
        let taken = terminal.note(&Note { lesson: Some(lesson.clone()), ..notice })?;
        self.visit.desk().begin_roll_call(&lesson, order, now);
        Ok(taken)
    }

    /// Who is in the lesson that is under way.
    pub fn desk(&mut self) -> &mut Desk {
        self.visit.desk()
    }

    /// The numbers that decisions rest on.
    pub fn numbers(&self) -> &Numbers {
        self.visit.numbers()
    }

    /// The visit of whoever is in the frame that was attended last, if anybody is.
    pub fn visitor(&self) -> Option<u64> {
        self.visitor
    }

    /// The templates.
    pub fn gallery(&self) -> &Gallery {
        &self.gallery
    }

    /// Compares with these templates from now on; how strict a search is depends on how many people
    /// it tells apart.
    pub fn regard(&mut self, gallery: Gallery, thresholds: &Thresholds, fpir_max: f64) {
        let people = self.roster.iter().filter(|person| gallery.contains(person)).count();
        self.visit.desk().set_search_threshold(thresholds.search_threshold(people, fpir_max));
        self.gallery = gallery;
    }

    /// Shows the camera's picture, if somebody sees it.
    pub fn preview(&mut self, frame: &Frame) {
        if self.screen.wants_picture() {
            self.screen.picture(camera::preview(frame));
        }
    }

    /// Shows something else than the answer to a frame.
    pub fn show(&mut self, message: &Message, outline: Option<Outline>, at_ms: u64) {
        self.screen.outline(outline);
        self.screen.show(message, at_ms);
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
                Ok(Answer::Stored { checkin: Box::new(checkin), taken })
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
        // Without scores nobody looked at a face: whoever stands there may be somebody else.
        let seen = checkin.scores.and(self.track.face());
        if let (Outcome::Accepted, Some(person), Some(face)) =
            (checkin.outcome, checkin.person, seen)
        {
            self.recent.remember(person, seq, face);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sides of a picture are small")]
fn frame_sides(frame: &Frame) -> [f32; 2] {
    [frame.width() as f32, frame.height() as f32]
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
        by_pin: policy.without_face_by_pin(),
        by_staff: policy.without_face_by_staff(),
        roll_ms: minutes(policy.roll_call_minutes()),
        spot_checks: policy.spot_checks_per_lesson(),
        roll_faces_max: policy.roll_call_faces_max().try_into().unwrap_or(1),
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
