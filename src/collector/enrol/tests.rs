use proptest::prelude::*;

use super::judge::judge_succession;
use super::*;
use crate::domain::{Fact, TerminalId, Timestamp};
use crate::record::enrolment::{seal_enrolment, seal_succession, seal_wish};
use crate::record::{CentreMark, ReadingKey, ReadingPublic, SigningKey};

const NOON: Timestamp = Timestamp::from_ms(1_772_000_000_000);
const CENTRE: CentreMark = CentreMark([5; 16]);

fn key(n: u8) -> SigningKey {
    SigningKey::from_secret(&[n; 32])
}

fn reading(n: u8) -> ReadingPublic {
    ReadingKey::from_secret(&[n; 32]).public()
}

fn t1() -> TerminalId {
    "t-1".parse().unwrap()
}

/// The request of a device whose keys are 10 × `device` and one more, under the token of key 1.
fn request(device: u8) -> Vec<u8> {
    let [record, tls] = [device * 10, device * 10 + 1].map(key);
    seal_enrolment(&t1(), CENTRE, &key(1), &record, &tls, Some(reading(device)))
}

fn token() -> TokenNote {
    TokenNote {
        key: key(1).verifying_key(),
        site: "s-1".parse().unwrap(),
        until: NOON.plus_ms(1_000),
        replaces: None,
    }
}

fn with_token() -> Known {
    Known { token: Some(token()), ..Known::default() }
}

fn standing(keys: &[u8]) -> Standing {
    let keys = keys.iter().map(|n| key(*n).verifying_key()).collect();
    Standing { site: "s-1".parse().unwrap(), keys, revoked: None, replaces: None }
}

/// What is known after `request(1)` was granted and stated.
fn enrolled() -> Known {
    let ruling = judge(&request(1), &[CENTRE], &with_token(), NOON).unwrap();
    Known { bound: Some(ruling.bound), standing: Some(standing(&[10])), ..with_token() }
}

fn denied(request: &[u8], known: &Known, now: Timestamp) -> &'static str {
    judge(request, &[CENTRE], known, now).unwrap_err().code()
}

#[test]
fn the_first_device_under_a_token_is_bound_and_stated() {
    let ruling = judge(&request(1), &[CENTRE], &with_token(), NOON).unwrap();
    assert!(ruling.new);
    let [Fact::Terminal { id, key: stated, .. }] = &ruling.facts[..] else { panic!("{ruling:?}") };
    assert_eq!((id, *stated), (&t1(), key(10).verifying_key().to_bytes()));
}

#[test]
fn a_token_is_over_after_its_time_and_with_another_one() {
    assert_eq!(denied(&request(1), &with_token(), NOON.plus_ms(1_001)), "expired");
    assert_eq!(denied(&request(1), &Known::default(), NOON), "no_token");
    let other = TokenNote { key: key(2).verifying_key(), ..token() };
    let known = Known { token: Some(other), ..Known::default() };
    assert_eq!(denied(&request(1), &known, NOON), "other_token");
}

#[test]
fn the_same_device_asks_again_however_late_and_no_other_does() {
    let late = NOON.plus_ms(1_000_000_000);
    let again = judge(&request(1), &[CENTRE], &enrolled(), late).unwrap();
    assert!(!again.new && again.facts.is_empty());
    assert_eq!(denied(&request(2), &enrolled(), NOON), "used");
    // Bound, and the centre died before it stated it.
    let unstated = Known { standing: None, ..enrolled() };
    assert_eq!(judge(&request(1), &[CENTRE], &unstated, late).unwrap().facts.len(), 1);
    assert_eq!(denied(&request(2), &unstated, NOON), "used");
}

#[test]
fn a_terminal_that_was_registered_by_hand_keeps_its_key() {
    let known = Known { standing: Some(standing(&[20])), ..with_token() };
    assert_eq!(denied(&request(1), &known, NOON), "registered");
    let ruling = judge(&request(2), &[CENTRE], &known, NOON).unwrap();
    assert!(ruling.new && ruling.facts.is_empty());
}

#[test]
fn a_wish_is_granted_to_the_record_key_alone_and_no_old_key_for_tls_comes_back() {
    let wish = |record, tls| seal_wish(&t1(), CENTRE, &key(record), &key(tls), None);
    let mut known = enrolled();
    assert_eq!(denied(&wish(20, 11), &known, NOON), "unproven");
    assert_eq!(denied(&wish(10, 11), &Known::default(), NOON), "unknown");
    assert!(!judge(&wish(10, 11), &[CENTRE], &known, NOON).unwrap().new);
    let ruling = judge(&wish(10, 12), &[CENTRE], &known, NOON).unwrap();
    known.bound = Some(ruling.bound);
    assert_eq!(denied(&wish(10, 11), &known, NOON), "old_key");
}

#[test]
fn a_terminal_of_before_names_its_reading_key_later_and_no_old_one_comes_back() {
    let wish = |n: Option<u8>| seal_wish(&t1(), CENTRE, &key(10), &key(11), n.map(reading));
    let mut known = enrolled();
    known.bound.as_mut().unwrap().reading.clear();
    for (named, new, after) in [
        (None, false, vec![]),
        (Some(5), true, vec![5]),
        (Some(5), false, vec![5]),
        (None, false, vec![5]),
        (Some(6), true, vec![5, 6]),
    ] {
        let ruling = judge(&wish(named), &[CENTRE], &known, NOON).unwrap();
        let after: Vec<_> = after.into_iter().map(reading).collect();
        assert_eq!((ruling.new, &ruling.bound.reading), (new, &after), "{named:?}");
        known.bound = Some(ruling.bound);
    }
    assert_eq!(denied(&wish(Some(5)), &known, NOON), "old_key");
    // Whoever asks under the token again, with the keys of before, names hers too.
    known.bound.as_mut().unwrap().reading.clear();
    let again = judge(&request(1), &[CENTRE], &known, NOON).unwrap();
    assert!(again.new && again.bound.reading == [reading(1)] && again.facts.is_empty());
}

#[test]
fn nothing_is_granted_for_another_centre_or_to_a_revoked_terminal() {
    let other = CentreMark([6; 16]);
    let foreign = seal_enrolment(&t1(), other, &key(1), &key(10), &key(11), None);
    assert_eq!(denied(&foreign, &with_token(), NOON), "unproven");
    let revoked = Standing { revoked: Some("stolen".into()), ..standing(&[10]) };
    let known = Known { standing: Some(revoked), ..enrolled() };
    assert_eq!(denied(&request(1), &known, NOON), "revoked");
    assert_eq!(
        denied(&seal_wish(&t1(), CENTRE, &key(10), &key(11), None), &known, NOON),
        "revoked"
    );
    let next = seal_succession(&t1(), &key(10), &key(30));
    let told = judge_succession(&next, &t1(), known.standing.as_ref()).unwrap_err();
    assert_eq!(told.code(), "revoked");
}

#[test]
fn a_record_key_follows_once_and_is_confirmed_again() {
    let next = |old, new| seal_succession(&t1(), &key(old), &key(new));
    let judged =
        |request: &[u8], keys: &[u8]| judge_succession(request, &t1(), Some(&standing(keys)));
    assert!(matches!(judged(&next(10, 30), &[10]), Ok(Some(Fact::TerminalKey { .. }))));
    assert_eq!(judged(&next(10, 30), &[10, 30]), Ok(None));
    // Whoever kept a copy of the old key cannot go another way with it, nor back.
    assert_eq!(judged(&next(10, 40), &[10, 30]).unwrap_err().code(), "unproven");
    assert_eq!(judged(&next(30, 10), &[10, 30]).unwrap_err().code(), "old_key");
}

#[test]
fn the_list_for_the_broker_denies_the_revoked_and_names_nobody_else() {
    let list = acl([&"xuexi".parse().unwrap()], [&t1()]);
    assert!(list.contains("user t-1\ntopic deny #\n"), "{list}");
    assert!(list.contains("pattern write rollcall/v1/%u/records\n"), "{list}");
    // Who reads alerts reads nothing else, and writes nothing.
    assert!(list.contains("user rollcall_alerts\ntopic read rollcall/v1/alerts/#\n\n"), "{list}");
    assert!(list.contains("topic write rollcall/v1/alerts/#\n\nuser rollcall_alerts"), "{list}");
    // A platform reports and hears its answers; a terminal of the same name is another.
    let own = "user platform_xuexi\ntopic write rollcall/v1/platform/xuexi/reports\n\
               topic read rollcall/v1/platform/xuexi/taken\n\n";
    assert!(list.contains(own), "{list}");
    assert_eq!(list.lines().filter(|line| line.starts_with("user ")).count(), 4);
}

/// A terminal that was away knows the centre by the authority before; a token is of the one in force.
#[test]
fn a_wish_may_name_an_authority_before_and_a_token_only_the_one_in_force() {
    let next = CentreMark([6; 16]);
    let wish = seal_wish(&t1(), CENTRE, &key(10), &key(11), None);
    assert!(judge(&wish, &[next, CENTRE], &enrolled(), NOON).is_ok());
    let refused = |request: &[u8], marks: &[CentreMark], known: &Known| {
        judge(request, marks, known, NOON).unwrap_err().code() == "unproven"
    };
    assert!(refused(&wish, &[next], &enrolled()));
    assert!(refused(&request(1), &[next, CENTRE], &with_token()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_request_makes_the_desk_panic_or_grants_anything(
        bytes in proptest::collection::vec(any::<u8>(), 0..1_200)
    ) {
        prop_assert!(judge(&bytes, &[CENTRE], &enrolled(), NOON).is_err());
    }

    #[test]
    fn no_changed_byte_of_a_request_is_granted(place in 0usize..10_000, change in 1u8..) {
        let mut bytes = request(1);
        let place = place % bytes.len();
        bytes[place] ^= change;
        prop_assert!(judge(&bytes, &[CENTRE], &with_token(), NOON).is_err());
    }
}
