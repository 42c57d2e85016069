//! docs/spec/vectors/dispatches.json: dispatches with fixed keys and fixed chance, and that whoever has
//! the reading key and the centre's public key reads from their bytes what stands beside them.

use data_encoding::HEXLOWER;
use rollcall::domain::{PersonId, Timestamp};
use rollcall::record::dispatch::{
    Dispatch, Known, Ordered, Roster, Suspension, Taught, open_dispatch, seal_dispatch,
};
use rollcall::record::{ReadingKey, seal_statement};
use serde_json::{Value, json};

use crate::vectors::{hex, key};

const READING: [u8; 32] = [0x21; 32];
const CHANCE: [u8; 32] = [0x22; 32];

fn at(hours: i64) -> Timestamp {
    Timestamp::from_ms(1_772_380_800_000 + hours * 3_600_000)
}

fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// Nothing but what must be there.
fn empty() -> Dispatch {
    Dispatch {
        terminal: "t-101".parse().unwrap(),
        version: 1_772_380_800_000,
        issued: at(0),
        expires: at(15 * 24),
        site: "huaxin-1".parse().unwrap(),
        lessons: vec![],
        rosters: vec![],
        people: vec![],
        suspensions: vec![],
        policy: String::new(),
        spot_seed: None,
        orders: None,
    }
}

/// Every field at least once.
fn full() -> Dispatch {
    let class = || "cook-a".parse().unwrap();
    let lesson = |id: &str, day: i64, teacher| Taught {
        id: id.parse().unwrap(),
        class: class(),
        starts: at(day * 24),
        ends: at(day * 24 + 3),
        teacher,
    };
    let known = |n: u8, name: &str, number: Option<&str>, pin| Known {
        id: person(n),
        name: name.into(),
        number: number.map(str::to_owned),
        pin,
    };
    let suspension = |until, class, lesson| Suspension { from: at(0), until, class, lesson };
    Dispatch {
        lessons: vec![lesson("cook-a-1", 0, Some(person(0xb1))), lesson("cook-a-2", 1, None)],
        rosters: vec![Roster { class: class(), people: vec![person(0xa1), person(0xa2)] }],
        people: vec![
            known(0xa1, "示例学员一", Some("20260001"), Some([0x23; 32])),
            known(0xa2, "示例学员二", None, None),
            known(0xb1, "示例教师", None, None),
        ],
        suspensions: vec![
            suspension(Some(at(12)), None, None),
            suspension(None, Some(class()), None),
            suspension(None, None, Some("cook-a-2".parse().unwrap())),
        ],
        policy: "name = \"example\"\n".into(),
        spot_seed: Some([0x24; 32]),
        orders: Some(vec![Ordered {
            order: [0x25; 32],
            lesson: "cook-a-1".parse().unwrap(),
            at: at(1),
            minutes: 10,
        }]),
        ..empty()
    }
}

pub(crate) fn dispatches() -> Value {
    let (centre, reading) = (key("centre"), ReadingKey::from_secret(&READING));
    let vector = |name: &str, dispatch: &Dispatch| {
        let bytes = seal_dispatch(dispatch, &centre, &reading.public(), CHANCE).unwrap();
        json!({
            "name": name,
            "terminal": dispatch.terminal,
            "reading_secret": hex(READING),
            "reading_public": hex(reading.public().0),
            "ephemeral_ikm": hex(CHANCE),
            "payload": hex(minicbor::to_vec(dispatch).unwrap()),
            "sealed": hex(seal_statement(dispatch, &centre)),
            "dispatch": hex(bytes),
        })
    };
    json!({
        "about": "Dispatches (dispatch-v1.md), by the key `centre` of keys.json. Their reading key is public: never use it.",
        "vectors": [vector("empty", &empty()), vector("every field", &full())],
    })
}

#[test]
fn dispatches_of_the_vectors_open_to_their_payload_and_no_other_centre_is_believed() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/spec/vectors/dispatches.json");
    let value: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let vectors = value["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let bytes =
            |name: &str| HEXLOWER.decode(vector[name].as_str().unwrap().as_bytes()).unwrap();
        let terminal = vector["terminal"].as_str().unwrap().parse().unwrap();
        let reading = ReadingKey::from_secret(&bytes("reading_secret").try_into().unwrap());
        let open = |centre: &str| {
            open_dispatch(&bytes("dispatch"), &terminal, &reading, &[key(centre).verifying_key()])
        };
        assert_eq!(minicbor::to_vec(open("centre").unwrap()).unwrap(), bytes("payload"));
        assert!(open("stranger").is_err());
    }
}
