use super::*;
use crate::collector::people::{Change, Tag, roster_scope, teacher_scope};
use crate::domain::{
    Bilingual, ClassId, Employment, Fact, GeoPoint, Joined, LeaveReason, Left, Lesson,
    LessonDetails, Policy, Qualification, RollOrder, State, Status, Subject, Teacher,
};
use crate::ledger::{Body, Entry};
use crate::record::dispatch::{Ordered, Suspension, open_dispatch};
use crate::record::{Opening, ReadingKey};

fn at(time: &str) -> Timestamp {
    Timestamp::parse_shanghai(time).unwrap()
}

/// A Monday, in the middle of a lesson.
fn monday() -> Timestamp {
    at("2026-03-02 09:00")
}

fn opening(n: u8) -> Opening {
    Opening { salt: [n; 32], person: PersonId([n; 16]) }
}

fn class() -> ClassId {
    "cook-a".parse().unwrap()
}

fn t1() -> TerminalId {
    "t-1".parse().unwrap()
}

fn lesson(id: &str, site: &str, starts: &str, ends: &str) -> Fact {
    Fact::Lesson(Lesson {
        id: id.parse().unwrap(),
        class: class(),
        site: site.parse().unwrap(),
        starts: at(starts),
        ends: at(ends),
    })
}

fn joined(n: u8) -> Fact {
    Fact::Joined(Joined { class: class(), member: opening(n).commitment().0 })
}

fn status(of: Subject, state: State, from: &str, until: Option<&str>) -> Fact {
    Fact::Status(Status { of, state, from: at(from), until: until.map(at), basis: None })
}

/// An institution with a site, a terminal, a class of two, its teacher, and a lesson today.
fn facts() -> Vec<Fact> {
    let text = || Bilingual::new("名", "name");
    let institution: crate::domain::InstitutionId = "i-1".parse().unwrap();
    let site: crate::domain::SiteId = "s-1".parse().unwrap();
    let place = GeoPoint { latitude_e6: 0, longitude_e6: 0 };
    vec![
        Fact::Institution { id: institution.clone(), name: text() },
        Fact::Site {
            id: site.clone(),
            institution: institution.clone(),
            name: text(),
            town: text(),
            place,
        },
        Fact::Terminal {
            id: t1(),
            site,
            key: SigningKey::from_secret(&[1; 32]).verifying_key().to_bytes(),
        },
        Fact::Teacher(Teacher {
            id: "t01".parse().unwrap(),
            institution: institution.clone(),
            person: opening(9).commitment().0,
            employment: Employment::FullTime,
            qualification: Qualification::Trade,
        }),
        Fact::Class { id: class(), institution, name: text(), persons: 2, roster: [0; 32] },
        joined(1),
        joined(2),
        lesson("today", "s-1", "2026-03-02 08:30", "2026-03-02 11:30"),
        Fact::LessonDetails(LessonDetails {
            lesson: "today".parse().unwrap(),
            teacher: Some("t01".parse().unwrap()),
            kind: None,
            mode: None,
        }),
    ]
}

fn entries(facts: impl IntoIterator<Item = Fact>) -> Vec<Entry> {
    let entry = |fact| Entry { index: 0, committed_at: monday(), body: Body::Fact(fact) };
    facts.into_iter().map(entry).collect()
}

fn drafted(more: impl IntoIterator<Item = Fact>) -> Draft {
    let mut registry = Registry::default();
    entries(facts().into_iter().chain(more)).iter().for_each(|entry| registry.apply(entry));
    draft(&registry, &t1(), Window::on(monday(), 14)).unwrap()
}

fn ids(draft: &Draft) -> Vec<&str> {
    draft.lessons.iter().map(|(lesson, _)| lesson.id.as_str()).collect()
}

#[test]
fn a_draft_has_the_lessons_of_its_site_from_yesterday_to_twice_its_time() {
    let draft = drafted([
        lesson("elsewhere", "s-2", "2026-03-02 08:30", "2026-03-02 11:30"),
        lesson("long-over", "s-1", "2026-02-28 20:00", "2026-02-28 23:59"),
        lesson("night", "s-1", "2026-02-28 23:00", "2026-03-01 01:00"),
        lesson("last", "s-1", "2026-03-30 23:59", "2026-03-31 02:00"),
        lesson("too-far", "s-1", "2026-03-31 00:00", "2026-03-31 02:00"),
    ]);
    assert_eq!(ids(&draft), ["night", "today", "last"]);
    let teachers: Vec<_> = draft.lessons.iter().map(|(_, teacher)| *teacher).collect();
    assert_eq!(teachers, [None, Some(opening(9).commitment().0), None]);
    let window = Window::on(monday(), 14);
    assert_eq!(window.expires, at("2026-03-17 00:00"));
    assert_eq!(Window::on(at("2026-03-02 23:59"), 14), window, "it says the same all day long");
}

#[test]
fn a_lesson_that_was_moved_stands_once_and_one_that_was_cancelled_not_at_all() {
    let moved = lesson("today", "s-1", "2026-03-02 14:00", "2026-03-02 17:00");
    let draft = drafted([moved]);
    assert_eq!(ids(&draft), ["today"]);
    assert_eq!(draft.lessons[0].0.starts, at("2026-03-02 14:00"));
    let away = drafted([lesson("today", "s-2", "2026-03-02 14:00", "2026-03-02 17:00")]);
    assert!(away.lessons.is_empty() && away.rosters.is_empty());
    let of = Subject::Lesson("today".parse().unwrap());
    let cancelled = status(of.clone(), State::Cancelled, "2026-03-01 18:00", None);
    assert!(drafted([cancelled.clone()]).lessons.is_empty());
    let after_all = status(of, State::Resumed, "2026-03-02 07:00", None);
    assert_eq!(ids(&drafted([cancelled, after_all])), ["today"]);
}

#[test]
fn who_has_left_is_gone_and_a_class_without_anybody_has_no_lesson() {
    let left = |n: u8| {
        let member = opening(n).commitment().0;
        Fact::Left(Left { class: class(), member, reason: LeaveReason::Moved })
    };
    assert_eq!(drafted([left(1)]).rosters[&class()], [opening(2).commitment().0]);
    let nobody = drafted([left(1), left(2)]);
    assert!(nobody.rosters.is_empty() && nobody.lessons.is_empty());
}

#[test]
fn suspensions_last_until_their_term_or_the_next_state_and_say_whom_they_are_about() {
    let [institution, site, of_class, teacher] = [
        Subject::Institution("i-1".parse().unwrap()),
        Subject::Site("s-1".parse().unwrap()),
        Subject::Class(class()),
        Subject::Teacher("t01".parse().unwrap()),
    ];
    let draft = drafted([
        status(institution.clone(), State::Suspended, "2026-01-01 00:00", None),
        status(institution, State::Resumed, "2026-02-01 00:00", None),
        status(site.clone(), State::Suspended, "2026-03-01 00:00", Some("2026-04-01 00:00")),
        status(site.clone(), State::Resumed, "2026-03-10 00:00", None),
        status(site, State::SiteVerified, "2026-03-05 00:00", None),
        status(of_class, State::Suspended, "2026-03-02 00:00", Some("2026-03-03 00:00")),
        status(teacher, State::Suspended, "2026-03-04 00:00", None),
    ]);
    let suspension = |from, until: Option<&str>| Suspension {
        from: at(from),
        until: until.map(at),
        class: None,
        lesson: None,
    };
    let of_lesson = suspension("2026-03-04 00:00", None);
    assert_eq!(
        draft.suspensions,
        [
            suspension("2026-03-01 00:00", Some("2026-03-10 00:00")),
            Suspension {
                class: Some(class()),
                ..suspension("2026-03-02 00:00", Some("2026-03-03 00:00"))
            },
            Suspension { lesson: Some("today".parse().unwrap()), ..of_lesson },
        ]
    );
}

struct Office {
    folder: tempfile::TempDir,
    projection: Projection,
    roll: Roll,
}

impl Office {
    /// The facts are stated, the people known, and the terminal's reading key bound.
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut people = People::create(folder.path()).unwrap();
        let person = |n: u8, name: &str, scope: String| {
            let (id, name, tag) = (opening(n).person, name.to_owned(), Tag([n; 32]));
            [Change::Person { id, name, tag }, Change::Opening { scope, opening: opening(n) }]
        };
        let changes = [
            person(1, "李娜", roster_scope(&class())),
            person(2, "王强", roster_scope(&class())),
            person(9, "赵老师", teacher_scope(&"t01".parse().unwrap())),
        ];
        people.keep(&changes.concat()).unwrap();
        let office = Self { folder, projection: Projection::default(), roll: Roll::default() };
        office.state(facts());
        office.bind(3);
        office
    }

    fn state(&self, facts: impl IntoIterator<Item = Fact>) {
        let entries = entries(facts);
        self.projection.take(&entries);
        self.roll.take(&entries);
    }

    fn notes(&self) -> Notes {
        Notes::open(self.folder.path().join("enrolment")).unwrap()
    }

    fn bind(&self, reading: u8) {
        let key = SigningKey::from_secret(&[1; 32]).verifying_key();
        let bound = crate::collector::enrol::Bound {
            record: key,
            tls: vec![key],
            reading: vec![ReadingKey::from_secret(&[reading; 32]).public()],
            site: "s-1".parse().unwrap(),
            replaces: None,
            at: monday(),
            authority: None,
        };
        self.notes().keep_bound(&t1(), &bound).unwrap();
        self.roll.note_change();
    }

    fn dispatcher(&self, receipt: u8) -> Dispatcher {
        Dispatcher::new(Parts {
            projection: self.projection.clone(),
            roll: self.roll.clone(),
            notes: self.notes(),
            people: People::open(self.folder.path()).unwrap(),
            folder: self.folder.path().join("dispatch"),
            receipt: SigningKey::from_secret(&[receipt; 32]),
            policy: Policy::sichuan_2025().text().to_owned(),
            valid_days: 14,
        })
        .unwrap()
    }
}

fn read(dispatcher: &Dispatcher, reading: u8) -> Dispatch {
    let kept = dispatcher.kept(&t1()).unwrap().unwrap();
    let key = dispatcher.parts.receipt.verifying_key();
    open_dispatch(&kept.bytes, &t1(), &ReadingKey::from_secret(&[reading; 32]), &[key]).unwrap()
}

#[test]
fn a_dispatch_names_everybody_and_is_made_anew_when_something_changed_and_once_a_day() {
    let office = Office::open();
    let mut dispatcher = office.dispatcher(5);
    let mut version_at = |time: Timestamp| {
        dispatcher.look(time).unwrap();
        read(&dispatcher, 3)
    };
    let first = version_at(monday());
    let names: Vec<&str> = first.people.iter().map(|known| known.name.as_str()).collect();
    assert_eq!(names, ["李娜", "王强", "赵老师"]);
    assert_eq!(first.lessons[0].teacher, Some(PersonId([9; 16])));
    assert_eq!(first.rosters[0].people, [PersonId([1; 16]), PersonId([2; 16])]);
    assert_eq!(first.version, 1_772_413_200_000, "by the clock");
    // Nothing happened; a tick; a status of a stranger.
    assert_eq!(version_at(monday().plus_ms(1)).version, first.version);
    office.state([Fact::Tick]);
    let other = Subject::Site("s-9".parse().unwrap());
    office.state([status(other, State::Suspended, "2026-03-01 00:00", None)]);
    assert_eq!(version_at(monday().plus_ms(2)).version, first.version);
    // Erased by another process.
    People::open(office.folder.path()).unwrap().erase(PersonId([1; 16])).unwrap();
    let second = version_at(monday().plus_ms(3));
    assert_eq!((second.version, second.people.len()), (first.version + 3, 2));
    assert_eq!(second.rosters[0].people, [PersonId([2; 16])]);
    let tomorrow = version_at(monday().plus_ms(86_400_000));
    assert_eq!(tomorrow.expires.ms_since(first.expires), 86_400_000);
}

#[test]
fn versions_only_rise_though_the_clock_goes_back_or_the_folder_is_lost() {
    let office = Office::open();
    let mut dispatcher = office.dispatcher(5);
    dispatcher.look(monday()).unwrap();
    let first = read(&dispatcher, 3).version;
    let mut early = office.dispatcher(5);
    early.look(monday().plus_ms(-3 * 86_400_000)).unwrap();
    assert_eq!(read(&early, 3).version, first + 1);
    std::fs::remove_dir_all(office.folder.path().join("dispatch")).unwrap();
    let mut late = office.dispatcher(5);
    late.look(monday().plus_ms(60_000)).unwrap();
    assert!(read(&late, 3).version > first + 1);
}

#[test]
fn another_reading_key_and_another_receipt_key_need_another_dispatch() {
    let office = Office::open();
    let mut dispatcher = office.dispatcher(5);
    dispatcher.look(monday()).unwrap();
    let first = read(&dispatcher, 3).version;
    office.bind(4);
    dispatcher.look(monday()).unwrap();
    let second = read(&dispatcher, 4).version;
    assert!(second > first);
    let mut renewed = office.dispatcher(6);
    renewed.look(monday()).unwrap();
    assert!(read(&renewed, 4).version > second);
}

#[test]
fn an_ordered_roll_call_stands_in_the_next_dispatch_and_is_gone_the_day_after_tomorrow() {
    let office = Office::open();
    let mut dispatcher = office.dispatcher(5);
    dispatcher.look(monday()).unwrap();
    let before = read(&dispatcher, 3);
    assert_eq!(before.orders, None);
    office.state([Fact::RollOrdered(RollOrder {
        order: [9; 32],
        terminal: t1(),
        lesson: "today".parse().unwrap(),
        minutes: 10,
        by: "示例监管科".into(),
    })]);
    dispatcher.look(monday()).unwrap();
    let after = read(&dispatcher, 3);
    assert!(after.version > before.version);
    let lesson = "today".parse().unwrap();
    let ordered = Ordered { order: [9; 32], lesson, at: monday(), minutes: 10 };
    assert_eq!(after.orders, Some(vec![ordered]));
    assert!(after.spot_seed.is_some() && after.spot_seed == before.spot_seed);
    dispatcher.look(monday().plus_ms(2 * 86_400_000)).unwrap();
    assert_eq!(read(&dispatcher, 3).orders, None);
}

#[test]
fn a_card_is_sent_unless_two_people_have_the_same() {
    let office = Office::open();
    let mut dispatcher = office.dispatcher(5);
    let card = |n: u8, card: &str| Change::Card { person: PersonId([n; 16]), card: card.into() };
    let mut numbers = |changes: &[Change]| -> Vec<Option<String>> {
        People::open(office.folder.path()).unwrap().keep(changes).unwrap();
        dispatcher.look(monday()).unwrap();
        read(&dispatcher, 3).people.into_iter().map(|known| known.number).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(numbers(&[card(1, "7"), card(9, "8")]), [some("7"), None, some("8")]);
    assert_eq!(numbers(&[card(2, "7")]), [None, None, some("8")]);
    assert_eq!(numbers(&[card(2, "9")]), [some("7"), some("9"), some("8")]);
}

#[test]
fn who_is_revoked_or_names_no_reading_key_gets_none() {
    let office = Office::open();
    let mut dispatcher = office.dispatcher(5);
    office.state([Fact::Revocation { id: t1(), reason: "stolen".into() }]);
    dispatcher.look(monday()).unwrap();
    assert_eq!(dispatcher.kept(&t1()).unwrap(), None);
    assert_eq!(dispatcher.issue(&"t-2".parse().unwrap(), monday()).unwrap(), None);
}
