use super::*;

const HOUR_MS: i64 = 3_600_000;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_ms(hours * HOUR_MS)
}

fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

fn known(n: u8, number: &str) -> Known {
    let number = (!number.is_empty()).then(|| number.to_owned());
    Known { id: person(n), name: format!("学员{n}"), number, pin: None }
}

fn lesson(id: &str) -> Taught {
    let teacher = Some(person(9));
    let class = "cook-a".parse().unwrap();
    Taught { id: id.parse().unwrap(), class, starts: at(100), ends: at(103), teacher }
}

fn dispatch() -> Dispatch {
    Dispatch {
        terminal: "t-101".parse().unwrap(),
        version: 7,
        issued: at(96),
        expires: at(432),
        site: "huaxin-1".parse().unwrap(),
        lessons: vec![lesson("cook-a-1")],
        rosters: vec![Roster {
            class: "cook-a".parse().unwrap(),
            people: vec![person(1), person(2)],
        }],
        people: vec![known(1, "20260001"), known(2, ""), known(9, "")],
        suspensions: vec![Suspension { from: at(200), until: None, class: None, lesson: None }],
        policy: "name = \"test\"".into(),
        spot_seed: Some([5; 32]),
        orders: Some(vec![Ordered {
            order: [6; 32],
            lesson: "cook-a-1".parse().unwrap(),
            at: at(120),
            minutes: 10,
        }]),
    }
}

fn centre() -> SigningKey {
    SigningKey::from_secret(&[2; 32])
}

fn reading() -> ReadingKey {
    ReadingKey::from_secret(&[3; 32])
}

fn sealed(dispatch: &Dispatch) -> Vec<u8> {
    seal_dispatch(dispatch, &centre(), &reading().public(), [4; 32]).unwrap()
}

fn opened(bytes: &[u8]) -> Result<Dispatch, DispatchError> {
    let centre = [centre().verifying_key()];
    open_dispatch(bytes, &"t-101".parse().unwrap(), &reading(), &centre)
}

#[test]
fn its_terminal_reads_what_the_centre_wrote() {
    let dispatch = dispatch();
    assert_eq!(opened(&sealed(&dispatch)), Ok(dispatch));
}

#[test]
fn nothing_of_it_stands_readable_on_the_way() {
    let bytes = sealed(&dispatch());
    for word in ["学员1", "20260001", "cook-a", "huaxin"] {
        assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
    }
}

#[test]
fn another_terminal_cannot_read_it_and_is_told_whose_it_is() {
    let (bytes, centre) = (sealed(&dispatch()), [centre().verifying_key()]);
    let other: TerminalId = "t-102".parse().unwrap();
    let refused = open_dispatch(&bytes, &other, &ReadingKey::from_secret(&[5; 32]), &centre);
    assert_eq!(refused, Err(DispatchError::Other { found: "t-101".parse().unwrap() }));
    // Nor under a name that is not its own.
    let own = "t-101".parse().unwrap();
    let refused = open_dispatch(&bytes, &own, &ReadingKey::from_secret(&[5; 32]), &centre);
    assert_eq!(refused, Err(DispatchError::Unreadable));
}

#[test]
fn one_changed_bit_anywhere_is_refused() {
    let bytes = sealed(&dispatch());
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(opened(&changed).is_err(), "byte {place}");
    }
    assert!(opened(&bytes[..bytes.len() - 1]).is_err());
    assert!(opened(&[]).is_err());
}

#[test]
fn whoever_knows_the_reading_key_cannot_write_in_the_centres_place() {
    let stranger = SigningKey::from_secret(&[6; 32]);
    let bytes = seal_dispatch(&dispatch(), &stranger, &reading().public(), [4; 32]).unwrap();
    assert!(matches!(opened(&bytes), Err(DispatchError::Seal(OpenError::Key { .. }))));
    // Nor can another terminal pass on what the centre signed for it.
    let foreign = Dispatch { terminal: "t-102".parse().unwrap(), ..dispatch() };
    let signed = seal_statement(&foreign, &centre());
    let beside = b"t-101";
    let encrypted = reading().public().encrypt(&signed, MARK.as_bytes(), beside, [4; 32]).unwrap();
    let wire = Wire {
        mark: MARK,
        terminal: "t-101".parse().unwrap(),
        encapsulated: encrypted.encapsulated[..].into(),
        ciphertext: encrypted.ciphertext.clone().into(),
    };
    let refused = opened(&minicbor::to_vec(wire).unwrap());
    assert_eq!(refused, Err(DispatchError::Other { found: "t-102".parse().unwrap() }));
}

#[test]
fn what_contradicts_itself_is_refused_with_a_reason() {
    let twice = |text: &str| format!("{text} stands twice in it");
    let cases: [(&str, Dispatch); 6] = [
        ("it expires before it begins", Dispatch { expires: at(96), ..dispatch() }),
        (
            &twice("lesson cook-a-1"),
            Dispatch { lessons: vec![lesson("cook-a-1"), lesson("cook-a-1")], ..dispatch() },
        ),
        (
            "lesson cook-a-1 belongs to class cook-a, which is not in it",
            Dispatch { rosters: vec![], ..dispatch() },
        ),
        (
            "or her number, stands twice",
            Dispatch { people: vec![known(1, "7"), known(2, "7")], ..dispatch() },
        ),
        (
            "ends before it starts",
            Dispatch { lessons: vec![Taught { ends: at(100), ..lesson("l-1") }], ..dispatch() },
        ),
        (
            "is empty or too long",
            Dispatch {
                people: vec![Known { name: "名".repeat(67), ..known(1, "") }],
                ..dispatch()
            },
        ),
    ];
    for (why, wrong) in cases {
        let told = opened(&sealed(&wrong)).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn the_longest_fits_its_bound_and_the_next_is_not_made() {
    let full = |bytes: usize| Dispatch { policy: "x".repeat(bytes), ..dispatch() };
    let around = seal_statement(&full(70_000), &centre()).len() - 70_000;
    let longest = full(Dispatch::BYTES_MAX - around);
    let bytes = sealed(&longest);
    assert!(bytes.len() <= DISPATCH_BYTES_MAX, "{}", bytes.len());
    assert_eq!(opened(&bytes), Ok(longest));
    let longer = full(Dispatch::BYTES_MAX - around + 1);
    let refused = seal_dispatch(&longer, &centre(), &reading().public(), [4; 32]);
    assert!(matches!(refused, Err(SealDispatchError::TooLong { .. })));
    assert!(matches!(opened(&[0; DISPATCH_BYTES_MAX + 1]), Err(DispatchError::Shape(_))));
}

#[test]
fn a_suspension_holds_for_what_it_is_about_and_as_long_as_it_says() {
    let taught = lesson("cook-a-1");
    let Taught { id, class, starts, ends, .. } = taught;
    let lesson = Lesson { id, class, site: "huaxin-1".parse().unwrap(), starts, ends };
    let site = Suspension { from: at(10), until: Some(at(20)), class: None, lesson: None };
    let holds = |suspension: &Suspension, hour: i64| {
        (suspension.holds(at(hour), None), suspension.holds(at(hour), Some(&lesson)))
    };
    assert_eq!([9, 10, 19, 20].map(|hour| holds(&site, hour).0), [false, true, true, false]);
    let class = |name: &str| Suspension { class: Some(name.parse().unwrap()), ..site.clone() };
    assert_eq!(holds(&class("cook-a"), 15), (false, true));
    assert_eq!(holds(&class("cook-b"), 15), (false, false));
    let one = Suspension { lesson: Some("cook-a-2".parse().unwrap()), ..site };
    assert_eq!(holds(&one, 15), (false, false));
}
