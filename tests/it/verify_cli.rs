//! `rollcall verify` through the real binary: what holds, what was touched, what is not trusted.

use std::path::Path;

use rollcall::ledger::bundle::Bundle;
use rollcall::record::SigningKey;

use crate::support::day::{Day, rollcall, verify, write};

fn read(path: &Path) -> Bundle {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn does_not_hold(day: &Day, bundle: &Bundle, trust: &Path, saying: &str) {
    let path = day.file("touched.json");
    write(&path, bundle.to_json());
    let (code, said) = verify(trust, &path);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(saying), "{said}");
}

#[test]
fn an_untouched_bundle_holds_and_says_so_in_three_lines() {
    let day = Day::played();
    let (bundle, trust) = day.exported(&[]);
    let (code, said) = verify(&trust, &bundle);
    assert_eq!(code, 0, "{said}");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 4, "the file's name and three lines: {said}");
    assert!(lines[1].starts_with("签名 signatures: 成立 holds"), "{said}");
    assert!(lines[2].starts_with("链条 chain     : 成立 holds (t-1 1–9, t-2 1–4)"), "{said}");
    assert!(lines[3].starts_with("账本 ledger    : 成立 holds (15 of 15 entries"), "{said}");
}

#[test]
fn a_bundle_of_one_terminal_holds_by_itself() {
    let day = Day::played();
    for (terminal, range) in [("t-1", "(t-1 1–9)"), ("t-2", "(t-2 1–4)")] {
        let (bundle, trust) = day.exported(&["--terminal", terminal]);
        let (code, said) = verify(&trust, &bundle);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(range), "{said}");
    }
    let stranger = day.exported(&["--terminal", "t-9"]);
    assert_eq!(verify(&stranger.1, &stranger.0).0, 0);
}

#[test]
fn erased_names_leave_a_bundle_that_holds() {
    use rollcall::ledger::{Ledger, Sqlite};
    let day = Day::played();
    let mut ledger = Sqlite::open(&day.data().join("ledger.sqlite")).unwrap();
    assert_eq!(ledger.erase(crate::support::pen::opening(1).person).unwrap(), 2);
    drop(ledger);
    let (bundle, trust) = day.exported(&[]);
    assert_eq!(verify(&trust, &bundle).0, 0);
}

#[test]
fn one_flipped_bit_in_any_part_of_any_entry_does_not_hold() {
    let day = Day::played();
    let (path, trust) = day.exported(&[]);
    let trust_text = std::fs::read_to_string(&trust).unwrap();
    let trusted = rollcall::ledger::bundle::Trust::parse(&trust_text).unwrap();
    let genuine = read(&path);
    let mut flips = 0;
    let mut flip = |what: String, touch: &dyn Fn(&mut Bundle) -> Option<&mut u8>| {
        let mut bundle = genuine.clone();
        let Some(byte) = touch(&mut bundle) else { return false };
        *byte ^= 1;
        let findings = rollcall::ledger::bundle::check(&bundle, &trusted);
        assert!(!findings.hold(), "{what}");
        flips += 1;
        true
    };
    for at in 0.. {
        if !flip(format!("checkpoint {at}"), &|b| b.checkpoint.0.get_mut(at)) {
            break;
        }
    }
    for entry in 0..genuine.entries.len() {
        for at in (0..1_024).step_by(7) {
            flip(format!("sealed {entry} {at}"), &|b| b.entries[entry].sealed.0.get_mut(at));
            flip(format!("evidence {entry} {at}"), &|b| {
                b.entries[entry].evidence.as_mut()?.0.get_mut(at)
            });
        }
        for at in 0..32 {
            for hash in 0..genuine.entries[entry].proof.len() {
                flip(format!("proof {entry} {hash} {at}"), &|b| {
                    b.entries[entry].proof[hash].0.get_mut(at)
                });
            }
            flip(format!("salt {entry} {at}"), &|b| {
                b.entries[entry].person.as_mut()?.salt.0.get_mut(at)
            });
            flip(format!("person {entry} {at}"), &|b| {
                b.entries[entry].person.as_mut()?.person.0.get_mut(at)
            });
        }
    }
    assert!(flips > 2_000, "{flips} flips");
}

#[test]
fn a_flipped_byte_is_named_by_its_entry() {
    let day = Day::played();
    let (path, trust) = day.exported(&[]);
    let mut bundle = read(&path);
    *bundle.entries[3].sealed.0.last_mut().unwrap() ^= 1;
    does_not_hold(&day, &bundle, &trust, "entry 3: the signature does not hold");
    does_not_hold(&day, &bundle, &trust, "entry 3 is not in the checkpoint's ledger");
}

#[test]
fn a_removed_entry_is_missed() {
    let day = Day::played();
    let (path, trust) = day.exported(&[]);
    let genuine = read(&path);
    for index in 0..genuine.entries.len() {
        let mut bundle = genuine.clone();
        bundle.entries.remove(index);
        does_not_hold(&day, &bundle, &trust, "has 14 of 15 entries");
    }
    let (path, trust) = day.exported(&["--terminal", "t-1"]);
    let mut bundle = read(&path);
    bundle.entries.remove(2);
    does_not_hold(&day, &bundle, &trust, "record 3 of t-1 comes after record 1");
    let mut bundle = read(&path);
    bundle.entries.remove(0);
    does_not_hold(&day, &bundle, &trust, "was not registered before this record");
}

#[test]
fn swapped_doubled_or_renamed_entries_do_not_hold() {
    let day = Day::played();
    let (path, trust) = day.exported(&[]);
    let genuine = read(&path);
    let mut bundle = genuine.clone();
    bundle.entries.swap(2, 3);
    does_not_hold(&day, &bundle, &trust, "ascending order");
    let mut bundle = genuine.clone();
    bundle.entries[3] = bundle.entries[2].clone();
    does_not_hold(&day, &bundle, &trust, "ascending order");
    let mut bundle = genuine.clone();
    bundle.entries[2].kind = rollcall::ledger::Kind::Fact;
    does_not_hold(&day, &bundle, &trust, "entry 2");
    let mut bundle = genuine.clone();
    bundle.entries[0].evidence = Some(bundle.entries[0].sealed.clone());
    does_not_hold(&day, &bundle, &trust, "does not belong there");
    let mut bundle = genuine;
    bundle.entries.clear();
    does_not_hold(&day, &bundle, &trust, "no entry");
}

#[test]
fn foreign_keys_are_not_trusted_whatever_the_bundle_says() {
    let day = Day::played();
    let (bundle, trust) = day.exported(&[]);
    let foreign = SigningKey::from_secret(&[99; 32]).verifying_key();
    write(&trust, format!("# somebody else's\nlog {foreign}\n"));
    let (code, said) = verify(&trust, &bundle);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("not among the trusted keys"), "{said}");
}

#[test]
fn a_whole_ledger_made_under_another_key_is_not_trusted() {
    let (day, other) = (Day::played(), Day::played());
    let (_, trust) = day.exported(&[]);
    let (bundle, _) = other.exported(&[]);
    assert_eq!(verify(&trust, &bundle).0, 1);
}

#[test]
fn what_cannot_be_read_ends_with_2_and_says_what_to_do() {
    let day = Day::played();
    let (bundle, trust) = day.exported(&[]);
    let broken = day.file("broken.json");
    for text in ["", "{}", "[]", "{\"format\":\"rollcall-bundle-v2\"}", "\u{0}"] {
        write(&broken, text);
        let (code, said) = verify(&trust, &broken);
        assert_eq!(code, 2, "{text:?}: {said}");
        assert!(said.contains("is no bundle") && said.contains("hint: "), "{said}");
    }
    let mut unknown = std::fs::read_to_string(&bundle).unwrap();
    unknown.insert_str(1, "\"more\":1,");
    write(&broken, unknown);
    assert_eq!(verify(&trust, &broken).0, 2, "unknown fields are errors");
    assert_eq!(verify(&trust, &day.file("none.json")).0, 2);
    for text in ["", "# nothing\n", "log nonsense\n", "root ed25519:AAAA\n", "log"] {
        write(&broken, text);
        let (code, said) = verify(&broken, &bundle);
        assert_eq!(code, 2, "{text:?}: {said}");
        assert!(said.contains("because: ") && said.contains("hint: "), "{said}");
    }
    assert_eq!(rollcall(&["verify"]).status.code(), Some(2));
    assert_eq!(rollcall(&["verify", "--trust", "x"]).status.code(), Some(2));
}

#[test]
fn two_histories_of_one_ledger_do_not_hold_together() {
    let (one, two) = (Day::configured(1883), Day::configured(1883));
    assert!(one.collector("init", &[]).status.success());
    std::fs::create_dir(two.data()).unwrap();
    for file in std::fs::read_dir(one.data()).unwrap() {
        let file = file.unwrap();
        // The certificate authority says nothing of the ledger.
        if file.path().is_dir() {
            continue;
        }
        std::fs::copy(file.path(), two.data().join(file.file_name())).unwrap();
    }
    let exported = |day: &Day, zh: &str| {
        let facts = day.file("facts.toml");
        let name = format!("{{ zh = \"{zh}\", en = \"A school\" }}");
        write(&facts, format!("[[institution]]\nid = \"i-1\"\nname = {name}\n"));
        assert!(day.collector("register", &[facts.to_str().unwrap()]).status.success());
        day.exported(&[])
    };
    let (first, trust) = exported(&one, "甲校");
    let (second, _) = exported(&two, "乙校");
    for alone in [&first, &second] {
        assert_eq!(verify(&trust, alone).0, 0);
    }
    let [trust, first, second] = [&trust, &first, &second].map(|path| path.to_str().unwrap());
    let out = rollcall(&["verify", "--trust", trust, first, second]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert!(String::from_utf8(out.stdout).unwrap().contains("two histories of one ledger"));
}
