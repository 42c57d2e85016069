//! A made terminal: it seals what happens with its own key, in its chain, with the clock that it has, and
//! its messages reach the centre as its network allows: at once, after some hours, after some days.

use std::collections::HashMap;

use jiff::civil::Date;

use super::act::{Act, Shown};
use super::calendar::{DAY_MS, MINUTE_MS, SECOND_MS, at};
use super::coming::{Coming, What};
use super::customs;
use super::dice::{Dice, named};
use crate::domain::{
    ClockEvidence, ClockQuality, Event, Outcome, PersonId, SameFace, TerminalId, Timestamp, Uptime,
};
use crate::record::{
    BATCH_PARCELS_MAX, Opening, Other, Parcel, Record, Sealed, SealedHash, SigningKey,
};

/// Where a clock begins whose battery is empty: 1 January 2020.
const RESET_CLOCK: Timestamp = Timestamp::from_ms(1_577_808_000_000);

/// The record key of a made terminal; it follows from the seed and is no secret.
pub(super) fn record_key(seed: u64, terminal: &TerminalId) -> SigningKey {
    SigningKey::from_secret(&named(seed, "record key", terminal.as_str()))
}

/// What every record of the world says of the program and the models.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) policy: String,
    pub(super) pack: [u8; 32],
}

/// Times without a network.
#[derive(Debug, Clone, Default)]
struct Line {
    outages: Vec<(Timestamp, Timestamp)>,
}

impl Line {
    fn drawn(days: &[Date], dice: &mut Dice) -> Self {
        let mut outages = Vec::new();
        for day in days {
            let from = at(*day, dice.between(6 * 60, 21 * 60));
            let lasts = match () {
                () if dice.happens(customs::OUTAGE_DAYS) => dice.between(20, 140) * 60,
                () if dice.happens(customs::OUTAGE_HOURS) => 20 + dice.tail(100),
                () => continue,
            };
            outages.push((from, from.plus_ms(lasts * MINUTE_MS)));
        }
        Self { outages }
    }

    /// The time without a network that `at` lies in, joined with those that it touches.
    fn dark(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let mut dark: Option<(Timestamp, Timestamp)> = None;
        for &(from, until) in &self.outages {
            dark = match dark {
                Some((began, ends)) if from <= ends => Some((began, ends.max(until))),
                None if from <= at && at < until => Some((from, until)),
                dark => dark,
            };
        }
        dark
    }
}

/// See the file's head.
pub(super) struct Device {
    id: TerminalId,
    key: SigningKey,
    frame: Frame,
    seq: u64,
    prev: SealedHash,
    boot: u64,
    booted: Timestamp,
    /// When it was switched on by a clock that somebody has set, while it shows that.
    set_on: Option<Timestamp>,
    /// The newest time of the centre that it holds.
    heard: Option<Timestamp>,
    day: Option<Date>,
    accepted: HashMap<PersonId, u64>,
    line: Line,
    drift_ms: i64,
    dead_battery: bool,
    dice: Dice,
    free: Timestamp,
}

impl Device {
    pub(super) fn new(seed: u64, id: &TerminalId, days: &[Date], frame: Frame) -> Self {
        let mut dice = Dice::of(seed, &format!("terminal {id}"));
        Self {
            key: record_key(seed, id),
            id: id.clone(),
            frame,
            seq: 0,
            prev: SealedHash::GENESIS,
            boot: 0,
            booted: Timestamp::default(),
            set_on: None,
            heard: None,
            day: None,
            accepted: HashMap::new(),
            line: Line::drawn(days, &mut dice),
            drift_ms: 0,
            dead_battery: dice.happens(customs::DEAD_BATTERY),
            dice,
            free: Timestamp::default(),
        }
    }

    /// Somebody pulls the plug of the network.
    pub(super) fn cut_off(&mut self, from: Timestamp, until: Timestamp) {
        self.line.outages.push((from, until));
        self.line.outages.sort();
    }

    /// It was unplugged, carried somewhere and switched on again.
    pub(super) fn carried_away(&mut self) {
        self.boot += 1;
    }

    pub(super) fn id(&self) -> &TerminalId {
        &self.id
    }

    /// Seals the acts of a day, in order, and says when they reach the centre.
    pub(super) fn work(&mut self, day: Date, acts: &[Act]) -> Vec<Coming> {
        let Some(first) = acts.first() else { return Vec::new() };
        if self.day != Some(day) {
            self.switch_on(day, first.at);
        }
        let mut comings: Vec<Coming> = Vec::new();
        for act in acts {
            let parcel = self.seal(act);
            let dark = self.line.dark(act.at);
            let sent = dark.map_or(act.at, |(_, until)| until.plus_ms(20 * SECOND_MS));
            let arrives = sent.plus_ms(self.dice.between(600, 3_500)).max(self.free.plus_ms(1));
            if let Some(waiting) = comings.last_mut().filter(|_| dark.is_some())
                && let What::Parcels { parcels, dark: true, .. } = &mut waiting.what
                && parcels.len() < BATCH_PARCELS_MAX
            {
                parcels.push(parcel);
                continue;
            }
            self.free = arrives;
            let what = What::Parcels {
                topic: self.id.clone(),
                parcels: vec![parcel],
                dark: dark.is_some(),
                genuine: true,
            };
            comings.push(Coming { at: arrives, what });
        }
        self.doubled(&mut comings);
        comings
    }

    /// The network delivers a message twice, now and then: innocent.
    fn doubled(&mut self, comings: &mut Vec<Coming>) {
        let mut again = Vec::new();
        for coming in comings.iter() {
            if self.dice.happens(customs::DELIVERED_TWICE) {
                let mut second = coming.clone();
                second.at = second.at.plus_ms(self.dice.between(2, 90) * SECOND_MS);
                if let What::Parcels { genuine, .. } = &mut second.what {
                    *genuine = false;
                }
                again.push(second);
            }
        }
        comings.extend(again);
    }

    fn switch_on(&mut self, day: Date, first: Timestamp) {
        self.day = Some(day);
        self.boot += 1;
        self.set_on = None;
        self.booted = first.plus_ms(-self.dice.between(4, 40) * MINUTE_MS);
        self.accepted.clear();
        self.drift_ms = self.dice.around(0, customs::CLOCK_DRIFT_MS);
    }

    /// What the record says about time.
    fn clock(&mut self, act: &Act) -> ClockEvidence {
        let at = act.at;
        self.restart(act);
        let uptime = Uptime::from_ms(at.ms_since(self.booted).max(1).unsigned_abs());
        let heard = match self.line.dark(at) {
            None => at.plus_ms(-self.dice.between(0, 15 * MINUTE_MS)).max(self.booted),
            Some((from, _)) => {
                let last = from.plus_ms(-self.dice.between(0, 10 * MINUTE_MS));
                // Whoever is cut off hears nothing new: what the first record of the outage carries, all do.
                let since = from.plus_ms(-10 * MINUTE_MS);
                self.heard.filter(|newest| *newest >= since).unwrap_or(last)
            }
        };
        let heard = self.heard.map_or(heard, |newest| newest.max(heard));
        let here = heard >= self.booted;
        let (wall, quality) = match (here, self.dead_battery) {
            (true, _) => (at, ClockQuality::Synced),
            (false, false) => (at.plus_ms(self.drift_ms), ClockQuality::Holding),
            (false, true) => {
                let up_ms = i64::try_from(uptime.as_ms()).unwrap_or(DAY_MS);
                (RESET_CLOCK.plus_ms(up_ms), ClockQuality::Doubtful)
            }
        };
        let signed = act.clock.and_then(|shown| shown.signed).max(Some(heard));
        self.heard = signed;
        let boot = self.boot;
        let Some(Shown { wall, quality, .. }) = act.clock else {
            return ClockEvidence { wall, uptime, boot, signed, quality };
        };
        let fits = self.set_on.map(|on| Uptime::from_ms(wall.ms_since(on).max(1).unsigned_abs()));
        ClockEvidence { wall, uptime: fits.unwrap_or(uptime), boot, signed, quality }
    }

    /// Somebody switches it off and on to set its clock, and again to set it right.
    fn restart(&mut self, act: &Act) {
        let before_ms = 3 * MINUTE_MS;
        let set = act.clock.filter(|shown| shown.fits);
        match (set, self.set_on) {
            (Some(shown), None) => {
                self.boot += 1;
                self.set_on = Some(shown.wall.plus_ms(-before_ms));
            }
            (None, Some(_)) => {
                self.boot += 1;
                self.set_on = None;
                self.booted = act.at.plus_ms(-before_ms);
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn seal(&mut self, act: &Act) -> Parcel {
        let clock = self.clock(act);
        let mut opened = |person| Opening { salt: self.dice.bytes(), person };
        let person = act.person.map(&mut opened);
        let other = act.other.map(|other| (opened(other.person), other.score));
        let staff = act.staff.map(&mut opened);
        let same_face = act.like.and_then(|(who, score)| {
            self.accepted.get(&who).map(|seq| SameFace { seq: *seq, score })
        });
        self.seq += 1;
        let record = Record {
            terminal: self.id.clone(),
            seq: self.seq,
            prev: self.prev,
            event: act.event,
            outcome: act.outcome,
            lesson: act.lesson.clone(),
            person: person.map(|opening| opening.commitment()),
            way: act.way,
            scores: act.scores,
            other: other.map(|(opening, score)| Other { person: opening.commitment(), score }),
            same_face,
            clock,
            pack: act.scores.map(|_| self.frame.pack),
            policy: self.frame.policy.clone(),
            firmware: env!("CARGO_PKG_VERSION").to_owned(),
            gap: None,
            notice: act.notice,
            staff: staff.map(|opening| opening.commitment()),
        };
        let sealed = Sealed::seal(&record, &self.key);
        self.prev = sealed.hash();
        let attends = matches!(act.event, Event::CheckIn | Event::CheckOut);
        if let Some(who) = act.person.filter(|_| act.outcome == Some(Outcome::Accepted) && attends)
        {
            self.accepted.insert(who, self.seq);
        }
        Parcel { sealed, person, other: other.map(|(opening, _)| opening).or(staff) }
    }
}
