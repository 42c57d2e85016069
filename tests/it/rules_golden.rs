//! For each rule: it fires, with the very words that an investigator reads; it stays silent.

use rollcall::domain::{
    AnomalyId, AnomalyKind, ClockQuality, Fact, Outcome, Policy, Refusal, Severity,
};
use rollcall::rules::Judge;

use crate::rules_scene::{ANN, BEA, Scene, at, comes, leaves, lesson, says, tries, words};

mod proxy_stand_in {
    use super::*;

    #[test]
    fn fires_on_a_claim_with_a_confident_match_to_somebody_else() {
        let mut scene = Scene::two_towns();
        let stand_in = tries("cd-1", "03-02 08:41", ANN, Outcome::LooksLikeOther);
        let index = scene.add(stand_in.claimed(1204).looks_like(BEA, 7130));
        let anomaly = scene.one();
        assert_eq!(anomaly.kind, AnomalyKind::ProxyStandIn);
        assert_eq!(anomaly.severity, Severity::Alarm);
        assert_eq!(anomaly.at, at("03-02 08:41"));
        assert_eq!(anomaly.who, [ANN, BEA], "the claimed one, then the other");
        assert_eq!(anomaly.evidence, [index]);
        assert_eq!(anomaly.id, AnomalyId::of(AnomalyKind::ProxyStandIn, &[index]));
        assert_eq!(anomaly.site, Some("cd".parse().unwrap()));
        assert_eq!(anomaly.terminals, ["cd-1".parse().unwrap()]);
        assert_eq!(anomaly.policy, Policy::sichuan_2025().profile());
        says(
            &anomaly,
            "2026-03-02 08:41，成都·锦江教学点：有人自称某学员，人脸与另一名在册人员的相似度却达 0.7130（0.4600 起视为他人）。与所声称学员的相似度仅 0.1204（接受须 0.4600）。可能是替课；双胞胎、登记照片有误或点错姓名也会如此。",
            "2026-03-02 08:41, Jinjiang site, Chengdu: somebody claimed to be one person, but the face is like another enrolled person by 0.7130 (from 0.4600 on it counts as the other's). It is like the claimed person only by 0.1204 (0.4600 is needed). It may be a stand-in; twins, a wrong enrolment picture or a slip on the list look the same.",
        );
    }

    #[test]
    fn stays_silent_on_a_failed_match_that_is_nobody_elses() {
        let mut scene = Scene::two_towns();
        for minute in ["40", "41", "42"] {
            let attempt = tries("cd-1", &format!("03-02 08:{minute}"), ANN, Outcome::NotRecognised);
            scene.add(attempt.claimed(3000));
        }
        assert_eq!(scene.kinds(), []);
    }

    /// Who claims nothing stands in for nobody.
    #[test]
    fn stays_silent_without_a_claim() {
        let mut scene = Scene::two_towns();
        let open = tries("cd-1", "03-02 08:41", ANN, Outcome::LooksLikeOther);
        scene.add(open.looks_like(BEA, 7130));
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn stays_silent_below_the_profiles_score() {
        let mut scene = Scene::two_towns();
        let weak = tries("cd-1", "03-02 08:41", ANN, Outcome::LooksLikeOther);
        scene.add(weak.claimed(1204).looks_like(BEA, 4599));
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn fires_at_a_time_that_is_not_proven_and_says_so() {
        let mut scene = Scene::two_towns();
        let stand_in = tries("cd-1", "03-02 08:41", ANN, Outcome::LooksLikeOther)
            .claimed(1204)
            .looks_like(BEA, 7130)
            .clock(ClockQuality::Doubtful, None)
            .arrives("03-02 10:00");
        scene.add(stand_in);
        let anomaly = scene.one();
        assert_eq!(anomaly.at, at("03-02 10:00"));
        assert!(anomaly.why.zh.starts_with("时间未经证明（中心 2026-03-02 10:00 收到），"));
        assert!(anomaly.why.en.starts_with("At an unproven time (committed 2026-03-02 10:00), "));
    }
}

mod proxy_shared_face {
    use super::*;

    #[test]
    fn fires_when_one_face_is_accepted_under_two_names() {
        let mut scene = Scene::two_towns();
        let first = scene.add(comes("cd-1", "03-02 08:31", ANN).lesson("cd-am"));
        let second = comes("cd-1", "03-02 08:36", BEA).lesson("cd-am").claimed(6800);
        let second = scene.add(second.same_face_as(1, 8207));
        let anomaly = scene.one();
        assert_eq!(anomaly.kind, AnomalyKind::ProxySharedFace);
        assert_eq!(anomaly.severity, Severity::Alarm);
        assert_eq!(anomaly.who, [ANN, BEA]);
        assert_eq!(anomaly.evidence, [first, second]);
        says(
            &anomaly,
            "2026-03-02 08:36，成都·锦江教学点：本次被接受的人脸与本终端先前以另一姓名接受的人脸（序号 1）相似度达 0.8207（0.5000 起视为同一张脸）。可能是一人顶多名；双胞胎也会如此。",
            "2026-03-02 08:36, Jinjiang site, Chengdu: the face accepted here is like the face that this terminal accepted before under another name (its record 1) by 0.8207 (from 0.5000 on they count as one). One person may serve for several names; twins look the same.",
        );
    }

    #[test]
    fn fires_once_about_two_names_however_often_they_come_and_go() {
        let mut scene = Scene::two_towns();
        scene.add(comes("cd-1", "03-02 08:31", ANN).lesson("cd-am"));
        scene.add(comes("cd-1", "03-02 08:36", BEA).lesson("cd-am").same_face_as(1, 8207));
        scene.add(leaves("cd-1", "03-02 11:31", ANN).lesson("cd-am").same_face_as(2, 8100));
        scene.add(leaves("cd-1", "03-02 11:32", BEA).lesson("cd-am").same_face_as(3, 8300));
        assert_eq!(scene.kinds(), [AnomalyKind::ProxySharedFace]);
    }

    #[test]
    fn stays_silent_when_a_person_comes_back_under_her_own_name() {
        let mut scene = Scene::two_towns();
        scene.add(comes("cd-1", "03-02 08:31", ANN).lesson("cd-am"));
        scene.add(leaves("cd-1", "03-02 11:31", ANN).lesson("cd-am").same_face_as(1, 9000));
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn stays_silent_below_the_profiles_score_and_about_records_it_does_not_know() {
        let mut scene = Scene::two_towns();
        scene.add(comes("cd-1", "03-02 08:31", ANN).lesson("cd-am"));
        scene.add(comes("cd-1", "03-02 08:36", BEA).lesson("cd-am").same_face_as(1, 4999));
        scene.add(comes("cd-1", "03-02 08:37", BEA).lesson("cd-am").same_face_as(77, 9000));
        assert_eq!(scene.kinds(), []);
    }

    /// Erasing a person must not hide what was done under the other name, nor accuse her anew.
    #[test]
    fn holds_after_one_of_the_two_was_erased_and_names_only_the_other() {
        let mut scene = Scene::two_towns();
        scene.add(comes("cd-1", "03-02 08:31", ANN).lesson("cd-am").erased());
        scene.add(comes("cd-1", "03-02 08:36", BEA).lesson("cd-am").same_face_as(1, 8207));
        scene
            .add(leaves("cd-1", "03-02 11:31", ANN).lesson("cd-am").same_face_as(1, 9000).erased());
        assert_eq!(scene.one().who, [BEA]);
    }
}

mod multi_device {
    use super::*;

    #[test]
    fn fires_when_a_person_is_at_two_places_too_far_apart() {
        let mut scene = Scene::two_towns();
        let here = scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
        let there = scene.add(comes("my-1", "03-02 08:55", ANN).lesson("my-am"));
        let anomaly = scene.one();
        assert_eq!(anomaly.kind, AnomalyKind::MultiDevice);
        assert_eq!(anomaly.who, [ANN]);
        assert_eq!(anomaly.evidence, [here, there]);
        assert_eq!(anomaly.terminals, ["cd-1".parse().unwrap(), "my-1".parse().unwrap()]);
        says(
            &anomaly,
            "同一学员 2026-03-02 08:40 在成都·锦江教学点、2026-03-02 08:55 在绵阳·涪城教学点均有考勤：两地直线距离 108 公里，相隔 15 分钟，按时速 120 公里至少需 54 分钟。可能有人代打卡；某台终端时钟有误也会如此。",
            "The same person was recorded at Jinjiang site, Chengdu, at 2026-03-02 08:40, and at Fucheng site, Mianyang, at 2026-03-02 08:55: 108 km apart in a straight line, 15 min between, while 120 km/h needs at least 54 min. Somebody may have checked in for her; a terminal with a wrong clock looks the same.",
        );
    }

    #[test]
    fn fires_with_the_same_words_when_the_earlier_record_arrives_later() {
        let mut scene = Scene::two_towns();
        scene.add(comes("my-1", "03-02 08:55", ANN).lesson("my-am"));
        scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am").arrives("03-02 15:00"));
        let (zh, en) = words(&scene);
        assert_eq!(
            zh,
            "同一学员 2026-03-02 08:40 在成都·锦江教学点、2026-03-02 08:55 在绵阳·涪城教学点均有考勤：两地直线距离 108 公里，相隔 15 分钟，按时速 120 公里至少需 54 分钟。可能有人代打卡；某台终端时钟有误也会如此。"
        );
        assert_eq!(
            en,
            "The same person was recorded at Jinjiang site, Chengdu, at 2026-03-02 08:40, and at Fucheng site, Mianyang, at 2026-03-02 08:55: 108 km apart in a straight line, 15 min between, while 120 km/h needs at least 54 min. Somebody may have checked in for her; a terminal with a wrong clock looks the same."
        );
    }

    /// 108 km need 54 minutes at 120 km/h; 5 minutes are granted.
    #[test]
    fn stays_silent_when_she_can_have_travelled() {
        let mut scene = Scene::two_towns();
        scene.add(leaves("cd-1", "03-02 11:00", ANN).lesson("cd-am"));
        scene.add(comes("my-1", "03-02 11:50", ANN).lesson("my-am"));
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn fires_when_she_can_not_have_travelled_by_a_minute() {
        let mut scene = Scene::two_towns();
        scene.add(leaves("cd-1", "03-02 11:00", ANN).lesson("cd-am"));
        scene.add(comes("my-1", "03-02 11:48", ANN).lesson("my-am"));
        assert_eq!(scene.kinds(), [AnomalyKind::MultiDevice]);
    }

    #[test]
    fn stays_silent_at_two_terminals_of_one_site() {
        let mut scene = Scene::two_towns();
        scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
        scene.add(comes("cd-2", "03-02 08:40", ANN).lesson("cd-am"));
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn stays_silent_about_two_persons_and_about_attempts() {
        let mut scene = Scene::two_towns();
        scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
        scene.add(comes("my-1", "03-02 08:41", BEA).lesson("my-am"));
        scene.add(tries("my-1", "03-02 08:42", ANN, Outcome::NotRecognised).claimed(1000));
        assert_eq!(scene.kinds(), []);
    }

    /// A clock that is doubtful, ahead of the centre, behind the signed time it carries, or that has
    /// not been bounded for longer than the profile allows.
    #[test]
    fn stays_silent_when_a_time_is_not_proven() {
        let unproven = [
            comes("my-1", "03-02 08:55", ANN).clock(ClockQuality::Doubtful, None),
            comes("my-1", "03-02 08:55", ANN).arrives("03-02 08:50"),
            comes("my-1", "03-02 08:55", ANN)
                .clock(ClockQuality::Synced, Some(at("03-02 09:00")))
                .arrives("03-02 09:01"),
            comes("my-1", "03-02 08:55", ANN).clock(ClockQuality::Synced, Some(at("02-20 09:00"))),
        ];
        for told in unproven {
            let mut scene = Scene::two_towns();
            scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
            scene.add(told.lesson("my-am"));
            assert!(!scene.kinds().contains(&AnomalyKind::MultiDevice));
        }
    }

    /// 108 km in 48 minutes is too fast, unless one clock, whichever, may be five minutes off.
    #[test]
    fn grants_the_uncertainty_of_a_clock_that_runs_on_from_an_earlier_boot() {
        let left = leaves("cd-1", "03-02 11:00", ANN).lesson("cd-am");
        let came = comes("my-1", "03-02 11:48", ANN).lesson("my-am");
        for (left, came) in [
            (left.clone().clock(ClockQuality::Holding, None), came.clone()),
            (left, came.clock(ClockQuality::Holding, None)),
        ] {
            let mut scene = Scene::two_towns();
            scene.add(left);
            scene.add(came);
            assert_eq!(scene.kinds(), []);
        }
    }
}

mod off_timetable {
    use super::*;

    #[test]
    fn fires_at_night_as_an_alarm_with_the_nearest_lesson() {
        let mut scene = Scene::two_towns();
        let index = scene.add(tries("cd-1", "03-03 03:12", ANN, Outcome::NoLesson));
        let anomaly = scene.one();
        assert_eq!(anomaly.kind, AnomalyKind::OffTimetable);
        assert_eq!(anomaly.severity, Severity::Alarm);
        assert_eq!(anomaly.who, [ANN]);
        assert_eq!(anomaly.evidence, [index]);
        says(
            &anomaly,
            "2026-03-03 03:12（夜间），成都·锦江教学点有考勤，而本教学点最近的课次（2026-03-02 19:00–21:30）相距 5 小时 42 分钟，超过 120 分钟。可能是虚造考勤；临时调课未登记也会如此。",
            "2026-03-03 03:12 (at night), Jinjiang site, Chengdu: attendance, while the nearest lesson of the site (2026-03-02 19:00–21:30) is 5 h 42 min away, more than 120 min. It may be made up; a lesson moved without being registered looks the same.",
        );
    }

    #[test]
    fn fires_by_day_as_a_warning_where_no_lesson_is_near() {
        let mut scene = Scene::two_towns();
        scene.add(comes("my-1", "03-04 15:00", ANN));
        let anomaly = scene.one();
        assert_eq!(anomaly.severity, Severity::Warning);
        says(
            &anomaly,
            "2026-03-04 15:00，绵阳·涪城教学点有考勤，而本教学点前后 24 小时内没有登记任何课次。可能是虚造考勤；临时调课未登记也会如此。",
            "2026-03-04 15:00, Fucheng site, Mianyang: attendance, while no lesson of the site is registered within 24 h before or after. It may be made up; a lesson moved without being registered looks the same.",
        );
    }

    #[test]
    fn fires_as_an_alarm_on_a_public_holiday_without_a_lesson() {
        let mut scene = Scene::two_towns();
        let festival = comes("cd-1", "04-05 10:00", ANN);
        scene.add(festival.clock(ClockQuality::Synced, Some(at("04-05 00:00"))));
        let anomalies = scene.judged();
        let anomaly = anomalies.iter().find(|it| it.kind == AnomalyKind::OffTimetable).unwrap();
        assert_eq!(anomaly.severity, Severity::Alarm);
        assert!(anomaly.why.zh.starts_with("2026-04-05 10:00（节假日）"), "{}", anomaly.why.zh);
    }

    /// 不得事后补录: a lesson entered after its end is no excuse.
    #[test]
    fn fires_when_the_lesson_was_registered_only_after_its_end() {
        let mut scene = Scene::two_towns();
        scene.state("03-05 18:00", lesson("late", "cd", "03-05 14:00", "03-05 17:00"));
        scene.add(comes("cd-1", "03-05 14:05", ANN).lesson("late").arrives("03-05 18:05"));
        says(
            &scene.one(),
            "2026-03-05 14:05，成都·锦江教学点有考勤，而该时段的课次（2026-03-05 14:00–17:00）在结束之后，于 2026-03-05 18:00 才登记。可能是虚造考勤；临时调课未登记也会如此。",
            "2026-03-05 14:05, Jinjiang site, Chengdu: attendance, while the lesson of that time (2026-03-05 14:00–17:00) was registered only after its end, at 2026-03-05 18:00. It may be made up; a lesson moved without being registered looks the same.",
        );
    }

    #[test]
    fn fires_when_the_record_came_before_the_lesson_was_registered() {
        let mut scene = Scene::two_towns();
        scene.add(comes("cd-1", "03-05 14:05", ANN));
        scene.state("03-05 15:00", lesson("late", "cd", "03-05 14:00", "03-05 17:00"));
        assert_eq!(scene.kinds(), [AnomalyKind::OffTimetable]);
    }

    #[test]
    fn stays_silent_around_lessons_also_in_the_evening() {
        let mut scene = Scene::two_towns();
        scene.add(comes("cd-1", "03-02 06:31", ANN).lesson("cd-am"));
        scene.add(tries("cd-1", "03-02 13:29", ANN, Outcome::NoLesson));
        scene.add(comes("cd-1", "03-02 18:50", ANN).lesson("cd-eve"));
        scene.add(leaves("cd-1", "03-02 21:35", ANN).lesson("cd-eve"));
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn stays_silent_about_the_door_and_about_faces_that_nobody_recognised() {
        let mut scene = Scene::two_towns();
        scene.add(tries("my-1", "03-02 04:00", ANN, Outcome::TooEarly));
        scene.add(tries("my-1", "03-02 15:00", ANN, Outcome::TooLate));
        for outcome in [Outcome::NotRecognised, Outcome::NoLesson] {
            let mut nobody = tries("my-1", "03-02 23:00", ANN, outcome).erased();
            nobody.record.person = None;
            scene.add(nobody);
        }
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn stays_silent_at_the_time_that_was_announced_before_a_lesson_was_moved() {
        let mut scene = Scene::two_towns();
        scene.state("03-03 07:00", lesson("moved", "cd", "03-03 08:30", "03-03 11:30"));
        scene.state("03-03 08:20", lesson("moved", "cd", "03-03 18:00", "03-03 20:00"));
        scene.add(comes("cd-1", "03-03 08:25", ANN).lesson("moved"));
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn stays_silent_when_the_time_is_not_proven() {
        let mut scene = Scene::two_towns();
        let doubtful = tries("cd-1", "03-03 03:12", ANN, Outcome::NoLesson);
        scene.add(doubtful.clock(ClockQuality::Doubtful, None));
        assert_eq!(scene.kinds(), []);
    }
}

mod excess_hours {
    use super::*;

    #[test]
    fn fires_on_a_check_out_long_after_the_lesson() {
        let mut scene = Scene::two_towns();
        let came = scene.add(comes("my-1", "03-02 08:32", ANN).lesson("my-am"));
        let left = scene.add(leaves("my-1", "03-02 14:10", ANN).lesson("my-am"));
        let anomaly = scene.one();
        assert_eq!(anomaly.kind, AnomalyKind::ExcessHours);
        assert_eq!(anomaly.severity, Severity::Warning);
        assert_eq!(anomaly.who, [ANN]);
        assert_eq!(anomaly.evidence, [came, left]);
        says(
            &anomaly,
            "绵阳·涪城教学点：课次于 2026-03-02 11:30 结束，该学员 2026-03-02 08:32 签到，2026-03-02 14:10 才签退，晚于下课 2 小时 40 分钟，超过允许的 60 分钟。可能虚增学时；课后留堂练习也会如此。",
            "Fucheng site, Mianyang: the lesson ended at 2026-03-02 11:30; checked in at 2026-03-02 08:32, checked out at 2026-03-02 14:10, 2 h 40 min after its end, more than the 60 min allowed. Hours may be padded; staying on to practise looks the same.",
        );
    }

    #[test]
    fn fires_once_for_a_lesson() {
        let mut scene = Scene::two_towns();
        scene.add(comes("my-1", "03-02 08:32", ANN).lesson("my-am"));
        scene.add(leaves("my-1", "03-02 14:10", ANN).lesson("my-am"));
        scene.add(leaves("my-1", "03-02 14:20", ANN).lesson("my-am"));
        assert_eq!(scene.kinds(), [AnomalyKind::ExcessHours]);
    }

    /// Three lessons in which she always stayed a little, none for itself too long.
    #[test]
    fn fires_once_on_a_day_with_more_hours_than_allowed() {
        let mut scene = Scene::two_towns();
        let entries = [
            scene.add(comes("cd-1", "03-02 08:00", ANN).lesson("cd-am")),
            scene.add(leaves("cd-1", "03-02 12:20", ANN).lesson("cd-am")),
            scene.add(comes("cd-1", "03-02 13:30", ANN).lesson("cd-pm")),
            scene.add(leaves("cd-1", "03-02 17:50", ANN).lesson("cd-pm")),
            scene.add(comes("cd-1", "03-02 18:30", ANN).lesson("cd-eve")),
            scene.add(leaves("cd-1", "03-02 21:30", ANN).lesson("cd-eve")),
        ];
        scene.add(leaves("cd-1", "03-02 21:40", ANN).lesson("cd-eve"));
        let anomaly = scene.one();
        assert_eq!(anomaly.evidence, entries);
        says(
            &anomaly,
            "该学员 2026-03-02 在 3 个课次中在课合计 11 小时 40 分钟，超过每日 10 小时。可能虚增学时；集中强化培训也会如此。",
            "On 2026-03-02 the person was present for 11 h 40 min in 3 lessons, more than 10 h a day. Hours may be padded; an intensive course looks the same.",
        );
    }

    /// Who goes out for lunch and checks in again was there since the morning.
    #[test]
    fn counts_a_lesson_from_the_first_check_in() {
        let mut scene = Scene::two_towns();
        scene.state("03-02 06:00", lesson("cd-lab", "cd", "03-02 07:00", "03-02 18:00"));
        scene.add(comes("cd-1", "03-02 07:00", ANN).lesson("cd-lab"));
        scene.add(comes("cd-2", "03-02 13:00", ANN).lesson("cd-lab"));
        scene.add(leaves("cd-1", "03-02 17:30", ANN).lesson("cd-lab"));
        assert_eq!(scene.kinds(), [AnomalyKind::ExcessHours]);
    }

    #[test]
    fn counts_hours_in_two_lessons_at_once_only_once() {
        let mut scene = Scene::two_towns();
        scene.state("03-02 07:00", lesson("cd-lab", "cd", "03-02 08:30", "03-02 17:00"));
        scene.add(comes("cd-1", "03-02 08:20", ANN).lesson("cd-lab"));
        scene.add(comes("cd-2", "03-02 08:25", ANN).lesson("cd-am"));
        scene.add(leaves("cd-2", "03-02 11:30", ANN).lesson("cd-am"));
        scene.add(leaves("cd-1", "03-02 17:05", ANN).lesson("cd-lab"));
        assert_eq!(scene.kinds(), []);
    }

    #[test]
    fn stays_silent_within_the_hour_after_a_lesson_and_without_a_check_in() {
        let mut scene = Scene::two_towns();
        scene.add(comes("my-1", "03-02 08:32", ANN).lesson("my-am"));
        scene.add(leaves("my-1", "03-02 12:30", ANN).lesson("my-am"));
        scene.add(leaves("my-1", "03-02 14:10", BEA).lesson("my-am"));
        assert_eq!(scene.kinds(), []);
    }
}

/// Someone is accused on the strength of a rule: its page must be there, in both languages, and say
/// what the rule cannot know.
#[test]
fn every_kind_has_its_rule_its_file_and_its_page() {
    const ALL: [AnomalyKind; 33] = [
        AnomalyKind::ProxyStandIn,
        AnomalyKind::ProxySharedFace,
        AnomalyKind::MultiDevice,
        AnomalyKind::OffTimetable,
        AnomalyKind::ExcessHours,
        AnomalyKind::Forged,
        AnomalyKind::Altered,
        AnomalyKind::Replayed,
        AnomalyKind::UnregisteredTerminal,
        AnomalyKind::ForkedChain,
        AnomalyKind::MadeAfterwards,
        AnomalyKind::MachinePace,
        AnomalyKind::SpoofAttempts,
        AnomalyKind::MissedRollCall,
        AnomalyKind::OverLimit,
        AnomalyKind::MovedCohort,
        AnomalyKind::PlatformSessions,
        AnomalyKind::BackgroundPlay,
        AnomalyKind::LateRegistration,
        AnomalyKind::TwoClasses,
        AnomalyKind::ShortLesson,
        AnomalyKind::LateCheckouts,
        AnomalyKind::LongWeek,
        AnomalyKind::WithoutFace,
        AnomalyKind::SteadyScores,
        AnomalyKind::ScoreDrift,
        AnomalyKind::ThinMargins,
        AnomalyKind::Pairs,
        AnomalyKind::PerfectAttendance,
        AnomalyKind::SilentTerminal,
        AnomalyKind::DeviceChanged,
        AnomalyKind::OftenUnseen,
        AnomalyKind::TimeRefuted,
    ];
    // A new kind does not compile here until it stands in the list above.
    let listed = |kind: AnomalyKind| match kind {
        AnomalyKind::ProxyStandIn
        | AnomalyKind::ProxySharedFace
        | AnomalyKind::MultiDevice
        | AnomalyKind::OffTimetable
        | AnomalyKind::ExcessHours
        | AnomalyKind::Forged
        | AnomalyKind::Altered
        | AnomalyKind::Replayed
        | AnomalyKind::UnregisteredTerminal
        | AnomalyKind::ForkedChain
        | AnomalyKind::MadeAfterwards
        | AnomalyKind::MachinePace
        | AnomalyKind::SpoofAttempts
        | AnomalyKind::MissedRollCall
        | AnomalyKind::OverLimit
        | AnomalyKind::MovedCohort
        | AnomalyKind::PlatformSessions
        | AnomalyKind::BackgroundPlay
        | AnomalyKind::LateRegistration
        | AnomalyKind::TwoClasses
        | AnomalyKind::ShortLesson
        | AnomalyKind::LateCheckouts
        | AnomalyKind::LongWeek
        | AnomalyKind::WithoutFace
        | AnomalyKind::SteadyScores
        | AnomalyKind::ScoreDrift
        | AnomalyKind::ThinMargins
        | AnomalyKind::Pairs
        | AnomalyKind::PerfectAttendance
        | AnomalyKind::SilentTerminal
        | AnomalyKind::DeviceChanged
        | AnomalyKind::OftenUnseen
        | AnomalyKind::TimeRefuted => ALL.contains(&kind),
    };
    let mut kinds = Judge::new(Policy::sichuan_2025()).kinds();
    assert!(kinds.iter().all(|kind| listed(*kind)));
    kinds.sort_unstable();
    let mut all = ALL;
    all.sort_unstable();
    assert_eq!(kinds, all, "each kind has one rule");

    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: String| {
        std::fs::read_to_string(root.join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    for kind in ALL {
        let code = read(format!("src/rules/{kind}.rs"));
        assert!(code.contains(&format!("docs/rules/{kind}.md")), "{kind}: names its page");
        for section in
            ["What it sees", "Why it matters", "Example", "What it cannot know", "What to do"]
        {
            assert!(code.contains(&format!("//! ## {section}\n")), "{kind}.rs: {section}");
        }
        let page = read(format!("docs/rules/{kind}.md"));
        for section in [
            "## 看什么 · What it sees",
            "## 为什么重要 · Why it matters",
            "## 例子 · Example",
            "## 它不能知道什么 · What it cannot know",
            "## 怎么办 · What to do",
        ] {
            assert!(page.contains(section), "{kind}.md: {section}");
        }
    }
}

#[test]
fn nobody_is_judged_by_a_profile_that_was_not_in_force() {
    let night = || comes("cd-1", "03-02 03:12", ANN);
    let mut scene = Scene::two_towns();
    scene.add(night());
    assert_eq!(scene.kinds(), [AnomalyKind::OffTimetable]);

    let mut scene = Scene::two_towns();
    let another = Fact::Policy { profile: "sichuan-2025/3".into(), digest: [7; 32] };
    scene.state("03-02 03:00", another);
    scene.add(night());
    assert_eq!(scene.kinds(), []);
    let own = Policy::sichuan_2025();
    scene.state("03-02 07:00", Fact::Policy { profile: own.profile(), digest: own.digest() });
    scene.refuse("03-02 08:00", "cd-1", Refusal::ForeignKey, None);
    assert_eq!(scene.kinds(), [AnomalyKind::Forged]);
}
