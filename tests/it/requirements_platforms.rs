//! The demands of the policies on online platforms (docs/requirements.md), each by the number of its row: several
//! devices at once, playing without anybody there, and platforms whose hours do not count.

use rollcall::domain::{
    Activity, Anomaly, AnomalyKind, Bilingual, Evidenced, Fact, Happened, Happening, LessonDetails,
    LessonKind, LessonMode, PersonId, Platform, PlatformFunction, Policy, Severity, Word,
};
use rollcall::record::Opening;
use rollcall::rules::hours::{Hours, Reason};

use crate::rules_scene::{ANN, BEA, Scene, at, comes, leaves, lesson, says};

/// A stretch of a session in the making: minutes after its beginning, and what happened.
struct Told {
    session: u8,
    device: u8,
    platform: &'static str,
    lesson: &'static str,
    from: &'static str,
    person: PersonId,
}

const ONLINE: Told = Told {
    session: 1,
    device: 1,
    platform: "xuexi",
    lesson: "online-1",
    from: "03-02 09:00",
    person: ANN,
};

fn happened(seconds: u32, what: Happening) -> Happened {
    let pages = (what == Happening::Beat).then_some(1);
    Happened { after_ms: seconds * 1000, what, pages }
}

/// At the front for so many minutes, a beat each minute; somebody does something now and then, as people do.
fn learns(minutes: u32) -> Vec<Happened> {
    let mut all = vec![happened(0, Happening::Opened), happened(1, Happening::Foreground)];
    for minute in 1..=minutes {
        all.push(happened(minute * 60, Happening::Beat));
        if minute % 7 == 3 {
            all.push(happened(minute * 60 + (minute * 17) % 50, Happening::Touch));
        }
    }
    all.sort_by_key(|it| it.after_ms);
    all
}

impl Told {
    fn tell(&self, happenings: Vec<Happened>) -> Fact {
        let opening = Opening { salt: [self.session; 32], person: self.person };
        Fact::Activity(Activity {
            platform: self.platform.parse().unwrap(),
            report: 1,
            digest: [0; 32],
            session: [self.session; 16],
            account: [self.person.0[0]; 32],
            device: [self.device; 32],
            person: opening.commitment().0,
            lesson: Some(self.lesson.parse().unwrap()),
            from: at(self.from),
            happenings,
            opened: Some((opening.salt, opening.person)),
        })
    }
}

fn scene() -> Scene {
    let mut scene = Scene::two_towns();
    scene.state("03-01 20:00", platform("xuexi", 6, true));
    scene.state("03-01 20:00", lesson("online-1", "cd", "03-02 09:00", "03-02 10:30"));
    scene.state(
        "03-01 20:00",
        Fact::LessonDetails(LessonDetails {
            lesson: "online-1".parse().unwrap(),
            teacher: None,
            kind: Some(LessonKind::Theory),
            mode: Some(LessonMode::Online),
        }),
    );
    scene
}

/// A platform with the first so many of the six functions.
fn platform(id: &str, functions: usize, listed: bool) -> Fact {
    let evidenced =
        |it: &PlatformFunction| Evidenced { function: *it, basis: "验收〔2026〕3号".into() };
    Fact::Platform(Platform {
        id: id.parse().unwrap(),
        name: Bilingual::new("示例学习平台", "Sample platform"),
        key: [7; 32],
        functions: PlatformFunction::ALL.iter().take(functions).map(evidenced).collect(),
        listed: listed.then(|| "公告〔2026〕5号".into()),
    })
}

/// What is raised when these are reported at noon.
fn raised(told: Vec<Fact>) -> Vec<Anomaly> {
    let mut scene = scene();
    for fact in told {
        scene.state("03-02 12:00", fact);
    }
    scene.judged()
}

// ---- Several at once --------------------------------------------------------------------------

#[test]
fn he_4b_one_person_at_the_front_of_two_devices_is_flagged_once_and_one_after_the_other_is_not() {
    let phone = || ONLINE.tell(learns(35));
    let computer = |from| Told { session: 2, device: 2, from, ..ONLINE }.tell(learns(30));
    let all = raised(vec![phone(), computer("03-02 09:10")]);
    assert_eq!(all.len(), 1, "{all:#?}");
    let anomaly = &all[0];
    assert_eq!((anomaly.kind, anomaly.severity), (AnomalyKind::PlatformSessions, Severity::Alarm));
    assert_eq!((&anomaly.who[..], anomaly.evidence.len()), (&[ANN][..], 2));
    says(
        anomaly,
        "2026-03-02 09:10 起的 24 分钟，同一学员在两台设备的前台同时学习（平台 xuexi 与 xuexi）。可能有人代学或刷课；换设备而未退出也会如此。",
        "For 24 min from 2026-03-02 09:10 on, one person was at the front of two devices (platforms xuexi and xuexi). Somebody may learn for her, or nobody does; a page left open at the front looks the same.",
    );
    // In whatever order the two come.
    let other = raised(vec![computer("03-02 09:10"), phone()]);
    assert_eq!((&other[0].why, other.len()), (&anomaly.why, 1));
    // Two minutes are granted; a page in the background is none at the front.
    assert_eq!(raised(vec![phone(), computer("03-02 09:34")]), []);
    let mut left = learns(8);
    left.push(happened(9 * 60, Happening::Background));
    let left = Told { lesson: "online-1", ..ONLINE }.tell(left);
    assert_eq!(raised(vec![left, computer("03-02 09:10")]), []);
    // The same device, and two people.
    let again = Told { session: 2, from: "03-02 09:10", ..ONLINE }.tell(learns(30));
    assert_eq!(raised(vec![phone(), again]), []);
    let bea = Told { session: 2, device: 2, person: BEA, ..ONLINE }.tell(learns(30));
    assert_eq!(raised(vec![phone(), bea]), []);
    // On two platforms their two clocks are granted as well: 120 s and twice 120 s.
    let elsewhere =
        |from| Told { session: 2, device: 2, platform: "other", from, ..ONLINE }.tell(learns(30));
    assert_eq!(raised(vec![phone(), elsewhere("03-02 09:30")]), []);
    assert_eq!(raised(vec![phone(), elsewhere("03-02 09:20")]).len(), 1);
}

#[test]
fn he_4b_one_person_in_a_room_and_on_a_platform_is_flagged_with_both_named() {
    let told = |session: Fact, online_first: bool| {
        let mut scene = scene();
        let marks = [
            comes("cd-1", "03-02 08:25", ANN).lesson("cd-am").arrives("03-02 12:00"),
            leaves("cd-1", "03-02 11:35", ANN).lesson("cd-am").arrives("03-02 12:00"),
        ];
        if online_first {
            scene.state("03-02 12:00", session.clone());
        }
        for mark in marks {
            scene.add(mark);
        }
        if !online_first {
            scene.state("03-02 12:00", session);
        }
        scene.judged()
    };
    let session = || ONLINE.tell(learns(35));
    let all = told(session(), false);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].kind, AnomalyKind::PlatformSessions);
    assert_eq!(all[0].terminals, ["cd-1".parse().unwrap()]);
    says(
        &all[0],
        "2026-03-02 09:00 起的 34 分钟，同一学员既在成都·锦江教学点上课（课次 cd-am），又在平台 xuexi 的前台学习（课次 online-1）。可能有人代学或代打卡；时钟有误也会如此。",
        "For 34 min from 2026-03-02 09:00 on, one person was at Jinjiang site, Chengdu (lesson cd-am) and at the front of platform xuexi (lesson online-1). Somebody may learn, or check in, for her; a wrong clock looks the same.",
    );
    let late = told(session(), true);
    assert_eq!((late.len(), &late[0].why), (1, &all[0].why), "whichever comes first");
    // A class that learns online together, before a terminal, is at one place.
    assert_eq!(told(Told { lesson: "cd-am", ..ONLINE }.tell(learns(35)), false), []);
    assert_eq!(told(Told { person: BEA, ..ONLINE }.tell(learns(35)), false), []);
    let evening = Told { from: "03-02 11:34", ..ONLINE }.tell(learns(20));
    assert_eq!(told(evening, false), [], "two minutes, and two clocks, are granted");
}

// ---- Nobody there -----------------------------------------------------------------------------

fn words_of(happenings: Vec<Happened>) -> Option<String> {
    let all = raised(vec![ONLINE.tell(happenings)]);
    assert!(all.len() <= 1, "{all:#?}");
    let anomaly = all.into_iter().next()?;
    assert_eq!((anomaly.kind, &anomaly.who[..]), (AnomalyKind::BackgroundPlay, &[ANN][..]));
    Some(anomaly.why.zh)
}

#[test]
fn he_4d_playing_in_the_background_is_flagged_and_a_look_at_another_window_is_not() {
    let hidden = |from: u32, until: u32| {
        let mut all = learns(30);
        all.push(happened(from * 60 + 5, Happening::Background));
        all.push(happened(until * 60 + 5, Happening::Foreground));
        all.sort_by_key(|it| it.after_ms);
        words_of(all)
    };
    let told = hidden(5, 20).unwrap();
    assert!(told.contains("后台播放 15 分钟，占 51%"), "{told}");
    assert_eq!(hidden(5, 14), None, "nine minutes");
    // A player that was never at the front at all.
    let mut never: Vec<_> = learns(30);
    never.retain(|it| it.what != Happening::Foreground);
    assert!(words_of(never).unwrap().contains("后台播放 29 分钟，占 100%"));
}

#[test]
fn he_4d_several_pages_at_once_are_flagged_and_a_short_comparison_is_not() {
    let many = |minutes: std::ops::Range<u32>| {
        let mut all = learns(30);
        for it in &mut all {
            if it.what == Happening::Beat && minutes.contains(&(it.after_ms / 60_000)) {
                it.pages = Some(3);
            }
        }
        words_of(all)
    };
    let told = many(5..25).unwrap();
    assert!(told.contains("同时打开多个课程页面 20 分钟"), "{told}");
    assert_eq!(many(5..14), None);
}

#[test]
fn he_4d_a_script_that_clicks_in_equal_intervals_is_flagged_and_a_person_who_clicks_is_not() {
    let clicks = |seconds: &[u32]| {
        let mut all = vec![happened(0, Happening::Foreground)];
        all.extend(seconds.iter().map(|at| happened(*at, Happening::Touch)));
        words_of(all)
    };
    let every: Vec<_> = (1..=12).map(|n| n * 60).collect();
    let told = clicks(&every).unwrap();
    assert!(told.contains("连续 12 次操作的间隔都是 60 秒"), "{told}");
    assert_eq!(clicks(&every[..11]), None, "eleven are too few to tell");
    let person = [10, 25, 31, 90, 140, 141, 200, 260, 275, 400, 420, 500];
    assert_eq!(clicks(&person), None);
    let quick: Vec<_> = (1..=12).collect();
    assert_eq!(clicks(&quick), None, "whoever clicks through an exercise");
}

#[test]
fn he_4d_a_course_that_plays_on_untouched_is_flagged_and_one_with_a_person_before_it_is_not() {
    let played = |touch: Option<u32>| {
        let mut scene = scene();
        for (n, from) in ["03-02 09:00", "03-02 09:30", "03-02 10:00"].into_iter().enumerate() {
            let mut all = vec![happened(0, Happening::Foreground)];
            // Each stretch begins with the beat that the one before ended with.
            all.extend((0..=30).map(|minute| happened(minute * 60, Happening::Beat)));
            if n == 1 {
                all.extend(touch.map(|second| happened(second, Happening::Touch)));
            }
            all.sort_by_key(|it| it.after_ms);
            scene.state("03-02 12:00", Told { from, ..ONLINE }.tell(all));
        }
        scene.judged()
    };
    let all = played(None);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert!(all[0].why.zh.contains("连续播放 90 分钟无任何操作"), "{}", all[0].why.zh);
    assert_eq!(played(Some(900)), [], "45 minutes before it, and as many after it");
}

#[test]
fn he_4d_an_honest_class_online_raises_none() {
    let mut scene = scene();
    for n in 0..30_u8 {
        for (part, from) in ["03-02 09:00", "03-02 09:30", "03-02 10:00"].into_iter().enumerate() {
            let person = PersonId([100 + n; 16]);
            let mut all = learns(29);
            // Some look something up for a while, some have the next unit open already.
            if n % 5 == 0 {
                all.push(happened(300 + u32::from(n), Happening::Background));
                all.push(happened(420 + u32::from(n), Happening::Foreground));
            }
            if n % 7 == 0 {
                all.iter_mut()
                    .take(6)
                    .filter(|it| it.pages.is_some())
                    .for_each(|it| it.pages = Some(2));
            }
            // Somebody changes from the phone to the computer.
            let device = if n == 3 && part == 2 { 200 } else { n };
            let session = if n == 3 && part == 2 { 200 } else { n };
            all.sort_by_key(|it| it.after_ms);
            scene.state("03-02 12:00", Told { session, device, from, person, ..ONLINE }.tell(all));
        }
    }
    assert_eq!(scene.judged(), []);
}

// ---- Which platforms count --------------------------------------------------------------------

#[test]
fn he_9_a_platform_counts_when_all_six_functions_are_evidenced_and_it_is_listed() {
    let hours = |registered: Option<Fact>, told: Fact| {
        let mut scene = scene();
        scene.state(
            "03-01 21:00",
            Fact::Class {
                id: "welding-1".parse().unwrap(),
                institution: "jinjiang".parse().unwrap(),
                name: Bilingual::new("焊工一班", "Welding 1"),
                persons: 2,
                roster: [0; 32],
            },
        );
        if let Some(fact) = registered {
            scene.state("03-01 21:00", fact);
        }
        scene.state("03-02 12:00", told);
        let mut hours = Hours::of("welding-1".parse().unwrap(), Policy::sichuan_2025());
        scene.entries().iter().for_each(|entry| hours.take(entry));
        let mut all = hours.attended();
        assert_eq!(all.len(), 1, "it is kept and shown: {all:?}");
        let stay = all.remove(0);
        (stay.minutes, stay.counted(), stay.reasons)
    };
    let told = || ONLINE.tell(learns(35));
    assert_eq!(hours(None, told()), (Some(34), 34, vec![]));
    let unlisted = vec![Reason::UnlistedPlatform];
    for registered in [platform("xuexi", 6, false), platform("xuexi", 5, true)] {
        assert_eq!(hours(Some(registered), told()), (Some(34), 0, unlisted.clone()));
    }
    let stranger = Told { platform: "stranger", ..ONLINE }.tell(learns(35));
    assert_eq!(hours(None, stranger), (Some(34), 0, unlisted));
    // What was reported too late to be proven, and what lies outside of the lesson.
    let old = Told { from: "02-20 09:00", ..ONLINE }.tell(learns(35));
    assert_eq!(hours(None, old).2, [Reason::TimeNotProven]);
    let evening = Told { from: "03-02 10:20", ..ONLINE }.tell(learns(35));
    assert_eq!(hours(None, evening), (Some(9), 9, vec![]), "from a second past 10:20 on");
}
