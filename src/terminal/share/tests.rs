//! The key, the parcel, which change counts, when it is said, and that all of it comes to one end.

use std::collections::BTreeMap;

use minicbor::bytes::ByteVec;
use proptest::prelude::*;

use super::books;
use super::exchange::{Fresh, sort};
use super::merge::{Newest, Rank, Standing, Verdict, What, judge};
use super::parcel::{Inside, Passed, Template, TooLong};
use super::post::Post;
use super::{CodeError, Exchange, InstitutionKey};
use crate::domain::{InstitutionId, PersonId, TerminalId, Timestamp};
use crate::face::{Gallery, Transform};
use crate::record::share::{Have, Shared};
use crate::record::{SigningKey, seal_statement};
use crate::terminal::register::{Consent, Register};

const MODEL: [u8; 32] = [7; 32];
const FLOATS: usize = 8;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn terminal(text: &str) -> TerminalId {
    text.parse().unwrap()
}

fn institution() -> InstitutionId {
    "i-1".parse().unwrap()
}

fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

fn key() -> InstitutionKey {
    InstitutionKey::from_secret([5; 32])
}

/// A direction that is nobody else's.
fn floats(n: usize) -> Vec<u8> {
    (0..FLOATS).flat_map(|place| f32::from(u8::from(place == n % FLOATS)).to_le_bytes()).collect()
}

fn template(n: usize) -> Template {
    let consent = Some(Consent { text: [1; 32], at: at(5) });
    Template { made: at(10), model: MODEL, consent, floats: floats(n) }
}

fn inside(n: u8, template: Option<Template>) -> Inside {
    Inside { person: person(n), origin: terminal("t-1"), template }
}

fn sealed(inside: &Inside, changed: i64) -> Vec<u8> {
    let share = inside.seal(&key(), terminal("t-1"), institution(), at(changed), [9; 24]).unwrap();
    seal_statement(&share, &SigningKey::from_secret(&[3; 32]))
}

// ---- the key --------------------------------------------------------------------------------

#[test]
fn a_code_is_read_as_it_was_typed_or_scanned_and_a_mistyped_one_is_told() {
    let code = key().code();
    assert_eq!(code.len(), "ROLLCALL-SHARE:".len() + 60 + 11, "{code}");
    assert_eq!(InstitutionKey::from_code(&code), Ok(key()));
    let typed = code.strip_prefix("ROLLCALL-SHARE:").unwrap().to_lowercase().replace('-', " ");
    assert_eq!(InstitutionKey::from_code(&format!(" {} \n", typed.replace('o', "0"))), Ok(key()));
    let letters: Vec<char> = code.chars().collect();
    for place in "ROLLCALL-SHARE:".len()..letters.len() {
        let mut changed = letters.clone();
        changed[place] = if changed[place] == 'A' { 'B' } else { 'A' };
        let changed: String = changed.into_iter().collect();
        assert!(InstitutionKey::from_code(&changed).is_err(), "{changed}");
    }
    assert_eq!(InstitutionKey::from_code("nothing"), Err(CodeError::Shape));
    assert_eq!(InstitutionKey::from_code(&"A".repeat(1_000)), Err(CodeError::Shape));
}

#[test]
fn another_key_has_another_mark_and_knows_people_by_other_slots() {
    let other = InstitutionKey::from_secret([6; 32]);
    assert_ne!(key().mark(), other.mark());
    assert_ne!(key().slot(&person(1)), other.slot(&person(1)));
    assert_ne!(key().slot(&person(1)), key().slot(&person(2)));
    assert_eq!(format!("{:?}", key()), "InstitutionKey(<hidden>)");
}

// ---- the parcel -----------------------------------------------------------------------------

#[test]
fn a_template_and_its_deletion_have_one_length_and_neither_stands_readable_in_it() {
    let (held, gone) = (sealed(&inside(1, Some(template(1))), 20), sealed(&inside(1, None), 20));
    assert_eq!(held.len(), gone.len());
    for bytes in [&held, &gone] {
        assert!(!bytes.windows(16).any(|part| part == person(1).0));
        assert!(!bytes.windows(4 * FLOATS).any(|part| part == floats(1)));
    }
    let (opened, rank) = Inside::open(&held, &key(), &institution()).unwrap();
    assert_eq!(opened, inside(1, Some(template(1))));
    assert_eq!(rank, Rank { changed: at(20), deleted: false, origin: terminal("t-1") });
    let (opened, rank) = Inside::open(&gone, &key(), &institution()).unwrap();
    assert!(opened.template.is_none() && rank.deleted);
    let long = Template { floats: vec![0; 4 * 1024], ..template(1) };
    let long = inside(1, Some(long));
    let refused = long.seal(&key(), terminal("t-1"), institution(), at(20), [9; 24]);
    assert_eq!(refused, Err(TooLong));
}

#[test]
fn nothing_that_stands_beside_the_content_can_be_exchanged() {
    let signing = SigningKey::from_secret(&[3; 32]);
    let share = inside(1, Some(template(1)));
    let share = share.seal(&key(), terminal("t-1"), institution(), at(20), [9; 24]).unwrap();
    let opened = |share| Inside::open(&seal_statement(&share, &signing), &key(), &institution());
    assert!(opened(share.clone()).is_ok());
    let mut content = share.content.clone();
    content[7] ^= 1;
    let unreadable = [
        crate::record::share::Share { terminal: terminal("t-2"), ..share.clone() },
        crate::record::share::Share { slot: key().slot(&person(2)), ..share.clone() },
        crate::record::share::Share { changed: at(21), ..share.clone() },
        crate::record::share::Share { nonce: [8; 24], ..share.clone() },
        crate::record::share::Share { content, ..share.clone() },
    ];
    for changed in unreadable {
        assert_eq!(opened(changed), Err(Passed::Unreadable));
    }
    let elsewhere = crate::record::share::Share { institution: "i-2".parse().unwrap(), ..share };
    assert_eq!(opened(elsewhere), Err(Passed::Institution));
    let other = InstitutionKey::from_secret([6; 32]);
    let sealed = sealed(&inside(1, None), 20);
    assert_eq!(Inside::open(&sealed, &other, &institution()), Err(Passed::OtherKey));
    assert!(matches!(Inside::open(b"nothing", &key(), &institution()), Err(Passed::Shape(_))));
}

// ---- which change counts --------------------------------------------------------------------

fn newest(changed: i64, origin: &str, what: What) -> Newest {
    Newest { changed: at(changed), origin: terminal(origin), what, unsaid: false }
}

fn rank(changed: i64, deleted: bool, origin: &str) -> Rank {
    Rank { changed: at(changed), deleted, origin: terminal(origin) }
}

#[test]
fn the_later_change_counts_a_deletion_wins_a_tie_and_what_the_centre_lacks_is_said_again() {
    let held = newest(10, "t-1", What::Held);
    assert_eq!(judge(None, false, &rank(1, true, "t-2")), Verdict::Newer);
    assert_eq!(judge(Some(&held), true, &rank(11, false, "t-2")), Verdict::Newer);
    assert_eq!(judge(Some(&held), true, &rank(10, true, "t-0")), Verdict::Newer);
    assert_eq!(judge(Some(&held), true, &rank(10, false, "t-2")), Verdict::Newer);
    assert_eq!(judge(Some(&held), true, &rank(10, false, "t-1")), Verdict::Same);
    let again =
        |changed| Verdict::Older(Newest { changed: at(changed), unsaid: true, ..held.clone() });
    assert_eq!(judge(Some(&held), true, &rank(9, true, "t-2")), again(10));
    // The centre keeps the first of two at one moment: this one must be said a moment later.
    assert_eq!(judge(Some(&held), true, &rank(10, false, "t-0")), again(11));
    // A template that was lost here is taken again, and one that was cut off by a crash.
    assert_eq!(judge(Some(&held), false, &rank(10, false, "t-1")), Verdict::Newer);
    let taking = newest(10, "t-1", What::Taking);
    assert_eq!(judge(Some(&taking), true, &rank(10, false, "t-1")), Verdict::Newer);
    // What is not said is not said again either.
    for what in [What::Taking, What::Refused, What::Local] {
        let known = newest(10, "t-1", what);
        assert_eq!(judge(Some(&known), true, &rank(9, false, "t-2")), Verdict::Nothing);
    }
}

#[test]
fn a_change_made_here_counts_before_all_that_is_known_whatever_the_clocks_say() {
    let known = newest(1_000, "t-2", What::Held);
    let change = Newest::change(Some(&known), at(10), &terminal("t-1"), What::Deleted);
    assert_eq!(change.changed, at(2_000));
    assert!(change.rank() > known.rank() && change.unsaid);
    let change = Newest::change(Some(&known), at(5_000), &terminal("t-1"), What::Held);
    assert_eq!(change.changed, at(5_000));
}

// ---- what becomes of the register -----------------------------------------------------------

fn have(institution: &str, epoch: u8, upto: u64) -> Have {
    Have { institution: institution.parse().unwrap(), epoch: [epoch; 16], upto }
}

fn register() -> Register {
    let mut register = Register::default();
    let standing = Standing { key: key().mark(), model: MODEL, have: have("i-1", 1, 9) };
    register.share = Some(standing);
    let li = register.of(person(1));
    (li.template_made, li.share) = (Some(at(10)), Some(newest(10, "t-1", What::Held)));
    register.of(person(2)).share = Some(newest(20, "t-1", What::Deleted));
    register.of(person(3)).share = Some(newest(30, "t-2", What::Refused));
    register
}

fn unsaid(register: &Register) -> Vec<PersonId> {
    let unsaid = |share: &Option<Newest>| share.as_ref().is_some_and(|known| known.unsaid);
    register.trainees.iter().filter(|(_, it)| unsaid(&it.share)).map(|(who, _)| *who).collect()
}

fn upto(register: &Register) -> u64 {
    register.share.as_ref().unwrap().have.upto
}

#[test]
fn a_moved_terminal_keeps_what_it_has_to_itself_and_begins_anew() {
    let mut moved = register();
    moved.of(person(4)).template_made = Some(at(40));
    assert!(books::place(&mut moved, key().mark(), MODEL, &"i-2".parse().unwrap(), [1; 16]));
    assert_eq!(upto(&moved), 0);
    assert!(unsaid(&moved).is_empty());
    assert!(moved.trainees.values().all(|it| it.share.as_ref().unwrap().what == What::Local));
    // Nor is it offered later.
    books::offer(&mut moved, &terminal("t-1"), [1; 32], &|_| true);
    assert!(unsaid(&moved).is_empty());
}

#[test]
fn a_shelf_that_was_lost_is_filled_again_and_another_key_says_everything_anew() {
    let mut same = register();
    assert!(!books::place(&mut same, key().mark(), MODEL, &institution(), [1; 16]));
    assert_eq!(same, register());
    let mut other = register();
    assert!(books::place(&mut other, key().mark(), MODEL, &institution(), [2; 16]));
    assert_eq!((unsaid(&other), upto(&other)), (vec![person(1), person(2)], 0));
    let mut other = register();
    books::begin(&mut other, [0; 8], MODEL, &|_| true);
    assert_eq!((unsaid(&other), upto(&other)), (vec![person(1), person(2)], 0));
    let mut same = register();
    books::begin(&mut same, key().mark(), MODEL, &|_| true);
    assert_eq!(same, register());
    // A gallery that lost somebody gets her again, and so does one of another model.
    let mut lost = register();
    books::begin(&mut lost, key().mark(), MODEL, &|_| false);
    assert_eq!((unsaid(&lost), upto(&lost)), (vec![], 0));
}

#[test]
fn only_who_agreed_to_the_text_in_force_is_offered() {
    let mut register = Register::default();
    for (n, text) in [(1, Some([1; 32])), (2, Some([2; 32])), (3, None)] {
        let trainee = register.of(person(n));
        trainee.template_made = Some(at(10));
        trainee.consent = text.map(|text| Consent { text, at: at(5) });
    }
    books::offer(&mut register, &terminal("t-1"), [1; 32], &|_| true);
    assert_eq!(unsaid(&register), [person(1)]);
    assert_eq!(register.of(person(1)).share.as_ref().unwrap().changed, at(10));
}

#[test]
fn who_was_refused_is_looked_at_again_when_somebody_is_deleted_and_old_deletions_are_forgotten() {
    let mut register = register();
    books::look_again(&mut register);
    assert_eq!((register.of(person(3)).share.clone(), upto(&register)), (None, 0));
    books::forget(&mut register, at(20));
    assert!(register.trainees.contains_key(&person(2)));
    books::forget(&mut register, at(21));
    assert_eq!(register.trainees.keys().copied().collect::<Vec<_>>(), [person(1)]);
    let mut cut_off = Register::default();
    cut_off.of(person(1)).share = Some(newest(1, "t-1", What::Deleted));
    assert_eq!(books::undone(&cut_off, &|_| true), [person(1)]);
    assert!(books::undone(&cut_off, &|_| false).is_empty());
}

// ---- when it is asked and said --------------------------------------------------------------

#[test]
fn it_asks_at_each_connection_waits_for_the_answer_and_sends_only_behind_it() {
    let mut post = Post::default();
    assert!(!post.may_ask(0));
    post.connected(Some(1), 100);
    assert!(post.may_ask(100) && !post.may_send(&person(1), at(1), 100));
    post.asked([1; 16], 100);
    assert!(!post.may_ask(200));
    assert!(!post.answers(&[2; 16]) && post.answers(&[1; 16]) && !post.answers(&[1; 16]));
    post.done(false, 300);
    assert!(post.may_send(&person(1), at(1), 300) && !post.may_ask(300));
    post.sent(person(1), at(1), 300);
    assert!(!post.may_send(&person(1), at(1), 301), "not twice in a row");
    assert!(post.may_send(&person(1), at(2), 301), "a newer change is another one");
    assert!(post.may_ask(10_300), "whether it has arrived");
    post.done(false, 301);
    assert!(!post.may_ask(10_299) && post.may_ask(10_300), "also when another answer comes before");
    post.hear(400);
    assert!(post.may_ask(400));
    // Another connection: all of it again.
    post.connected(Some(2), 500);
    assert!(post.may_ask(500) && !post.may_send(&person(1), at(1), 500));
}

#[test]
fn a_question_without_an_answer_is_asked_again() {
    let mut post = Post::default();
    post.connected(Some(1), 0);
    post.asked([1; 16], 0);
    assert!(!post.may_ask(29_999) && post.may_ask(30_000));
    post.connected(None, 40_000);
    assert!(!post.may_ask(100_000));
}

// ---- all of it together ---------------------------------------------------------------------

/// The templates of one terminal, with a rotation of its own.
struct Kiosk {
    register: Register,
    gallery: Gallery,
    exchange: Exchange,
    turn: Transform,
}

impl Kiosk {
    fn new(rotation: u8) -> Self {
        let gallery = Gallery::new(MODEL).with_transform([rotation; 32]);
        let exchange = Exchange::new(key(), &gallery, FLOATS, true);
        let turn = Transform::new([rotation; 32], FLOATS);
        Self { register: Register::default(), gallery, exchange, turn }
    }

    fn take(&mut self, parcels: &[Vec<u8>]) {
        let answer = Shared {
            terminal: terminal("t-9"),
            nonce: [0; 16],
            institution: institution(),
            epoch: [1; 16],
            upto: 0,
            more: false,
            parcels: parcels.iter().map(|bytes| ByteVec::from(bytes.clone())).collect(),
        };
        let fresh = sort(&mut self.register, &mut self.exchange, &answer, &self.gallery);
        let gallery = &self.gallery;
        for person in books::undone(&self.register, &|person| gallery.contains(person)) {
            self.gallery.remove(&person);
        }
        for Fresh { person, template, rank } in fresh {
            self.gallery.take(person, &template.floats, &self.turn).unwrap();
            self.register.of(person).share = Some(Newest::came(rank, What::Held));
        }
    }

    /// Who is here with which template, to a thousandth.
    fn people(&self) -> BTreeMap<PersonId, Vec<i32>> {
        let given = |person| {
            let bytes = self.gallery.give(&person, &self.turn).unwrap();
            let values = bytes.as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it));
            #[expect(clippy::cast_possible_truncation, reason = "between -1000 and 1000")]
            values.map(|value| (value * 1_000.0).round() as i32).collect()
        };
        self.gallery.persons().map(|person| (person, given(person))).collect()
    }
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_of_parcels_gives_the_same_gallery(
        changes in proptest::collection::vec((0_u8..4, 0_i64..6, any::<bool>(), 0_usize..8), 1..14),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 0..30),
        cut in 1_usize..5,
    ) {
        let parcels: Vec<_> = changes
            .iter()
            .map(|(who, changed, held, face)| {
                // At one moment, or seconds apart: a tie moves a change on by milliseconds.
                sealed(&inside(*who, held.then(|| template(*face))), *changed * 1_000)
            })
            .collect();
        // The same moment at the same place is one change: the first of those counts.
        let mut first = BTreeMap::new();
        for (change, parcel) in changes.iter().zip(&parcels) {
            first.entry((change.0, change.1, change.2)).or_insert(parcel.clone());
        }
        let parcels: Vec<_> = first.into_values().collect();
        let mut straight = Kiosk::new(1);
        straight.take(&parcels);
        let mut mixed = Kiosk::new(2);
        let mut again: Vec<_> = order.iter().map(|index| index.get(&parcels).clone()).collect();
        again.extend(parcels.iter().rev().cloned());
        again.chunks(cut).for_each(|some| mixed.take(some));
        prop_assert_eq!(straight.people(), mixed.people());
    }
}

/// What a terminal of the model knows, and the face that it holds.
type Knows = BTreeMap<u8, (Newest, Option<usize>)>;

/// As the centre's shelf does it: of one person the strictly later change, under a new number.
#[derive(Default)]
struct Centre {
    newest: u64,
    slots: BTreeMap<u8, (u64, Rank, Option<usize>)>,
}

impl Centre {
    fn put(&mut self, who: u8, rank: Rank, face: Option<usize>) {
        if self.slots.get(&who).is_none_or(|(_, before, _)| rank.changed > before.changed) {
            self.newest += 1;
            self.slots.insert(who, (self.newest, rank, face));
        }
    }
}

/// One exchange: everything behind the cursor is taken, and what is unsaid is said, unless it is lost.
fn exchange(knows: &mut Knows, upto: &mut u64, centre: &mut Centre, lost: bool) {
    let behind = *upto;
    for (who, (_, rank, face)) in centre.slots.iter().filter(|(_, slot)| slot.0 > behind) {
        let known = knows.get(who).map(|(known, _)| known);
        let here = knows.get(who).is_some_and(|(_, face)| face.is_some());
        match judge(known, here, rank) {
            Verdict::Newer => {
                let what = if rank.deleted { What::Deleted } else { What::Held };
                knows.insert(*who, (Newest::came(rank.clone(), what), *face));
            }
            Verdict::Same => knows.get_mut(who).unwrap().0.unsaid = false,
            Verdict::Older(known) => knows.get_mut(who).unwrap().0 = known,
            Verdict::Nothing => {}
        }
    }
    *upto = centre.newest;
    for (who, (known, face)) in knows.iter().filter(|(_, (known, _))| known.unsaid) {
        if !lost {
            centre.put(*who, known.rank(), *face);
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_done_where_all_terminals_end_with_the_same_people(
        steps in proptest::collection::vec((0_usize..3, 0_u8..3, 0_i64..4, 0_u8..5, any::<bool>()), 1..40),
    ) {
        let names = ["t-1", "t-2", "t-3"];
        let mut centre = Centre::default();
        let mut terminals: Vec<(Knows, u64)> = vec![Default::default(); 3];
        for (step, (place, who, now, act, lost)) in steps.into_iter().enumerate() {
            let (knows, upto) = &mut terminals[place];
            let what = match act {
                0 => What::Held,
                1 => What::Deleted,
                // It asks for everything again.
                2 => { *upto = 0; continue }
                _ => { exchange(knows, upto, &mut centre, lost); continue }
            };
            let before = knows.get(&who).map(|(known, _)| known);
            let change = Newest::change(before, at(now), &terminal(names[place]), what);
            knows.insert(who, (change, (what == What::Held).then_some(step)));
        }
        // Heal: everybody hears everything.
        for _ in 0..6 {
            for (knows, upto) in &mut terminals {
                exchange(knows, upto, &mut centre, false);
            }
        }
        let states: Vec<BTreeMap<u8, _>> = terminals
            .iter()
            .map(|(knows, _)| knows.iter().map(|(who, (it, face))| (*who, (it.rank(), *face))).collect())
            .collect();
        prop_assert_eq!(&states[0], &states[1]);
        prop_assert_eq!(&states[0], &states[2]);
        for (knows, _) in &terminals {
            prop_assert!(knows.values().all(|(known, _)| !known.unsaid));
        }
    }
}
