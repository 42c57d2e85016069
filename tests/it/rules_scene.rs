//! A small world for the tests of rules: two institutions in two towns, 108 km apart, a timetable
//! that was announced the evening before, and records as a terminal would tell them.

use std::collections::HashMap;
use std::fmt::Debug;
use std::str::FromStr;

use rollcall::domain::{
    Anomaly, AnomalyKind, Bilingual, ClockEvidence, ClockQuality, Event, Fact, GeoPoint, Lesson,
    Outcome, PersonId, Policy, Refusal, SameFace, Score, Scores, Timestamp, Uptime, Way,
};
use rollcall::ledger::{Body, Entry};
use rollcall::record::{Opening, Other, Record, SealedHash};
use rollcall::rules::Judge;

/// Persons of the tests.
pub(crate) const ANN: PersonId = PersonId([0xa; 16]);
pub(crate) const BEA: PersonId = PersonId([0xb; 16]);

/// `03-02 08:30` in the year 2026, China standard time.
pub(crate) fn at(time: &str) -> Timestamp {
    Timestamp::parse_shanghai(&format!("2026-{time}")).expect("a time of the test")
}

fn named<I: FromStr<Err: Debug>>(text: &str) -> I {
    text.parse().expect("a name of the test")
}

const DAY_MS: i64 = 86_400_000;
const SHANGHAI_MS: i64 = 8 * 3_600_000;

/// One record in the making.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) record: Record,
    pub(crate) person: Option<PersonId>,
    pub(crate) other: Option<PersonId>,
    arrives: Option<Timestamp>,
}

/// An accepted record of an open (1:N) match.
fn told(terminal: &str, time: &str, event: Event, person: PersonId) -> Told {
    let wall = at(time);
    // It is switched on each midnight.
    let up_ms = (wall.as_ms() + SHANGHAI_MS).rem_euclid(DAY_MS);
    let record = Record {
        staff: None,
        terminal: named(terminal),
        seq: 0,
        prev: SealedHash::GENESIS,
        event,
        outcome: Some(Outcome::Accepted),
        lesson: None,
        person: Some(Opening { salt: [1; 32], person }.commitment()),
        way: Some(Way::Open),
        scores: Some(Scores {
            match_score: Some(Score::from_e4(7000)),
            second_score: None,
            threshold: Score::from_e4(4600),
            detection: Score::from_e4(9000),
            liveness: None,
            pictures: None,
            challenge: None,
        }),
        other: None,
        same_face: None,
        clock: ClockEvidence {
            wall,
            uptime: Uptime::from_ms(up_ms.unsigned_abs()),
            boot: boot_of(wall),
            signed: Some(at("03-02 00:00")),
            quality: ClockQuality::Synced,
        },
        pack: None,
        policy: "sichuan-2025/1".into(),
        firmware: "0.1.0".into(),
        gap: None,
        notice: None,
    };
    Told { record, person: Some(person), other: None, arrives: None }
}

fn boot_of(wall: Timestamp) -> u64 {
    (wall.as_ms() + SHANGHAI_MS).div_euclid(DAY_MS).unsigned_abs()
}

/// She came.
pub(crate) fn comes(terminal: &str, time: &str, person: PersonId) -> Told {
    told(terminal, time, Event::CheckIn, person)
}

/// She left.
pub(crate) fn leaves(terminal: &str, time: &str, person: PersonId) -> Told {
    told(terminal, time, Event::CheckOut, person)
}

/// She was recognised and not accepted.
pub(crate) fn tries(terminal: &str, time: &str, person: PersonId, outcome: Outcome) -> Told {
    let mut told = told(terminal, time, Event::Attempt, person);
    told.record.outcome = Some(outcome);
    told
}

impl Told {
    pub(crate) fn lesson(mut self, id: &str) -> Self {
        self.record.lesson = Some(named(id));
        self
    }

    /// She said who she is, and the face was compared with that one template.
    pub(crate) fn claimed(mut self, score_e4: i32) -> Self {
        self.record.way = Some(Way::Claimed);
        let scores = self.record.scores.as_mut().expect("set above");
        scores.match_score = Some(Score::from_e4(score_e4));
        self
    }

    pub(crate) fn looks_like(mut self, other: PersonId, score_e4: i32) -> Self {
        self.other = Some(other);
        let person = Opening { salt: [2; 32], person: other }.commitment();
        self.record.other = Some(Other { person, score: Score::from_e4(score_e4) });
        self
    }

    pub(crate) fn same_face_as(mut self, seq: u64, score_e4: i32) -> Self {
        self.record.same_face = Some(SameFace { seq, score: Score::from_e4(score_e4) });
        self
    }

    pub(crate) fn clock(mut self, quality: ClockQuality, signed: Option<Timestamp>) -> Self {
        self.record.clock.quality = quality;
        self.record.clock.signed = signed;
        self
    }

    /// The centre commits it then, not two seconds after it was made.
    pub(crate) fn arrives(mut self, time: &str) -> Self {
        self.arrives = Some(at(time));
        self
    }

    /// The same, at any moment.
    pub(crate) fn committed(mut self, at: Timestamp) -> Self {
        self.arrives = Some(at);
        self
    }

    /// It says this of the time.
    pub(crate) fn clocked(mut self, clock: ClockEvidence) -> Self {
        self.record.clock = clock;
        self
    }

    /// The opening was erased.
    pub(crate) fn erased(mut self) -> Self {
        self.person = None;
        self
    }
}

/// A ledger that grows.
#[derive(Clone)]
pub(crate) struct Scene {
    entries: Vec<Entry>,
    seqs: HashMap<String, u64>,
}

impl Scene {
    /// Two towns, three terminals, lessons on 2 March; all announced on 1 March at 20:00.
    pub(crate) fn two_towns() -> Self {
        let mut scene = Self { entries: Vec::new(), seqs: HashMap::new() };
        let site = |id: &str, institution: &str, name: Bilingual, town: Bilingual, place| {
            Fact::Site { id: named(id), institution: named(institution), name, town, place }
        };
        scene.state(
            "03-01 20:00",
            site(
                "cd",
                "jinjiang",
                Bilingual::new("锦江教学点", "Jinjiang site"),
                Bilingual::new("成都", "Chengdu"),
                GeoPoint { latitude_e6: 30_657_400, longitude_e6: 104_065_700 },
            ),
        );
        scene.state(
            "03-01 20:00",
            site(
                "my",
                "fucheng",
                Bilingual::new("涪城教学点", "Fucheng site"),
                Bilingual::new("绵阳", "Mianyang"),
                GeoPoint { latitude_e6: 31_471_000, longitude_e6: 104_694_000 },
            ),
        );
        for (terminal, site) in [("cd-1", "cd"), ("cd-2", "cd"), ("my-1", "my")] {
            scene.state(
                "03-01 20:00",
                Fact::Terminal { id: named(terminal), site: named(site), key: [7; 32] },
            );
        }
        for (id, site, starts, ends) in [
            ("cd-am", "cd", "03-02 08:30", "03-02 11:30"),
            ("cd-pm", "cd", "03-02 14:00", "03-02 17:00"),
            ("cd-eve", "cd", "03-02 19:00", "03-02 21:30"),
            ("my-am", "my", "03-02 08:30", "03-02 11:30"),
        ] {
            scene.state("03-01 20:00", lesson(id, site, starts, ends));
        }
        scene
    }

    /// The centre states a fact; returns its index.
    pub(crate) fn state(&mut self, time: &str, fact: Fact) -> u64 {
        self.push(at(time), Body::Fact(fact))
    }

    /// A record is committed; returns its index.
    pub(crate) fn add(&mut self, mut told: Told) -> u64 {
        let seq = self.seqs.entry(told.record.terminal.to_string()).or_default();
        *seq += 1;
        told.record.seq = *seq;
        let committed_at = told.arrives.unwrap_or_else(|| told.record.clock.wall.plus_ms(2000));
        let hash = SealedHash::of(format!("{} {seq}", told.record.terminal).as_bytes());
        self.push(
            committed_at,
            Body::Record {
                record: Box::new(told.record),
                hash,
                person: told.person,
                other: told.other,
            },
        )
    }

    /// Bytes are refused; returns their index.
    pub(crate) fn refuse(
        &mut self,
        time: &str,
        terminal: &str,
        refusal: Refusal,
        claims: Option<Told>,
    ) -> u64 {
        let hash = SealedHash::of(&self.entries.len().to_be_bytes());
        self.push(
            at(time),
            Body::Refused {
                terminal: named(terminal),
                refusal,
                claims: claims.map(|told| Box::new(told.record)),
                hash,
            },
        )
    }

    fn push(&mut self, committed_at: Timestamp, body: Body) -> u64 {
        let last = self.entries.last().map_or(committed_at, |entry| entry.committed_at);
        assert!(last <= committed_at, "the centre's time never runs backwards");
        let index = u64::try_from(self.entries.len()).expect("a small ledger");
        self.entries.push(Entry { index, committed_at, body });
        index
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All that the rules say of this ledger.
    pub(crate) fn judged(&self) -> Vec<Anomaly> {
        let mut judge = Judge::new(Policy::sichuan_2025());
        self.entries.iter().flat_map(|entry| judge.judge(entry)).collect()
    }

    /// The kinds that are raised, in order.
    pub(crate) fn kinds(&self) -> Vec<AnomalyKind> {
        self.judged().iter().map(|anomaly| anomaly.kind).collect()
    }

    /// The only anomaly.
    pub(crate) fn one(&self) -> Anomaly {
        let mut judged = self.judged();
        assert_eq!(judged.len(), 1, "{judged:#?}");
        judged.remove(0)
    }
}

/// A lesson of one class.
pub(crate) fn lesson(id: &str, site: &str, starts: &str, ends: &str) -> Fact {
    Fact::Lesson(Lesson {
        id: named(id),
        class: named("welding-1"),
        site: named(site),
        starts: at(starts),
        ends: at(ends),
    })
}

/// The words of the one anomaly.
pub(crate) fn words(scene: &Scene) -> (String, String) {
    let anomaly = scene.one();
    (anomaly.why.zh, anomaly.why.en)
}

pub(crate) fn says(anomaly: &Anomaly, zh: &str, en: &str) {
    assert_eq!(anomaly.why.zh, zh);
    assert_eq!(anomaly.why.en, en);
}
