use std::collections::{BTreeMap, BTreeSet};

use super::pictures::{PICTURES_MIN, shipped};
use super::result::{Outcome, Records};
use super::script::{plants, scenes};
use super::world::{CLASSES, FACES, PEOPLE, person_id, who};
use crate::domain::{Anomaly, AnomalyId, AnomalyKind, Bilingual, LedgerRange, Severity, Timestamp};

const RECORDS: Records = Records { made: 50, committed: 50, refused: 4 };

fn anomaly(kind: AnomalyKind, who: &[usize]) -> Anomaly {
    Anomaly {
        id: AnomalyId::of(kind, &[1]),
        kind,
        severity: Severity::Alarm,
        at: Timestamp::default(),
        who: who.iter().map(|&person| person_id(person)).collect(),
        terminals: Vec::new(),
        site: None,
        why: Bilingual::new("", ""),
        evidence: vec![1],
        policy: String::new(),
        rule: 1,
        inputs: BTreeMap::new(),
        ledger: LedgerRange { first: 0, last: 1 },
    }
}

fn all_found() -> Vec<Anomaly> {
    let found = plants().into_iter();
    found.map(|plant| anomaly(plant.kind, &plant.who.into_iter().collect::<Vec<_>>())).collect()
}

#[test]
fn day_holds_when_every_fraud_is_found_and_nobody_else_accused() {
    assert!(Outcome::judge(&plants(), &all_found(), RECORDS, 1).holds());
}

#[test]
fn each_missed_fraud_is_named_and_the_day_does_not_hold() {
    for (place, plant) in plants().iter().enumerate() {
        let mut found = all_found();
        found.remove(place);
        let outcome = Outcome::judge(&plants(), &found, RECORDS, 1);
        assert!(!outcome.holds());
        let missed: Vec<_> = outcome.planted.iter().filter(|planted| !planted.ok).collect();
        assert_eq!(missed.len(), 1);
        assert_eq!((missed[0].kind, missed[0].got.as_str()), (plant.kind.as_str(), ""));
    }
}

#[test]
fn right_kind_about_the_wrong_person_is_a_miss_and_a_wrong_accusation() {
    let mut found = all_found();
    let place = found.iter().position(|a| a.kind == AnomalyKind::ExcessHours).unwrap();
    found[place] = anomaly(AnomalyKind::ExcessHours, &[who::LI_TING]);
    let outcome = Outcome::judge(&plants(), &found, RECORDS, 1);
    assert!(!outcome.holds());
    assert_eq!(outcome.honest_flagged.len(), 1);
    assert!(outcome.honest_flagged[0].contains("Li Ting"), "{:?}", outcome.honest_flagged);
}

#[test]
fn lost_record_fails_the_day() {
    let lost = Records { committed: 49, ..RECORDS };
    assert!(!Outcome::judge(&plants(), &all_found(), lost, 1).holds());
}

#[test]
fn script_is_in_the_order_of_time_and_plants_every_kind_of_the_issue() {
    assert!(scenes().is_sorted_by_key(|scene| scene.at));
    let kinds: BTreeSet<_> = plants().iter().map(|plant| plant.kind).collect();
    assert_eq!(kinds.len(), 9);
    assert!(!kinds.contains(&AnomalyKind::ForkedChain));
    let faces: BTreeSet<_> = PEOPLE.iter().map(|person| person.face).collect();
    assert_eq!(faces, (0..FACES).collect());
    assert!(CLASSES.iter().all(|class| class.roster.iter().all(|&p| p < PEOPLE.len())));
}

#[test]
fn generated_people_are_part_of_the_program_and_each_picture_decodes() {
    let albums = shipped();
    assert_eq!(albums.len(), FACES);
    for album in &albums {
        let pictures: Vec<_> = album.enrol.iter().chain(&album.attend).collect();
        assert!(pictures.len() >= PICTURES_MIN);
        for picture in pictures {
            let frame = picture.frame().unwrap();
            assert_eq!((frame.width(), frame.height()), (320, 320), "{}", picture.path().display());
        }
    }
}
