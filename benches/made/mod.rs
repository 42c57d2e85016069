//! Entries of a province as a centre would commit them, made on the fly and not sealed: 500 classes of 40
//! who come and go twice a day but on Sundays, each class with new people every 30 days. So the number of those who are
//! active stays the same however long the ledger is. Everything follows from counters and one seed.

use std::collections::BTreeMap;

use rollcall::domain::{
    Bilingual, ClassId, ClockEvidence, ClockQuality, Event, Fact, GeoPoint, Joined, Lesson, Notice,
    NoticeKind, Outcome, PersonId, Policy, ROSTER_BY_MEMBERS, Refusal, Score, Scores, Timestamp,
    Uptime, Way,
};
use rollcall::ledger::{Body, Entry};
use rollcall::record::{Commitment, Other, Record, SealedHash};

/// Classes, each at a kiosk of its own.
const CLASSES: u64 = 500;
/// Two kiosks stand at a site.
const SITES: u64 = 250;
/// Sites of one institution.
const SITES_EACH: u64 = 5;
/// People of a class.
const PERSONS: u64 = 40;
/// Days until a class ends and another follows it.
const COURSE_DAYS: u64 = 30;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// 2026-03-02 00:00 in China.
const FIRST_DAY: Timestamp = Timestamp::from_ms(1_772_380_800_000);

/// Begin and end of the lessons of a day, in minutes after midnight.
const LESSONS: [(i64, i64); 2] = [(8 * 60 + 30, 11 * 60 + 30), (14 * 60, 17 * 60)];

/// Wherever a number is thrown.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    fn ms(&mut self, below_ms: i64) -> i64 {
        i64::try_from(self.below(below_ms.unsigned_abs())).expect("below an i64")
    }
}

/// What will be committed, by when: made into an entry only when it is asked for.
type Waiting = BTreeMap<(i64, u64), Planned>;

enum Planned {
    Fact(Box<Fact>),
    Record(Told),
    Refused { stranger: u64 },
}

/// What a kiosk will tell.
#[derive(Clone, Copy)]
struct Told {
    at: Timestamp,
    class: u64,
    cohort: u64,
    day: u64,
    lesson: usize,
    event: Event,
    outcome: Option<Outcome>,
    /// Which of the class.
    number: Option<u64>,
}

/// See the head of this file.
pub(crate) struct Province {
    dice: Dice,
    /// Which half of which day comes next.
    half: u64,
    index: u64,
    made: u64,
    seqs: Vec<u64>,
    /// Which course of each class was registered last.
    begun: Vec<Option<u64>>,
    waiting: Waiting,
    /// Up to when all is planned.
    planned: Timestamp,
    names: Vec<(String, String)>,
}

fn named<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a name of the bench")
}

fn class_of(class: u64, cohort: u64) -> ClassId {
    named(&format!("c{class}-{cohort}"))
}

fn person_of(class: u64, cohort: u64, number: u64) -> PersonId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(class * 1_000 + number).to_be_bytes());
    // Spread like random ids.
    id[8..]
        .copy_from_slice(&Dice(class << 40 | cohort << 20 | number).below(u64::MAX).to_be_bytes());
    PersonId(id)
}

impl Province {
    /// Sites and kiosks are registered, and the profile is in force.
    pub(crate) fn new() -> Self {
        let names = (0..CLASSES).map(|class| (format!("t{class}"), format!("s{}", class % SITES)));
        let mut province = Self {
            dice: Dice(7),
            half: 0,
            index: 0,
            made: 0,
            seqs: vec![0; usize::try_from(CLASSES).expect("few")],
            begun: vec![None; usize::try_from(CLASSES).expect("few")],
            waiting: Waiting::new(),
            planned: FIRST_DAY,
            names: names.collect(),
        };
        let before = FIRST_DAY.plus_ms(-DAY_MS);
        let policy = Policy::sichuan_2025();
        let (profile, digest) = (policy.profile(), policy.digest());
        province.state(before, Fact::Policy { profile, digest });
        for number in 0..SITES / SITES_EACH {
            let name = Bilingual::new(format!("学校{number}"), format!("School {number}"));
            province.state(before, Fact::Institution { id: named(&format!("i{number}")), name });
        }
        for number in 0..SITES {
            let e6 = |n: u64| i32::try_from(n * 20_000).expect("within the province");
            province.state(
                before,
                Fact::Site {
                    id: named(&format!("s{number}")),
                    institution: named(&format!("i{}", number / SITES_EACH)),
                    name: Bilingual::new(format!("教学点{number}"), format!("Site {number}")),
                    town: Bilingual::new("成都", "Chengdu"),
                    place: GeoPoint {
                        latitude_e6: 29_000_000 + e6(number / 16),
                        longitude_e6: 103_000_000 + e6(number % 16),
                    },
                },
            );
        }
        for class in 0..CLASSES {
            let (terminal, site) = province.names_of(class);
            let fact = Fact::Terminal { id: named(&terminal), site: named(&site), key: [7; 32] };
            province.state(before, fact);
        }
        province
    }

    fn names_of(&self, class: u64) -> (String, String) {
        self.names[usize::try_from(class).expect("few")].clone()
    }

    fn wait(&mut self, at: Timestamp, planned: Planned) {
        self.made += 1;
        self.waiting.insert((at.as_ms(), self.made), planned);
    }

    fn state(&mut self, at: Timestamp, fact: Fact) {
        self.wait(at, Planned::Fact(Box::new(fact)));
    }

    /// The next entries, in the order of their commits.
    pub(crate) fn next_entries(&mut self, count: usize) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(count);
        while entries.len() < count {
            match self.waiting.first_entry() {
                Some(first) if first.key().0 < self.planned.as_ms() => {
                    let ((at, _), planned) = first.remove_entry();
                    let body = self.body(planned);
                    let committed_at = Timestamp::from_ms(at);
                    entries.push(Entry { index: self.index, committed_at, body });
                    self.index += 1;
                }
                Some(_) | None => self.plan(),
            }
        }
        entries
    }

    /// Plans the next half of a day: some 40,000 entries.
    fn plan(&mut self) {
        let (day, lesson) = (self.half / 2, self.half % 2);
        let midnight = FIRST_DAY.plus_ms(i64::try_from(day).expect("few days") * DAY_MS);
        // Sundays are free.
        if day % 7 != 6 {
            if lesson == 0 {
                self.announce(day, midnight);
            }
            for class in 0..CLASSES {
                self.sit(class, day, midnight, usize::try_from(lesson).expect("0 or 1"));
            }
        }
        let until = midnight.plus_ms(if lesson == 0 { 13 * HOUR_MS } else { 24 * HOUR_MS });
        let mut tick = midnight.plus_ms(if lesson == 0 { 0 } else { 13 * HOUR_MS });
        while tick < until {
            self.state(tick, Fact::Tick);
            tick = tick.plus_ms(MINUTE_MS);
        }
        self.half += 1;
        self.planned = until;
    }

    fn body(&mut self, planned: Planned) -> Body {
        match planned {
            Planned::Fact(fact) => Body::Fact(*fact),
            Planned::Record(told) => self.record(told),
            Planned::Refused { stranger } => Body::Refused {
                terminal: named(&format!("x{stranger}")),
                refusal: Refusal::UnknownTerminal,
                claims: None,
                hash: SealedHash([9; 32]),
            },
        }
    }

    /// A class's number of course on a day: classes do not all begin on one day.
    fn cohort(class: u64, day: u64) -> u64 {
        (day + class % COURSE_DAYS) / COURSE_DAYS
    }

    /// Lessons of a day are registered the evening before; so are the rosters of classes that begin.
    fn announce(&mut self, day: u64, midnight: Timestamp) {
        // What is committed before the last stretch's end would be out of order.
        let at = midnight.plus_ms(1);
        for class in 0..CLASSES {
            let cohort = Self::cohort(class, day);
            let id = class_of(class, cohort);
            let (_, site) = self.names_of(class);
            if self.begun[usize::try_from(class).expect("few")] != Some(cohort) {
                self.begun[usize::try_from(class).expect("few")] = Some(cohort);
                let institution = named(&format!("i{}", class % SITES / SITES_EACH));
                let name = Bilingual::new(format!("班级{class}"), format!("Class {class}"));
                let persons = u32::try_from(PERSONS).expect("few");
                let roster = ROSTER_BY_MEMBERS;
                self.state(at, Fact::Class { id: id.clone(), institution, name, persons, roster });
                for number in 0..PERSONS {
                    let mut member = [1; 32];
                    member[..16].copy_from_slice(&person_of(class, cohort, number).0);
                    self.state(at, Fact::Joined(Joined { class: id.clone(), member }));
                }
            }
            for (lesson, (starts, ends)) in LESSONS.into_iter().enumerate() {
                let lesson = Lesson {
                    id: named(&format!("{id}-{day}-{lesson}")),
                    class: id.clone(),
                    site: named(&site),
                    starts: midnight.plus_ms(starts * MINUTE_MS),
                    ends: midnight.plus_ms(ends * MINUTE_MS),
                };
                self.state(at, Fact::Lesson(lesson));
            }
        }
    }

    /// A class comes, is perhaps asked who is there, and goes.
    fn sit(&mut self, class: u64, day: u64, midnight: Timestamp, lesson: usize) {
        let cohort = Self::cohort(class, day);
        let (starts, ends) = LESSONS[lesson];
        let (starts, ends) =
            (midnight.plus_ms(starts * MINUTE_MS), midnight.plus_ms(ends * MINUTE_MS));
        let tells = |at, event, outcome, number| Told {
            at,
            class,
            cohort,
            day,
            lesson,
            event,
            outcome,
            number,
        };
        let accepted = Some(Outcome::Accepted);
        let mut told = Vec::new();
        for number in 0..PERSONS {
            // One in thirty is away.
            if self.dice.below(30) == 0 {
                continue;
            }
            let who = Some(number);
            let came = starts.plus_ms(self.dice.ms(20 * MINUTE_MS) - 17 * MINUTE_MS);
            if self.dice.below(30) == 0 {
                let outcome = match self.dice.below(4) {
                    0 => Outcome::NotLive,
                    _ => Outcome::NotRecognised,
                };
                told.push(tells(came.plus_ms(-8_000), Event::Attempt, Some(outcome), who));
            }
            told.push(tells(came, Event::CheckIn, accepted, who));
            // One in sixty forgets to check out.
            if self.dice.below(60) != 0 {
                let left = ends.plus_ms(self.dice.ms(15 * MINUTE_MS) - MINUTE_MS);
                told.push(tells(left, Event::CheckOut, accepted, who));
            }
        }
        if self.dice.below(5) == 0 {
            let called = starts.plus_ms(HOUR_MS);
            told.push(tells(called, Event::Notice, None, None));
            for number in 0..PERSONS {
                let seen = called.plus_ms(10_000 + self.dice.ms(4 * MINUTE_MS));
                told.push(tells(seen, Event::Presence, accepted, Some(number)));
            }
        }
        told.sort_by_key(|told| told.at);
        // One kiosk in fifty is cut off and sends later, before its next lesson: a chain has one order.
        let late_ms = if self.dice.below(50) == 0 { 90 * MINUTE_MS } else { 0 };
        for it in told {
            self.wait(it.at.plus_ms(2_000 + late_ms), Planned::Record(it));
            if self.dice.below(5_000) == 0 {
                let stranger = self.dice.below(20);
                self.wait(it.at.plus_ms(2_000), Planned::Refused { stranger });
            }
        }
    }

    fn record(&mut self, told: Told) -> Body {
        let Told { at, class, cohort, day, lesson, event, outcome, number } = told;
        let seq = &mut self.seqs[usize::try_from(class).expect("few")];
        *seq += 1;
        let seq = *seq;
        let (terminal, _) = self.names_of(class);
        let lesson = format!("{}-{day}-{lesson}", class_of(class, cohort));
        let person = number.map(|number| person_of(class, cohort, number));
        let score = |e4: u64| Score::from_e4(i32::try_from(e4).expect("below 10,000"));
        // A face is as alike as it is, a little more or less.
        let own = number.map_or(0, |number| 5_200 + (class * 7 + number * 97) % 2_400);
        let scatter = self.dice.below(1_200) + self.dice.below(1_200);
        let stands_in = event == Event::CheckIn && self.dice.below(20_000) == 0;
        let other = stands_in.then(|| person_of(class, 0, 0));
        let notice = (event == Event::Notice)
            .then_some(Notice { kind: NoticeKind::RollCalled, digest: None });
        let record = Record {
            staff: None,
            terminal: named(&terminal),
            seq,
            prev: SealedHash([3; 32]),
            event,
            outcome: if stands_in { Some(Outcome::LooksLikeOther) } else { outcome },
            lesson: Some(named(&lesson)),
            person: person.map(|person| Commitment([person.0[15]; 32])),
            way: person.map(|_| if seq.is_multiple_of(2) { Way::Claimed } else { Way::Open }),
            scores: person.map(|_| Scores {
                match_score: Some(score(own + scatter)),
                second_score: None,
                threshold: score(4_600),
                detection: score(9_000),
                liveness: None,
                pictures: None,
                challenge: None,
            }),
            other: other.map(|_| Other { person: Commitment([5; 32]), score: score(7_000) }),
            same_face: None,
            clock: ClockEvidence {
                wall: at,
                uptime: Uptime::from_ms(at.as_ms().unsigned_abs()),
                boot: 1,
                signed: Some(at.plus_ms(-30 * MINUTE_MS)),
                quality: ClockQuality::Synced,
            },
            pack: Some([9; 32]),
            policy: "sichuan-2025/1".into(),
            firmware: "0.1.0".into(),
            gap: None,
            notice,
        };
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&self.index.to_be_bytes());
        Body::Record { record: Box::new(record), hash: SealedHash(hash), person, other }
    }
}
