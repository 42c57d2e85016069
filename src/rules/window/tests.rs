use super::*;

const NOON: i64 = 1_772_424_000_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn person(n: u16) -> PersonId {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    PersonId(id)
}

fn seen(at_ms: i64, index: u64) -> Seen<()> {
    Seen { at: Timestamp::from_ms(at_ms), index, what: () }
}

fn now(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn indexes(window: &Window<()>, n: u16) -> Vec<u64> {
    window.of(&person(n)).iter().map(|seen| seen.index).collect()
}

#[test]
fn happenings_stand_in_the_order_in_which_they_happened() {
    let mut window = Window::with_total(100);
    for (at, index) in [(NOON, 1), (NOON - 500, 2), (NOON + 500, 3), (NOON, 4)] {
        window.add_within(person(1), seen(at, index), now(NOON + 1000), DAY_MS);
    }
    assert_eq!(indexes(&window, 1), [2, 1, 4, 3]);
    assert_eq!(indexes(&window, 2), [0; 0]);
}

#[test]
fn what_is_older_than_the_span_is_forgotten() {
    let mut window = Window::with_total(100);
    window.add_within(person(1), seen(NOON, 1), now(NOON), DAY_MS);
    window.add_within(person(2), seen(NOON + 23 * HOUR_MS, 2), now(NOON + 23 * HOUR_MS), DAY_MS);
    assert_eq!(indexes(&window, 1), [1]);
    window.add_within(person(2), seen(NOON + 25 * HOUR_MS, 3), now(NOON + 25 * HOUR_MS), DAY_MS);
    assert_eq!(indexes(&window, 1), [0; 0]);
    assert_eq!(indexes(&window, 2), [2, 3]);
    assert_eq!(window.total, 2);
}

#[test]
fn one_person_cannot_fill_it() {
    let mut window = Window::with_total(10_000);
    for index in 0..200 {
        window.add_within(person(1), seen(NOON, index), now(NOON), DAY_MS);
    }
    assert_eq!(window.of(&person(1)).len(), PERSON_MAX);
    assert_eq!(indexes(&window, 1).last(), Some(&199), "the newest stay");
    assert_eq!(window.total, PERSON_MAX);
}

#[test]
fn at_its_bound_the_oldest_give_way() {
    let mut window = Window::with_total(100);
    for n in 0..1000 {
        let at = NOON + i64::from(n) * 60_000;
        window.add_within(person(n), seen(at, u64::from(n)), now(at), DAY_MS);
        assert!(window.total <= 100);
    }
    assert_eq!(indexes(&window, 999), [999]);
    assert_eq!(indexes(&window, 998), [998]);
    assert_eq!(indexes(&window, 0), [0; 0]);
}

#[test]
fn even_when_all_happen_at_once_the_bound_holds() {
    let mut window = Window::with_total(100);
    for n in 0..1000 {
        window.add_within(person(n), seen(NOON, u64::from(n)), now(NOON), DAY_MS);
        assert!(window.total <= 100);
    }
    assert_eq!(indexes(&window, 999), [999]);
}
