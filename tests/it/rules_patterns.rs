//! Rules that look at lessons and terminals: each fires, and stays silent on its honest neighbour.

use rollcall::domain::{
    Anomaly, AnomalyKind, Bilingual, ClockQuality, Event, Fact, Notice, NoticeKind, Outcome,
    Severity,
};

use crate::rules_march::{
    after_grace, came, elsewhere, left, mornings, of_kind, on, only, trainee,
};
use crate::rules_scene::{Scene, Told, comes, leaves, lesson, says, tries};

mod late_registration {
    use super::*;

    #[test]
    fn fires_when_people_came_to_a_lesson_that_was_registered_after_its_end() {
        let mut scene = mornings(3);
        for who in 1..=2 {
            let attempt =
                tries("cd-1", &format!("03-05 14:0{who}"), trainee(who), Outcome::NoLesson);
            scene.add(on(5, attempt));
        }
        scene.state("03-06 10:00", lesson("late", "cd", "03-05 14:00", "03-05 17:00"));
        let anomalies = after_grace(&mut scene);
        let anomaly = only(&anomalies, AnomalyKind::LateRegistration);
        assert_eq!(anomaly.who, [trainee(1), trainee(2)]);
        says(
            anomaly,
            "成都·锦江教学点：课次 late（2026-03-05 14:00–17:00）在结束之后，于 2026-03-06 10:00 才登记，而当时有 2 人到场。可能事后补录；忘记登记也会如此。这些学时不计。",
            "Jinjiang site, Chengdu: lesson late (2026-03-05 14:00–17:00) was registered only after its end, at 2026-03-06 10:00; 2 people had been there. It may have been made up afterwards; forgetting it looks the same. These hours do not count.",
        );
    }

    fn begun(scene: &mut Scene, day: u32) {
        let (starts, ends) = (format!("03-{day:02} 14:00"), format!("03-{day:02} 17:00"));
        let id = format!("pm{day}");
        scene.state(&format!("03-{day:02} 14:15"), lesson(&id, "cd", &starts, &ends));
        scene.add(on(day, comes("cd-1", &format!("03-{day:02} 14:20"), trainee(1)).lesson(&id)));
    }

    #[test]
    fn fires_on_the_second_lesson_of_two_weeks_that_was_registered_once_it_had_begun() {
        let mut scene = mornings(3);
        begun(&mut scene, 9);
        begun(&mut scene, 16);
        let anomalies = after_grace(&mut scene);
        assert_eq!(only(&anomalies, AnomalyKind::LateRegistration).who, [trainee(1)]);
    }

    #[test]
    fn stays_silent_about_one_forgotten_morning_and_about_lessons_that_nobody_came_to() {
        let mut scene = mornings(3);
        begun(&mut scene, 9);
        scene.state("03-20 10:00", lesson("late", "cd", "03-19 14:00", "03-19 17:00"));
        begun(&mut scene, 25);
        assert_eq!(after_grace(&mut scene), []);
    }
}

mod two_classes {
    use super::*;

    fn other_class(id: &str, starts: &str, ends: &str) -> Fact {
        let Fact::Lesson(it) = lesson(id, "cd", starts, ends) else {
            unreachable!("it is a lesson")
        };
        Fact::Lesson(rollcall::domain::Lesson { class: "electric-1".parse().unwrap(), ..it })
    }

    fn scene(starts: &str) -> Scene {
        let mut scene = mornings(3);
        let other = other_class("el", &format!("03-03 {starts}"), "03-03 13:30");
        scene.state("03-01 21:00", other);
        scene
    }

    fn also(event: Told) -> Told {
        on(3, event.lesson("el"))
    }

    #[test]
    fn fires_when_one_person_is_in_lessons_of_two_classes_at_once() {
        let mut scene = scene("10:30");
        let a = scene.add(came(3, "08:20", 1));
        let b = scene.add(left(3, "11:35", 1));
        let c = scene.add(also(comes("cd-2", "03-03 10:20", trainee(1))));
        let d = scene.add(also(leaves("cd-2", "03-03 13:31", trainee(1))));
        let anomalies = after_grace(&mut scene);
        let anomaly = only(&anomalies, AnomalyKind::TwoClasses);
        assert_eq!(
            (anomaly.who.as_slice(), &anomaly.evidence),
            (&[trainee(1)][..], &vec![a, b, c, d])
        );
        says(
            anomaly,
            "2026-03-03 10:20–13:31，成都·锦江教学点：同一学员同时在两个班的课次 d03 与 el 中，重叠 1 小时 15 分钟（允许 10 分钟）。可能一人两头计学时；两班合上而未申报也会如此。",
            "2026-03-03 10:20–13:31, Jinjiang site, Chengdu: one person was in lessons d03 and el of two classes at once, for 1 h 15 min (10 min are allowed). Hours may be drawn twice; two classes that are taught together without being declared look the same.",
        );
    }

    #[test]
    fn stays_silent_when_she_goes_from_one_to_the_other() {
        let mut scene = scene("11:40");
        scene.add(came(3, "08:20", 1));
        scene.add(left(3, "11:35", 1));
        scene.add(also(comes("cd-2", "03-03 11:30", trainee(1))));
        scene.add(also(leaves("cd-2", "03-03 13:31", trainee(1))));
        assert_eq!(after_grace(&mut scene), []);
    }
}

mod short_lesson {
    use super::*;

    #[test]
    fn fires_when_nearly_all_leave_a_good_part_early() {
        let mut scene = mornings(3);
        (1..=5).for_each(|who| {
            scene.add(came(3, &format!("08:2{who}:{}", 59 - who * who), who));
        });
        (1..=4).for_each(|who| {
            scene.add(left(3, &format!("09:4{who}:{}", 10 + who * who), who));
        });
        scene.add(left(3, "11:31", 5));
        let anomalies = after_grace(&mut scene);
        let anomaly = only(&anomalies, AnomalyKind::ShortLesson);
        assert_eq!((anomaly.severity, anomaly.who.len()), (Severity::Notice, 5));
        says(
            anomaly,
            "成都·锦江教学点：课次 d03（2026-03-03 08:30–11:30），5 人中 4 人在 2026-03-03 10:45 之前签退（剩余时间超过 25%）。可能提前下课而按整课申报；停电、教师临时有事或终端提前关机也会如此。",
            "Jinjiang site, Chengdu: lesson d03 (2026-03-03 08:30–11:30): of 5 people 4 checked out before 2026-03-03 10:45, more than 25 % early. It may have been cut short and be claimed whole; a power cut, a teacher who fell ill or a kiosk that was switched off look the same.",
        );
    }

    /// Nobody checked out: only a terminal that has told of something later says so.
    #[test]
    fn waits_for_check_outs_that_may_still_come() {
        let mut scene = mornings(4);
        (1..=5).for_each(|who| {
            scene.add(came(3, &format!("08:2{who}:{}", 59 - who * who), who));
        });
        let silent = after_grace(&mut scene.clone());
        assert_eq!(of_kind(&silent, AnomalyKind::ShortLesson), [] as [&Anomaly; 0]);
        scene.add(came(4, "08:20", 1));
        scene.add(left(4, "11:31", 1));
        scene.add(on(4, tries("cd-1", "03-04 22:00", trainee(9), Outcome::NotRecognised)));
        let told = after_grace(&mut scene);
        assert_eq!(of_kind(&told, AnomalyKind::ShortLesson).len(), 1, "{told:#?}");
    }
}

mod perfect_attendance {
    use super::*;

    /// A large class of which some are always missing, and one of ten people.
    fn judged(of_ten: impl Fn(u32) -> u8) -> Vec<Anomaly> {
        let mut scene = mornings(2);
        for (class, persons) in [("many", 200), ("ten", 10)] {
            scene.state(
                "03-02 06:00",
                Fact::Class {
                    id: class.parse().unwrap(),
                    institution: "jinjiang".parse().unwrap(),
                    name: Bilingual::new(class, class),
                    persons,
                    roster: [0; 32],
                },
            );
        }
        for day in 3..=16 {
            for class in ["many", "ten"] {
                let (starts, ends) = (format!("03-{day:02} 08:30"), format!("03-{day:02} 11:30"));
                let Fact::Lesson(it) = lesson(&format!("{class}{day}"), "cd", &starts, &ends)
                else {
                    unreachable!()
                };
                let it = rollcall::domain::Lesson { class: class.parse().unwrap(), ..it };
                scene.state("03-02 07:00", Fact::Lesson(it));
            }
        }
        for day in 3..=16 {
            // Of the many a sixth is missing.
            for who in 1..=170_u32 {
                both(&mut scene, day, "many", u8::try_from(who).unwrap());
            }
            for who in 0..of_ten(day) {
                both(&mut scene, day, "ten", 200 + who);
            }
        }
        let anomalies = after_grace(&mut scene);
        anomalies.into_iter().filter(|it| it.kind == AnomalyKind::PerfectAttendance).collect()
    }

    fn both(scene: &mut Scene, day: u32, class: &str, who: u8) {
        let second = u32::from(who) * 37 % 3_600;
        let time = |hour| format!("03-{day:02} {hour:02}:{:02}:{:02}", second / 60, second % 60);
        let of = |told: Told| on(day, told.lesson(&format!("{class}{day}")));
        scene.add(of(comes("cd-1", &time(7), trainee(who))));
        scene.add(of(leaves("cd-1", &time(11), trainee(who))));
    }

    #[test]
    fn fires_when_by_the_others_many_absences_were_to_be_expected_and_there_is_none() {
        let anomalies = judged(|_| 10);
        let anomaly = only(&anomalies, AnomalyKind::PerfectAttendance);
        assert_eq!(anomaly.who.len(), 10);
        assert!(anomaly.why.zh.contains("10 人无一缺席") && anomaly.why.en.contains("none of 10"));
    }

    #[test]
    fn stays_silent_when_somebody_is_missing_now_and_then() {
        assert_eq!(judged(|day| if day % 5 == 0 { 9 } else { 10 }), []);
    }
}

mod silent_terminal {
    use super::*;

    fn scene() -> Scene {
        let mut scene = mornings(5);
        for who in 1..=4 {
            scene.add(came(3, &format!("08:2{who}:{}", 59 - who * who), who));
        }
        for who in 1..=4 {
            scene.add(left(3, &format!("11:3{who}:{}", 10 + who * who), who));
        }
        scene
    }

    /// Those of this town.
    fn silences(scene: &mut Scene) -> Vec<Anomaly> {
        scene.state("04-20 12:00", Fact::Tick);
        let judged = scene.judged().into_iter();
        let here = |it: &Anomaly| it.site == Some("cd".parse().unwrap());
        judged.filter(|it| it.kind == AnomalyKind::SilentTerminal && here(it)).collect()
    }

    #[test]
    fn fires_once_when_the_class_s_terminal_is_not_heard_of_over_the_grace() {
        let anomalies = silences(&mut scene());
        let anomaly = only(&anomalies, AnomalyKind::SilentTerminal);
        assert_eq!(anomaly.terminals, ["cd-1".parse().unwrap()]);
        assert_eq!(anomaly.who, [], "nobody is absent by it");
        says(
            anomaly,
            "成都·锦江教学点：终端 cd-1 自课次 d04（2026-03-04 08:30–11:30）以来没有任何记录，下课已超过 168 小时。可能扣留记录；断网、故障或改在别处上课也会如此。未见到的人为“未知”，不为缺勤。",
            "Jinjiang site, Chengdu: terminal cd-1 has told of nothing since lesson d04 (2026-03-04 08:30–11:30), more than 168 h ago. Records may be kept back; a network that fails, a broken kiosk or a lesson held elsewhere look the same. Who was not seen is unknown, not absent.",
        );
    }

    /// A dead battery is no silence: the records name the lesson, though nobody knows their time.
    #[test]
    fn stays_silent_when_the_terminal_tells_of_the_lesson_with_a_clock_in_doubt() {
        let mut scene = scene();
        for day in [4, 5] {
            for who in 1..=4 {
                let told = came(day, "08:20", who).clock(ClockQuality::Doubtful, None);
                scene.add(told.arrives("03-06 20:00"));
            }
        }
        assert_eq!(silences(&mut scene), []);
    }

    /// Late data is not guilt: what arrives within the grace was never missing.
    #[test]
    fn stays_silent_when_the_terminal_delivers_within_the_grace() {
        let mut scene = scene();
        for day in [4, 5] {
            for who in 1..=4 {
                let told = came(day, &format!("08:2{who}:{}", 59 - who * who), who);
                scene.add(told.arrives("03-09 20:00"));
            }
        }
        scene.add(left(5, "12:45", 1).arrives("03-09 20:00"));
        assert_eq!(silences(&mut scene), []);
    }
}

mod device_changed {
    use super::*;

    fn camera() -> Told {
        let mut told = tries("cd-1", "03-03 07:10", trainee(1), Outcome::NotRecognised).erased();
        told.record.event = Event::Notice;
        told.record.outcome = None;
        told.record.person = None;
        told.record.way = None;
        told.record.scores = None;
        told.record.notice =
            Some(Notice { kind: NoticeKind::CameraChanged, digest: Some([1; 32]) });
        told
    }

    #[test]
    fn fires_on_another_camera_on_models_of_its_own_and_on_older_firmware() {
        let mut scene = mornings(2);
        scene.add(camera());
        let mut first = came(3, "08:20", 1);
        first.record.pack = Some([1; 32]);
        scene.add(first);
        let mut other = elsewhere(came(3, "08:21", 2));
        other.record.pack = Some([1; 32]);
        scene.add(other);
        let mut changed = left(3, "11:31", 1);
        changed.record.pack = Some([2; 32]);
        changed.record.firmware = "0.0.9".into();
        scene.add(changed);
        let judged = scene.judged();
        let changes = of_kind(&judged, AnomalyKind::DeviceChanged);
        assert_eq!(changes.len(), 2);
        says(
            changes[0],
            "2026-03-03 07:10，成都·锦江教学点，终端 cd-1：摄像头已不是绑定的那一个。可能设备被调换或改动；维修后忘记重新绑定也会如此。",
            "2026-03-03 07:10, Jinjiang site, Chengdu, terminal cd-1: its camera is no longer the pinned one. It may have been exchanged or tampered with; a repair after which nobody pinned it anew looks the same.",
        );
        assert!(changes[1].why.en.contains("face models were exchanged"), "{:?}", changes[1].why);
    }

    #[test]
    fn stays_silent_about_an_update_that_another_terminal_has_as_well() {
        let mut scene = mornings(2);
        for (time, pack, firmware) in [("08:20", 1, "0.1.0"), ("08:40", 2, "0.2.0")] {
            for terminal in ["cd-2", "cd-1"] {
                let mut told =
                    tries(terminal, &format!("03-03 {time}"), trainee(1), Outcome::NotRecognised);
                told.record.pack = Some([pack; 32]);
                told.record.firmware = firmware.into();
                scene.add(told);
            }
        }
        // The first to have it is told of, the second is not.
        assert_eq!(scene.kinds(), [AnomalyKind::DeviceChanged]);
    }
}
