//! docs/spec/vectors/platforms.json: a platform's report and the centre's answer to it; its generator, and that both
//! open to what they say.

use data_encoding::HEXLOWER;
use rollcall::record::report::{Report, ReportTaken, Stretch};
use rollcall::record::{Stated, open_statement, seal_statement};
use serde_json::{Value, json};

use crate::vectors::{MORNING, hex, key, opening, without_nulls};
use crate::vectors_centre::activity;

/// With a lesson, and without one.
fn report() -> Report {
    let stretch = |lesson, salt| {
        let it = activity(lesson);
        Stretch {
            session: it.session,
            account: it.account,
            device: it.device,
            person: opening(salt, 0xa1),
            lesson: it.lesson,
            from: it.from,
            happenings: it.happenings,
        }
    };
    Report {
        platform: "xuexi".parse().unwrap(),
        number: 7,
        made: MORNING.plus_ms(360_000),
        stretches: vec![
            stretch(Some("welding-1-0302-am".parse().unwrap()), 0x65),
            stretch(None, 0x66),
        ],
    }
}

/// The first of a platform: what somebody may send who tries it out.
fn first() -> Report {
    let mut first = report();
    first.number = 1;
    first.stretches.truncate(1);
    first
}

fn taken() -> ReportTaken {
    let at = MORNING.plus_ms(361_000);
    ReportTaken { platform: "xuexi".parse().unwrap(), upto: 7, at }
}

fn fields(report: &Report) -> Value {
    let stretch = |it: &Stretch| {
        json!({
            "session": it.session,
            "account": it.account,
            "device": it.device,
            "person": { "salt": hex(it.person.salt), "person": it.person.person },
            "lesson": it.lesson,
            "from": it.from,
            "happenings": it.happenings,
        })
    };
    without_nulls(json!({
        "platform": report.platform,
        "number": report.number,
        "made": report.made,
        "stretches": report.stretches.iter().map(stretch).collect::<Vec<_>>(),
    }))
}

pub(crate) fn reports() -> Value {
    let (report, first, taken) = (report(), first(), taken());
    let told = json!({ "platform": taken.platform, "upto": taken.upto, "at": taken.at });
    json!({ "about": "Reports of a platform, sealed with the key \"terminal\", and the centre's answer to the first here.", "vectors": [
        { "name": "report", "typ": "rollcall-report-v1", "key": "terminal", "fields": fields(&report),
          "sealed": hex(seal_statement(&report, &key("terminal"))) },
        { "name": "report-taken", "typ": "rollcall-report-taken-v1", "key": "centre", "fields": told,
          "sealed": hex(seal_statement(&taken, &key("centre"))) },
        { "name": "first-report", "typ": "rollcall-report-v1", "key": "terminal", "fields": fields(&first),
          "sealed": hex(seal_statement(&first, &key("terminal"))) },
    ]})
}

fn opens<T: Stated>(sealed: &Value, by: &str) -> T {
    let sealed = HEXLOWER.decode(sealed.as_str().unwrap().as_bytes()).unwrap();
    open_statement(&sealed, &key(by).verifying_key()).unwrap()
}

#[test]
fn a_report_and_its_answer_open_to_what_they_say() {
    let vectors = crate::record_vectors::committed("platforms.json");
    let mut sealed = vectors.iter().map(|vector| &vector["sealed"]);
    let told: Report = opens(sealed.next().unwrap(), "terminal");
    assert_eq!((&told, told.flaw()), (&report(), None));
    let answered: ReportTaken = opens(sealed.next().unwrap(), "centre");
    assert_eq!(answered, taken());
    let told: Report = opens(sealed.next().unwrap(), "terminal");
    assert_eq!((&told, told.flaw()), (&first(), None));
}
