//! Dispatches: nothing is believed that the centre has not signed, and content has one form.

use rollcall::domain::{PersonId, Timestamp};
use rollcall::record::dispatch::{
    Dispatch, Known, Ordered, Roster, Suspension, Taught, open_dispatch, seal_dispatch,
};
use rollcall::record::{ReadingKey, seal_statement};

use crate::corpus::centre;
use crate::targets::{Target, statement, target};

fn dispatch() -> Dispatch {
    let at = |hour: i64| Timestamp::from_ms(hour * 3_600_000);
    let class = || "cook-a".parse().expect("a name");
    let person = |n: u8| PersonId([n; 16]);
    let taught = |id: &str, teacher| Taught {
        id: id.parse().expect("a name"),
        class: class(),
        starts: at(1),
        ends: at(2),
        teacher,
    };
    let known = |n: u8, number: Option<&str>, pin| Known {
        id: person(n),
        name: "李娜".into(),
        number: number.map(str::to_owned),
        pin,
    };
    Dispatch {
        terminal: "t-1".parse().expect("a name"),
        version: 7,
        issued: at(0),
        expires: at(9),
        site: "s-1".parse().expect("a name"),
        lessons: vec![taught("l-1", None), taught("l-2", Some(person(3)))],
        rosters: vec![Roster { class: class(), people: vec![person(1), person(2)] }],
        people: vec![known(1, None, None), known(2, Some("2026"), Some([5; 32]))],
        suspensions: vec![
            Suspension { from: at(0), until: None, class: None, lesson: None },
            Suspension { from: at(0), until: Some(at(5)), class: Some(class()), lesson: None },
        ],
        policy: "name = \"p\"".into(),
        spot_seed: Some([8; 32]),
        orders: Some(vec![Ordered {
            order: [9; 32],
            lesson: "l-1".parse().expect("a name"),
            at: at(1),
            minutes: 10,
        }]),
    }
}

pub(crate) fn all() -> Vec<Target> {
    let (dispatch, reading) = (dispatch(), ReadingKey::from_secret(&[6; 32]));
    let terminal = dispatch.terminal.clone();
    let sealed = seal_statement(&dispatch, &centre());
    let sent = seal_dispatch(&dispatch, &centre(), &reading.public(), [7; 32]).expect("it fits");
    let genuine = sent.clone();
    vec![
        statement::<Dispatch>("dispatch_content", "rollcall-dispatch-v1", &[sealed]),
        target("dispatch", 4, vec![sent], move |input| {
            let centre = [centre().verifying_key()];
            let opened = open_dispatch(input, &terminal, &reading, &centre);
            if opened.is_ok() && input != genuine {
                return Err("a dispatch was believed that no centre sent".into());
            }
            Ok(opened.is_ok())
        }),
    ]
}
