use super::glimpse::Glimpse;
use super::name::{Name, Stage};
use super::rule::{Fate, fate};
use super::{Rule, Section, Times};
use crate::camera::Frame;
use crate::domain::{Challenged, CheckIn, Event, Outcome, Score, Scores, Timestamp};

const RULE: Rule = Rule { pictures: true, days: 30 };

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

#[test]
fn a_name_says_record_step_and_date_and_no_other_name_is_ours() {
    for (text, seq, until, stage) in [
        ("1.new", 1, None, Stage::New),
        ("41.picture", 41, None, Stage::Kept),
        ("41.1775003405000.picture", 41, Some(at(1_775_003_405_000)), Stage::Kept),
        ("41.1775003405000.gone", 41, Some(at(1_775_003_405_000)), Stage::Gone),
    ] {
        let name = Name { seq, until, stage };
        assert_eq!(Name::parse(text), Some(name), "{text}");
        assert_eq!(name.to_string(), text);
    }
    for text in [
        "picture",
        ".picture",
        "01.picture",
        "+1.picture",
        "1.2.3.picture",
        "1.jpg",
        "1.new.partial",
        "",
    ] {
        assert_eq!(Name::parse(text), None, "{text}");
    }
}

#[test]
fn only_a_proven_time_ends_or_dates_a_picture() {
    let (none, end) = (Times::default(), 30 * 86_400_000);
    let proven = |ms| Times { proven: Some(at(ms)), signed: None };
    let signed = |ms| Times { proven: None, signed: Some(at(ms)) };
    let both = |ms, older| Times { proven: Some(at(ms)), signed: Some(at(older)) };
    for (until, times, wanted) in [
        (Some(at(end)), none, Fate::Stays),
        (Some(at(end)), proven(end - 1), Fate::Stays),
        (Some(at(end)), proven(end), Fate::Expired),
        // Signed once is over since.
        (Some(at(end)), signed(end), Fate::Expired),
        (Some(at(end)), signed(end - 1), Fate::Stays),
        (Some(at(end)), both(end, 0), Fate::Expired),
        // Nobody knows how long before the last signed time, or after, it was taken.
        (None, none, Fate::Stays),
        (None, signed(end), Fate::Stays),
        (None, both(5, 0), Fate::Dated(at(end + 5))),
    ] {
        assert_eq!(fate(until, &RULE, &times), wanted, "{until:?}, {times:?}");
    }
}

fn decided(challenge: Option<Challenged>) -> CheckIn {
    let scores = Scores {
        match_score: None,
        second_score: None,
        threshold: Score::from_e4(0),
        detection: Score::from_e4(0),
        liveness: None,
        pictures: None,
        challenge,
    };
    CheckIn {
        event: Event::Attempt,
        outcome: Outcome::NotLive,
        lesson: None,
        person: None,
        way: None,
        scores: Some(scores),
        other: None,
        same_face: None,
        staff: None,
    }
}

/// A frame of that grey.
fn grey(level: u8) -> Frame {
    Frame::from_rgb(1, 1, vec![level; 3]).unwrap()
}

#[test]
fn the_picture_of_who_left_a_challenge_shows_her_and_not_what_came_after() {
    let mut glimpse = Glimpse::default();
    let (plain, left) = (decided(None), decided(Some(Challenged::NotFollowed)));
    assert_eq!(glimpse.of(&plain), None);
    glimpse.see(&grey(1), Some(7));
    glimpse.see(&grey(2), Some(7));
    assert_eq!(glimpse.of(&plain), Some(&grey(2)));
    // She goes: an empty room.
    glimpse.see(&grey(3), None);
    assert_eq!(glimpse.of(&left), Some(&grey(2)));
    // Another one steps in her place.
    glimpse.see(&grey(4), Some(8));
    assert_eq!(glimpse.of(&left), Some(&grey(2)));
    // Who is decided about in his first picture is himself in it.
    assert_eq!(glimpse.of(&plain), Some(&grey(4)));
    glimpse.see(&grey(5), Some(8));
    assert_eq!(glimpse.of(&left), Some(&grey(5)));
    glimpse.clear();
    assert_eq!(glimpse.of(&plain), None);
}

#[test]
fn a_configuration_that_cannot_be_used_is_told() {
    assert_eq!(Section::default().checked().unwrap().reader, None);
    let key = |key: &str| Section { key: key.into(), ..Section::default() }.checked();
    assert!(key("x25519:QxDpd9iMwfCIpVhnfAz1yrOsN59NOVxsSNf1QpxZZmo=").unwrap().reader.is_some());
    assert!(key("ed25519:QxDpd9iMwfCIpVhnfAz1yrOsN59NOVxsSNf1QpxZZmo=").is_err());
    assert!(Section { bytes_max: 1_000, ..Section::default() }.checked().is_err());
}
