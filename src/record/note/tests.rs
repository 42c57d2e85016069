use data_encoding::{BASE64, HEXLOWER};
use proptest::prelude::*;

use super::*;

// Keys, text and signatures of the Go reference implementation's own tests
// (golang.org/x/mod/sumdb/note, note_test.go).
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";

/// The checkpoint of c2sp.org/tlog-cosignature, with its cosignature.
const SOFA_TEXT: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const SOFA: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

fn key(text: &str) -> Vkey {
    text.parse().unwrap()
}

fn witness() -> (SigningKey, Vkey) {
    let secret = SigningKey::from_secret(&[9; 32]);
    let vkey = Vkey::new("witness.example/w1", KeyKind::Witness, secret.verifying_key()).unwrap();
    (secret, vkey)
}

#[test]
fn the_reference_implementations_note_is_read_and_written_byte_for_byte() {
    let secret = BASE64.decode(PETER_SECRET.as_bytes()).unwrap();
    let secret = SigningKey::from_secret(secret[1..].try_into().unwrap());
    let line = sign(TEXT, "PeterNeumann", &secret).unwrap();
    assert_eq!(line.to_string(), PETER_LINE);
    let vkey = Vkey::new("PeterNeumann", KeyKind::Log, secret.verifying_key()).unwrap();
    assert_eq!(vkey.to_string(), PETER);
    let whole = format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}");
    let note: Note = whole.parse().unwrap();
    assert_eq!(note.to_string(), whole);
    assert_eq!(note.text(), TEXT);
    assert_eq!(note.word_of(&key(PETER)), Word::Signed { at_s: None });
    assert_eq!(note.word_of(&key(ENOCH)), Word::Signed { at_s: None });
    let alone: Note = format!("{TEXT}\n{PETER_LINE}").parse().unwrap();
    assert_eq!(alone.word_of(&key(ENOCH)), Word::Silent);
}

#[test]
fn no_mangled_reference_key_is_accepted() {
    let bytes = PETER.as_bytes();
    for from in 0..bytes.len() {
        for to in from..=bytes.len() {
            if (from, to) != (0, bytes.len()) {
                let part = PETER.get(from..to).unwrap();
                assert!(part.parse::<Vkey>().is_err(), "{part}");
            }
        }
        let mut mangled = bytes.to_vec();
        mangled[from] += 1;
        assert!(String::from_utf8(mangled).unwrap().parse::<Vkey>().is_err(), "byte {from}");
    }
    for wrong in [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(wrong.parse::<Vkey>().is_err(), "{wrong}");
    }
}

#[test]
fn what_the_reference_implementation_calls_malformed_is_no_note() {
    let whole = format!("{TEXT}\n{PETER_LINE}");
    let bad_name = "— Bad Name x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    for text in [
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}\n{}", PETER_LINE.trim_end()),
        format!("\u{1}{whole}"),
        format!("{TEXT}\n{bad_name}\n"),
        format!("{whole}Unexpected line.\n"),
        format!("{TEXT}\n{}", PETER_LINE.repeat(101)),
    ] {
        assert!(text.parse::<Note>().is_err(), "{text}");
    }
    assert_eq!(Note::from_bytes(&[b"\xff", whole.as_bytes()].concat()), Err(NoteError::Characters));
    let long = vec![b'a'; NOTE_BYTES_MAX + 1];
    assert!(matches!(Note::from_bytes(&long), Err(NoteError::TooLong { .. })));
}

#[test]
fn a_wrong_line_of_a_known_key_outweighs_a_right_one() {
    let (before, after) = PETER_LINE.split_at(60);
    let inserted = format!("{before}ABCD{after}");
    let touched: Note = format!("{TEXT}\n{inserted}").parse().unwrap();
    assert_eq!(touched.word_of(&key(PETER)), Word::Wrong);
    let both: Note = format!("{TEXT}\n{PETER_LINE}{inserted}").parse().unwrap();
    assert_eq!(both.word_of(&key(PETER)), Word::Wrong);
    let other: Note = format!("other\n{TEXT}\n{PETER_LINE}").parse().unwrap();
    assert_eq!(other.word_of(&key(PETER)), Word::Wrong);
}

#[test]
fn the_standards_checkpoint_is_read_as_it_says() {
    let note: Note = SOFA.parse().unwrap();
    assert_eq!(note.to_string(), SOFA);
    assert_eq!(note.text(), SOFA_TEXT);
    let head: TreeHead = note.text().parse().unwrap();
    assert_eq!((head.origin.as_str(), head.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(BASE64.encode(&head.root), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
    assert_eq!(head.to_string(), SOFA_TEXT);
    let cosignature = &note.lines()[1];
    assert_eq!(HEXLOWER.encode(&cosignature.id), "8d66cf3f");
    assert_eq!(cosignature.signature[..8], 1_679_315_147_u64.to_be_bytes());
    // The example of tlog-cosignature, "Ed25519 signed message".
    assert_eq!(
        cosigned(SOFA_TEXT, 1_679_315_147),
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
         CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    );
}

#[test]
fn a_witness_signs_time_and_text_together() {
    let (secret, vkey) = witness();
    let line = cosign(SOFA_TEXT, "witness.example/w1", &secret, 1_700_000_000).unwrap();
    let note = Note::new(SOFA_TEXT.to_owned(), vec![line.clone()]);
    assert_eq!(note.word_of(&vkey), Word::Signed { at_s: Some(1_700_000_000) });
    assert_eq!(vkey.to_string().parse::<Vkey>().unwrap(), vkey);
    for at in 0..line.signature.len() {
        let mut touched = line.clone();
        touched.signature[at] ^= 1;
        let note = Note::new(SOFA_TEXT.to_owned(), vec![touched]);
        assert_eq!(note.word_of(&vkey), Word::Wrong, "byte {at}");
    }
    // The same key under the log's type is another signer.
    let as_log = Vkey::new("witness.example/w1", KeyKind::Log, secret.verifying_key()).unwrap();
    assert_eq!(note.word_of(&as_log), Word::Silent);
}

#[test]
fn a_head_is_read_in_one_way_only() {
    let root = BASE64.encode(&[7; 32]);
    let fine = format!("o\n0\n{root}\nextension\n");
    assert_eq!(fine.parse::<TreeHead>().unwrap().extensions, ["extension"]);
    for wrong in [
        String::new(),
        "o\n1\n".to_owned(),
        format!("\n1\n{root}\n"),
        format!("o\n01\n{root}\n"),
        format!("o\n+1\n{root}\n"),
        format!("o\n-1\n{root}\n"),
        format!("o\n\n{root}\n"),
        format!("o\n18446744073709551616\n{root}\n"),
        format!("o\n1\n{root}"),
        format!("o\n1\n{}\n", root.split_at(40).0),
        format!("o\n1\n{root}\n\n"),
        format!("o\n1\n{root}\n{}", "x\n".repeat(9)),
    ] {
        assert!(wrong.parse::<TreeHead>().is_err(), "{wrong:?}");
    }
}

#[test]
fn an_origin_is_the_name_of_a_key_and_never_the_first_line_of_a_cosignature() {
    for fine in ["rollcall-collector", "rollcall.example/sichuan/mianyang", "四川"] {
        assert!(is_origin(fine), "{fine}");
    }
    for wrong in ["", "a b", "a+b", "a\nb", "cosignature/v1", "a\u{3000}b", &"x".repeat(201)] {
        assert!(!is_origin(wrong), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..400) {
        drop(Note::from_bytes(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        drop(text.parse::<Vkey>());
        drop(text.parse::<TreeHead>());
        drop(Note::from_bytes(&SOFA.as_bytes()[..cut.min(SOFA.len())]));
    }

    #[test]
    fn one_flipped_bit_is_never_another_signed_note(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = format!("{TEXT}\n{PETER_LINE}").into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(note) = Note::from_bytes(&bytes) {
            let signed = matches!(note.word_of(&key(PETER)), Word::Signed { .. });
            prop_assert!(!signed, "byte {} bit {}", at, bit);
        }
    }
}
