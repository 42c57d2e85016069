//! Many faces in one picture.

use super::*;

/// A roll call is on, and both are in.
fn called() -> Desk {
    let mut desk = desk();
    let lesson = "morning".parse().unwrap();
    for person in [ANNA, BORIS] {
        desk.recall(Event::CheckIn, &lesson, person, at("08:20"));
    }
    desk.begin_roll_call(&lesson, None, at("10:00"));
    desk
}

fn like(person: PersonId, e4: i32) -> SeenFace {
    let other = if person == ANNA { BORIS } else { ANNA };
    face(None, candidate(person, e4), candidate(other, 1_000)).face.unwrap()
}

fn persons(checkins: &[CheckIn]) -> Vec<PersonId> {
    checkins.iter().filter_map(|checkin| checkin.person).collect()
}

#[test]
fn each_in_the_picture_is_confirmed_with_her_own_score_once_enough_pictures_agree() {
    let (desk, mut room) = (called(), Room::default());
    let faces = [like(ANNA, 7_000), like(BORIS, 6_000)];
    for at_ms in [0, 200] {
        assert!(room.look(&faces, 12, &desk, at("10:01"), at_ms).is_empty());
    }
    let confirmed = room.look(&faces, 12, &desk, at("10:01"), 400);
    assert_eq!(persons(&confirmed), [ANNA, BORIS]);
    let scores: Vec<_> =
        confirmed.iter().map(|one| one.scores.unwrap().match_score.unwrap().as_e4()).collect();
    assert_eq!(scores, [7_000, 6_000]);
    assert_eq!(confirmed[0].scores.unwrap().pictures, Some(3));
}

#[test]
fn one_person_twice_in_a_picture_and_pictures_far_apart_confirm_nobody() {
    let (desk, mut room) = (called(), Room::default());
    for at_ms in (0..2_000).step_by(200) {
        let twice = [like(ANNA, 7_000), like(ANNA, 6_500)];
        assert!(room.look(&twice, 12, &desk, at("10:01"), at_ms).is_empty());
    }
    for at_ms in (10_000..30_000).step_by(2_500) {
        assert!(room.look(&[like(ANNA, 7_000)], 12, &desk, at("10:01"), at_ms).is_empty());
    }
}

#[test]
fn no_more_faces_count_than_the_policy_allows_and_poor_ones_do_not() {
    let (desk, mut room) = (called(), Room::default());
    let mut far = like(BORIS, 6_000);
    far.quality.eye_distance_px = 8.0;
    let faces = [far, like(ANNA, 7_000), like(BORIS, 6_000)];
    for at_ms in [0, 200, 400] {
        let confirmed = room.look(&faces, 1, &desk, at("10:01"), at_ms);
        assert_eq!(persons(&confirmed), if at_ms == 400 { vec![ANNA] } else { vec![] });
    }
}

#[test]
fn room_lets_nobody_in() {
    let (mut desk, mut room) = (desk(), Room::default());
    desk.recall(Event::CheckIn, &"morning".parse().unwrap(), ANNA, at("08:20"));
    for at_ms in (0..2_000).step_by(200) {
        let faces = [like(ANNA, 7_000), like(BORIS, 6_000)];
        assert!(room.look(&faces, 12, &desk, at("08:40"), at_ms).is_empty(), "no roll is called");
    }
    desk.begin_roll_call(&"morning".parse().unwrap(), None, at("08:41"));
    let mut confirmed = Vec::new();
    for at_ms in (2_000..4_000).step_by(200) {
        let faces = [like(ANNA, 7_000), like(BORIS, 6_000)];
        confirmed.extend(persons(&room.look(&faces, 12, &desk, at("08:42"), at_ms)));
    }
    assert!(confirmed.contains(&ANNA) && !confirmed.contains(&BORIS), "he has not come");
}
