//! What the chain says of a terminal's clock: a record that contradicts its own clock is flagged, a time that
//! a later record refutes is told and does not count.

use rollcall::domain::{
    Anomaly, AnomalyKind, Bilingual, ClockEvidence, ClockQuality, Fact, PersonId, Policy, Severity,
    Uptime,
};
use rollcall::record::Gap;
use rollcall::rules::hours::{Hours, Reason};

use crate::rules_scene::{ANN, BEA, Scene, Told, at, comes, leaves, says};

use ClockQuality::{Doubtful, Holding, Synced};

/// What a record says of the time: its wall clock, how long its boot had lasted, the newest signed time.
fn clock(
    quality: ClockQuality,
    wall: &str,
    (boot, minutes): (u64, u64),
    signed: &str,
) -> ClockEvidence {
    let uptime = Uptime::from_ms(minutes * 60_000);
    ClockEvidence { wall: at(wall), uptime, boot, signed: Some(at(signed)), quality }
}

/// Ann comes at a clock that shows this, and the record arrives the next morning.
fn came(clock: ClockEvidence) -> Told {
    comes("cd-1", "03-02 08:25", ANN).lesson("cd-am").clocked(clock).arrives("03-03 09:00")
}

fn judged(clocks: &[ClockEvidence]) -> Vec<Anomaly> {
    let mut scene = Scene::two_towns();
    clocks.iter().for_each(|clock| {
        scene.add(came(*clock));
    });
    scene.judged()
}

/// The only anomaly of two records, the second of which contradicts the first.
fn contradicts(clocks: [ClockEvidence; 2]) -> Anomaly {
    let mut scene = Scene::two_towns();
    let evidence = clocks.map(|clock| scene.add(came(clock)));
    let anomaly = scene.one();
    assert_eq!(
        (anomaly.kind, anomaly.severity, &anomaly.evidence[..], &anomaly.who[..]),
        (AnomalyKind::MadeAfterwards, Severity::Alarm, &evidence[..], &[ANN][..])
    );
    anomaly
}

mod made_afterwards {
    use super::*;

    #[test]
    fn fires_when_the_clock_moved_otherwise_than_the_running_time() {
        let anomaly = contradicts([
            clock(Holding, "03-02 08:20", (7, 20), "03-01 21:00"),
            // Twelve hours later the clock shows the morning again.
            clock(Holding, "03-02 08:25", (7, 740), "03-01 21:00"),
        ]);
        says(
            &anomaly,
            "成都·锦江教学点：终端 cd-1 的一条记录自称作于 2026-03-02 08:25，而与同一次开机内自称 2026-03-02 08:20 的记录相比，时钟所走与运行时间相差 11 小时 55 分钟，而终端称其时钟无误。时钟被改动后补造记录即如此；正规终端此时会声明时钟可疑。同一终端按中心时间每日只提示一次。",
            "Jinjiang site, Chengdu: a record of terminal cd-1 says that it was made at 2026-03-02 08:25, and since the record of 2026-03-02 08:20 in the same boot its clock has moved by 11 h 55 min otherwise than its running time, while the terminal calls its clock right. Records made afterwards with a clock that was set look so; a genuine terminal would doubt its clock. Said once for a terminal and day of the centre's time.",
        );
    }

    #[test]
    fn fires_when_the_clock_lies_before_the_terminals_own_record() {
        let own = clock(Holding, "03-02 11:35", (7, 215), "03-01 21:00");
        let again = clock(Holding, "03-02 08:25", (8, 5), "03-01 21:00");
        let anomaly = contradicts([own, again]);
        assert!(
            anomaly
                .why
                .zh
                .contains("却作于本机自称 2026-03-02 11:35 的上一条记录之后，早了 3 小时 10 分钟")
        );
        assert!(anomaly.why.en.contains("own record of 2026-03-02 11:35: 3 h 10 min earlier"));
    }

    /// Its own record may be gone: the centre had it, and the terminal keeps no more than it must.
    #[test]
    fn stays_silent_before_an_own_record_that_the_centre_had_in_between() {
        let ahead = clock(Holding, "03-09 08:25", (7, 5), "03-01 21:00");
        let right = clock(Holding, "03-02 12:00", (8, 5), "03-02 11:00");
        assert_eq!(judged(&[ahead, right]), []);
    }

    #[test]
    fn fires_when_a_clock_in_step_lies_before_what_the_running_time_says() {
        let anomaly = contradicts([
            clock(Synced, "03-02 08:20", (7, 20), "03-02 08:19"),
            clock(Synced, "03-02 08:25", (7, 740), "03-02 08:19"),
        ]);
        assert!(
            anomaly.why.zh.contains(
                "而按此前所载的中心时间与开机以来的运行时间，不早于 2026-03-02 20:19，早了 11 小时 54 分钟"
            ),
            "{}",
            anomaly.why.zh
        );
    }

    #[test]
    fn fires_on_counters_that_run_backwards_and_on_an_answer_that_is_forgotten() {
        let first = clock(Synced, "03-02 08:20", (7, 20), "03-02 08:19");
        for second in [
            clock(Synced, "03-02 08:25", (6, 25), "03-02 08:19"),
            clock(Synced, "03-02 08:25", (7, 19), "03-02 08:19"),
            clock(Synced, "03-02 08:25", (7, 25), "03-02 08:18"),
        ] {
            let anomaly = contradicts([first, second]);
            assert!(anomaly.why.en.contains("is less than in the record before"));
        }
        let forgotten = clock(Holding, "03-02 08:25", (7, 25), "03-02 08:19");
        let anomaly = contradicts([first, forgotten]);
        assert!(anomaly.why.zh.contains("而本次开机内已与中心对时，此后却称尚未对时"));
    }

    /// A clock that is in doubt has confessed, whatever it shows; so has a terminal that states a gap.
    #[test]
    fn stays_silent_about_what_was_confessed() {
        let morning = clock(Holding, "03-02 11:35", (7, 215), "03-01 21:00");
        for wall in ["03-02 08:25", "01-01 00:00", "03-02 23:00"] {
            for place in [(7, 216), (8, 1), (7, 1)] {
                let doubtful = clock(Doubtful, wall, place, "03-01 21:00");
                assert_eq!(judged(&[morning, doubtful]), [], "{wall} {place:?}");
            }
        }
        let mut scene = Scene::two_towns();
        scene.add(came(morning));
        let mut repaired = came(clock(Holding, "03-02 08:25", (5, 1), "03-01 20:00"));
        repaired.record.gap = Some(Gap { first: 2, last: 9 });
        scene.add(repaired);
        assert_eq!(scene.kinds(), []);
    }

    /// Once for each day of the centre's time, whichever way it contradicts itself.
    #[test]
    fn says_it_once_a_day_of_the_centres_time() {
        let first = clock(Synced, "03-02 08:20", (7, 20), "03-02 08:19");
        let late = |minutes, day: &str| {
            clock(Synced, "03-02 08:21", (7, minutes), &format!("03-{day} 08:19"))
        };
        let all = judged(&[first, late(700, "02"), late(710, "02"), late(1500, "03")]);
        let kinds: Vec<_> = all.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [AnomalyKind::MadeAfterwards; 2]);
        assert_eq!(all[1].evidence.len(), 1, "it carries the time that it contradicts");
    }
}

mod time_refuted {
    use super::*;

    /// In the evening, with the clock at the morning's hours, in a boot of its own; then it is plugged in.
    fn filled_later() -> Scene {
        let mut scene = class_scene();
        for (told, wall, minutes) in [
            (comes("cd-1", "03-02 08:25", ANN), "03-02 08:25", 5),
            (comes("cd-1", "03-02 08:26", BEA), "03-02 08:26", 6),
        ] {
            let clock = clock(Holding, wall, (7, minutes), "03-02 07:00");
            scene.add(told.lesson("cd-am").clocked(clock).arrives("03-02 20:06"));
        }
        let clock = clock(Holding, "03-02 11:35", (8, 2), "03-02 07:00");
        let left = leaves("cd-1", "03-02 11:35", ANN).lesson("cd-am");
        scene.add(left.clocked(clock).arrives("03-02 20:06"));
        scene
    }

    #[test]
    fn fires_when_the_next_signed_time_proves_that_the_lesson_was_over() {
        let mut scene = filled_later();
        assert_eq!(scene.judged(), [], "nobody can know yet");
        assert_eq!(reasons(&scene), [vec![], vec![Reason::OneMark]]);
        let clock = clock(Synced, "03-02 20:05", (8, 30), "03-02 20:04");
        let next = comes("cd-1", "03-02 20:05", trainee(9)).clocked(clock);
        let witness = scene.add(next.lesson("cd-eve").arrives("03-02 20:06"));
        let anomaly = scene.one();
        assert_eq!(
            (anomaly.kind, anomaly.severity, &anomaly.who[..], &anomaly.evidence[..]),
            (AnomalyKind::TimeRefuted, Severity::Warning, &[ANN][..], &[witness - 1, witness][..])
        );
        says(
            &anomaly,
            "成都·锦江教学点：终端 cd-1 的考勤（1 条）自称作于 2026-03-02 11:35，而按其记录链所载的中心时间，最早一条不早于 2026-03-02 19:36，其时课次已经结束。可能事后补造或提前造好；时钟确实走错而无人改动也会如此。这些时间不计学时。同一终端按中心时间每日只提示一次。",
            "Jinjiang site, Chengdu: attendance at terminal cd-1 (1 in all) says 2026-03-02 11:35, but by the centre's time in its chain the earliest was made at 2026-03-02 19:36 or later, when its lesson was over. It may have been made up afterwards, or ahead; a clock that was honestly wrong looks the same. These times do not count. Said once for a terminal and day of the centre's time.",
        );
        let counted = reasons(&scene);
        assert_eq!(counted[0], [Reason::TimeNotProven], "refuted by a record behind it");
    }

    #[test]
    fn gathers_all_that_one_record_refutes() {
        let mut scene = class_scene();
        for n in 1..=20 {
            let wall = format!("03-02 08:{:02}", 10 + n);
            let clock = clock(Holding, &wall, (7, n), "03-02 07:00");
            let told = comes("cd-1", &wall, trainee(u8::try_from(n).unwrap())).lesson("cd-am");
            scene.add(told.clocked(clock).arrives("03-02 20:06"));
        }
        // Whether the terminal then doubts its clock or not: the time is signed.
        let clock = clock(Doubtful, "03-02 08:55", (7, 45), "03-02 20:05");
        scene.add(came(clock).arrives("03-02 20:06"));
        let anomalies = scene.judged();
        let anomaly = anomalies.iter().find(|it| it.kind == AnomalyKind::TimeRefuted).unwrap();
        assert_eq!((anomaly.who.len(), anomaly.evidence.len()), (20, 21));
        assert!(anomaly.why.zh.contains("（20 条）自称作于 2026-03-02 08:11–08:30"));
        assert!(anomaly.why.zh.contains("不早于 2026-03-02 19:21"));
    }

    /// More than a terminal's own are not remembered, and not all of these are named.
    #[test]
    fn counts_five_hundred_and_twelve_and_names_a_hundred() {
        let mut scene = class_scene();
        for n in 0..600_u32 {
            let mut clock = clock(Holding, "03-02 08:25", (7, 5), "03-02 07:00");
            clock.wall = clock.wall.plus_ms(i64::from(n) * 1_000);
            clock.uptime = Uptime::from_ms(300_000 + u64::from(n) * 1_000);
            let mut id = [0; 16];
            id[..4].copy_from_slice(&n.to_be_bytes());
            let told = comes("cd-1", "03-02 08:25", PersonId(id)).lesson("cd-am");
            scene.add(told.clocked(clock).arrives("03-02 20:06"));
        }
        scene.add(came(clock(Doubtful, "03-02 08:55", (7, 45), "03-02 20:05")));
        let anomalies = scene.judged();
        let anomaly = anomalies.iter().find(|it| it.kind == AnomalyKind::TimeRefuted).unwrap();
        assert_eq!((anomaly.who.len(), anomaly.evidence.len()), (100, 101));
        assert!(anomaly.why.en.contains("(512 in all)"), "{}", anomaly.why.en);
    }

    /// The clock was doubted at first; then it had come as far as the signed time, and was believed again.
    #[test]
    fn fires_at_once_when_the_running_time_was_known_before() {
        let mut scene = class_scene();
        scene.add(came(clock(Doubtful, "03-02 06:00", (7, 1), "03-02 08:10")));
        scene.add(came(clock(Holding, "03-02 08:20", (7, 241), "03-02 08:10")));
        let anomaly = scene.one();
        assert_eq!(anomaly.kind, AnomalyKind::TimeRefuted);
        assert!(anomaly.why.en.contains("made at 2026-03-02 12:10 or later"), "{anomaly:#?}");
    }

    #[test]
    fn fires_when_the_door_had_not_opened_and_the_clock_went_back_since() {
        let mut scene = class_scene();
        let ahead = clock(Holding, "03-02 08:25", (7, 5), "03-01 21:00");
        scene.add(came(ahead));
        let right = clock(Synced, "03-02 07:10", (7, 20), "03-02 07:09");
        let mut later = came(right);
        later.record.lesson = None;
        scene.add(later);
        let anomalies = scene.judged();
        let anomaly = anomalies.iter().find(|it| it.kind == AnomalyKind::TimeRefuted).unwrap();
        assert!(anomaly.why.zh.contains("不晚于 2026-03-02 07:09，其时课次尚未开放签到"));
        assert_eq!(reasons(&scene)[0], [Reason::TimeNotProven, Reason::OneMark]);
    }

    /// An answer that was long under way is no witness: the clock has not gone back.
    #[test]
    fn stays_silent_when_an_answer_was_late() {
        let mut scene = class_scene();
        let came = came(clock(Synced, "03-02 08:25", (7, 65), "03-02 07:20"));
        scene.add(came.arrives("03-02 08:26"));
        let mut left = leaves("cd-1", "03-02 11:35", ANN).lesson("cd-am");
        left = left.clocked(clock(Synced, "03-02 11:35", (7, 255), "03-02 07:21"));
        scene.add(left.arrives("03-02 11:36"));
        assert_eq!(scene.judged(), []);
        assert_eq!(reasons(&scene), [vec![]]);
    }

    /// Wrong by twenty minutes, within the lesson: its time does not count, and nobody is told of.
    #[test]
    fn stays_silent_when_the_door_was_open_all_the_same() {
        let mut scene = class_scene();
        scene.add(came(clock(Holding, "03-02 08:25", (7, 5), "03-02 07:00")));
        scene.add(came(clock(Doubtful, "03-02 08:26", (7, 6), "03-02 08:46")));
        assert_eq!(scene.judged(), []);
        assert_eq!(reasons(&scene)[0], [Reason::TimeNotProven, Reason::OneMark]);
    }
}

fn trainee(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// The two towns with a class.
fn class_scene() -> Scene {
    let mut scene = Scene::two_towns();
    let class = Fact::Class {
        id: "welding-1".parse().unwrap(),
        institution: "jinjiang".parse().unwrap(),
        name: Bilingual::new("焊工一班", "Welding 1"),
        persons: 2,
        roster: [0; 32],
    };
    scene.state("03-01 20:00", class);
    scene
}

/// Why hours do not count, by lesson and person.
fn reasons(scene: &Scene) -> Vec<Vec<Reason>> {
    let mut hours = Hours::of("welding-1".parse().unwrap(), Policy::sichuan_2025());
    scene.entries().iter().for_each(|entry| hours.take(entry));
    hours.attended().into_iter().map(|stay| stay.reasons).collect()
}
