//! Rules that look at whole lessons, or at many: each fires, and stays silent on its honest neighbour.
//! The scene is one class at one site with two terminals, a lesson each morning of March.

use rollcall::domain::{
    Anomaly, AnomalyKind, Bilingual, ClockQuality, Event, Fact, Notice, NoticeKind, Outcome,
    PersonId, Score, Severity, Way,
};

use crate::rules_scene::{Scene, Told, at, comes, leaves, lesson, says, tries};

fn trainee(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// The morning lesson of a day in March.
fn morning(day: u32) -> String {
    format!("d{day:02}")
}

/// All mornings up to a day are on the timetable.
fn mornings(until: u32) -> Scene {
    let mut scene = Scene::two_towns();
    for day in 3..=until {
        let (starts, ends) = (format!("03-{day:02} 08:30"), format!("03-{day:02} 11:30"));
        scene.state("03-01 21:00", lesson(&morning(day), "cd", &starts, &ends));
    }
    scene
}

/// It happens on that day, and the centre hears it in the evening.
fn on(day: u32, told: Told) -> Told {
    let signed = Some(at(&format!("03-{day:02} 00:00")));
    let told = told.clock(ClockQuality::Synced, signed);
    told.arrives(&format!("03-{day:02} 23:00"))
}

fn came(day: u32, time: &str, who: u8) -> Told {
    let told = comes("cd-1", &format!("03-{day:02} {time}"), trainee(who));
    scored(on(day, told.lesson(&morning(day))), living(day * 611))
}

fn left(day: u32, time: &str, who: u8) -> Told {
    let told = leaves("cd-1", &format!("03-{day:02} {time}"), trainee(who));
    scored(on(day, told.lesson(&morning(day))), living(day * 433 + 200))
}

/// A face is never twice the same.
fn living(chance: u32) -> i32 {
    6_400 + i32::try_from(chance % 900).unwrap()
}

fn elsewhere(mut told: Told) -> Told {
    told.record.terminal = "cd-2".parse().unwrap();
    told
}

fn scored(mut told: Told, e4: i32) -> Told {
    told.record.scores.as_mut().unwrap().match_score = Some(Score::from_e4(e4));
    told
}

fn by(mut told: Told, way: Way) -> Told {
    told.record.way = Some(way);
    told.record.scores = None;
    told
}

/// The grace of all lessons runs out, and the rules speak. Who has told of nothing since is a matter of its
/// own, which the other town's terminal is in every scene.
fn after_grace(scene: &mut Scene) -> Vec<Anomaly> {
    scene.state("04-20 12:00", Fact::Tick);
    let judged = scene.judged();
    judged.into_iter().filter(|it| it.kind != AnomalyKind::SilentTerminal).collect()
}

fn of_kind(anomalies: &[Anomaly], kind: AnomalyKind) -> Vec<&Anomaly> {
    anomalies.iter().filter(|anomaly| anomaly.kind == kind).collect()
}

/// Nothing but what is expected, and that once.
fn only(anomalies: &[Anomaly], kind: AnomalyKind) -> &Anomaly {
    assert_eq!(anomalies.iter().map(|it| it.kind).collect::<Vec<_>>(), [kind], "{anomalies:#?}");
    &anomalies[0]
}

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

mod late_checkouts {
    use super::*;

    #[test]
    fn fires_when_somebody_stays_just_below_the_limit_on_the_third_day_of_two_weeks() {
        let mut scene = mornings(12);
        for day in [3, 5, 10] {
            scene.add(came(day, "08:20", 1));
            scene.add(left(day, "12:15", 1));
        }
        let anomalies = after_grace(&mut scene);
        let anomaly = only(&anomalies, AnomalyKind::LateCheckouts);
        says(
            anomaly,
            "成都·锦江教学点，至 2026-03-10 12:15：该学员两周内有 3 天在下课 30 分钟之后才签退（允许 2 天）。可能虚增学时；课后天天练习也会如此。下课后的时间不计学时。",
            "Jinjiang site, Chengdu, until 2026-03-10 12:15: on 3 days of two weeks this person checked out more than 30 min after the lesson's end (2 are allowed). Hours may be padded; practising after each lesson looks the same. Time after the end does not count.",
        );
    }

    #[test]
    fn stays_silent_about_two_days_and_about_minutes() {
        let mut scene = mornings(12);
        for (day, time) in [(3, "12:15"), (5, "11:58"), (6, "11:59"), (10, "12:20")] {
            scene.add(came(day, "08:20", 1));
            scene.add(left(day, time, 1));
        }
        assert_eq!(after_grace(&mut scene), []);
    }
}

mod long_week {
    use super::*;

    /// Nine hours in lessons each day: no day is too long, five of them are.
    fn scene(days: u32) -> Scene {
        let mut scene = mornings(2);
        for day in 9..9 + days {
            let id = format!("all{day}");
            let (starts, ends) = (format!("03-{day:02} 08:30"), format!("03-{day:02} 17:30"));
            scene.state("03-08 20:00", lesson(&id, "cd", &starts, &ends));
        }
        for day in 9..9 + days {
            let id = format!("all{day}");
            let of = |told: Told| on(day, told.lesson(&id));
            scene.add(of(comes("cd-1", &format!("03-{day:02} 08:20"), trainee(1))));
            scene.add(of(leaves("cd-1", &format!("03-{day:02} 17:33"), trainee(1))));
        }
        scene
    }

    #[test]
    fn fires_when_seven_days_sum_to_more_than_a_week_may_have() {
        let anomalies = after_grace(&mut scene(5));
        says(
            only(&anomalies, AnomalyKind::LongWeek),
            "2026-03-09 08:30–2026-03-13 17:30，成都·锦江教学点：该学员七天内在 5 个课次中在课合计 45 小时，超过每周 44 小时。可能虚增学时；集中强化培训也会如此。",
            "2026-03-09 08:30–2026-03-13 17:30, Jinjiang site, Chengdu: within seven days this person was present for 45 h in 5 lessons, more than 44 h a week. Hours may be padded; an intensive course looks the same.",
        );
    }

    #[test]
    fn stays_silent_about_four_long_days() {
        assert_eq!(after_grace(&mut scene(4)), []);
    }
}

mod without_face {
    use super::*;

    #[test]
    fn fires_on_the_third_day_of_somebody_whose_face_is_known() {
        let mut scene = mornings(12);
        scene.add(came(3, "08:20", 1));
        for day in [5, 9, 10] {
            scene.add(by(came(day, "08:20", 1), Way::Staff));
        }
        let anomalies = after_grace(&mut scene);
        let anomaly = only(&anomalies, AnomalyKind::WithoutFace);
        says(
            anomaly,
            "成都·锦江教学点，至 2026-03-10 08:20：终端认得该学员的脸，两周内却有 3 天以刷卡或工作人员确认通过（允许 2 天）。可能并非本人到场；受伤、遮挡或光线不好也会如此。",
            "Jinjiang site, Chengdu, until 2026-03-10 08:20: the terminals know this person's face, and on 3 days of two weeks she was let in by card or by the staff (2 are allowed). She may not have been there; an injury or poor light looks the same.",
        );
    }

    fn consent(day: u32, kind: NoticeKind) -> Told {
        let mut told = came(day, "07:50", 1);
        told.record.event = Event::Notice;
        told.record.outcome = None;
        told.record.way = None;
        told.record.scores = None;
        told.record.lesson = None;
        told.record.notice = Some(Notice { kind, digest: Some([1; 32]) });
        told
    }

    /// A non-face way of equal standing: who gave no consent, or takes it back, is nobody's anomaly.
    #[test]
    fn stays_silent_about_those_who_use_their_card_by_right() {
        let mut scene = mornings(12);
        for day in 3..=6 {
            scene.add(by(came(day, "08:20", 1), Way::Credential));
        }
        scene.add(consent(7, NoticeKind::TemplateMade));
        scene.add(consent(8, NoticeKind::ConsentWithdrawn));
        for day in 9..=12 {
            scene.add(by(came(day, "08:20", 1), Way::Credential));
        }
        assert_eq!(after_grace(&mut scene), []);
    }

    #[test]
    fn fires_on_a_lesson_to_which_many_come_without_a_face() {
        let mut scene = mornings(3);
        let times = ["08:11:03", "08:12:40", "08:12:59", "08:14:20", "08:17:31", "08:21:02"];
        for (who, time) in (1..).zip(times) {
            let told = came(3, time, who);
            scene.add(if who < 6 { by(told, Way::Staff) } else { told });
        }
        let anomalies = after_grace(&mut scene);
        let anomaly = of_kind(&anomalies, AnomalyKind::WithoutFace)[0];
        assert_eq!(anomaly.who.len(), 5);
        assert_eq!(
            anomaly.why,
            Bilingual::new(
                "成都·锦江教学点：课次 d03（2026-03-03 08:30–11:30）签到的 6 人中 5 人未用人脸（刷卡或工作人员确认，允许 25%）。可能代为签到；摄像头故障、或全班未同意人脸核验也会如此。",
                "Jinjiang site, Chengdu: to lesson d03 (2026-03-03 08:30–11:30) 5 of 6 people were let in without a face, by card or by the staff (25 % are allowed). Somebody may have done it for them; a broken camera, or a class that gave no consent, looks the same.",
            )
        );
    }
}

mod scores {
    use super::*;

    fn judged(score: impl Fn(u32) -> i32) -> Vec<Anomaly> {
        let mut scene = mornings(13);
        for day in 3..=13 {
            scene.add(scored(came(day, &format!("08:{}", 10 + day), 1), score(2 * day)));
            scene.add(scored(left(day, &format!("11:{}", 30 + day), 1), score(2 * day + 1)));
        }
        after_grace(&mut scene)
    }

    #[test]
    fn steady_scores_fires_on_numbers_that_hardly_move() {
        let anomalies = judged(|n| 8_000 + i32::try_from(n * 37 % 90).unwrap());
        says(
            only(&anomalies, AnomalyKind::SteadyScores),
            "成都·锦江教学点，至 2026-03-12 11:42：该学员连续 20 次比对的相似度都在 0.8004 与 0.8089 之间，离散度低于 0.0200。真人不会这样稳；可能由程序写出，也可能是固定的照片。",
            "Jinjiang site, Chengdu, until 2026-03-12 11:42: 20 comparisons of this person in a row lie between 0.8004 and 0.8089, with a spread below 0.0200. A living face is not so steady: a program may have written them, or a picture on a stand stood there.",
        );
    }

    #[test]
    fn score_drift_fires_when_the_newest_lie_far_below_the_first() {
        let anomalies = judged(|n| {
            let scatter = i32::try_from(n * 611 % 900).unwrap() - 450;
            if n < 16 { 7_200 + scatter } else { 5_500 + scatter }
        });
        let anomaly = only(&anomalies, AnomalyKind::ScoreDrift);
        assert_eq!(anomaly.severity, Severity::Notice);
        assert!(
            anomaly.why.zh.contains("下降超过 0.1500")
                && anomaly.why.en.contains("by more than 0.1500")
        );
    }

    #[test]
    fn both_stay_silent_about_a_living_face() {
        assert_eq!(judged(|n| 6_700 + i32::try_from(n * 611 % 1_500).unwrap() - 750), []);
    }
}

mod thin_margins {
    use super::*;

    fn judged(thin: u8) -> Vec<Anomaly> {
        let mut scene = mornings(3);
        let seconds = [3, 41, 17, 55, 29, 8, 47, 33, 12, 59];
        for (who, second) in (1..=10).zip(seconds) {
            let score = if who <= thin { 4_700 } else { 6_900 };
            scene.add(scored(came(3, &format!("08:{}:{second:02}", 10 + who), who), score));
        }
        after_grace(&mut scene)
    }

    #[test]
    fn fires_when_most_faces_of_a_lesson_only_just_pass() {
        let anomalies = judged(6);
        let anomaly = of_kind(&anomalies, AnomalyKind::ThinMargins)[0];
        assert_eq!(anomaly.who.len(), 6);
        says(
            anomaly,
            "成都·锦江教学点，终端 cd-1，课次 d03（2026-03-03 08:30–11:30）：10 次人脸签到中 6 次仅以不足 0.0500 的差值通过（允许 50%）。可能阈值被改低、或并非名册中的人；镜头脏污、逆光也会如此。",
            "Jinjiang site, Chengdu, terminal cd-1, lesson d03 (2026-03-03 08:30–11:30): of 10 comings by face 6 passed by less than 0.0500 (50 % are allowed). The threshold may have been lowered, or they are not those of the roster; a dirty lens or the low sun look the same.",
        );
    }

    #[test]
    fn stays_silent_about_half_of_them() {
        assert_eq!(of_kind(&judged(5), AnomalyKind::ThinMargins), [] as [&Anomaly; 0]);
    }
}

mod pairs {
    use super::*;

    fn judged(at_the_other_terminal: bool, apart_on: u32) -> Vec<Anomaly> {
        let mut scene = mornings(8);
        for day in 3..=8 {
            let minute = 10 + 3 * day;
            scene.add(came(day, &format!("08:{minute}:10"), 1));
            let late = if day == apart_on { minute + 5 } else { minute + 1 };
            let second = came(day, &format!("08:{late}:30"), 2);
            scene.add(if at_the_other_terminal { elsewhere(second) } else { second });
            scene.add(left(day, &format!("11:3{day}:20"), 1));
            let second = left(day, &format!("11:4{day}:00"), 2);
            let soon = on(
                day,
                leaves("cd-1", &format!("03-{day:02} 11:3{day}:59"), trainee(2))
                    .lesson(&morning(day)),
            );
            let second = if day == apart_on { second } else { soon };
            scene.add(if at_the_other_terminal { elsewhere(second) } else { second });
        }
        after_grace(&mut scene)
    }

    #[test]
    fn fires_when_one_follows_the_other_to_the_next_terminal_every_time() {
        let anomalies = judged(true, 0);
        let anomaly = only(&anomalies, AnomalyKind::Pairs);
        assert_eq!(anomaly.who, [trainee(1), trainee(2)]);
        assert_eq!(anomaly.evidence.len(), 24);
        says(
            anomaly,
            "成都·锦江教学点，班级 welding-1，至 2026-03-08 11:30：连续 6 个共同课次中，后一人总在前一人之后 120 秒内签到、签退，且每次在另一终端或仅勉强通过。可能一人顶两名；结伴而行者也可能如此。",
            "Jinjiang site, Chengdu, class welding-1, until 2026-03-08 11:30: in 6 common lessons in a row the second person came and left within 120 s after the first, each time at another terminal or with a face that only just passed. One may serve for both; two who go together can look the same.",
        );
    }

    #[test]
    fn stays_silent_about_friends_at_one_terminal_and_about_a_row_that_was_broken() {
        assert_eq!(judged(false, 0), []);
        assert_eq!(judged(true, 5), []);
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

mod often_unseen {
    use super::*;

    fn called(day: u32, time: &str) -> Told {
        let mut told = came(day, time, 1).erased();
        told.record.person = None;
        told.record.event = Event::Notice;
        told.record.outcome = None;
        told.record.way = None;
        told.record.scores = None;
        told.record.notice = Some(Notice { kind: NoticeKind::RollCalled, digest: None });
        told
    }

    /// Two people, one of whom answers only on some days.
    fn judged(seen: impl Fn(u32) -> bool) -> Vec<Anomaly> {
        let mut scene = mornings(20);
        for day in 3..=20 {
            scene.add(came(day, "08:20", 1));
            scene.add(came(day, "08:22", 2));
            scene.add(called(day, "10:00"));
            for (who, there) in [(1, seen(day)), (2, true)] {
                let mut here = came(day, &format!("10:0{who}"), who);
                here.record.event = Event::Presence;
                if there {
                    scene.add(here);
                }
            }
            scene.add(left(day, "11:31", 1));
            scene.add(left(day, "11:32", 2));
        }
        after_grace(&mut scene)
    }

    #[test]
    fn fires_when_somebody_who_is_in_misses_many_of_her_roll_calls() {
        let anomalies = judged(|day| day % 2 == 0);
        let anomaly = only(&anomalies, AnomalyKind::OftenUnseen);
        assert_eq!(anomaly.who, [trainee(1)]);
        says(
            anomaly,
            "成都·锦江教学点，2026-03-04 10:00 至 2026-03-19 10:00：该学员在场时的 16 次点名中 8 次未到镜头前（允许 40%）。可能并未到场；常在远处实操的人也会如此，未到不因此缺勤。",
            "Jinjiang site, Chengdu, 2026-03-04 10:00 to 2026-03-19 10:00: in 8 of 16 roll calls while she was in, this person did not show her face (40 % are allowed). She may not have been there; whoever works far from the kiosk looks the same, and nobody is absent by it.",
        );
    }

    #[test]
    fn stays_silent_about_a_few_that_were_missed() {
        assert_eq!(judged(|day| day % 3 != 0), []);
    }
}
