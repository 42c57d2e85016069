use super::*;
use crate::domain::{Bilingual, CheckIn, ClockDoubt, Event, FacePlace, Outcome};

fn checkin(outcome: Outcome) -> CheckIn {
    CheckIn {
        staff: None,
        event: if outcome == Outcome::Accepted { Event::CheckIn } else { Event::Attempt },
        outcome,
        lesson: None,
        person: None,
        way: None,
        scores: None,
        other: None,
        same_face: None,
    }
}

fn idle() -> Message {
    Message::idle(Bilingual::new("请站到镜头前", "Please stand before the camera"))
}

fn green() -> Message {
    Message::stored(&checkin(Outcome::Accepted), 7, None)
}

#[test]
fn answer_can_be_read_by_somebody_who_walks_away_and_gives_way_to_the_next_person() {
    let mut stage = Stage::new();
    stage.show(&green(), 1_000);
    stage.show(&idle(), 2_000);
    stage.show(&Message::look(), 2_100);
    assert_eq!(stage.scene().message, green());
    let next = Message::stored(&checkin(Outcome::NotRecognised), 8, None);
    stage.show(&next, 2_200);
    assert_eq!(stage.scene().message, next);
    stage.show(&idle(), 60_000);
    assert_eq!(stage.scene().message, idle());
}

#[test]
fn instruction_to_the_next_person_is_not_held_back_by_the_last_answer() {
    let mut stage = Stage::new();
    stage.show(&green(), 1_000);
    let closer = Message::advice(Bilingual::new("请靠近一些", "Please come closer"));
    stage.show(&closer, 1_500);
    assert_eq!(stage.scene().message, closer);
}

#[test]
fn each_answer_sounds_once_and_a_red_screen_does_not_go_on_sounding() {
    let mut stage = Stage::new();
    stage.show(&green(), 1_000);
    stage.show(&Message::stored(&checkin(Outcome::Accepted), 8, None), 2_000);
    assert_eq!(stage.scene().answers, 2);
    let red = Message::not_stored(&Bilingual::new("存储已满", "full"));
    for at_ms in [3_000, 3_067, 3_134] {
        stage.show(&red, at_ms);
    }
    assert_eq!(stage.scene().answers, 3);
}

#[test]
fn outline_lies_where_the_face_is_and_never_outside_of_the_picture() {
    let place = |x, width| FacePlace { x, y: 120.0, width, height: 240.0, frame: [640.0, 480.0] };
    let outline = Outline::of(&place(160.0, 320.0));
    assert_eq!((outline.x, outline.y, outline.width, outline.height), (250, 250, 500, 500));
    let cut = Outline::of(&place(-64.0, 128.0));
    assert_eq!((cut.x, cut.width), (0, 100));
    let nonsense = Outline::of(&place(f32::NAN, f32::INFINITY));
    assert!(nonsense.x <= 1_000 && nonsense.width <= 1_000);
}

#[test]
fn healthy_terminal_says_nothing_and_the_weightiest_trouble_stands_first() {
    let healthy = Facts { online: true, lesson: true, ..Facts::default() };
    assert_eq!(notices(&healthy), []);
    let codes = |facts: &Facts| notices(facts).iter().map(|n| n.code).collect::<Vec<_>>();
    let troubled = Facts {
        waiting: 900,
        full_percent: 100,
        doubt: Some(ClockDoubt::BeforeOwnRecord),
        suspended: true,
        plan_expired: true,
        camera_lost: true,
        camera_changed: true,
        ..Facts::default()
    };
    let all = codes(&troubled);
    assert_eq!(all[..2], ["full", "camera_lost"]);
    assert_eq!(all[all.len() - 2..], ["offline", "no_lesson"]);
    assert!(all.contains(&"clock_doubtful") && all.contains(&"suspended"));
    assert!(all.contains(&"plan_expired"));
    assert!(!all.contains(&"nearly_full"));
    assert_eq!(codes(&Facts { full_percent: 80, ..healthy.clone() }), ["nearly_full"]);
    assert_eq!(codes(&Facts { full_percent: 79, ..healthy.clone() }), [""; 0]);
    for unkept in [Unkept::NoKey, Unkept::Full, Unkept::Failed] {
        let facts = Facts { unkept: Some(unkept), ..healthy.clone() };
        assert_eq!(codes(&facts), ["evidence_unkept"]);
        let said = &notices(&facts)[0];
        assert_eq!(said.weight, Weight::Warning);
        assert!(said.text.zh.contains("签到照常") && said.text.en.contains("check-in goes on"));
    }
}

#[test]
fn screen_is_served_to_this_machine_alone() {
    let section = |listen: &str| Section { listen: listen.into(), ..Section::default() };
    assert!(Section::default().address().unwrap().unwrap().ip().is_loopback());
    assert_eq!(section("").address(), Ok(None));
    assert!(section("[::1]:8088").address().unwrap().is_some());
    for wrong in ["0.0.0.0:8088", "192.168.1.5:80", "8088", "localhost:8088"] {
        assert!(section(wrong).address().is_err(), "{wrong}");
    }
}
