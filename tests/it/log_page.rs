//! docs/verify.html in Chromium: the page without a network says of each slip and proof what
//! `rollcall verify` says.

use rollcall::domain::{Event, Outcome};
use rollcall::ledger::bundle::Trust;
use rollcall::ledger::proof::{Code, Proof, check};
use rollcall::record::{SealedHash, SigningKey};
use serde_json::json;

use crate::log_proof::Held;
use crate::support::pen::Pen;
use crate::web_browser::{Browser, Tab};

const PAGE: &str = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/docs/verify.html");

/// Fills the page in, presses its button, and gives what it says.
fn said(tab: &mut Tab<'_>, trust: &str, proof: &str, slip: &str) -> String {
    let fill = json!({ "trust": trust, "proof": proof, "slip": slip });
    let done = "Number(document.getElementById('result').dataset.done ?? 0)";
    let before = tab.eval(done).as_u64().unwrap();
    tab.eval(&format!(
        "for (const [id, text] of Object.entries({fill})) document.getElementById(id).value = text;
         document.getElementById('check').click()"
    ));
    tab.wait_for(&format!("{done} === {}", before + 1));
    tab.eval("document.getElementById('result').innerText").as_str().unwrap().to_owned()
}

#[test]
fn the_page_checks_slips_and_proofs_without_a_network() {
    let held = Held::new();
    let (proof, _) = held.read();
    let trust = std::fs::read_to_string(&held.trust).unwrap();
    let text = proof.to_json();
    let mut browser = Browser::start();
    let mut tab = browser.open(390, 844, "light", PAGE);
    tab.wait_for("document.getElementById('check') !== null");

    let fine = said(&mut tab, &trust, &text, "");
    assert!(fine.contains("存证成立 proof holds") && fine.contains("record 2"), "{fine}");
    let told = held.verify(&[&held.proof]).1;
    let what = told.lines().find(|line| line.contains("北京时间")).unwrap().trim();
    assert!(fine.contains(what) && what.contains("签到 check-in · 已接受 accepted"), "{fine}");
    assert!(fine.contains("entry 3 of 15, 1 witnesses"), "{fine}");
    assert!(fine.contains(&proof.person.as_ref().unwrap().person.to_string()), "{fine}");

    let (key, other) = (Pen::new("t-1", 1).key, SigningKey::from_secret(&[66; 32]));
    let hash = SealedHash::of(&proof.record.sealed.0);
    for (seq, hash, key, what) in [
        (2, hash, &key, "confirmed by the proof"),
        (77, hash, &key, "尚未确认"),
        (2, SealedHash([5; 32]), &key, "contradiction"),
        (2, hash, &other, "does not hold"),
    ] {
        let slip = std::fs::read_to_string(held.slip(seq, hash, key)).unwrap();
        let answer = said(&mut tab, &trust, &text, &slip);
        assert!(answer.contains(what), "{answer}");
    }
    let code = Code::of(&proof).unwrap();
    let fine = said(&mut tab, &trust, &code.to_string(), "");
    assert!(fine.contains("存证成立 proof holds") && fine.contains("record 2"), "{fine}");
    assert!(fine.contains("entry 3 of 15, 1 witnesses"), "{fine}");
    assert!(fine.contains(&proof.person.as_ref().unwrap().person.to_string()), "{fine}");
    let held_back = Code { signatures: code.signatures[..1].to_vec(), ..code.clone() };
    let (moved, nobody) =
        (Code { index: 4, ..code.clone() }, Code { person: None, ..code.clone() });
    for (code, what) in [
        (held_back.to_string(), "0 of 1 witnesses have signed"),
        (moved.to_string(), "不成立 does not hold"),
        (code.to_string().replacen('7', "6", 1), "不成立 does not hold"),
        (nobody.to_string(), "no person beside it"),
    ] {
        let answer = said(&mut tab, &trust, &code, "");
        assert!(answer.contains(what), "{what}: {answer}");
    }

    let log_only: String = trust.lines().take(2).map(|line| format!("{line}\n")).collect();
    assert!(said(&mut tab, &log_only, &text, "").contains("0 witnesses"));
    for (trust, proof) in [("", text.as_str()), ("log ed25519:AAAA", &text), (&trust, "{}")] {
        assert!(said(&mut tab, trust, proof, "").contains("不成立 does not hold"));
    }
    assert!(said(&mut tab, &trust, "", "").contains("nothing to check"));
    let fetched = tab.eval("performance.getEntriesByType('resource').length");
    assert_eq!(fetched, 0, "nothing is fetched");
    let blocked = tab.eval("fetch('https://example.com/').then(() => false, () => true)");
    assert_eq!(blocked, true, "and nothing can be");
}

#[test]
fn the_page_and_the_program_call_what_happened_by_the_same_words() {
    let (mut events, mut outcomes) = (vec![None; 24], vec![None; 24]);
    for number in 0..24u8 {
        let words = |(_, zh, en)| format!("{zh} {en}");
        let at = usize::from(number);
        events[at] = minicbor::decode::<Event>(&[number]).ok().map(|event| words(event.words()));
        outcomes[at] = minicbor::decode::<Outcome>(&[number]).ok().map(|how| words(how.words()));
    }
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", PAGE);
    tab.wait_for("document.getElementById('check') !== null");
    let all = |list: &str| format!("Array.from({{ length: 24 }}, (_, i) => {list}[i] ?? null)");
    assert_eq!(tab.eval(&all("EVENTS")), json!(events));
    assert_eq!(tab.eval(&all("OUTCOMES")), json!(outcomes));
    assert_eq!((events.iter().flatten().count(), outcomes.iter().flatten().count()), (6, 11));
}

#[test]
fn the_page_and_the_program_agree_on_hundreds_of_touched_proofs() {
    let held = Held::new();
    let (genuine, trust) = held.read();
    let mut proofs = vec![genuine.clone()];
    let mut touched = |touch: &dyn Fn(&mut Proof)| {
        let mut proof = genuine.clone();
        touch(&mut proof);
        if proof != genuine {
            proofs.push(proof);
        }
    };
    for at in (0..genuine.record.sealed.0.len()).step_by(3) {
        touched(&|p| p.record.sealed.0[at] ^= 1);
    }
    for at in (0..genuine.registration.sealed.0.len()).step_by(3) {
        touched(&|p| p.registration.sealed.0[at] ^= 0x80);
    }
    for hash in 0..genuine.record.proof.len() {
        touched(&|p| p.record.proof[hash].0[hash] ^= 2);
        touched(&|p| drop(p.record.proof.remove(hash)));
        touched(&|p| p.record.proof[hash].0.truncate(31));
    }
    for index in 0..16 {
        touched(&|p| p.record.index = index);
        touched(&|p| p.registration.index = index);
    }
    let characters = genuine.checkpoint.chars().count();
    for at in 0..characters {
        touched(&|p| {
            let change =
                |(i, c): (usize, char)| if i == at { if c == 'x' { 'y' } else { 'x' } } else { c };
            p.checkpoint = p.checkpoint.chars().enumerate().map(change).collect();
        });
    }
    touched(&|p| p.person = None);
    touched(&|p| p.person.as_mut().unwrap().salt.0[0] ^= 1);
    touched(&|p| p.person.as_mut().unwrap().person.0[0] ^= 1);
    touched(&|p| p.format = "rollcall-proof-v2".into());
    touched(&|p| p.checkpoint = p.checkpoint.replace("\n15\n", "\n015\n"));
    touched(&|p| std::mem::swap(&mut p.record, &mut p.registration));

    let expected: Vec<bool> = proofs.iter().map(|proof| check(proof, &trust).is_ok()).collect();
    assert!(proofs.len() > 400, "{} proofs", proofs.len());
    assert_eq!(
        expected.iter().filter(|holds| **holds).count(),
        2,
        "the genuine, and one without a name"
    );
    let texts: Vec<_> = proofs.iter().map(Proof::to_json).collect();
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 800, "light", PAGE);
    tab.wait_for("document.getElementById('check') !== null");
    let trust = std::fs::read_to_string(&held.trust).unwrap();
    assert!(Trust::parse(&trust).is_ok());
    let (texts, trust) = (json!(texts), json!(trust));
    let found = tab.eval(&format!(
        "Promise.all({texts}.map((text) => proven(text, trusted({trust})).then(() => true, () => false)))"
    ));
    let found: Vec<bool> = serde_json::from_value(found).unwrap();
    let differ: Vec<_> = (0..found.len()).filter(|&i| found[i] != expected[i]).collect();
    assert_eq!(differ, [0; 0], "the page says otherwise of these proofs");
}
