use data_encoding::BASE64;
use std::convert::Infallible;

use super::*;
use crate::ledger::tree::{Tree, prove_consistency};
use crate::record::SigningKey;
use crate::record::note::{KeyKind, sign};

const ORIGIN: &str = "log.example/one";

fn log() -> (SigningKey, Vkey) {
    let key = SigningKey::from_secret(&[3; 32]);
    let vkey = Vkey::new(ORIGIN, KeyKind::Log, key.verifying_key()).unwrap();
    (key, vkey)
}

fn tree(leaves: u64, seed: &str) -> Tree {
    Tree::of((0..leaves).map(|n| TreeHash::leaf(format!("{seed}{n}").as_bytes())).collect())
}

fn head(tree: &Tree) -> TreeHead {
    let (size, root) = (tree.size(), tree.root().0);
    TreeHead { origin: ORIGIN.into(), size, root, extensions: Vec::new() }
}

/// That `tree` continues itself as it was with `old` leaves.
fn request(old: u64, tree: &Tree) -> Request {
    let text = head(tree).to_string();
    let note = Note::new(text.clone(), vec![sign(&text, ORIGIN, &log().0).unwrap()]);
    let proof: Result<_, Infallible> = prove_consistency(tree, old, tree.size());
    let Ok(proof) = proof;
    Request { old, proof: proof.unwrap_or_default(), note }
}

fn body(request: &Request) -> String {
    let proof: String = request.proof.iter().map(|hash| BASE64.encode(&hash.0) + "\n").collect();
    format!("old {}\n{proof}\n{}", request.old, request.note)
}

fn judged(request: &Request, seen: Option<&Tree>) -> Result<TreeHead, Refusal> {
    judge(request, &[log().1], |_| seen.map(head))
}

#[test]
fn each_continuation_is_taken_and_nothing_else() {
    for new in 0..=20 {
        let grown = tree(new, "");
        assert_eq!(judged(&request(0, &grown), None), Ok(head(&grown)));
        for old in 0..=new {
            let seen = tree(old, "");
            assert_eq!(judged(&request(old, &grown), Some(&seen)), Ok(head(&grown)), "{old} {new}");
            if old > 0 {
                let other = tree(old, "other");
                let refusal = judged(&request(old, &grown), Some(&other)).unwrap_err();
                let status = if old == new { 409 } else { 422 };
                assert_eq!((refusal.status(), refusal.accuses()), (status, true));
            }
        }
    }
}

#[test]
fn each_refusal_has_the_status_of_the_standard() {
    let (seen, grown) = (tree(5, ""), tree(9, ""));
    let refusal = |request: &Request| judged(request, Some(&seen)).unwrap_err();
    assert_eq!(refusal(&request(4, &grown)), Refusal::OtherSize { known: 5 });
    assert_eq!(refusal(&request(0, &grown)).status(), 409);
    let mut backwards = request(5, &grown);
    backwards.old = 10;
    assert_eq!(refusal(&backwards).status(), 400);
    // A log that was rolled back: what was seen is more than it has.
    assert_eq!(refusal(&request(3, &tree(3, ""))), Refusal::OtherSize { known: 5 });
    let mut cut = request(5, &grown);
    cut.proof.pop();
    assert_eq!(refusal(&cut).status(), 422);

    let fine = request(5, &grown);
    let stranger = Vkey::new("log.example/two", KeyKind::Log, log().0.verifying_key()).unwrap();
    let unknown = judge(&fine, &[stranger], |_| None).unwrap_err();
    assert_eq!(unknown, Refusal::UnknownLog { origin: ORIGIN.into() });
    assert_eq!(unknown.status(), 404);
    let other = SigningKey::from_secret(&[4; 32]);
    let forged = sign(fine.note.text(), ORIGIN, &other).unwrap();
    let forged = Request { note: Note::new(fine.note.text().into(), vec![forged]), ..fine };
    assert_eq!(refusal(&forged).status(), 403);
}

#[test]
fn a_request_is_read_in_one_way_only() {
    let fine = request(5, &tree(9, ""));
    assert_eq!(Request::parse(body(&fine).as_bytes()), Ok(fine.clone()));
    let note = fine.note.to_string();
    let hash = BASE64.encode(&[0; 32]);
    for wrong in [
        String::new(),
        "old 5\n".to_owned(),
        format!("old 05\n\n{note}"),
        format!("old +5\n\n{note}"),
        format!("old\n\n{note}"),
        format!("old 5\n{note}"),
        format!("old 5\nAAAA\n\n{note}"),
        format!("old 5\n{}\n{note}", format!("{hash}\n").repeat(64)),
        format!("old 5\n\n{}", note.trim_end()),
        "x".repeat(REQUEST_BYTES_MAX + 1),
    ] {
        let refusal = Request::parse(wrong.as_bytes()).unwrap_err();
        assert_eq!(refusal.status(), 400, "{wrong:.80}");
    }
    // The example of c2sp.org/tlog-witness.
    let example = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
    let request = Request::parse(example.as_bytes()).unwrap();
    assert_eq!((request.old, request.proof.len()), (20_852_014, 4));
}
