//! What the link and the clock decide.

use super::clock::{Reading, SignedTime, Witnesses, judge};
use super::link::{Action, Alarm, Event, Link, Pace, Phase};
use crate::domain::{ClockDoubt, ClockQuality, TerminalId, Timestamp, Uptime};
use crate::journal::Standing;
use crate::record::{
    Receipt, SealedHash, SigningKey, TimeAnswer, Verdict, Wanted, seal_handover, seal_statement,
};

const NONCE: [u8; 16] = [5; 16];
const PACE: Pace = Pace {
    retry_ms_min: 100,
    retry_ms_max: 800,
    answer_ms_min: 1_000,
    answer_ms_max: 8_000,
    unanswered_batches_max: 2,
    ask_ms: 1_000_000,
    status_ms_min: 500,
};

fn terminal() -> TerminalId {
    "terminal-1".parse().unwrap()
}

fn centre_key() -> SigningKey {
    SigningKey::from_secret(&[9; 32])
}

fn standing(released: u64, appended: u64) -> Standing {
    Standing { kept_from: 1, released, appended, waiting: appended - released }
}

fn link(standing: Standing) -> Link {
    Link::new(terminal(), centre_key().verifying_key(), PACE, standing, [])
}

fn receipt(first: u64, last: u64) -> Receipt {
    Receipt {
        terminal: terminal(),
        first,
        last,
        hash: SealedHash([1; 32]),
        ledger_size: 1,
        at: Timestamp::from_ms(1),
        verdict: Verdict::Committed,
    }
}

fn answer(receipt: &Receipt) -> Event {
    Event::Answer(receipt.seal(&centre_key()))
}

fn online(standing: Standing) -> Link {
    let mut link = link(standing);
    link.step(Event::Plug, 0);
    link.step(Event::Connected { nonce: NONCE }, 0);
    assert_eq!(link.phase(), Phase::Online);
    link
}

fn offers(actions: &[Action]) -> Vec<(u64, u64)> {
    let ends = |action: &Action| match action {
        Action::Offer { seqs } => Some((*seqs.first().unwrap(), *seqs.last().unwrap())),
        Action::Connect
        | Action::HangUp
        | Action::Ask { .. }
        | Action::Tell { .. }
        | Action::Release(_)
        | Action::NoteTime { .. }
        | Action::Follow { .. }
        | Action::Raise(_) => None,
    };
    actions.iter().filter_map(ends).collect()
}

/// Every state × every event, legal or not, with the state that follows and the actions. Three
/// records wait; online, they are offered and without an answer.
#[test]
fn every_event_in_every_state_does_what_the_table_says() {
    type Make = fn() -> Link;
    let states: [(&str, Make); 4] = [
        ("unplugged", || link(standing(0, 3))),
        ("connecting", || {
            let mut link = link(standing(0, 3));
            link.step(Event::Plug, 0);
            link
        }),
        ("waiting", || {
            let mut link = link(standing(0, 3));
            link.step(Event::Plug, 0);
            link.step(Event::Lost, 0);
            link
        }),
        ("online", || online(standing(0, 3))),
    ];
    let wanted = seal_statement(&Wanted { terminal: terminal(), from: 2 }, &centre_key());
    let at = Timestamp::from_ms(77);
    let time = TimeAnswer { terminal: terminal(), nonce: NONCE, at, head: None };
    let time = seal_statement(&time, &centre_key());
    let released = Event::Released { receipt: receipt(1, 2), standing: standing(2, 3) };
    let next = SigningKey::from_secret(&[10; 32]).verifying_key();
    let handover = seal_handover(&next, at, &centre_key());
    let events: [(&str, Event); 14] = [
        ("plug", Event::Plug),
        ("unplug", Event::Unplug),
        ("connected", Event::Connected { nonce: NONCE }),
        ("lost", Event::Lost),
        ("journal grew", Event::Journal(standing(0, 4))),
        ("receipt", answer(&receipt(1, 2))),
        ("wanted", Event::Answer(wanted)),
        ("time", Event::Answer(time)),
        ("handover", Event::Answer(handover)),
        ("garbage", Event::Answer(vec![1, 2, 3])),
        ("released", released),
        ("not released", Event::NotReleased { receipt: receipt(1, 9) }),
        ("tick", Event::Tick { nonce: [6; 16] }),
        ("absent", Event::Absent { seqs: vec![2] }),
    ];
    let mut table = String::new();
    for (state, make) in states {
        for (name, event) in &events {
            let mut link = make();
            let actions = link.step(event.clone(), 400);
            let said: Vec<String> = actions.iter().map(told).collect();
            let said = if said.is_empty() { "nothing".into() } else { said.join(", ") };
            table += &format!("{state} + {name} = {}: {said}\n", phase(&link));
        }
    }
    assert_eq!(table, include_str!("link_table.txt"), "\n{table}");
}

fn phase(link: &Link) -> String {
    match link.phase() {
        Phase::Unplugged => "unplugged".into(),
        Phase::Connecting => "connecting".into(),
        Phase::Waiting { retry_at_ms } => format!("waiting until {retry_at_ms}"),
        Phase::Online => "online".into(),
    }
}

fn told(action: &Action) -> String {
    match action {
        Action::Connect => "connect".into(),
        Action::HangUp => "hang up".into(),
        Action::Ask { .. } => "ask".into(),
        Action::Tell { waiting } => format!("tell {waiting} waiting"),
        Action::Offer { seqs } => format!("offer {seqs:?}"),
        Action::Release(receipt) => format!("release {}-{}", receipt.first, receipt.last),
        Action::Follow { .. } => "follow".into(),
        Action::NoteTime { at } => format!("note {}", at.as_ms()),
        Action::Raise(Alarm::Refused { seq, code }) => format!("raise refused {seq} {code}"),
        Action::Raise(Alarm::StrangeReceipt { seq }) => format!("raise strange {seq}"),
    }
}

#[test]
fn after_a_handover_the_next_key_frees_and_the_one_before_frees_nothing() {
    let next = SigningKey::from_secret(&[10; 32]);
    let handover = seal_handover(&next.verifying_key(), Timestamp::from_ms(1), &centre_key());
    let mut link = online(standing(0, 3));
    let by_next = |last| Event::Answer(receipt(1, last).seal(&next));
    assert_eq!(link.step(by_next(2), 1), [], "nobody has said that this is the centre's key");
    assert_eq!(link.garbage(), 1);
    let told = link.step(Event::Answer(handover.clone()), 2);
    assert_eq!(told, [Action::Follow { handover: handover.clone() }]);
    assert_eq!(link.step(Event::Answer(handover), 3), [], "it comes with every answer");
    assert_eq!(link.step(by_next(2), 4), [Action::Release(receipt(1, 2))]);
    assert_eq!(link.garbage(), 1);
    assert_eq!(link.step(answer(&receipt(1, 3)), 5), [], "the key of before frees nothing more");
    assert_eq!(link.garbage(), 2);
}

#[test]
fn at_most_the_window_is_without_an_answer_and_each_batch_has_its_bound() {
    let mut link = link(standing(0, 1_000));
    link.step(Event::Plug, 0);
    let actions = link.step(Event::Connected { nonce: NONCE }, 0);
    assert_eq!(offers(&actions), [(1, 64), (65, 128)]);
    assert_eq!(offers(&link.step(Event::Journal(standing(0, 1_001)), 1)), []);
    let released = Event::Released { receipt: receipt(1, 64), standing: standing(64, 1_001) };
    assert_eq!(offers(&link.step(released, 2)), [(129, 192)]);
}

#[test]
fn a_batch_that_is_answered_in_parts_frees_its_place_when_all_parts_have_come() {
    let mut link = online(standing(0, 200));
    let released = Event::Released { receipt: receipt(1, 40), standing: standing(40, 200) };
    assert_eq!(offers(&link.step(released, 1)), []);
    let mut refused = receipt(41, 41);
    refused.verdict = Verdict::Refused { code: "altered".into() };
    let actions = link.step(Event::Released { receipt: refused, standing: standing(41, 200) }, 2);
    let alarm = Alarm::Refused { seq: 41, code: "altered".into() };
    assert_eq!(actions, [Action::Raise(alarm)], "a refusal is visible");
    let released = Event::Released { receipt: receipt(42, 64), standing: standing(64, 200) };
    assert_eq!(offers(&link.step(released, 3)), [(129, 192)]);
}

#[test]
fn without_a_receipt_all_is_offered_again_after_waits_that_double() {
    let mut link = online(standing(0, 100));
    let mut now_ms = 0;
    for wait_ms in [1_000, 2_000, 4_000, 8_000, 8_000] {
        assert_eq!(link.wake_at_ms(), Some(now_ms + wait_ms));
        let early = link.step(Event::Tick { nonce: NONCE }, now_ms + wait_ms - 1);
        assert_eq!(offers(&early), []);
        now_ms += wait_ms;
        let actions = link.step(Event::Tick { nonce: NONCE }, now_ms);
        assert_eq!(offers(&actions), [(1, 64), (65, 100)]);
    }
    let released = Event::Released { receipt: receipt(1, 64), standing: standing(64, 100) };
    link.step(released, now_ms);
    let actions = link.step(Event::Tick { nonce: NONCE }, now_ms + 8_000);
    assert_eq!(offers(&actions), [(65, 100)], "only what is still without an answer");
}

#[test]
fn after_a_lost_connection_everything_without_an_answer_is_offered_again() {
    let mut link = online(standing(0, 100));
    link.step(Event::Released { receipt: receipt(1, 64), standing: standing(64, 100) }, 1);
    link.step(Event::Lost, 2);
    assert_eq!(link.phase(), Phase::Waiting { retry_at_ms: 102 });
    let actions = link.step(Event::Tick { nonce: NONCE }, 102);
    assert_eq!(actions, [Action::Connect]);
    assert_eq!(offers(&link.step(Event::Connected { nonce: NONCE }, 103)), [(65, 100)]);
}

#[test]
fn the_wait_between_attempts_to_connect_doubles_up_to_its_bound() {
    let mut link = link(standing(0, 0));
    link.step(Event::Plug, 0);
    let mut now_ms = 0;
    for wait_ms in [100, 200, 400, 800, 800] {
        link.step(Event::Lost, now_ms);
        now_ms += wait_ms;
        assert_eq!(link.phase(), Phase::Waiting { retry_at_ms: now_ms });
        assert_eq!(link.step(Event::Tick { nonce: NONCE }, now_ms), [Action::Connect]);
    }
}

#[test]
fn a_connection_that_does_not_last_is_no_success() {
    let mut link = link(standing(0, 0));
    link.step(Event::Plug, 0);
    let mut now_ms = 0;
    for (lasts_ms, wait_ms) in [(50, 100), (50, 200), (50, 400), (5_000, 100), (50, 200)] {
        link.step(Event::Connected { nonce: NONCE }, now_ms);
        now_ms += lasts_ms;
        link.step(Event::Lost, now_ms);
        now_ms += wait_ms;
        assert_eq!(link.phase(), Phase::Waiting { retry_at_ms: now_ms }, "{lasts_ms}");
        link.step(Event::Tick { nonce: NONCE }, now_ms);
    }
}

#[test]
fn what_the_journal_has_not_needs_no_answer() {
    let mut link = online(standing(90, 90));
    let wanted = Wanted { terminal: terminal(), from: 1 };
    let actions = link.step(Event::Answer(seal_statement(&wanted, &centre_key())), 1);
    assert_eq!(offers(&actions), [(1, 64), (65, 90)]);
    // Numbers 2 to 89 are stated as lost.
    let actions = link.step(Event::Absent { seqs: (2..=64).collect() }, 2);
    assert_eq!(offers(&actions), []);
    link.step(Event::Absent { seqs: (65..=89).collect() }, 2);
    link.step(Event::Released { receipt: receipt(1, 1), standing: standing(90, 90) }, 3);
    link.step(Event::Released { receipt: receipt(90, 90), standing: standing(90, 90) }, 4);
    assert_eq!(offers(&link.step(Event::Tick { nonce: NONCE }, 100_000)), [], "all is answered");
}

#[test]
fn what_the_centre_wants_again_is_offered_although_it_was_released() {
    let mut link = online(standing(90, 90));
    let wanted = Wanted { terminal: terminal(), from: 11 };
    let actions = link.step(Event::Answer(seal_statement(&wanted, &centre_key())), 1);
    assert_eq!(offers(&actions), [(11, 74), (75, 90)]);
    // An unbelievable number asks for nothing.
    let wanted = Wanted { terminal: terminal(), from: u64::MAX };
    let actions = link.step(Event::Answer(seal_statement(&wanted, &centre_key())), 2);
    assert_eq!(offers(&actions), []);
    // What is no longer kept cannot be offered; what is kept is.
    let standing = Standing { kept_from: 80, ..standing(90, 90) };
    link.step(Event::Journal(standing), 3);
    let wanted = Wanted { terminal: terminal(), from: 0 };
    let actions = link.step(Event::Answer(seal_statement(&wanted, &centre_key())), 4);
    assert_eq!(offers(&actions), [(80, 90)]);
}

#[test]
fn a_record_refused_out_of_order_is_not_offered_again() {
    let link = Link::new(terminal(), centre_key().verifying_key(), PACE, standing(0, 4), [2, 3]);
    let mut link = link;
    link.step(Event::Plug, 0);
    let actions = link.step(Event::Connected { nonce: NONCE }, 0);
    assert!(actions.contains(&Action::Offer { seqs: vec![1, 4] }), "{actions:?}");
}

#[test]
fn answers_that_are_not_signed_by_the_centre_for_this_terminal_are_counted_and_ignored() {
    let mut link = online(standing(0, 3));
    let other_key = SigningKey::from_secret(&[8; 32]);
    let elsewhere = Receipt { terminal: "terminal-2".parse().unwrap(), ..receipt(1, 3) };
    let at = Timestamp::from_ms(5);
    let stale = TimeAnswer { terminal: terminal(), nonce: [0; 16], at, head: None };
    let mut altered = receipt(1, 3).seal(&centre_key());
    *altered.last_mut().unwrap() ^= 1;
    let lies = [
        receipt(1, 3).seal(&other_key),
        elsewhere.seal(&centre_key()),
        seal_statement(&stale, &centre_key()),
        altered,
        vec![0; 100_000],
        Vec::new(),
    ];
    for (count, lie) in (1..).zip(lies) {
        assert_eq!(link.step(Event::Answer(lie), 1), []);
        assert_eq!(link.garbage(), count);
    }
}

#[test]
fn an_answer_to_the_question_for_the_time_is_taken_once() {
    let mut link = online(standing(0, 0));
    let at = Timestamp::from_ms(1_234);
    let answer = TimeAnswer { terminal: terminal(), nonce: NONCE, at, head: None };
    let answer = Event::Answer(seal_statement(&answer, &centre_key()));
    assert_eq!(link.step(answer.clone(), 1), [Action::NoteTime { at }]);
    assert_eq!(link.step(answer, 2), []);
    assert_eq!(link.garbage(), 1);
}

#[test]
fn a_centre_that_knows_less_than_its_own_receipts_is_offered_all_of_it_again() {
    let answer = |head| {
        let at = Timestamp::from_ms(1);
        let answer = TimeAnswer { terminal: terminal(), nonce: NONCE, at, head };
        Event::Answer(seal_statement(&answer, &centre_key()))
    };
    for (head, expected) in
        [(Some(10), vec![(11, 74), (75, 90)]), (Some(90), vec![]), (None, vec![])]
    {
        let mut link = online(standing(90, 90));
        assert_eq!(offers(&link.step(answer(head), 1)), expected, "{head:?}");
    }
    // What was released after the question does not count: the answer may be older.
    let mut link = online(standing(0, 3));
    link.step(Event::Released { receipt: receipt(1, 3), standing: standing(3, 3) }, 1);
    assert_eq!(offers(&link.step(answer(Some(0)), 2)), []);
}

#[test]
fn the_status_is_told_when_it_has_changed_but_not_too_often() {
    let mut link = online(standing(0, 0));
    link.step(Event::Journal(standing(0, 1)), 10);
    assert_eq!(link.wake_at_ms(), Some(500));
    assert_eq!(link.step(Event::Tick { nonce: NONCE }, 499), []);
    let actions = link.step(Event::Tick { nonce: NONCE }, 500);
    assert_eq!(actions, [Action::Tell { waiting: 1 }]);
}

#[test]
fn a_clock_is_believed_as_far_as_its_witnesses_allow() {
    use ClockDoubt::{BeforeOwnRecord, BeforeSigned, Moved, OffSigned};
    use ClockQuality::{Holding, Synced};
    let at = |ms: i64| Timestamp::from_ms(1_000_000 + ms);
    let up = Uptime::from_ms;
    let began = Reading { wall: at(0), uptime: up(0) };
    let alone = Witnesses { newest_signed: None, newest_own: None, began, answer: None };
    let signed = |ms| Witnesses { newest_signed: Some(at(ms)), ..alone };
    let own = |ms| Witnesses { newest_own: Some(at(ms)), ..alone };
    // The centre signed 0 at some moment between uptime 50 and uptime 60.
    let answer = Some(SignedTime { at: at(0), asked: up(50), answered: up(60) });
    let answered = Witnesses { answer, ..signed(0) };
    let cases = [
        ("nothing is known", at(0), up(0), alone, Ok(Holding)),
        ("just within the tolerance of a signed time", at(0), up(0), signed(100), Ok(Holding)),
        ("earlier than a signed time", at(0), up(0), signed(101), Err(BeforeSigned)),
        ("just within the tolerance of its record", at(0), up(0), own(100), Ok(Holding)),
        ("earlier than its own record", at(0), up(0), own(101), Err(BeforeOwnRecord)),
        (
            "both",
            at(0),
            up(0),
            Witnesses { newest_own: Some(at(999)), ..signed(999) },
            Err(BeforeSigned),
        ),
        ("ran evenly", at(5_100), up(5_000), alone, Ok(Holding)),
        ("set forward while running", at(5_101), up(5_000), alone, Err(Moved)),
        ("set back while running", at(4_899), up(5_000), alone, Err(Moved)),
        ("agrees with the answer", at(1_000), up(1_060), answered, Ok(Synced)),
        ("earliest that agrees", at(900), up(1_060), answered, Ok(Synced)),
        ("earlier than the answer", at(899), up(1_060), answered, Err(OffSigned)),
        ("latest that agrees", at(1_110), up(1_060), answered, Ok(Synced)),
        ("later than the answer", at(1_111), up(1_060), answered, Err(OffSigned)),
        // A clock that was ahead and has been set right: the centre's word outweighs its own.
        (
            "set right",
            at(1_000),
            up(1_060),
            Witnesses { newest_own: Some(at(9_999)), ..answered },
            Ok(Synced),
        ),
        // Later receipts have shown a later time: the answer of this boot cannot excuse that.
        (
            "later receipts",
            at(1_000),
            up(1_060),
            Witnesses { answer, ..signed(5_000) },
            Err(BeforeSigned),
        ),
        // Any clock may show anything: no sum overflows.
        ("the end of time", Timestamp::from_ms(i64::MAX), up(0), own(i64::MIN), Err(Moved)),
        ("its beginning", Timestamp::from_ms(i64::MIN), up(u64::MAX), alone, Err(Moved)),
    ];
    for (what, wall, uptime, known, expected) in cases {
        assert_eq!(judge(Reading { wall, uptime }, &known, 100), expected, "{what}");
    }
}
