//! A roll call of a room: many generated people in one picture, real nets, real records.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall::bench::people::PEOPLE;
use rollcall::camera::{self, Frame};
use rollcall::checkin::{Plan, Settings, Unseen};
use rollcall::domain::{Event, Lesson, Outcome, PersonId, Policy, TerminalId};
use rollcall::face::{Gallery, Pipeline, RuntimeChoice};
use rollcall::journal::{Bounds, Journal};
use rollcall::kiosk::Page;
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::record::{Record, SigningKey};
use rollcall::terminal::{Door, Setup, Terminal, numbers, people_searched};
use rollcall::uplink::{self, NoWaypoints};

use crate::face_data::opened;

/// As many as the policy lets one picture confirm.
const PEOPLE_HERE: u8 = 12;

const SIDE_PX: u32 = 320;
const COLUMNS: u32 = 4;

fn person(number: u8) -> PersonId {
    PersonId([number + 1; 16])
}

/// All of them in rows, each in a square of the picture.
fn room(picture: usize) -> Frame {
    let rows = u32::from(PEOPLE_HERE) / COLUMNS;
    let (width, height) = (COLUMNS * SIDE_PX, rows * SIDE_PX);
    let mut rgb = vec![0; (width * height * 3) as usize];
    for (number, pictures) in (0_u32..u32::from(PEOPLE_HERE)).zip(PEOPLE) {
        let face = camera::decode(pictures[picture]).unwrap();
        for y in 0..SIDE_PX {
            for x in 0..SIDE_PX {
                let (from_x, from_y) = (x * face.width() / SIDE_PX, y * face.height() / SIDE_PX);
                let from = ((from_y * face.width() + from_x) * 3) as usize;
                let at_x = number % COLUMNS * SIDE_PX + x;
                let at = (((number / COLUMNS * SIDE_PX + y) * width + at_x) * 3) as usize;
                rgb[at..at + 3].copy_from_slice(&face.rgb()[from..from + 3]);
            }
        }
    }
    Frame::from_rgb(width, height, rgb).unwrap()
}

fn gallery(pipeline: &mut Pipeline) -> Gallery {
    let same = pipeline.thresholds().unwrap().matching.cosine;
    let mut gallery = Gallery::new(pipeline.embedding_digest());
    for (number, pictures) in (0..PEOPLE_HERE).zip(PEOPLE) {
        let mut face = |picture: &[u8]| {
            let look = pipeline.look(&camera::decode(picture).unwrap()).unwrap();
            look.face.expect("a face is there").embedding
        };
        let faces: Vec<_> = pictures[..3].iter().map(|picture| face(picture)).collect();
        gallery.enrol(person(number), &faces, same).unwrap();
    }
    gallery
}

#[test]
fn twelve_people_in_one_picture_are_confirmed_each_with_her_own_score_and_the_one_outside_is_not() {
    let mut pipeline = opened(RuntimeChoice::Auto);
    let thresholds = pipeline.thresholds().unwrap().clone();
    let gallery = gallery(&mut pipeline);
    let clock = SystemClock::start();
    let now = clock.now();
    let lesson = Lesson {
        id: "cook-a-1".parse().unwrap(),
        class: "cook-a".parse().unwrap(),
        site: "huaxin-1".parse().unwrap(),
        starts: now.plus_ms(-600_000),
        ends: now.plus_ms(7_200_000),
    };
    // The thirteenth is in the lesson and not in the picture.
    let plans = vec![Plan { lesson, roster: (0..=PEOPLE_HERE).map(person).collect() }];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let folder = tempfile::tempdir().unwrap();
    let id: TerminalId = "huaxin-1-a".parse().unwrap();
    let key = SigningKey::from_secret(&[7; 32]);
    let journal_dir = folder.path().join("journal");
    Journal::init(&journal_dir, &id, key.verifying_key().id()).unwrap();
    let clock = Arc::new(clock);
    let terminal = Terminal::start(Setup {
        terminal: id,
        key,
        journal_dir,
        bounds: Bounds::default(),
        uplink: uplink::Config {
            tls: None,
            broker_host: "127.0.0.1".into(),
            // Nothing listens there.
            broker_port: 1,
            receipt_key: SigningKey::from_secret(&[8; 32]).verifying_key(),
            clock_tolerance_ms: 120_000,
            pace: uplink::Section::default().pace().unwrap(),
            firmware: "test".into(),
        },
        policy: Policy::sichuan_2025().profile(),
        pack: Some(pipeline.pack_digest()),
        plugged: false,
        clock: Arc::clone(&clock) as _,
        waypoints: Arc::new(NoWaypoints),
    })
    .unwrap();
    let searched = people_searched(&plans, &gallery);
    let numbers = numbers(&Policy::sichuan_2025(), &thresholds, &Settings::default(), searched);
    let (page, _ear) = Page::new();
    let mut door = Door::new(numbers, plans, gallery, &thresholds, Box::new(page));
    for number in 0..=PEOPLE_HERE {
        let unseen = Unseen { person: person(number), staff: None, right: true };
        door.unseen(&terminal, &*clock, &unseen).unwrap();
    }
    // Before the roll is called the picture of a crowd lets nobody in and nobody out.
    let mut look = |door: &mut Door, picture: usize| {
        door.attend(&mut pipeline, &terminal, &*clock, &room(picture), None).unwrap();
    };
    (0..4).for_each(|picture| look(&mut door, picture));
    assert_eq!(terminal.waiting(), u64::from(PEOPLE_HERE) + 1);
    door.call_roll(&terminal, clock.now()).unwrap().expect("a lesson is under way");
    // Each is enrolled from the first three pictures; the others are as the camera would see them.
    for picture in [3, 4, 5, 3, 4, 5] {
        look(&mut door, picture);
    }
    let records = terminal.journal().replay(1, 99).unwrap();
    let mut scores = BTreeMap::new();
    for (_, parcel) in &records {
        let (record, _) = Record::peek(parcel.sealed.bytes()).unwrap();
        if record.event == Event::Presence {
            assert_eq!(record.outcome, Some(Outcome::Accepted));
            let score = record.scores.unwrap().match_score.unwrap();
            scores.insert(parcel.person.unwrap().person, score);
        }
    }
    assert_eq!(scores.len(), usize::from(PEOPLE_HERE), "{scores:?}");
    assert!(!scores.contains_key(&person(PEOPLE_HERE)));
    let different: std::collections::BTreeSet<_> =
        scores.values().map(|score| score.as_e4()).collect();
    assert!(different.len() > 6, "each has a score of her own: {scores:?}");
    let missing = door.desk().roll_call(clock.now()).unwrap().missing();
    assert_eq!(missing, 1);
    runtime.block_on(terminal.shut_down()).unwrap();
}
