//! What a trainee holds: slips and proofs, checked by `rollcall verify` with nothing but files.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rollcall::ledger::bundle::Trust;
use rollcall::ledger::proof::{Code, NoCode, Proof, check, check_code};
use rollcall::ledger::{Ledger, Sqlite};
use rollcall::record::note::{KeyKind, Note, Policy, Vkey};
use rollcall::record::{Record, Sealed, SealedHash, SigningKey, Slip};

use crate::support::day::{Day, rollcall, write};
use crate::support::fine;
use crate::support::log::{ORIGIN, Witness, grow, log_key, publisher_of, settings};
use crate::support::pen::{Pen, opening};

/// A published day with a witness, a file of trusted keys, and the proof of record 2 of t-1.
pub(crate) struct Held {
    day: Day,
    pub(crate) trust: PathBuf,
    pub(crate) proof: PathBuf,
}

impl Held {
    pub(crate) fn new() -> Self {
        let day = Day::played();
        let witness = Witness::of(&day);
        let watchers = vec![witness.watcher()];
        let mut publisher = publisher_of(&day, ORIGIN, settings(&day, watchers)).unwrap();
        assert!(publisher.publish().unwrap().public);
        let trust = day.file("trust.txt");
        let lines = String::from_utf8(day.collector("trust", &[]).stdout).unwrap();
        write(&trust, format!("{lines}witness {}\nquorum 1\n", witness.vkey));
        let held = Self { proof: day.file("proof.json"), day, trust };
        held.prove("2", 0);
        held
    }

    fn prove(&self, seq: &str, code: i32) {
        let out = self.proof.to_str().unwrap();
        let told = self.day.collector("prove", &["--terminal", "t-1", "--seq", seq, "--out", out]);
        assert_eq!(told.status.code(), Some(code), "{told:?}");
    }

    pub(crate) fn read(&self) -> (Proof, Trust) {
        let proof = std::fs::read_to_string(&self.proof).unwrap();
        let trust = std::fs::read_to_string(&self.trust).unwrap();
        (serde_json::from_str(&proof).unwrap(), Trust::parse(&trust).unwrap())
    }

    pub(crate) fn verify(&self, files: &[&PathBuf]) -> (i32, String) {
        let mut args = vec!["verify", "--trust", self.trust.to_str().unwrap()];
        args.extend(files.iter().map(|file| file.to_str().unwrap()));
        let out = rollcall(&args);
        let said = [out.stdout, out.stderr].concat();
        (out.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    pub(crate) fn slip(&self, seq: u64, hash: SealedHash, key: &SigningKey) -> PathBuf {
        let path = self.day.file("slip.txt");
        let slip = Slip { terminal: "t-1".parse().unwrap(), seq, hash };
        write(&path, format!("{}\n", slip.seal(key)));
        path
    }
}

#[test]
fn a_proof_holds_with_nothing_but_trusted_keys_and_says_what_it_proves() {
    let held = Held::new();
    let (code, said) = held.verify(&[&held.proof]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("成立 holds") && said.contains("record 2 of terminal t-1"), "{said}");
    assert!(said.contains("签到 check-in · 已接受 accepted · "), "{said}");
    assert!(said.contains("北京时间 China standard time"), "{said}");
    assert!(said.contains("entry 3 of 15, 1 witnesses"), "{said}");
    assert!(said.contains(&opening(2).person.to_string()), "{said}");
}

#[test]
fn a_proof_without_its_witness_or_under_another_key_does_not_hold() {
    let held = Held::new();
    let (mut proof, trust) = held.read();
    assert!(check(&proof, &trust).is_ok());
    let note: Note = proof.checkpoint.parse().unwrap();
    proof.checkpoint = Note::new(note.text().to_owned(), vec![note.lines()[0].clone()]).to_string();
    let error = check(&proof, &trust).unwrap_err();
    assert!(error.to_string().contains("does not count"), "{error:?}");
    let key = SigningKey::from_secret(&[77; 32]).verifying_key();
    write(&held.trust, format!("log {key}\n"));
    let (code, said) = held.verify(&[&held.proof]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("does not hold"), "{said}");
}

#[test]
fn one_flipped_bit_anywhere_in_a_proof_does_not_hold() {
    let held = Held::new();
    let (genuine, trust) = held.read();
    let mut flips = 0;
    let mut flip = |what: &str, touch: &dyn Fn(&mut Proof) -> Option<&mut u8>| {
        let mut proof = genuine.clone();
        let Some(byte) = touch(&mut proof) else { return false };
        *byte ^= 1;
        assert!(check(&proof, &trust).is_err(), "{what}");
        flips += 1;
        true
    };
    for at in 0..1_024 {
        flip("record", &|p| p.record.sealed.0.get_mut(at));
        flip("registration", &|p| p.registration.sealed.0.get_mut(at));
    }
    for at in 0..32 {
        for hash in 0..8 {
            flip("record's proof", &|p| p.record.proof.get_mut(hash)?.0.get_mut(at));
            flip("registration's proof", &|p| p.registration.proof.get_mut(hash)?.0.get_mut(at));
        }
        flip("salt", &|p| p.person.as_mut()?.salt.0.get_mut(at));
        flip("person", &|p| p.person.as_mut()?.person.0.get_mut(at));
    }
    assert!(flips > 500, "{flips} flips");
    for at in 0..genuine.checkpoint.len() {
        let mut proof = genuine.clone();
        let mut bytes = proof.checkpoint.into_bytes();
        bytes[at] ^= 1;
        let Ok(text) = String::from_utf8(bytes) else { continue };
        proof.checkpoint = text;
        assert!(check(&proof, &trust).is_err(), "checkpoint, byte {at}");
    }
    for index in [0, 2, 4, 14, 15, u64::MAX] {
        let mut proof = genuine.clone();
        proof.record.index = index;
        assert!(check(&proof, &trust).is_err(), "place {index}");
    }
}

#[test]
fn erasing_the_person_leaves_the_proof_whole_and_without_a_name() {
    let held = Held::new();
    let mut ledger = Sqlite::open(&held.day.data().join("ledger.sqlite")).unwrap();
    ledger.erase(opening(2).person).unwrap();
    drop(ledger);
    held.prove("2", 0);
    let (proof, trust) = held.read();
    assert_eq!(proof.person, None);
    assert!(check(&proof, &trust).is_ok());
    let (code, said) = held.verify(&[&held.proof]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("person"), "{said}");
}

#[test]
fn a_proof_as_a_qr_code_holds_like_its_file() {
    let held = Held::new();
    let (svg, text) = (held.day.file("proof.svg"), held.day.file("proof.txt"));
    let out = held.proof.to_str().unwrap();
    let args = ["--terminal", "t-1", "--seq", "2", "--out", out, "--qr", svg.to_str().unwrap()];
    let told = fine(&held.day.collector("prove", &args));
    assert!(told.contains("the same as a QR code"), "{told}");
    assert!(std::fs::read_to_string(svg).unwrap().contains("<svg"));

    let (proof, trust) = held.read();
    let code = Code::of(&proof).unwrap();
    write(&text, format!("{code}\n"));
    let (exit, said) = held.verify(&[&text]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("成立 holds") && said.contains("record 2 of terminal t-1"), "{said}");
    assert!(said.contains("entry 3 of 15, 1 witnesses"), "{said}");
    assert!(said.contains(&opening(2).person.to_string()), "{said}");
    assert_eq!(check_code(&code, &trust).unwrap(), check(&proof, &trust).unwrap());

    let hash = SealedHash::of(&proof.record.sealed.0);
    let slip = held.slip(2, hash, &Pen::new("t-1", 1).key);
    let (exit, said) = held.verify(&[&text, &slip]);
    assert!(exit == 0 && said.contains("confirmed by the proof"), "{said}");

    write(&text, "ROLLCALL-PROOF:AAAA");
    let (exit, said) = held.verify(&[&text]);
    assert!(exit == 2 && said.contains("the letters hold no proof"), "{said}");
}

#[test]
fn one_changed_letter_of_a_qr_code_proves_nothing_but_what_it_says() {
    let held = Held::new();
    let (proof, trust) = held.read();
    let genuine = Code::of(&proof).unwrap().to_string();
    for at in 0..genuine.len() {
        let mut letters = genuine.clone().into_bytes();
        letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
        let touched = String::from_utf8(letters).unwrap();
        let Ok(code) = touched.parse::<Code>() else { continue };
        assert!(check_code(&code, &trust).is_err(), "letter {at}");
    }
}

#[test]
fn an_ordinary_proof_out_of_a_million_entries_fits_a_qr_code() {
    let (mut proof, _) = Held::new().read();
    let record = Sealed::seal(&crate::vectors::check_in(), &crate::vectors::key("terminal"));
    proof.record.sealed.0 = record.bytes().to_vec();
    // Twenty hashes lead from a leaf to the root over a million entries.
    proof.record.proof = vec![proof.record.proof[0].clone(); 20];
    let size = "\n15\n";
    assert!(proof.checkpoint.contains(size));
    proof.checkpoint = proof.checkpoint.replace(size, "\n1000000\n");
    let chars = Code::of(&proof).unwrap().to_string().len();
    assert_eq!(chars, 2_222, "docs/spec/proof-v1.md says so");
    proof.record.proof = vec![proof.record.proof[0].clone(); 50];
    let error = Code::of(&proof).unwrap_err();
    assert!(matches!(error, NoCode::TooLong { chars } if chars > 2_520), "{error}");
}

#[test]
fn what_is_not_there_or_not_published_yet_is_not_proven() {
    let held = Held::new();
    held.prove("99", 1);
    let day = Day::played();
    let out = day.file("proof.json");
    let args = ["--terminal", "t-1", "--seq", "1", "--out", out.to_str().unwrap()];
    let told = day.collector("prove", &args);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(String::from_utf8(told.stderr).unwrap().contains("no checkpoint is published"));
}

#[test]
fn a_slip_is_confirmed_by_the_proof_of_its_record_and_convicted_by_another() {
    let held = Held::new();
    let (proof, _) = held.read();
    let hash = SealedHash::of(&proof.record.sealed.0);
    assert_eq!(Record::peek(&proof.record.sealed.0).unwrap().0.seq, 2);
    let key = Pen::new("t-1", 1).key;
    for (seq, hash, key, code, what) in [
        (2, hash, &key, 0, "confirmed by the proof"),
        (77, SealedHash([5; 32]), &key, 0, "尚未确认 holds, not yet confirmed"),
        (2, SealedHash([5; 32]), &key, 1, "contradiction"),
        (2, hash, &SigningKey::from_secret(&[66; 32]), 1, "not sealed with the terminal's key"),
    ] {
        let slip = held.slip(seq, hash, key);
        let (found, said) = held.verify(&[&slip, &held.proof]);
        assert_eq!(found, code, "{said}");
        assert!(said.contains(what), "{said}");
    }
    let slip = held.slip(2, hash, &key);
    let (code, said) = held.verify(&[&slip]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("not checked"), "{said}");
    write(&slip, "ROLLCALL-SLIP:AAAA");
    assert_eq!(held.verify(&[&slip]).0, 2);
}

#[test]
fn a_trust_file_names_witnesses_and_how_many_are_needed() {
    let log = format!("log {}\n", SigningKey::from_secret(&[1; 32]).verifying_key());
    let witness = |n: u8| {
        let key = SigningKey::from_secret(&[n; 32]).verifying_key();
        format!("witness {}\n", Vkey::new(&format!("w{n}"), KeyKind::Witness, key).unwrap())
    };
    let two = format!("{log}{}{}", witness(2), witness(3));
    assert_eq!(Trust::parse(&two).unwrap().quorum, 2, "all, unless it says otherwise");
    assert_eq!(Trust::parse(&format!("{two}quorum 1\n")).unwrap().quorum, 1);
    for wrong in ["quorum 3\n", "quorum x\n", "witness PeterNeumann+c74f20a3+A\n"] {
        assert!(Trust::parse(&format!("{two}{wrong}")).is_err(), "{wrong}");
    }
    let as_log = "witness PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n";
    assert!(Trust::parse(&format!("{two}{as_log}")).is_err(), "a log's key is no witness's");
}

#[test]
fn one_key_under_two_names_is_one_witness() {
    let key = SigningKey::from_secret(&[9; 32]);
    let text = "o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".to_owned();
    let names = ["w1", "w2"];
    let lines = names.map(|name| rollcall::record::note::cosign(&text, name, &key, 1).unwrap());
    let log = SigningKey::from_secret(&[1; 32]);
    let mut note = Note::new(text.clone(), lines.to_vec());
    note.add(rollcall::record::note::sign(&text, "o", &log).unwrap());
    let witnesses = names.map(|n| Vkey::new(n, KeyKind::Witness, key.verifying_key()).unwrap());
    let logs = vec![Vkey::new("o", KeyKind::Log, log.verifying_key()).unwrap()];
    let mut policy = Policy { logs, witnesses: witnesses.to_vec(), quorum: 1 };
    assert!(policy.judge(&note).is_ok());
    policy.quorum = 2;
    assert!(policy.judge(&note).is_err());
}

/// Status, headers and body of one GET.
fn get(url: &str, path: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

#[test]
fn a_running_collector_publishes_with_its_witness_and_serves_the_log() {
    let day = Day::played();
    let witness = Witness::of(&day);
    let config = std::fs::read_to_string(&day.config).unwrap();
    write(
        &day.config,
        format!(
            "{config}[log]\npublish_every_ms = 100\nquorum = 1\n[[log.witness]]\nkey = \"{}\"\nurl = \"{}\"\n",
            witness.vkey, witness.url
        ),
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.args(["collector", "run", "--config"]).arg(&day.config);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.find_map(|line| Some(line.split_once("live page at ")?.1.to_owned())).unwrap();
    let policy = Policy {
        logs: vec![Vkey::new(ORIGIN, KeyKind::Log, log_key(&day).verifying_key()).unwrap()],
        witnesses: vec![witness.vkey.clone()],
        quorum: 1,
    };
    crate::support::broker::eventually("a checkpoint is served", || {
        get(&url, "/checkpoint").0 == 200
    });
    let (_, head, body) = get(&url, "/checkpoint");
    assert!(head.contains("content-type: text/plain; charset=utf-8"), "{head}");
    assert!(!head.contains("no-store"), "{head}");
    let said = policy.judge(&Note::from_bytes(&body).unwrap()).unwrap();
    assert!(said.size >= 15);
    for (path, status) in [
        (format!("/tile/0/000.p/{}", said.size), 200),
        (format!("/tile/entries/000.p/{}", said.size), 200),
        ("/tile/0/000".to_owned(), 404),
        ("/tile/0/../../log.key".to_owned(), 404),
        ("/tile/..%2f..%2flog.key".to_owned(), 404),
        ("/tile/entries/000.p/257".to_owned(), 404),
    ] {
        let (found, head, body) = get(&url, &path);
        assert_eq!(found, status, "{path}: {head}");
        if status == 200 {
            assert!(head.contains("immutable") && head.contains("octet-stream"), "{head}");
            assert!(!body.is_empty());
        }
    }
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    assert!(child.wait().unwrap().success());
    // What was committed last is published before the end, also ticks of a moment ago.
    let ledger = Sqlite::open_read_only(&day.data().join("ledger.sqlite")).unwrap();
    let last = policy.judge(&crate::support::log::checkpoint(&day).0).unwrap();
    assert_eq!(last.size, ledger.size());
    grow(&day, 1);
}
