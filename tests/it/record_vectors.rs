//! docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit; no bytes make the
//! decoders panic.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use rollcall::domain::{
    Challenged, ClockEvidence, ClockQuality, Event, Outcome, SameFace, Score, Scores, Timestamp,
    Uptime, Way,
};
use rollcall::platform::durable::{self, Access};
use rollcall::record::{
    Batch, BatchError, Checkpoint, Commitment, Gap, Handover, OpenError, Other, Parcel, Receipt,
    Record, SEALED_BYTES_MAX, Sealed, SealedEvidence, SealedFact, SealedHash, TimeAnswer, Wanted,
    open_statement, peek_kid, seal_statement,
};
use serde_json::Value;

use crate::picture_vectors::picture_kept;
use crate::vectors::{
    all_evidence, all_facts, check_in, checkpoint, files, full, gap, key, minimal, notice, opening,
    record_fields,
};
use crate::vectors_counter::{confirmed, refused_template, roll_call};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/spec/vectors")
}

/// The committed vectors of one file.
pub(crate) fn committed(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join(file)).expect("the file is committed");
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    value["vectors"].as_array().expect("it has vectors").clone()
}

fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().expect("hexadecimal text").as_bytes()).expect("hexadecimal")
}

#[test]
fn the_committed_vectors_are_what_this_code_seals_byte_for_byte() {
    for (file, value) in files() {
        let text = serde_json::to_string_pretty(&value).expect("values are JSON") + "\n";
        let path = folder().join(file);
        if std::env::var_os("ROLLCALL_WRITE_VECTORS").is_some() {
            durable::write(&path, text.as_bytes(), Access::Everyone).expect("docs/spec/vectors");
        }
        let committed = std::fs::read_to_string(&path).expect("the file is committed");
        assert!(
            committed == text,
            "docs/spec/vectors/{file} differs from what the code seals. Version 1 is frozen: a \
             difference in a sealed record means that old records can no longer be opened"
        );
    }
}

#[test]
fn sealed_records_open_to_the_fields_of_the_vectors_and_seal_to_the_same_bytes() {
    let terminal = key("terminal");
    for vector in committed("records.json") {
        let sealed = bytes(&vector["sealed"]);
        let record = Record::open(&sealed, &terminal.verifying_key()).expect("it is valid");
        assert_eq!(record_fields(&record), vector["fields"], "{}", vector["name"]);
        assert_eq!(minicbor::to_vec(&record).unwrap(), bytes(&vector["payload"]));

        let again = Sealed::seal(&record, &terminal);
        assert_eq!(again.bytes(), sealed);
        assert_eq!(again.hash().to_string(), vector["hash"].as_str().unwrap());
        assert_eq!(Record::peek(&sealed).unwrap(), (record, terminal.verifying_key().id()));
    }
}

#[test]
fn the_example_on_top_of_the_specification_is_the_vector_of_its_name() {
    let page = std::fs::read_to_string(folder().join("../record-v1.md")).expect("the page");
    let example = page.split("```").nth(1).expect("an example");
    let hex: String = example
        .lines()
        .skip(1)
        .filter_map(|line| line.split('#').next())
        .flat_map(|bytes| bytes.split_whitespace())
        .collect();
    assert_eq!(hex, HEXLOWER.encode(Sealed::seal(&check_in(), &key("terminal")).bytes()));
}

#[test]
fn openings_of_the_vectors_open_the_commitments_of_their_records() {
    let mut opened = 0;
    for vector in committed("records.json") {
        for (of, opening) in vector["openings"].as_object().unwrap() {
            let commitment = match of.as_str() {
                "other" => &vector["fields"]["other"]["person"],
                direct => &vector["fields"][direct],
            };
            assert_eq!(&opening["commitment"], commitment, "{} {of}", vector["name"]);
            opened += 1;
        }
    }
    assert_eq!(opened, 8);
}

#[test]
fn the_records_of_the_vectors_form_a_chain() {
    let records = committed("records.json");
    for pair in records[..3].windows(2) {
        assert_eq!(pair[1]["fields"]["prev"], pair[0]["hash"], "{}", pair[1]["name"]);
    }
}

#[test]
fn sealed_answers_of_the_vectors_open_with_the_centres_key() {
    let centre = key("centre").verifying_key();
    for vector in committed("answers.json") {
        let sealed = bytes(&vector["sealed"]);
        let again = match vector["name"].as_str().unwrap() {
            "wanted" => {
                let wanted: Wanted = open_statement(&sealed, &centre).expect("it is valid");
                assert_eq!(vector["fields"]["from"], wanted.from);
                seal_statement(&wanted, &key("centre"))
            }
            "time" => {
                let answer: TimeAnswer = open_statement(&sealed, &centre).expect("it is valid");
                assert_eq!(vector["fields"]["nonce"], HEXLOWER.encode(&answer.nonce));
                assert_eq!(vector["fields"]["at"], answer.at.as_ms());
                seal_statement(&answer, &key("centre"))
            }
            "handover" => {
                let handover: Handover = open_statement(&sealed, &centre).expect("it is valid");
                assert_eq!(vector["fields"]["from"], HEXLOWER.encode(&handover.from));
                assert_eq!(vector["fields"]["to"], HEXLOWER.encode(&handover.to));
                seal_statement(&handover, &key("centre"))
            }
            _ => {
                let receipt = Receipt::open(&sealed, &centre).expect("it is valid");
                assert_eq!(vector["fields"]["last"], receipt.last);
                assert_eq!(vector["fields"]["hash"], receipt.hash.to_string());
                receipt.seal(&key("centre"))
            }
        };
        assert_eq!(again, sealed, "{}", vector["name"]);
    }
}

#[test]
fn sealed_ledger_statements_of_the_vectors_open_to_what_was_stated() {
    let centre = key("centre").verifying_key();
    let (mut facts, mut evidence) = (all_facts().into_iter(), all_evidence().into_iter());
    for vector in committed("ledger.json") {
        let sealed = bytes(&vector["sealed"]);
        match vector["typ"].as_str().unwrap() {
            "rollcall-fact-v1" => {
                let stated: SealedFact = open_statement(&sealed, &centre).unwrap();
                assert_eq!(Some(stated.fact), facts.next());
                assert_eq!(vector["fields"]["at"], stated.at.as_ms());
            }
            "rollcall-evidence-v1" => {
                let stated: SealedEvidence = open_statement(&sealed, &centre).unwrap();
                assert_eq!(vector["fields"]["refusal"]["code"], stated.refusal.code());
                assert_eq!(Some(stated), evidence.next());
            }
            _ => {
                let stated: Checkpoint = open_statement(&sealed, &centre).unwrap();
                assert_eq!(stated, checkpoint());
            }
        }
    }
    assert_eq!((facts.next(), evidence.next()), (None, None), "all of them are in the file");
}

#[test]
fn batches_of_the_vectors_decode_and_encode_to_the_same_bytes() {
    for vector in committed("batches.json") {
        let message = bytes(&vector["batch"]);
        let batch = Batch::decode(&message).expect("it is valid");
        assert_eq!(batch.encode(), message);
        for (parcel, fields) in batch.0.iter().zip(vector["parcels"].as_array().unwrap()) {
            assert_eq!(parcel.sealed.bytes(), bytes(&fields["sealed"]));
            assert_eq!(parcel.person.is_some(), fields.get("person").is_some());
            assert_eq!(parcel.other.is_some(), fields.get("other").is_some());
            assert_eq!(Parcel::decode(&parcel.encode()).as_ref(), Ok(parcel));
        }
    }
}

/// As the centre reads a record: opened, then asked whether its fields fit each other.
fn opened_and_consistent(bytes: &[u8]) -> Result<Record, OpenError> {
    let record = Record::open(bytes, &key("terminal").verifying_key())?;
    record.consistent().map_err(|what| OpenError::Payload(what.into()))?;
    Ok(record)
}

#[test]
fn every_broken_value_of_the_vectors_is_refused_for_its_reason() {
    for vector in committed("invalid.json") {
        let bytes = bytes(&vector["bytes"]);
        let error = match vector["of"].as_str().unwrap() {
            "batch" => batch_error(&Batch::decode(&bytes).expect_err("broken")),
            "receipt" => open_error(
                &Receipt::open(&bytes, &key("centre").verifying_key()).expect_err("broken"),
            ),
            _ => match opened_and_consistent(&bytes) {
                Ok(record) => panic!("{} was opened as {record:?}", vector["why"]),
                Err(error) => open_error(&error),
            },
        };
        assert_eq!(error, vector["error"].as_str().unwrap(), "{}", vector["why"]);
    }
}

pub(crate) fn open_error(error: &OpenError) -> &'static str {
    match error {
        OpenError::TooLong { .. } => "too_long",
        OpenError::Envelope(_) => "envelope",
        OpenError::Type { .. } => "type",
        OpenError::Key { .. } => "key",
        OpenError::Signature => "signature",
        OpenError::Payload(_) => "payload",
    }
}

fn batch_error(error: &BatchError) -> &'static str {
    match error {
        BatchError::TooLong { .. } => "too_long",
        BatchError::Count { .. } => "count",
        BatchError::Record { .. } => "record",
        BatchError::Shape(_) => "shape",
    }
}

#[test]
fn one_flipped_bit_is_refused_for_every_bit() {
    let terminal = key("terminal");
    for record in [
        minimal(),
        check_in(),
        gap(),
        notice(),
        confirmed(),
        refused_template(),
        roll_call(),
        picture_kept(),
        full(),
    ] {
        let sealed = Sealed::seal(&record, &terminal);
        for bit in 0..sealed.bytes().len() * 8 {
            let mut flipped = sealed.bytes().to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let opened = Record::open(&flipped, &terminal.verifying_key());
            assert!(opened.is_err(), "bit {bit} of {record:?}");
        }
    }
}

#[test]
fn every_shortened_record_is_refused() {
    let sealed = Sealed::seal(&full(), &key("terminal"));
    for length in 0..sealed.bytes().len() {
        let opened = Record::open(&sealed.bytes()[..length], &key("terminal").verifying_key());
        assert!(opened.is_err(), "{length} bytes");
    }
}

#[test]
fn the_longest_record_with_policy_and_firmware_of_64_bytes_fits_its_bound() {
    let sealed = Sealed::seal(&full(), &key("terminal"));
    assert!(sealed.bytes().len() < SEALED_BYTES_MAX, "{} bytes", sealed.bytes().len());
}

#[test]
fn a_record_names_nobody() {
    let person = opening(0x51, 0xa1).person;
    let sealed = Sealed::seal(&check_in(), &key("terminal"));
    assert!(!sealed.bytes().windows(16).any(|window| window == person.0));
    assert!(!sealed.bytes().windows(4).any(|window| window == [0x51; 4]), "nor its salt");
}

// ---- for all values -------------------------------------------------------------------------

fn some<T: std::fmt::Debug + Clone>(
    of: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    proptest::option::of(of).boxed()
}

fn score() -> impl Strategy<Value = Score> {
    any::<i32>().prop_map(Score::from_e4)
}

fn commitment() -> impl Strategy<Value = Commitment> {
    any::<[u8; 32]>().prop_map(Commitment)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![
        Outcome::Accepted,
        Outcome::AlreadyIn,
        Outcome::NotRecognised,
        Outcome::LooksLikeOther,
        Outcome::Ambiguous,
        Outcome::NotOnRoster,
        Outcome::TooEarly,
        Outcome::TooLate,
        Outcome::NotLive,
        Outcome::NoLesson,
        Outcome::RefusedByPolicy,
    ])
}

fn challenged() -> impl Strategy<Value = Challenged> {
    prop::sample::select(vec![
        Challenged::Passed,
        Challenged::Flat,
        Challenged::NotFollowed,
        Challenged::Repeated,
    ])
}

fn scores() -> impl Strategy<Value = Scores> {
    let more = (some(any::<u32>()), some(challenged()));
    (some(score()), some(score()), score(), score(), some(score()), more).prop_map(
        |(match_score, second_score, threshold, detection, liveness, (pictures, challenge))| {
            Scores {
                match_score,
                second_score,
                threshold,
                detection,
                liveness,
                pictures,
                challenge,
            }
        },
    )
}

fn clock() -> impl Strategy<Value = ClockEvidence> {
    let quality = prop::sample::select(vec![
        ClockQuality::Synced,
        ClockQuality::Holding,
        ClockQuality::Doubtful,
    ]);
    (any::<i64>(), any::<u64>(), any::<u64>(), some(any::<i64>()), quality).prop_map(
        |(wall, uptime, boot, signed, quality)| ClockEvidence {
            wall: Timestamp::from_ms(wall),
            uptime: Uptime::from_ms(uptime),
            boot,
            signed: signed.map(Timestamp::from_ms),
            quality,
        },
    )
}

fn any_record() -> impl Strategy<Value = Record> {
    let who = (
        some("[a-z0-9][a-z0-9-]{0,39}"),
        some(commitment()),
        some(prop::sample::select(vec![Way::Claimed, Way::Open])),
        some(scores()),
        some((commitment(), score()).prop_map(|(person, score)| Other { person, score })),
        some((any::<u64>(), score()).prop_map(|(seq, score)| SameFace { seq, score })),
    );
    let event = prop::sample::select(vec![
        Event::CheckIn,
        Event::CheckOut,
        Event::Attempt,
        Event::Presence,
    ]);
    let frame = (
        "[a-z0-9][a-z0-9-]{0,39}",
        1..=u64::MAX,
        any::<[u8; 32]>(),
        clock(),
        some(any::<[u8; 32]>()),
        "\\PC{0,16}",
        "\\PC{0,16}",
    );
    (event, outcome(), who, frame).prop_map(|(event, outcome, who, frame)| {
        let (lesson, person, way, scores, other, same_face) = who;
        let (terminal, seq, prev, clock, pack, policy, firmware) = frame;
        Record {
            staff: None,
            terminal: terminal.parse().unwrap(),
            seq,
            prev: SealedHash(prev),
            event,
            outcome: Some(outcome),
            lesson: lesson.map(|text| text.parse().unwrap()),
            person,
            way,
            scores,
            other,
            same_face,
            clock,
            pack,
            policy,
            firmware,
            gap: None,
            notice: None,
        }
    })
}

fn any_gap() -> impl Strategy<Value = Record> {
    (1..u64::MAX, any::<u64>()).prop_map(|(first, more)| {
        let last = first.saturating_add(more).min(u64::MAX - 1);
        Record { seq: last + 1, gap: Some(Gap { first, last }), ..gap() }
    })
}

proptest! {
    #[test]
    fn any_record_opens_to_itself(record in prop_oneof![4 => any_record(), 1 => any_gap()]) {
        let terminal = key("terminal");
        let sealed = Sealed::seal(&record, &terminal);
        prop_assert_eq!(Record::open(sealed.bytes(), &terminal.verifying_key()), Ok(record));
        prop_assert!(Record::open(sealed.bytes(), &key("stranger").verifying_key()).is_err());
    }

    #[test]
    fn any_batch_decodes_to_itself(
        records in prop::collection::vec(any_record(), 1..8),
        salt in any::<u8>(),
    ) {
        let parcels = records.iter().map(|record| Parcel {
            sealed: Sealed::seal(record, &key("terminal")),
            person: record.person.map(|_| opening(salt, 1)),
            other: record.other.map(|_| opening(salt, 2)),
        });
        let batch = Batch(parcels.collect());
        prop_assert_eq!(Batch::decode(&batch.encode()), Ok(batch));
    }

    #[test]
    fn random_bytes_never_make_a_decoder_panic(noise in prop::collection::vec(any::<u8>(), 0..1200)) {
        decode_everything(&noise);
    }

    #[test]
    fn damaged_values_never_make_a_decoder_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = Parcel {
            sealed: Sealed::seal(&full(), &key("terminal")),
            person: Some(opening(1, 1)),
            other: Some(opening(2, 2)),
        };
        let receipt = crate::vectors::committed().seal(&key("centre"));
        for value in [whole.sealed.bytes().to_vec(), Batch(vec![whole.clone()]).encode(), receipt] {
            let mut damaged = value;
            for (at, byte) in &edits {
                let at = at.index(damaged.len());
                damaged[at] = *byte;
            }
            decode_everything(&damaged);
            damaged.truncate(cut.index(damaged.len()));
            decode_everything(&damaged);
        }
    }
}

/// Gives the same bytes to every decoder; what they answer does not matter here.
fn decode_everything(bytes: &[u8]) {
    let (terminal, centre) = (key("terminal").verifying_key(), key("centre").verifying_key());
    drop(Record::peek(bytes));
    drop(peek_kid(bytes));
    drop(Record::open(bytes, &terminal));
    drop(Receipt::open(bytes, &centre));
    drop(open_statement::<Wanted>(bytes, &centre));
    drop(open_statement::<TimeAnswer>(bytes, &centre));
    drop(open_statement::<SealedFact>(bytes, &centre));
    drop(open_statement::<SealedEvidence>(bytes, &centre));
    drop(open_statement::<Checkpoint>(bytes, &centre));
    drop(Batch::decode(bytes));
    drop(Parcel::decode(bytes));
}
