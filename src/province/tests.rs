//! What a made world promises: the same bytes for one seed, one beginning for any size, labels within
//! the world, and nothing refused that was not planted to be refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::calendar::{at, days_from, is_holiday, is_working_day, plus_days};
use super::dice::Dice;
use super::running::Running;
use super::*;
use crate::domain::ClockEvidence;
use crate::ledger::{Body, Entry};

fn plan(seed: u64, institutions: u32, days: u32, mix: Mix) -> Plan {
    Plan { seed, institutions, days, mix, policy: Policy::sichuan_2025() }
}

/// Every kind at every institution that cheats at all.
fn only(kind: Kind, care: Care) -> Mix {
    let [clumsy, middling, careful] = Care::ALL.map(|it| if it == care { 1000 } else { 0 });
    let text = format!(
        "honest_percent = 0\n[kinds.{}]\nclumsy = {clumsy}\nmiddling = {middling}\ncareful = {careful}\n\
         source = \"a test\"\n",
        kind.code()
    );
    Mix::parse(&text, "test").unwrap()
}

fn entries(folder: &Path) -> Vec<Entry> {
    let ledger = Store::files(folder).read_ledger().unwrap();
    ledger.entries_since(0, usize::MAX).unwrap()
}

#[test]
fn the_calendar_knows_festivals_and_the_days_that_make_up_for_them() {
    assert!(is_holiday(date(2026, 4, 6)) && !is_working_day(date(2026, 4, 6)));
    assert!(!is_working_day(date(2026, 5, 5)) && is_working_day(date(2026, 5, 6)));
    assert!(is_working_day(date(2026, 5, 9)), "a Saturday that is worked");
    assert!(!is_working_day(date(2026, 5, 10)));
    assert_eq!(plus_days(date(2026, 4, 30), 1), date(2026, 5, 1));
}

#[test]
fn throws_are_spread_as_they_say() {
    let mut dice = Dice::of(7, "a test");
    let throws: Vec<i64> = (0..20_000).map(|_| dice.around(1_000, 100)).collect();
    let mean = throws.iter().sum::<i64>() / 20_000;
    let spread = throws.iter().map(|it| (it - mean).pow(2)).sum::<i64>() / 20_000;
    assert!((990..=1_010).contains(&mean) && (9_500..=10_500).contains(&spread), "{mean} {spread}");
    let long = (0..20_000).map(|_| dice.tail(600)).sum::<i64>() / 20_000;
    assert!((560..=640).contains(&long), "{long}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let folder = tempfile::tempdir().unwrap();
    let make_in = |name: &str, seed| {
        let out = folder.path().join(name);
        make(&plan(seed, 2, 8, Mix::of_evaluation()), &out, Some(&out.join("journals"))).unwrap();
        let mut files = BTreeMap::new();
        for folder in [out.clone(), out.join("journals")] {
            for file in std::fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                if path.is_file() && !path.ends_with("collector.lock") {
                    files.insert(
                        path.strip_prefix(&out).unwrap().to_owned(),
                        std::fs::read(&path).unwrap(),
                    );
                }
            }
        }
        files
    };
    let (one, same, other) = (make_in("one", 5), make_in("same", 5), make_in("other", 6));
    assert!(one.contains_key(Path::new("ledger.sqlite")) && one.len() > 6, "{:?}", one.keys());
    assert!(one == same);
    assert!(one[Path::new("ledger.sqlite")] != other[Path::new("ledger.sqlite")]);
}

#[test]
fn a_larger_world_begins_with_the_smaller_one() {
    let days = days_from(FIRST_DAY, 20);
    let mix = Mix::of_evaluation();
    let labels = |no| {
        let running = Running::new(3, no, &days, &mix, &Policy::sichuan_2025());
        running.labels().collect::<Vec<_>>()
    };
    let small: Vec<_> = (0..5).flat_map(labels).collect();
    let large: Vec<_> = (0..9).flat_map(labels).collect();
    assert!(!small.is_empty() && large.starts_with(&small));
}

#[test]
fn every_kind_is_planted_somewhere_within_the_world_and_about_somebody() {
    let days = days_from(FIRST_DAY, 60);
    let (from, until) = (at(days[0], 0), at(plus_days(days[59], 1), 0));
    for &kind in Kind::ALL {
        for care in Care::ALL {
            let mix = only(kind, care);
            let labels: Vec<_> = (1..7)
                .flat_map(|no| {
                    let school = Running::new(1, no, &days, &mix, &Policy::sichuan_2025());
                    school.labels().collect::<Vec<_>>()
                })
                .collect();
            assert!(!labels.is_empty(), "{kind:?} {care:?} is never planted");
            for label in labels {
                assert!((kind, care) == (label.kind, label.care) && label.from < label.until);
                assert!(from <= label.from && label.from < until, "{label:?}");
                assert!(!label.persons.is_empty() || !label.terminals.is_empty(), "{label:?}");
            }
        }
    }
}

/// Without fraud nothing is refused: each record that arrives is admitted.
#[test]
fn honest_worlds_have_no_refusals_and_every_chain_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("world");
    let made = make(&plan(11, 4, 12, Mix::honest()), &out, None).unwrap();
    assert!(made.refused.is_empty() && made.waiting == 0 && made.incidents == 0, "{made:?}");
    assert!(made.records > 2_000 && made.repeated > 0, "{made:?}");
    let entries = entries(&out);
    let records = entries.iter().filter(|it| matches!(it.body, Body::Record { .. })).count();
    assert_eq!(records as u64, made.records);
    assert!(entries.windows(2).all(|pair| pair[0].committed_at <= pair[1].committed_at));
    assert_eq!(Labels::read(&out).unwrap().incidents, []);
    // And what a chain says of the time never runs back (docs/spec/record-v1.md).
    let mut before = BTreeMap::new();
    for entry in &entries {
        let Body::Record { record, .. } = &entry.body else { continue };
        let ClockEvidence { boot, uptime, signed, .. } = record.clock;
        let this = (boot, uptime, signed);
        let Some(last) = before.insert(record.terminal.clone(), this) else { continue };
        assert!((last.0, last.1) <= (boot, uptime) && last.2 <= signed, "{last:?} {this:?}");
    }
}

/// Only frauds on the wire are refused, and each under its own reason.
#[test]
fn what_is_refused_was_planted_to_be_refused() {
    let codes = |kind, care| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("world");
        let made = make(&plan(4, 2, 60, only(kind, care)), &out, None).unwrap();
        assert!(made.incidents > 0, "{kind:?}");
        made.refused.keys().copied().collect::<BTreeSet<_>>()
    };
    for (kind, code) in [
        (Kind::ForgedRecords, "foreign_key"),
        (Kind::AlteredRecords, "bad_signature"),
        (Kind::ReplayedRecords, "foreign_terminal"),
        (Kind::UnregisteredBox, "unknown_terminal"),
        (Kind::ClonedTerminal, "forked"),
    ] {
        assert_eq!(codes(kind, Care::Clumsy), BTreeSet::from([code]), "{kind:?}");
    }
    for kind in [Kind::StandIn, Kind::TwoPlaces, Kind::ClockSetBack, Kind::SilentTerminal] {
        assert_eq!(codes(kind, Care::Clumsy), BTreeSet::new(), "{kind:?}");
    }
}

#[test]
fn a_mix_that_is_none_is_told_with_its_line() {
    let line = |text: &str| Mix::parse(text, "mix.toml").unwrap_err().to_string();
    let good = "[kinds.spoof]\nclumsy = 1\nmiddling = 1\ncareful = 1\nsource = \"a guess\"\n";
    let told = line(&format!("honest_percent = 10\n{}", good.replace("spoof", "spof")));
    assert!(told.contains("mix.toml, line 2") && told.contains("spof"), "{told}");
    let told = line(&format!("honest_percent = 10\n{}", good.replace("clumsy = 1", "clumsy = -1")));
    assert!(told.contains("mix.toml, line 3"), "{told}");
    let told = line(&format!(
        "honest_percent = 10\n{}",
        good.replace("= 1\ncareful = 1", "= 1\ncareful = 4000")
    ));
    assert!(told.contains("between 0 and 1000"), "{told}");
    let told = line(&format!("honest_percent = 10\n{}", good.replace("a guess", " ")));
    assert!(told.contains("where the guess comes from"), "{told}");
    let told = line(&format!("# a comment\nhonest_percent = 100\n{good}"));
    assert!(told.contains("mix.toml, line 2"), "{told}");
    assert!(Mix::parse(&format!("honest_percent = 10\n{good}"), "mix.toml").is_ok());
    assert!(Mix::shipped().evaluation().is_none());
    assert_eq!(Mix::of_evaluation().evaluation().unwrap().seeds.len(), 3);
}
