//! Rules that look at people over many lessons: each fires, and stays silent on its honest neighbour.

use rollcall::domain::{Anomaly, AnomalyKind, Bilingual, Event, Notice, NoticeKind, Severity, Way};

use crate::rules_march::{
    after_grace, by, came, elsewhere, left, morning, mornings, of_kind, on, only, scored, trainee,
};
use crate::rules_scene::{Scene, Told, comes, leaves, lesson, says};

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
