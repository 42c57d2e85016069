use super::*;
use crate::domain::Lesson;

fn at(time: &str) -> Timestamp {
    Timestamp::parse_shanghai(&format!("2026-03-02 {time}")).unwrap()
}

fn fact(time: &str, fact: Fact) -> Entry {
    Entry { index: 0, committed_at: at(time), body: Body::Fact(fact) }
}

fn site(id: &str, latitude_e6: i32, longitude_e6: i32) -> Fact {
    Fact::Site {
        id: id.parse().unwrap(),
        institution: "jinjiang".parse().unwrap(),
        name: Bilingual::new("锦江教学点", "Jinjiang site"),
        town: Bilingual::new("成都", "Chengdu"),
        place: GeoPoint { latitude_e6, longitude_e6 },
    }
}

fn lesson(id: &str, site: &str, starts: &str, ends: &str) -> Fact {
    Fact::Lesson(Lesson {
        id: id.parse().unwrap(),
        class: "welding-1".parse().unwrap(),
        site: site.parse().unwrap(),
        starts: at(starts),
        ends: at(ends),
    })
}

fn registry(facts: &[(&str, Fact)]) -> Registry {
    let mut registry = Registry::default();
    for (time, stated) in facts {
        registry.apply(&fact(time, stated.clone()));
    }
    registry
}

fn found(registry: &Registry, site: &str, from: &str, to: &str) -> Vec<String> {
    registry
        .lessons_between(&site.parse().unwrap(), at(from), at(to))
        .map(|announced| announced.lesson.id.to_string())
        .collect()
}

#[test]
fn a_terminal_leads_to_its_site_and_institution() {
    let terminal =
        Fact::Terminal { id: "cd-1".parse().unwrap(), site: "cd".parse().unwrap(), key: [7; 32] };
    let registry = registry(&[("07:00", site("cd", 30_572_800, 104_066_800)), ("07:01", terminal)]);
    let id = "cd-1".parse().unwrap();
    assert_eq!(registry.site_of(&id).unwrap().as_str(), "cd");
    assert_eq!(registry.institution_of(&id).unwrap().as_str(), "jinjiang");
    assert_eq!(registry.terminal(&id).unwrap().key, [7; 32]);
    assert_eq!(registry.institution_of(&"cd-2".parse().unwrap()), None);
}

/// Tianfu Square in Chengdu to Mianyang: 108 km as the crow flies.
#[test]
fn distances_agree_with_the_map() {
    let registry = registry(&[
        ("07:00", site("cd", 30_657_400, 104_065_700)),
        ("07:00", site("my", 31_471_000, 104_694_000)),
        ("07:00", site("far", -30_657_400, -75_934_300)),
    ]);
    let km = |one: &str, other: &str| {
        registry.distance_m(&one.parse().unwrap(), &other.parse().unwrap()).map(|m| m / 1000)
    };
    assert_eq!(km("cd", "my"), Some(108));
    assert_eq!(km("my", "cd"), Some(108));
    assert_eq!(km("cd", "cd"), Some(0));
    assert_eq!(km("cd", "far"), Some(20_015), "the other side of the earth");
    assert_eq!(km("cd", "nowhere"), None);
}

#[test]
fn lessons_are_found_by_site_and_time_even_when_long() {
    let registry = registry(&[
        ("07:00", lesson("all-day", "cd", "08:00", "20:00")),
        ("07:00", lesson("morning", "cd", "08:30", "11:30")),
        ("07:00", lesson("evening", "cd", "19:00", "21:00")),
        ("07:00", lesson("elsewhere", "my", "08:30", "11:30")),
    ]);
    assert_eq!(found(&registry, "cd", "12:00", "13:00"), ["all-day"]);
    assert_eq!(found(&registry, "cd", "11:30", "19:00"), ["all-day", "morning", "evening"]);
    assert_eq!(found(&registry, "cd", "21:01", "23:00"), [""; 0]);
    assert_eq!(found(&registry, "cd", "13:00", "12:00"), [""; 0], "an empty stretch holds none");
    assert_eq!(found(&registry, "nowhere", "00:00", "23:00"), [""; 0]);
}

#[test]
fn a_lesson_is_known_since_its_entry_was_committed_whatever_its_own_times_say() {
    let registry = registry(&[
        ("08:00", lesson("timely", "cd", "08:30", "11:30")),
        ("09:00", lesson("midway", "cd", "08:30", "11:30")),
        ("12:00", lesson("backfilled", "cd", "08:30", "11:30")),
    ]);
    let known = |id: &str| {
        let announced = registry.lesson(&id.parse().unwrap()).unwrap();
        (announced.is_late(), announced.is_backfilled())
    };
    assert_eq!(known("timely"), (false, false));
    assert_eq!(known("midway"), (true, false));
    assert_eq!(known("backfilled"), (true, true));
}

#[test]
fn a_repeated_announcement_does_not_make_a_lesson_late() {
    let registry = registry(&[
        ("08:00", lesson("a", "cd", "08:30", "11:30")),
        ("10:00", lesson("a", "cd", "08:30", "11:30")),
    ]);
    assert_eq!(registry.lesson(&"a".parse().unwrap()).unwrap().registered_at, at("08:00"));
    assert_eq!(found(&registry, "cd", "09:00", "09:00"), ["a"]);
}

#[test]
fn a_moved_lesson_keeps_the_time_that_was_announced_before() {
    let registry = registry(&[
        ("07:00", lesson("a", "cd", "08:30", "11:30")),
        ("08:20", lesson("a", "cd", "14:00", "16:00")),
    ]);
    let id = "a".parse().unwrap();
    assert_eq!(registry.lesson(&id).unwrap().lesson.starts, at("14:00"));
    assert_eq!(registry.latest_end_of(&id), Some(at("16:00")));
    assert_eq!(found(&registry, "cd", "09:00", "09:00"), ["a"]);
    assert_eq!(found(&registry, "cd", "15:00", "15:00"), ["a"]);
}

#[test]
fn a_lesson_with_times_that_no_calendar_holds_breaks_nothing() {
    let wild = |starts: i64, ends: i64| {
        Fact::Lesson(Lesson {
            id: "wild".parse().unwrap(),
            class: "welding-1".parse().unwrap(),
            site: "cd".parse().unwrap(),
            starts: Timestamp::from_ms(starts),
            ends: Timestamp::from_ms(ends),
        })
    };
    let registry = registry(&[
        ("07:00", wild(i64::MIN, i64::MAX)),
        ("07:00", wild(i64::MAX, i64::MIN)),
        ("07:00", wild(0, i64::MAX)),
    ]);
    assert_eq!(found(&registry, "cd", "09:00", "09:00"), ["wild"]);
}
