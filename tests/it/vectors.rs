//! The generator of docs/spec/vectors: fixed keys, fixed salts, one value for each thing that the
//! specification defines (`broken_vectors` has what it forbids). Written for `record_vectors`, which holds the committed files against it; after a wanted change,
//! `ROLLCALL_WRITE_VECTORS=1 cargo test --features testing --test it vectors` writes them anew.

use data_encoding::HEXLOWER;
use rollcall::domain::{
    Bilingual, Challenged, ClockEvidence, ClockQuality, Event, Fact, GeoPoint, Lesson, Notice,
    NoticeKind, Outcome, PersonId, Refusal, SameFace, Score, Scores, Timestamp, Uptime, Way,
};
use rollcall::record::enrolment::seal_succession;
use rollcall::record::{
    Batch, Checkpoint, Gap, Opening, Other, Parcel, Receipt, Record, Sealed, SealedEvidence,
    SealedFact, SealedHash, SigningKey, TimeAnswer, Verdict, Wanted, seal_handover, seal_statement,
};
use serde_json::{Map, Value, json};

use crate::picture_vectors::{picture_kept, pictures};
use crate::vectors_cases::case_steps;
use crate::vectors_centre::of_the_centre;
use crate::vectors_counter::{confirmed, refused_template, roll_call};

/// 2026-03-02 08:30:05 in China standard time.
pub(crate) const MORNING: Timestamp = Timestamp::from_ms(1_772_411_405_000);

/// The keys of all vectors: name and secret.
const KEYS: [(&str, [u8; 32]); 3] =
    [("terminal", [0x01; 32]), ("centre", [0x02; 32]), ("stranger", [0x03; 32])];

/// The key of that name.
pub(crate) fn key(name: &str) -> SigningKey {
    let (_, secret) = KEYS.iter().find(|(known, _)| *known == name).expect("a key of KEYS");
    SigningKey::from_secret(secret)
}

/// Every file of docs/spec/vectors with its content.
pub(crate) fn files() -> Vec<(&'static str, Value)> {
    vec![
        ("keys.json", keys()),
        ("records.json", records()),
        ("answers.json", answers()),
        ("ledger.json", ledger()),
        ("batches.json", batches()),
        ("dispatches.json", crate::dispatch_vectors::dispatches()),
        ("shares.json", crate::share_vectors::shares()),
        ("pictures.json", pictures()),
        ("platforms.json", crate::platform_vectors::reports()),
        ("invalid.json", crate::broken_vectors::invalid()),
    ]
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

fn keys() -> Value {
    let keys: Vec<_> = KEYS
        .iter()
        .map(|(name, secret)| {
            let public = SigningKey::from_secret(secret).verifying_key();
            json!({
                "name": name,
                "secret": hex(secret),
                "public": hex(public.to_bytes()),
                "text": public.to_string(),
                "kid": public.id().to_string(),
            })
        })
        .collect();
    json!({ "about": "Keys of all vectors. Their secrets are public: never use them.", "vectors": keys })
}

// ---- records --------------------------------------------------------------------------------

/// An opening whose salt and person are one repeated byte each.
pub(crate) fn opening(salt: u8, person: u8) -> Opening {
    Opening { salt: [salt; 32], person: PersonId([person; 16]) }
}

fn clock() -> ClockEvidence {
    ClockEvidence {
        wall: MORNING,
        uptime: Uptime::from_ms(1_234_567),
        boot: 3,
        signed: Some(MORNING.plus_ms(-600_000)),
        quality: ClockQuality::Synced,
    }
}

/// The shortest sensible record: the first of its terminal, somebody whom nobody knows.
pub(crate) fn minimal() -> Record {
    Record {
        staff: None,
        terminal: "t-1".parse().expect("a name"),
        seq: 1,
        prev: SealedHash::GENESIS,
        event: Event::Attempt,
        outcome: Some(Outcome::NotRecognised),
        lesson: None,
        person: None,
        way: None,
        scores: None,
        other: None,
        same_face: None,
        clock: ClockEvidence {
            wall: MORNING,
            uptime: Uptime::from_ms(0),
            boot: 1,
            signed: None,
            quality: ClockQuality::Holding,
        },
        pack: None,
        policy: "sichuan-2025/1".into(),
        firmware: "0.1.0".into(),
        gap: None,
        notice: None,
    }
}

/// An ordinary check-in, second in the chain: the example on top of record-v1.md.
pub(crate) fn check_in() -> Record {
    Record {
        seq: 2,
        prev: Sealed::seal(&minimal(), &key("terminal")).hash(),
        event: Event::CheckIn,
        outcome: Some(Outcome::Accepted),
        lesson: Some("welding-1-0302-am".parse().expect("a name")),
        person: Some(opening(0x51, 0xa1).commitment()),
        way: Some(Way::Claimed),
        scores: Some(Scores {
            match_score: Some(Score::from_e4(7_312)),
            second_score: None,
            threshold: Score::from_e4(4_612),
            detection: Score::from_e4(9_120),
            liveness: None,
            pictures: None,
            challenge: None,
        }),
        clock: clock(),
        pack: Some([0x7c; 32]),
        ..minimal()
    }
}

/// Every field that can stand beside an outcome, and the longest names.
pub(crate) fn full() -> Record {
    Record {
        terminal: "t".repeat(40).parse().expect("a name"),
        seq: u64::MAX,
        prev: SealedHash([0xee; 32]),
        event: Event::Attempt,
        outcome: Some(Outcome::LooksLikeOther),
        lesson: Some("l".repeat(40).parse().expect("a name")),
        scores: Some(Scores {
            match_score: Some(Score::from_e4(-812)),
            second_score: Some(Score::from_e4(6_655)),
            threshold: Score::from_e4(4_612),
            detection: Score::from_e4(9_120),
            liveness: Some(Score::from_e4(10_000)),
            pictures: Some(u32::MAX),
            challenge: Some(Challenged::Repeated),
        }),
        other: Some(Other {
            person: opening(0x52, 0xa2).commitment(),
            score: Score::from_e4(6_655),
        }),
        same_face: Some(SameFace { seq: u64::MAX - 1, score: Score::from_e4(8_001) }),
        clock: ClockEvidence {
            wall: Timestamp::from_ms(i64::MAX),
            uptime: Uptime::from_ms(u64::MAX),
            boot: u64::MAX,
            signed: Some(Timestamp::from_ms(i64::MIN)),
            quality: ClockQuality::Doubtful,
        },
        policy: "p".repeat(64),
        firmware: "f".repeat(64),
        ..check_in()
    }
}

/// The terminal says that its numbers 3 and 4 will never come.
pub(crate) fn gap() -> Record {
    Record {
        seq: 5,
        prev: Sealed::seal(&check_in(), &key("terminal")).hash(),
        event: Event::Gap,
        outcome: None,
        gap: Some(Gap { first: 3, last: 4 }),
        clock: clock(),
        ..minimal()
    }
}

/// The terminal says that a person agreed to a text.
pub(crate) fn notice() -> Record {
    Record {
        seq: 6,
        prev: Sealed::seal(&gap(), &key("terminal")).hash(),
        event: Event::Notice,
        outcome: None,
        person: check_in().person,
        notice: Some(Notice { kind: NoticeKind::ConsentGiven, digest: Some([0x5c; 32]) }),
        clock: clock(),
        ..minimal()
    }
}

/// Removes the fields that are absent: JSON says null where CBOR has no key.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, v)| !v.is_null());
            Value::Object(kept.map(|(k, v)| (k, without_nulls(v))).collect())
        }
        // Keys, digests and proofs: serde writes bytes as numbers.
        Value::Array(items) if items.len() >= 16 && items.iter().all(Value::is_u64) => {
            let bytes: Vec<u8> =
                items.iter().map(|b| b.as_u64().unwrap().try_into().unwrap()).collect();
            json!(hex(bytes))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// A record's fields under the names of the specification.
pub(crate) fn record_fields(record: &Record) -> Value {
    without_nulls(json!({
        "terminal": record.terminal,
        "seq": record.seq,
        "prev": record.prev.to_string(),
        "event": record.event,
        "outcome": record.outcome,
        "lesson": record.lesson,
        "person": record.person.map(|p| hex(p.0)),
        "way": record.way,
        "scores": record.scores,
        "other": record.other.map(|o| json!({ "person": hex(o.person.0), "score": o.score })),
        "same_face": record.same_face,
        "clock": record.clock,
        "pack": record.pack.map(hex),
        "policy": record.policy,
        "firmware": record.firmware,
        "gap": record.gap.map(|g| json!({ "first": g.first, "last": g.last })),
        "notice": record.notice.map(|n| json!({ "kind": n.kind, "digest": n.digest.map(hex) })),
        "staff": record.staff.map(|staff| hex(staff.0)),
    }))
}

fn opening_fields(opening: &Opening) -> Value {
    json!({
        "salt": hex(opening.salt),
        "person": opening.person,
        "commitment": hex(opening.commitment().0),
    })
}

fn records() -> Value {
    let record = |name: &str, about: &str, record: &Record, openings: &[(&str, Opening)]| {
        let payload = minicbor::to_vec(record).expect("writing to a vector cannot fail");
        let sealed = Sealed::seal(record, &key("terminal"));
        let openings: Map<String, Value> =
            openings.iter().map(|(of, o)| ((*of).to_owned(), opening_fields(o))).collect();
        json!({
            "name": name,
            "about": about,
            "key": "terminal",
            "fields": record_fields(record),
            "openings": openings,
            "payload": hex(payload),
            "sealed": hex(sealed.bytes()),
            "hash": sealed.hash().to_string(),
        })
    };
    let (person, other) = (opening(0x51, 0xa1), opening(0x52, 0xa2));
    json!({ "about": "Records; all but the last form one chain.", "vectors": [
        record("minimal", "the first record of a terminal: an attempt of nobody known", &minimal(), &[]),
        record("check-in", "an ordinary check-in; the example of record-v1.md", &check_in(),
            &[("person", person)]),
        record("gap", "numbers 3 and 4 will never come", &gap(), &[]),
        record("notice", "somebody agreed to a text", &notice(), &[("person", person)]),
        record("staff", "a check-in without a face: the staff confirmed her", &confirmed(),
            &[("person", person), ("staff", opening(0x53, 0xa3))]),
        record("template-refused", "the face is that of somebody who has a template", &refused_template(),
            &[("person", person), ("other", other)]),
        record("roll-call", "everybody in the lesson was asked to show her face", &roll_call(), &[]),
        record("picture-kept", "an evidence picture is kept: its sealed file is in pictures.json",
            &picture_kept(), &[]),
        record("full", "every field beside an outcome, at its longest", &full(),
            &[("person", person), ("other", other)]),
    ]})
}

// ---- the centre's statements ----------------------------------------------------------------

/// A receipt over the first two records.
pub(crate) fn committed() -> Receipt {
    Receipt {
        terminal: "t-1".parse().expect("a name"),
        first: 1,
        last: 2,
        hash: Sealed::seal(&check_in(), &key("terminal")).hash(),
        ledger_size: 1_000,
        at: MORNING.plus_ms(1_500),
        verdict: Verdict::Committed,
    }
}

fn refused() -> Receipt {
    Receipt {
        first: 2,
        last: 2,
        verdict: Verdict::Refused { code: "broken_chain".into() },
        ..committed()
    }
}

fn receipt_fields(receipt: &Receipt) -> Value {
    let refused = match &receipt.verdict {
        Verdict::Committed => Value::Null,
        Verdict::Refused { code } => json!(code),
    };
    without_nulls(json!({
        "terminal": receipt.terminal,
        "first": receipt.first,
        "last": receipt.last,
        "hash": receipt.hash.to_string(),
        "ledger_size": receipt.ledger_size,
        "at": receipt.at,
        "refused": refused,
    }))
}

fn answers() -> Value {
    let centre = key("centre");
    let wanted = Wanted { terminal: "t-1".parse().expect("a name"), from: 7 };
    let time = TimeAnswer {
        terminal: "t-1".parse().expect("a name"),
        nonce: [0x99; 16],
        at: MORNING.plus_ms(2_000),
        head: None,
    };
    let next = key("terminal").verifying_key();
    let answer = |name: &str, typ: &str, fields: Value, sealed: Vec<u8>| json!({ "name": name, "typ": typ, "key": "centre", "fields": fields, "sealed": hex(sealed) });
    json!({ "about": "The centre's signed answers.", "vectors": [
        answer("receipt", "rollcall-receipt-v1", receipt_fields(&committed()), committed().seal(&centre)),
        answer("refusal", "rollcall-refusal-v1", receipt_fields(&refused()), refused().seal(&centre)),
        answer("wanted", "rollcall-wanted-v1",
            json!({ "terminal": wanted.terminal, "from": wanted.from }), seal_statement(&wanted, &centre)),
        answer("time", "rollcall-time-v1",
            json!({ "terminal": time.terminal, "nonce": hex(time.nonce), "at": time.at }),
            seal_statement(&time, &centre)),
        answer("handover", "rollcall-handover-v1", json!({ "from": hex(centre.verifying_key().to_bytes()), "to": hex(next.to_bytes()), "at": MORNING }),
            seal_handover(&next, MORNING, &centre)),
    ]})
}

/// One fact of each kind.
pub(crate) fn all_facts() -> Vec<Fact> {
    let name = |text: &str| Bilingual::new("示例", text);
    let mut facts = vec![
        Fact::Institution { id: "north".parse().unwrap(), name: name("North School") },
        Fact::Site {
            id: "north-1".parse().unwrap(),
            institution: "north".parse().unwrap(),
            name: name("Main site"),
            town: name("Chengdu"),
            place: GeoPoint { latitude_e6: 30_572_800, longitude_e6: -104_066_800 },
        },
        Fact::Terminal {
            id: "t-1".parse().unwrap(),
            site: "north-1".parse().unwrap(),
            key: key("terminal").verifying_key().to_bytes(),
        },
        Fact::Class {
            id: "welding-1".parse().unwrap(),
            institution: "north".parse().unwrap(),
            name: name("Welding"),
            persons: 12,
            roster: [0xab; 32],
        },
        Fact::Lesson(Lesson {
            id: "welding-1-0302-am".parse().unwrap(),
            class: "welding-1".parse().unwrap(),
            site: "north-1".parse().unwrap(),
            starts: MORNING,
            ends: MORNING.plus_ms(4 * 2_700_000),
        }),
        Fact::Policy { profile: "sichuan-2025/1".into(), digest: [0xcd; 32] },
        Fact::Tick,
        Fact::TerminalKey {
            id: "t-1".parse().unwrap(),
            key: key("centre").verifying_key().to_bytes(),
            proof: seal_succession(&"t-1".parse().unwrap(), &key("terminal"), &key("centre")),
        },
        Fact::Revocation { id: "t-1".parse().unwrap(), reason: "stolen from the site".into() },
        Fact::Replacement { id: "t-2".parse().unwrap(), replaces: "t-1".parse().unwrap() },
    ];
    facts.extend(of_the_centre());
    facts.extend(case_steps());
    facts
}

/// One entry about refused bytes for each reason.
pub(crate) fn all_evidence() -> Vec<SealedEvidence> {
    let refusals = [
        Refusal::Malformed { detail: "no COSE_Sign1 tag".into() },
        Refusal::UnknownTerminal,
        Refusal::ForeignTerminal { named: "t-2".parse().unwrap() },
        Refusal::ForeignKey,
        Refusal::BadSignature { fits_chain: true },
        Refusal::Forked,
        Refusal::BrokenChain,
        Refusal::BadOpening,
        Refusal::Revoked,
    ];
    let hash = Sealed::seal(&check_in(), &key("terminal")).hash();
    let stated = |refusal: Refusal| SealedEvidence {
        at: MORNING,
        terminal: "t-1".parse().unwrap(),
        // A record that only its opening spoils keeps its place in the chain.
        seq: (refusal == Refusal::BadOpening).then_some(2),
        refusal,
        hash,
        bytes: 313,
    };
    refusals.into_iter().map(stated).collect()
}

/// The ledger's statement about itself.
pub(crate) fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "sichuan-2026".into(), size: 1_000, root: [0xef; 32], at: MORNING }
}

fn ledger() -> Value {
    let centre = key("centre");
    let entry = |typ: &str, fields: Value, sealed: Vec<u8>| json!({ "typ": typ, "key": "centre", "fields": without_nulls(fields), "sealed": hex(sealed) });
    let facts = all_facts().into_iter().map(|fact| {
        let fields = json!({ "at": MORNING, "fact": fact });
        let sealed = seal_statement(&SealedFact { at: MORNING, fact }, &centre);
        entry("rollcall-fact-v1", fields, sealed)
    });
    let evidence = all_evidence().into_iter().map(|stated| {
        let fields = json!({
            "at": stated.at,
            "terminal": stated.terminal,
            "refusal": stated.refusal,
            "hash": stated.hash.to_string(),
            "bytes": stated.bytes,
            "seq": stated.seq,
        });
        entry("rollcall-evidence-v1", fields, seal_statement(&stated, &centre))
    });
    let stated = checkpoint();
    let checkpoint = entry(
        "rollcall-checkpoint-v1",
        json!({ "origin": stated.origin, "size": stated.size, "root": hex(stated.root), "at": stated.at }),
        seal_statement(&stated, &centre),
    );
    let vectors: Vec<_> = facts.chain(evidence).chain([checkpoint]).collect();
    json!({ "about": "What the centre states in its ledger: each fact, each refusal, a checkpoint.",
        "vectors": vectors })
}

fn batches() -> Value {
    let sealed = |record: &Record| Sealed::seal(record, &key("terminal"));
    let plain = Parcel { sealed: sealed(&minimal()), person: None, other: None };
    let named =
        Parcel { sealed: sealed(&check_in()), person: Some(opening(0x51, 0xa1)), other: None };
    let both = Parcel {
        sealed: sealed(&full()),
        person: Some(opening(0x51, 0xa1)),
        other: Some(opening(0x52, 0xa2)),
    };
    let batch = |name: &str, parcels: Vec<Parcel>| {
        let fields: Vec<_> = parcels
            .iter()
            .map(|p| {
                without_nulls(json!({
                    "sealed": hex(p.sealed.bytes()),
                    "person": p.person.as_ref().map(opening_fields),
                    "other": p.other.as_ref().map(opening_fields),
                }))
            })
            .collect();
        json!({ "name": name, "parcels": fields, "batch": hex(Batch(parcels).encode()) })
    };
    json!({ "about": "Messages on rollcall/v1/<terminal>/records (transport.md).", "vectors": [
        batch("one without openings", vec![plain.clone()]),
        batch("three", vec![plain, named, both]),
    ]})
}
