//! docs/spec/vectors/shares.json: shares with a fixed institution key and fixed nonces, the question and the
//! answer around them, and that whoever has the key reads from their bytes what stands beside them.

use data_encoding::HEXLOWER;
use minicbor::bytes::ByteVec;
use rollcall::domain::{PersonId, Timestamp};
use rollcall::record::share::{Have, Share, ShareAsk, Shared};
use rollcall::record::{open_statement, seal_statement};
use rollcall::terminal::register::Consent;
use rollcall::terminal::share::{Inside, InstitutionKey, Template};
use serde_json::{Value, json};

use crate::vectors::{hex, key};

const INSTITUTION_KEY: [u8; 32] = [0x31; 32];
const PERSON: PersonId = PersonId([0xa1; 16]);

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_ms(1_772_411_400_000 + minutes * 60_000)
}

/// A vector of 128 numbers, of which the third is 1.
fn numbers() -> Vec<u8> {
    (0..128_u8).flat_map(|place| f32::from(u8::from(place == 2)).to_le_bytes()).collect()
}

fn inside(template: bool) -> Inside {
    let consent = Some(Consent { text: [0x32; 32], at: at(-10) });
    let made = Template { made: at(0), model: [0x33; 32], consent, floats: numbers() };
    Inside { person: PERSON, origin: "t-101".parse().unwrap(), template: template.then_some(made) }
}

fn sealed(inside: &Inside, nonce: u8, changed: Timestamp) -> Vec<u8> {
    let institution_key = InstitutionKey::from_secret(INSTITUTION_KEY);
    let (terminal, institution) = ("t-101".parse().unwrap(), "huaxin".parse().unwrap());
    let share = inside.seal(&institution_key, terminal, institution, changed, [nonce; 24]);
    seal_statement(&share.unwrap(), &key("terminal"))
}

pub(crate) fn shares() -> Value {
    let institution_key = InstitutionKey::from_secret(INSTITUTION_KEY);
    let vector = |name: &str, template: bool, nonce: u8, changed: Timestamp| {
        let inside = inside(template);
        let bytes = sealed(&inside, nonce, changed);
        json!({
            "name": name,
            "changed_ms": changed.as_ms(),
            "inside": hex(minicbor::to_vec(&inside).unwrap()),
            "share": hex(bytes),
        })
    };
    let have = Have { institution: "huaxin".parse().unwrap(), epoch: [0x34; 16], upto: 40 };
    let ask = |have: Option<Have>| hex(ShareAsk { nonce: [0x35; 16], have }.encode());
    let answer = Shared {
        terminal: "t-102".parse().unwrap(),
        nonce: [0x35; 16],
        institution: "huaxin".parse().unwrap(),
        epoch: [0x34; 16],
        upto: 41,
        more: false,
        parcels: vec![ByteVec::from(sealed(&inside(true), 0x36, at(1)))],
    };
    json!({
        "about": "Shares (share-v1.md), by the key `terminal` of keys.json, answers by the key `centre`. Their institution key is public: never use it.",
        "institution_key": hex(INSTITUTION_KEY),
        "mark": hex(institution_key.mark()),
        "slot": hex(institution_key.slot(&PERSON)),
        "code": institution_key.code(),
        "asks": [ask(None), ask(Some(have))],
        "answer": hex(seal_statement(&answer, &key("centre"))),
        "vectors": [
            vector("template", true, 0x36, at(1)),
            vector("deletion", false, 0x37, at(2)),
        ],
    })
}

#[test]
fn shares_of_the_vectors_open_to_what_is_inside_and_under_no_other_key() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/spec/vectors/shares.json");
    let value: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let bytes = |text: &Value| HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap();
    let institution_key = InstitutionKey::from_code(value["code"].as_str().unwrap()).unwrap();
    assert_eq!(institution_key.secret().to_vec(), bytes(&value["institution_key"]));
    let institution = "huaxin".parse().unwrap();
    let vectors = value["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let share = bytes(&vector["share"]);
        open_statement::<Share>(&share, &key("terminal").verifying_key()).unwrap();
        let (inside, rank) = Inside::open(&share, &institution_key, &institution).unwrap();
        assert_eq!(minicbor::to_vec(&inside).unwrap(), bytes(&vector["inside"]));
        assert_eq!(Some(rank.changed.as_ms()), vector["changed_ms"].as_i64());
        let other = InstitutionKey::from_secret([0x41; 32]);
        assert!(Inside::open(&share, &other, &institution).is_err());
    }
    let answer = bytes(&value["answer"]);
    let answer: Shared = open_statement(&answer, &key("centre").verifying_key()).unwrap();
    assert_eq!(answer.parcels[0].to_vec(), bytes(&vectors[0]["share"]));
    for ask in value["asks"].as_array().unwrap() {
        assert_eq!(ShareAsk::decode(&bytes(ask)).unwrap().encode(), bytes(ask));
    }
}
