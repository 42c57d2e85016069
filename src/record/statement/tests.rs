use data_encoding::HEXLOWER;

use super::*;

fn payload<T: Stated>(statement: &T) -> String {
    HEXLOWER.encode(&minicbor::to_vec(statement).unwrap())
}

fn evidence(refusal: Refusal, seq: Option<u64>) -> SealedEvidence {
    let terminal = "t-1".parse().unwrap();
    let hash = SealedHash([0xab; 32]);
    SealedEvidence { at: Timestamp::from_ms(1_000), terminal, refusal, hash, bytes: 226, seq }
}

/// docs/spec/bundle-v2.md, "Statements", word for word.
#[test]
fn payloads_are_those_of_the_specification() {
    let hash = "ab".repeat(32);
    let cases = [
        (Refusal::UnknownTerminal, None, "820280", ""),
        (Refusal::Malformed { detail: "x".into() }, None, "8201a1016178", ""),
        (Refusal::BadSignature { fits_chain: true }, None, "8205a101f5", ""),
        (Refusal::BadOpening, Some(5), "820880", "0605"),
    ];
    for (refusal, seq, reason, place) in cases {
        let keys = if place.is_empty() { "a5" } else { "a6" };
        let expected = format!("{keys}011903e80263742d3103{reason}045820{hash}0518e2{place}");
        assert_eq!(payload(&evidence(refusal, seq)), expected);
    }
    let checkpoint =
        Checkpoint { origin: "o".into(), size: 3, root: [0xcd; 32], at: Timestamp::from_ms(1_000) };
    let root = "cd".repeat(32);
    assert_eq!(payload(&checkpoint), format!("a401616f0203035820{root}041903e8"));
}

#[test]
fn a_statement_opens_only_as_what_it_is_and_under_its_own_key() {
    let (key, other) = (SigningKey::from_secret(&[1; 32]), SigningKey::from_secret(&[2; 32]));
    let statement = evidence(Refusal::Forked, None);
    let sealed = seal_statement(&statement, &key);
    assert_eq!(open_statement(&sealed, &key.verifying_key()), Ok(statement.clone()));
    assert_eq!(peek_statement(&sealed), Ok(statement));
    let foreign = open_statement::<SealedEvidence>(&sealed, &other.verifying_key());
    assert!(matches!(foreign, Err(OpenError::Key { .. })), "{foreign:?}");
    let as_fact = open_statement::<SealedFact>(&sealed, &key.verifying_key());
    assert!(matches!(as_fact, Err(OpenError::Type { .. })), "{as_fact:?}");
    assert!(matches!(peek_statement::<Checkpoint>(&sealed), Err(OpenError::Type { .. })));
}

#[test]
fn the_longest_refusal_fits_a_sealed_statement() {
    let longest = SealedEvidence {
        at: Timestamp::from_ms(i64::MIN),
        terminal: "t".repeat(40).parse().unwrap(),
        refusal: Refusal::Malformed { detail: "长".repeat(120) },
        hash: SealedHash([0; 32]),
        bytes: u64::MAX,
        seq: Some(u64::MAX),
    };
    let sealed = seal_statement(&longest, &SigningKey::from_secret(&[1; 32]));
    assert!(sealed.len() <= crate::record::SEALED_BYTES_MAX, "{} bytes", sealed.len());
}
