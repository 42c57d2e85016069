//! Whatever happens to the clock of a genuine terminal, it is never flagged: it confesses its doubts by the
//! program's own judgement (`uplink::clock`). What is told of a clock that was honestly wrong is true, and a
//! program that keeps its doubts to itself is told of.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rollcall::domain::{
    AnomalyKind, ClockDoubt, ClockEvidence, ClockQuality, PersonId, Policy, Timestamp, Uptime,
};
use rollcall::record::Gap;
use rollcall::uplink::clock::{Reading, SignedTime, Witnesses, judge};

use crate::rules_scene::{Scene, at, comes, lesson};

use ClockQuality::{Doubtful, Holding, Synced};

const MINUTE_MS: i64 = 60_000;

/// What happens before, to or in a terminal.
#[derive(Debug, Clone)]
enum Happens {
    /// So many minutes pass, and its clock runs wrong by so much meanwhile.
    Pass { minutes: i64, wrong_ms: i64 },
    /// Somebody sets its clock, by so many minutes.
    Set { minutes: i64 },
    /// Its clock is set right.
    SetRight,
    /// It is switched off for so many minutes; an empty battery forgets the time. What the centre has may be
    /// gone from its journal.
    Reboot { minutes: i64, battery: bool, pruned: bool },
    /// It asks for the time; the question and the answer are under way for so many seconds.
    Answer { asked_s: i64, answered_s: i64 },
    /// The centre signs a receipt for all that it has made, which is under way for so many seconds.
    Receipt { seconds: i64 },
    /// Its journal was damaged and repaired.
    Repair,
    /// Somebody checks in.
    Record,
}

fn happens() -> impl Strategy<Value = Happens> {
    let minutes = || prop_oneof![4 => 1_i64..20, 2 => 20_i64..300, 1 => 300_i64..3_000];
    let set = prop_oneof![
        3 => -15_i64..15,
        6 => -900_i64..900,
        1 => Just(-525_600),
        1 => Just(525_600),
    ];
    prop_oneof![
        3 => (minutes(), -2_000_i64..2_000).prop_map(|(minutes, wrong_ms)| Happens::Pass { minutes, wrong_ms }),
        2 => set.prop_map(|minutes| Happens::Set { minutes }),
        1 => Just(Happens::SetRight),
        2 => (minutes(), prop::bool::weighted(0.2), any::<bool>())
            .prop_map(|(minutes, battery, pruned)| Happens::Reboot { minutes, battery, pruned }),
        2 => (0_i64..20, 0_i64..20)
            .prop_map(|(asked_s, answered_s)| Happens::Answer { asked_s, answered_s }),
        1 => (0_i64..20).prop_map(|seconds| Happens::Receipt { seconds }),
        1 => Just(Happens::Repair),
        8 => Just(Happens::Record),
    ]
}

/// A terminal, the truth about the time, and what it knows of it.
struct Machine {
    truth: Timestamp,
    wall: Timestamp,
    /// When this boot began, in truth.
    booted: Timestamp,
    boot: u64,
    signed: Option<Timestamp>,
    own: Option<Timestamp>,
    /// Whether the centre has the newest own record.
    released: bool,
    began: Reading,
    answer: Option<SignedTime>,
    repaired: bool,
}

impl Machine {
    fn new(now: Timestamp) -> Self {
        let began = Reading { wall: now, uptime: Uptime::from_ms(0) };
        Self {
            truth: now,
            wall: now,
            booted: now,
            boot: 1,
            signed: None,
            own: None,
            released: false,
            began,
            answer: None,
            repaired: false,
        }
    }

    fn reading(&self) -> Reading {
        let uptime = Uptime::from_ms(self.truth.ms_since(self.booted).unsigned_abs());
        Reading { wall: self.wall, uptime }
    }

    fn pass(&mut self, ms: i64) {
        self.truth = self.truth.plus_ms(ms);
        self.wall = self.wall.plus_ms(ms);
    }

    fn reboot(&mut self) {
        self.boot += 1;
        self.booted = self.truth;
        self.answer = None;
        self.began = self.reading();
    }

    /// What it would say of its clock, and what its program says against it.
    fn evidence(&self) -> (ClockEvidence, Option<ClockDoubt>) {
        let Reading { wall, uptime } = self.reading();
        let Self { signed, own, began, answer, boot, .. } = *self;
        let known = Witnesses { newest_signed: signed, newest_own: own, began, answer };
        let tolerance_ms = i64::from(Policy::sichuan_2025().clock_tolerance_s()) * 1_000;
        let (quality, doubt) = match judge(self.reading(), &known, tolerance_ms) {
            Ok(quality) => (quality, None),
            Err(doubt) => (Doubtful, Some(doubt)),
        };
        (ClockEvidence { wall, uptime, boot, signed, quality }, doubt)
    }

    /// Everything but a record, which is made elsewhere.
    fn live(&mut self, happens: &Happens) {
        match *happens {
            Happens::Pass { minutes, wrong_ms } => {
                self.pass(minutes * MINUTE_MS);
                self.wall = self.wall.plus_ms(wrong_ms);
            }
            Happens::Set { minutes } => self.wall = self.wall.plus_ms(minutes * MINUTE_MS),
            Happens::SetRight => self.wall = self.truth,
            Happens::Reboot { minutes, battery, pruned } => {
                self.pass(minutes * MINUTE_MS);
                if battery {
                    self.wall = at("01-01 00:00");
                }
                if pruned && self.released {
                    self.own = None;
                }
                self.reboot();
            }
            Happens::Answer { asked_s, answered_s } => {
                let asked = self.reading().uptime;
                self.pass(asked_s * 1_000);
                let signed = self.truth;
                self.pass(answered_s * 1_000);
                self.signed = self.signed.max(Some(signed));
                let answered = self.reading().uptime;
                self.answer = Some(SignedTime { at: signed, asked, answered });
            }
            Happens::Receipt { seconds } => {
                self.pass(1);
                self.signed = self.signed.max(Some(self.truth));
                self.pass(seconds * 1_000);
                self.released = true;
            }
            Happens::Repair => {
                (self.signed, self.own) = (None, None);
                self.pass(MINUTE_MS);
                self.reboot();
                self.repaired = true;
            }
            Happens::Record => {}
        }
    }
}

/// Two months with a lesson every three hours, day and night, and the door of each.
fn lessons(scene: &mut Scene) -> Vec<(Timestamp, Timestamp, String)> {
    let mut all = Vec::new();
    for month in [3, 4] {
        for day in 1..=30 {
            for hour in (0..24).step_by(3) {
                let id = format!("l-{month}-{day}-{hour}");
                let time = |hour: i32| format!("{month:02}-{day:02} {hour:02}:00");
                let (starts, ends) = (time(hour), time(hour + 2));
                scene.state("03-01 20:00", lesson(&id, "cd", &starts, &ends));
                all.push((at(&starts).plus_ms(-30 * MINUTE_MS), at(&ends), id));
            }
        }
    }
    all
}

/// A story as a genuine terminal tells it; `arrives_late`: all of it comes at the end. Where its program would
/// doubt its clock, another one may keep that to itself: the story ends with the first such record.
struct Tale {
    scene: Scene,
    /// Of each person: when she truly came, and the door of her lesson.
    truth: BTreeMap<PersonId, (Timestamp, Timestamp, Timestamp)>,
    /// The entry whose doubt was not confessed, if its terminal's own records show it.
    kept_back: Option<u64>,
}

fn tell(story: &[Happens], arrives_late: bool, confesses: bool) -> Tale {
    let mut scene = Scene::two_towns();
    let lessons = lessons(&mut scene);
    let mut machine = Machine::new(at("03-02 08:00"));
    let mut records = Vec::new();
    let mut truth = BTreeMap::new();
    let (mut doubted, mut last) = (None, None);
    for (happens, n) in story.iter().zip(0_u32..) {
        machine.live(happens);
        if !matches!(happens, Happens::Record) {
            continue;
        }
        let (mut clock, doubt) = machine.evidence();
        if !confesses && let Some(doubt) = doubt {
            clock.quality = if machine.answer.is_some() { Synced } else { Holding };
            // Its own record may have been forgotten since, once the centre has it.
            let has_own = |(boot, signed)| boot == clock.boot || signed == clock.signed;
            doubted = Some(match doubt {
                ClockDoubt::BeforeSigned => true,
                ClockDoubt::BeforeOwnRecord => last.is_some_and(has_own),
                // Nobody but itself knows when it began, and how long an answer was under way.
                ClockDoubt::Moved | ClockDoubt::OffSigned => false,
            });
        }
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        let mut told = comes("cd-1", "03-02 08:25", PersonId(id)).clocked(clock);
        let open = lessons.iter().find(|(opens, ends, _)| (*opens..=*ends).contains(&clock.wall));
        if let Some((opens, ends, lesson)) = open {
            truth.insert(PersonId(id), (machine.truth, *opens, *ends));
            told = told.lesson(lesson);
        }
        if std::mem::take(&mut machine.repaired) {
            told.record.gap = Some(Gap { first: 1, last: 1 });
        }
        records.push((machine.truth, told));
        if clock.quality != Doubtful {
            (machine.own, machine.released) = (Some(clock.wall), false);
            last = Some((clock.boot, clock.signed));
        }
        machine.pass(1_000);
        if doubted.is_some() {
            break;
        }
    }
    let now = machine.truth;
    let mut index = 0;
    for (made, told) in records {
        let committed = if arrives_late { now } else { made.plus_ms(500) };
        index = scene.add(told.committed(committed));
    }
    Tale { scene, truth, kept_back: doubted.filter(|shows| *shows).map(|_| index) }
}

fn of_clocks(scene: &Scene) -> Vec<(AnomalyKind, Vec<PersonId>)> {
    let mut all = scene.judged();
    all.retain(|it| matches!(it.kind, AnomalyKind::MadeAfterwards | AnomalyKind::TimeRefuted));
    all.into_iter().map(|it| (it.kind, it.who)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// The promise that an alarm rests on. And what is told of a clock that was honestly wrong is true: who is
    /// named was there when the door was not open, whatever the clock said.
    #[test]
    fn a_genuine_terminal_never_contradicts_itself_and_what_is_refuted_is_wrong(
        story in prop::collection::vec(happens(), 1..120)
    ) {
        let mut told = Vec::new();
        for arrives_late in [false, true] {
            let tale = tell(&story, arrives_late, true);
            let found = of_clocks(&tale.scene);
            for (kind, who) in &found {
                prop_assert_eq!(*kind, AnomalyKind::TimeRefuted);
                for person in who {
                    let (truth, opens, ends) = tale.truth[person];
                    prop_assert!(truth < opens || ends < truth, "{} {} {}", truth, opens, ends);
                }
            }
            told.push(found);
        }
        prop_assert_eq!(&told[0], &told[1], "whenever it arrives");
    }

    /// What a genuine terminal would have confessed at that moment is told of one that does not.
    #[test]
    fn a_terminal_that_keeps_its_doubt_to_itself_is_told_of(
        story in prop::collection::vec(happens(), 1..120)
    ) {
        let tale = tell(&story, true, false);
        if let Some(index) = tale.kept_back {
            let told = tale.scene.judged();
            let told = told.iter().filter(|it| it.kind == AnomalyKind::MadeAfterwards);
            prop_assert!(told.into_iter().any(|it| it.evidence.contains(&index)));
        }
    }
}
