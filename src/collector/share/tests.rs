//! What the desk takes, what it refuses, and to whom it says what.

use super::*;
use crate::domain::{Bilingual, Fact, GeoPoint};
use crate::record::open_statement;

const NOON: Timestamp = Timestamp::from_ms(1_772_424_000_000);
const DAYS: u32 = 400;

fn name<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_secret(&[n; 32])
}

/// Two terminals of one institution, and one of another.
fn roll() -> Roll {
    let roll = Roll::default();
    for (site, institution) in [("s-1", "i-1"), ("s-2", "i-1"), ("s-3", "i-2")] {
        roll.learn(&Fact::Site {
            id: name(site),
            institution: name(institution),
            name: Bilingual::new("一", "One"),
            town: Bilingual::new("一", "One"),
            place: GeoPoint { latitude_e6: 31_000_000, longitude_e6: 104_000_000 },
        });
    }
    for (n, (terminal, site)) in (1..).zip([("t-1", "s-1"), ("t-2", "s-2"), ("t-3", "s-3")]) {
        let key = key(n).verifying_key().to_bytes();
        roll.learn(&Fact::Terminal { id: name(terminal), site: name(site), key });
    }
    roll
}

fn desk(folder: &std::path::Path, roll: &Roll) -> Desk {
    let shelf = Shelf::open(folder).unwrap();
    Desk::new(Parts { roll: roll.clone(), shelf, receipt: key(99), template_days: DAYS })
}

fn share(slot: u8, changed: Timestamp) -> Share {
    Share {
        terminal: name("t-1"),
        institution: name("i-1"),
        key: [1; 8],
        slot: [slot; 16],
        changed,
        nonce: [2; 24],
        content: vec![slot; 2576],
    }
}

fn to(letters: &[Letter]) -> Vec<&str> {
    letters.iter().map(|letter| letter.to.as_str()).collect()
}

fn ask(desk: &mut Desk, from: &str, have: Option<Have>) -> Option<Shared> {
    let ask = ShareAsk { nonce: [4; 16], have };
    let letters = desk.hear(&name(from), &ask.encode(), NOON).unwrap();
    let letter = letters.first()?;
    assert_eq!(letter.to.as_str(), from);
    Some(open_statement(&letter.bytes, &key(99).verifying_key()).unwrap())
}

fn contents(shared: &Shared) -> Vec<u8> {
    let first = |bytes: &minicbor::bytes::ByteVec| {
        open_statement::<Share>(bytes, &key(1).verifying_key()).unwrap().content[0]
    };
    shared.parcels.iter().map(first).collect()
}

fn upto(shared: &Shared) -> Have {
    let Shared { institution, epoch, upto, .. } = shared.clone();
    Have { institution, epoch, upto }
}

#[test]
fn peers_are_told_and_get_what_they_lack_and_another_institution_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk(folder.path(), &roll());
    let letters = desk.hear(&name("t-1"), &seal_statement(&share(1, NOON), &key(1)), NOON).unwrap();
    assert_eq!(to(&letters), ["t-1", "t-2"], "its own comes back, so that it knows");
    assert!(letters.iter().all(|letter| letter.bytes.is_empty()));
    let shared = ask(&mut desk, "t-2", None).unwrap();
    assert_eq!((contents(&shared), shared.more), (vec![1], false));
    let again = ask(&mut desk, "t-2", Some(upto(&shared))).unwrap();
    assert!(again.parcels.is_empty());
    assert!(ask(&mut desk, "t-3", None).unwrap().parcels.is_empty());
    // What another institution's terminal has says nothing of this one's.
    let moved = Have { institution: name("i-2"), ..upto(&shared) };
    assert_eq!(contents(&ask(&mut desk, "t-2", Some(moved)).unwrap()), [1]);
    // Nor do numbers of another shelf, or numbers that were never given out.
    let other = Have { epoch: [0; 16], ..upto(&shared) };
    assert_eq!(contents(&ask(&mut desk, "t-2", Some(other)).unwrap()), [1]);
    let ahead = Have { upto: 99, ..upto(&shared) };
    assert_eq!(contents(&ask(&mut desk, "t-2", Some(ahead)).unwrap()), [1]);
}

#[test]
fn a_later_change_takes_the_place_of_an_earlier_one_which_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk(folder.path(), &roll());
    let mut put = |slot: u8, changed: Timestamp, content: u8| {
        let share = Share { content: vec![content; 2576], ..share(slot, changed) };
        let letters = desk.hear(&name("t-1"), &seal_statement(&share, &key(1)), NOON).unwrap();
        !letters.is_empty()
    };
    assert!(put(1, NOON, 0xa1));
    assert!(!put(1, NOON, 0xa1), "twice is innocent");
    assert!(!put(1, NOON, 0xa2), "of one moment the first counts");
    assert!(!put(1, NOON.plus_ms(-1), 0xa3));
    assert!(put(1, NOON.plus_ms(1), 0xa4));
    assert_eq!((desk.tally().kept, desk.tally().had), (2, 3));
    assert_eq!(contents(&ask(&mut desk, "t-2", None).unwrap()), [0xa4]);
    drop(desk);
    let file = std::fs::read(folder.path().join("shares.sqlite")).unwrap();
    let holds = |content: u8| file.windows(64).any(|part| part == [content; 64]);
    assert!(holds(0xa4) && !holds(0xa1));
    let rights = std::fs::metadata(folder.path().join("shares.sqlite")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&rights.permissions()) & 0o777, 0o600);
}

#[test]
fn what_is_not_a_terminals_own_of_its_own_institution_is_refused_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let roll = roll();
    let mut desk = desk(folder.path(), &roll);
    let good = seal_statement(&share(1, NOON), &key(1));
    let mut altered = good.clone();
    altered[500] ^= 1;
    let named = |terminal: &str| Share { terminal: name(terminal), ..share(1, NOON) };
    let other = Share { institution: name("i-2"), ..share(1, NOON) };
    let old = NOON.plus_ms(-i64::from(DAYS + 1) * DAY_MS);
    let cases = [
        ("t-9", good.clone(), Reason::Unknown),
        ("t-2", good.clone(), Reason::Unsigned),
        ("t-1", altered, Reason::Unsigned),
        ("t-1", seal_statement(&share(1, NOON), &key(8)), Reason::Unsigned),
        ("t-1", b"nothing".to_vec(), Reason::Unsigned),
        ("t-1", vec![0xd2; 5_000], Reason::Unsigned),
        ("t-1", Vec::new(), Reason::Unsigned),
        ("t-2", seal_statement(&named("t-1"), &key(2)), Reason::Foreign),
        ("t-1", seal_statement(&other, &key(1)), Reason::Institution),
        ("t-1", seal_statement(&share(1, NOON.plus_ms(2 * DAY_MS)), &key(1)), Reason::Ahead),
        ("t-1", seal_statement(&share(1, old), &key(1)), Reason::Expired),
    ];
    for (from, bytes, reason) in cases {
        let before = desk.tally().refused.get(&reason).copied().unwrap_or_default();
        assert!(desk.hear(&name(from), &bytes, NOON).unwrap().is_empty(), "{reason:?}");
        assert_eq!(desk.tally().refused[&reason], before + 1, "{reason:?}");
    }
    assert_eq!(desk.tally().kept, 0);
    // Once it is revoked, it puts nothing in and gets nothing any more; others are not told to it.
    roll.learn(&Fact::Revocation { id: name("t-2"), reason: "stolen".into() });
    assert_eq!(to(&desk.hear(&name("t-1"), &good, NOON).unwrap()), ["t-1"]);
    assert_eq!(ask(&mut desk, "t-2", None), None);
    assert_eq!(desk.tally().refused[&Reason::Revoked], 1);
}

#[test]
fn a_moved_terminal_gets_the_shares_of_its_new_institution_alone() {
    let folder = tempfile::tempdir().unwrap();
    let roll = roll();
    let mut desk = desk(folder.path(), &roll);
    desk.hear(&name("t-1"), &seal_statement(&share(1, NOON), &key(1)), NOON).unwrap();
    let had = ask(&mut desk, "t-2", None).unwrap();
    let key = key(2).verifying_key().to_bytes();
    roll.learn(&Fact::Terminal { id: name("t-2"), site: name("s-3"), key });
    let shared = ask(&mut desk, "t-2", Some(upto(&had))).unwrap();
    assert_eq!((shared.institution.as_str(), shared.parcels.len()), ("i-2", 0));
}

#[test]
fn many_come_in_parts_and_what_has_expired_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk(folder.path(), &roll());
    for slot in 0..70 {
        let sealed = seal_statement(&share(slot, NOON.plus_ms(i64::from(slot))), &key(1));
        desk.hear(&name("t-1"), &sealed, NOON).unwrap();
    }
    let (mut have, mut found, mut parts) = (None, Vec::new(), 0);
    loop {
        let shared = ask(&mut desk, "t-2", have).unwrap();
        found.extend(contents(&shared));
        parts += 1;
        have = Some(upto(&shared));
        if !shared.more {
            break;
        }
    }
    assert_eq!((found, parts), ((0..70).collect(), 3));
    let later = NOON.plus_ms(i64::from(DAYS) * DAY_MS + 30);
    desk.hear(&name("t-2"), b"whatever", later).unwrap();
    let shared = ask(&mut desk, "t-2", None).unwrap();
    assert_eq!(contents(&shared)[0], 30);
    // Numbers are not given out twice, also behind a start.
    let newest = desk.parts.shelf.newest().unwrap();
    let epoch = desk.parts.shelf.epoch();
    drop(desk);
    let shelf = Shelf::open(folder.path()).unwrap();
    assert_eq!((shelf.newest().unwrap(), shelf.epoch()), (newest, epoch));
}

#[test]
fn some_other_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shares.sqlite");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    let refused = Shelf::open(folder.path()).unwrap_err();
    assert!(matches!(refused, ShelfError::Foreign { .. }), "{refused}");
}
