//! What comes of what is typed and chosen, and what the screen asks next.

use std::collections::BTreeMap;

use super::*;
use crate::terminal::Attendee;
use crate::terminal::register::Member;

const LI: PersonId = PersonId([1; 16]);
const WANG: PersonId = PersonId([2; 16]);
const TEACHER: PersonId = PersonId([9; 16]);

/// Li has a template, Wang a PIN.
struct Town {
    site: SitePlan,
    register: Register,
    consent: ConsentText,
    room: Vec<(PersonId, Standing)>,
}

impl Town {
    fn new() -> Self {
        let attendee = |name: &str, number: &str| Attendee {
            name: name.into(),
            number: number.into(),
            pin: None,
        };
        let people = [(LI, attendee("李娜", "1001")), (WANG, attendee("王小强", "1002"))];
        let mut register = Register::default();
        register.of(WANG).pin = Some(Verifier::new(&WANG, "2580", [1; 16]));
        let pin = Verifier::new(&TEACHER, "9173", [2; 16]);
        register.staff.insert(TEACHER, Member { number: "T1".into(), name: "陈老师".into(), pin });
        Self {
            site: SitePlan { people: BTreeMap::from(people), ..SitePlan::default() },
            register,
            consent: ConsentText::shipped(400),
            room: vec![(LI, Standing::In), (WANG, Standing::Missing)],
        }
    }

    fn known(&self) -> Known<'_> {
        Known {
            site: &self.site,
            register: &self.register,
            has_template: &|person| *person == LI,
            consent: &self.consent,
            evidence_days: None,
            room: &self.room,
            roll_minutes: None,
        }
    }

    /// What comes of saying all this, word by word.
    fn hear(&self, counter: &mut Counter, said: &[Said]) -> Act {
        let acts = said.iter().map(|said| counter.hear(said, &self.known(), 0, [3; 16]));
        acts.last().expect("something is said")
    }

    fn asked(&self, counter: &Counter) -> &'static str {
        counter.dialog(&self.known()).map_or("", |dialog| dialog.code)
    }
}

fn number(text: &str) -> Said {
    Said::Number(text.into())
}

fn typed(text: &str) -> Said {
    Said::Typed(text.into())
}

/// The staff is at the menu.
fn at_menu(town: &Town) -> Counter {
    let mut counter = Counter::default();
    assert_eq!(town.hear(&mut counter, &[Said::Staff, typed("T1"), typed("9173")]), Act::Nothing);
    assert_eq!(town.asked(&counter), "menu");
    counter
}

#[test]
fn who_has_a_template_is_looked_at_and_who_has_only_a_pin_is_asked_for_it_at_once() {
    let (town, mut counter) = (Town::new(), Counter::default());
    assert_eq!(town.hear(&mut counter, &[number("1001")]), Act::Nothing);
    assert_eq!((town.asked(&counter), counter.claim.holds(0)), ("", Some(LI)));
    assert_eq!(town.hear(&mut counter, &[number("1002")]), Act::Nothing);
    assert_eq!((town.asked(&counter), counter.claim.holds(0)), ("pin", None));
    let right = Unseen { person: WANG, staff: None, right: true };
    assert_eq!(town.hear(&mut counter, &[typed("2580")]), Act::Decide(right));
    assert_eq!(town.asked(&counter), "");
    let wrong = Unseen { right: false, ..right };
    assert_eq!(town.hear(&mut counter, &[number("1002"), typed("1111")]), Act::Decide(wrong));
}

#[test]
fn without_a_face_the_number_leads_to_the_pin_also_for_who_has_a_template() {
    let (mut town, mut counter) = (Town::new(), Counter::default());
    let told = town.hear(&mut counter, &[Said::WithoutFace, number("1001")]);
    assert_eq!(told, Act::Tell(words::no_pin_yet()));
    town.register.of(LI).pin = Some(Verifier::new(&LI, "8642", [1; 16]));
    let act = town.hear(&mut counter, &[Said::WithoutFace, number("1001"), typed("8642")]);
    assert_eq!(act, Act::Decide(Unseen { person: LI, staff: None, right: true }));
    let unknown = town.hear(&mut counter, &[Said::WithoutFace, number("7")]);
    assert_eq!(unknown, Act::Tell(words::no_such_number()));
}

#[test]
fn guessed_pin_is_locked_and_then_not_even_looked_at() {
    let (town, mut counter) = (Town::new(), Counter::default());
    for _ in 0..5 {
        town.hear(&mut counter, &[number("1002"), typed("0001")]);
    }
    let right = town.hear(&mut counter, &[number("1002"), typed("2580")]);
    assert_eq!(right, Act::Tell(words::locked()));
}

#[test]
fn nobody_comes_to_the_menu_without_number_and_pin_of_the_staff() {
    let (town, mut counter) = (Town::new(), Counter::default());
    let trainee = town.hear(&mut counter, &[Said::Staff, typed("1002")]);
    assert_eq!((trainee, town.asked(&counter)), (Act::Tell(words::no_such_number()), ""));
    let wrong = town.hear(&mut counter, &[Said::Staff, typed("T1"), typed("2580")]);
    assert_eq!((wrong, town.asked(&counter)), (Act::Tell(words::wrong_pin()), ""));
    for stray in [Said::Chose(menu::ENROL), Said::Chose(menu::CONFIRM), typed("9173")] {
        assert_eq!(town.hear(&mut counter, &[stray]), Act::Nothing);
        assert_eq!(town.asked(&counter), "");
    }
}

#[test]
fn staff_confirms_a_trainee_of_the_lesson_under_its_own_name() {
    let town = Town::new();
    let mut counter = at_menu(&town);
    let act = town.hear(&mut counter, &[Said::Chose(menu::CONFIRM), Said::Chose(1)]);
    assert_eq!(act, Act::Decide(Unseen { person: WANG, staff: Some(TEACHER), right: true }));
    assert_eq!(town.asked(&counter), "menu", "and can go on");
}

#[test]
fn face_is_enrolled_only_after_the_text_was_shown_and_agreed_to() {
    let town = Town::new();
    let mut counter = at_menu(&town);
    town.hear(&mut counter, &[Said::Chose(menu::ENROL), Said::Chose(1)]);
    let dialog = counter.dialog(&town.known()).unwrap();
    assert_eq!((dialog.code, dialog.text.len(), dialog.choices.len()), ("consent", 3, 2));
    assert_eq!(town.hear(&mut counter, &[Said::Chose(YES)]), Act::Enrol(WANG));
    assert_eq!((town.asked(&counter), counter.is_busy()), ("", false));
    counter.collected(0);
    assert_eq!(town.asked(&counter), "menu");
    // Who goes away in the middle gives it up.
    town.hear(&mut counter, &[Said::Chose(menu::ENROL), Said::Chose(1), Said::Chose(YES)]);
    assert!(!counter.tick(STAFF_MS - 1) && counter.tick(STAFF_MS));
    assert_eq!(town.asked(&counter), "");
}

#[test]
fn who_declines_chooses_a_pin_twice_and_a_poor_one_is_sent_back() {
    let town = Town::new();
    let mut counter = at_menu(&town);
    town.hear(&mut counter, &[Said::Chose(menu::ENROL), Said::Chose(0), Said::Chose(DECLINE)]);
    assert_eq!(town.asked(&counter), "new_pin");
    assert_eq!(town.hear(&mut counter, &[typed("1234")]), Act::Tell(words::poor_pin()));
    let unlike = town.hear(&mut counter, &[typed("8642"), typed("8643")]);
    assert_eq!(unlike, Act::Tell(words::unlike_pins()));
    assert!(counter.dialog(&town.known()).unwrap().note.is_some());
    let set = town.hear(&mut counter, &[typed("8642"), typed("8642")]);
    assert_eq!(set, Act::SetPin(LI, Verifier::new(&LI, "8642", [3; 16])));
}

#[test]
fn withdrawing_is_asked_once_more_and_concerns_those_with_a_template() {
    let town = Town::new();
    let mut counter = at_menu(&town);
    town.hear(&mut counter, &[Said::Chose(menu::WITHDRAW)]);
    let names: Vec<_> = counter.dialog(&town.known()).unwrap().choices;
    assert_eq!(names.iter().map(|choice| choice.text.zh.as_str()).collect::<Vec<_>>(), ["李*"]);
    assert_eq!(town.hear(&mut counter, &[Said::Chose(0)]), Act::Nothing);
    assert_eq!(town.hear(&mut counter, &[Said::Chose(YES)]), Act::Withdraw(LI));
}

#[test]
fn teacher_sees_who_is_in_with_the_missing_first_and_calls_the_roll() {
    let town = Town::new();
    let mut counter = at_menu(&town);
    town.hear(&mut counter, &[Said::Chose(menu::ROOM)]);
    let dialog = counter.dialog(&town.known()).unwrap();
    assert_eq!(dialog.text[0].zh, "应到 2，在场 1，未到 1，已离开 0");
    let rows: Vec<_> = dialog.choices.iter().map(|row| (row.text.zh.as_str(), row.look)).collect();
    assert_eq!(rows, [("课中点名", ""), ("王*强 未到", "missing"), ("李* 在场", "in")]);
    assert_eq!(town.hear(&mut counter, &[Said::Chose(menu::ROLL)]), Act::CallRoll);
}

#[test]
fn nothing_stays_open_for_the_next_in_the_queue() {
    let (town, mut counter) = (Town::new(), Counter::default());
    town.hear(&mut counter, &[number("1002")]);
    counter.tick(TRAINEE_MS);
    assert_eq!(town.asked(&counter), "");
    let mut counter = at_menu(&town);
    assert_eq!(town.hear(&mut counter, &[Said::Nothing]), Act::Nothing);
    assert_eq!(town.asked(&counter), "");
    let mut counter = at_menu(&town);
    town.hear(&mut counter, &[Said::Chose(menu::ROOM), Said::Nothing]);
    assert_eq!(town.asked(&counter), "menu", "one step back");
}
