//! The records of a terminal that cannot send them any more: its disk's journal is exported, carried, and
//! taken in by the centre, through the real binary.

use rollcall::collector::Home;
use rollcall::domain::Fact;
use rollcall::journal::{Bounds, Journal};
use rollcall::ledger::Body;
use serde_json::Value;

use crate::support::day::{Day, rollcall, write};
use crate::support::pen::MORNING;
use crate::support::records::{append, terminal_id, terminal_key};
use crate::support::{fine, refused};

/// A centre that knows the terminal, and the export of its journal with six records.
fn carried() -> (Day, String) {
    let day = Day::configured(1883);
    let registration = Fact::Terminal {
        id: terminal_id(),
        site: "s-1".parse().unwrap(),
        key: terminal_key().verifying_key().to_bytes(),
    };
    Home::create(&day.data()).unwrap().state(vec![registration], MORNING).unwrap();
    let (dir, key) = (day.file("journal"), terminal_key().verifying_key().id());
    Journal::init(&dir, &terminal_id(), key).unwrap();
    let journal = Journal::open(&dir, &terminal_id(), key, Bounds::default()).unwrap();
    (0..6).for_each(|_| drop(append(&journal)));
    drop(journal);
    let (dir, out) = (dir.to_str().unwrap(), day.file("all.json"));
    let out = out.to_str().unwrap().to_owned();
    fine(&rollcall(&["terminal", "journal", "export", "--dir", dir, "--out", &out]));
    (day, out)
}

fn committed(day: &Day) -> usize {
    let entries = day.store().read_ledger().unwrap().entries_since(0, usize::MAX).unwrap();
    entries.iter().filter(|entry| matches!(entry.body, Body::Record { .. })).count()
}

#[test]
fn records_that_were_carried_are_committed_once_and_verify() {
    let (day, export) = carried();
    let said = fine(&day.collector("take", &["--from", &export]));
    assert!(said.contains("6 records committed, 0 were there already"), "{said}");
    let said = fine(&day.collector("take", &["--from", &export]));
    assert!(said.contains("0 records committed, 6 were there already"), "{said}");
    assert_eq!(committed(&day), 6);
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
}

#[test]
fn records_behind_a_hole_wait_and_an_altered_one_is_kept_as_evidence() {
    let (day, export) = carried();
    let text = std::fs::read_to_string(&export).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    let mut holed = whole.clone();
    holed["records"].as_array_mut().unwrap().remove(2);
    write(&day.file("holed.json"), holed.to_string());
    let holed = day.file("holed.json");
    let said = fine(&day.collector("take", &["--from", holed.to_str().unwrap()]));
    assert!(said.contains("2 records committed") && said.contains("3 follow a hole"), "{said}");
    let mut altered = whole;
    altered["records"][2]["sealed"] = altered["records"][5]["sealed"].clone();
    let mut sealed = altered["records"][3]["sealed"].as_str().unwrap().to_owned();
    // A turned bit of the payload's last field.
    let at = sealed.len() - 100;
    let turned = if sealed.as_bytes()[at] == b'A' { "B" } else { "A" };
    sealed.replace_range(at..=at, turned);
    altered["records"] = Value::Array(vec![altered["records"][3].clone()]);
    altered["records"][0]["sealed"] = sealed.into();
    write(&day.file("altered.json"), altered.to_string());
    let altered = day.file("altered.json");
    let said = fine(&day.collector("take", &["--from", altered.to_str().unwrap()]));
    assert!(said.contains("1 refused and kept as evidence: bad_signature"), "{said}");
    let said = fine(&day.collector("take", &["--from", &export]));
    assert!(said.contains("4 records committed, 2 were there already"), "{said}");
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
}

#[test]
fn an_export_that_is_none_is_told_and_nothing_is_taken_in() {
    let (day, export) = carried();
    let text = std::fs::read_to_string(&export).unwrap();
    let path = day.file("wrong.json");
    let take = |day: &Day, text: &str| {
        write(&path, text);
        day.collector("take", &["--from", path.to_str().unwrap()])
    };
    refused(&take(&day, "no json"), 1, &["no export of a journal", "nothing was taken in"]);
    refused(&take(&day, &text.replace("journal-v1", "journal-v7")), 1, &["rollcall-journal-v7"]);
    let mut short: Value = serde_json::from_str(&text).unwrap();
    short["records"][0]["person"]["salt"] = "AAAA".into();
    refused(&take(&day, &short.to_string()), 1, &["record 1: a salt is not 32 bytes"]);
    let nobody = text.replace("\"terminal\":\"terminal-1\"", "\"terminal\":null");
    refused(&take(&day, &nobody), 2, &["does not say whose", "--terminal"]);
    let stranger = text.replace("\"terminal\":\"terminal-1\"", "\"terminal\":\"t-77\"");
    refused(&take(&day, &stranger), 2, &["t-77", "register it first"]);
    refused(&day.collector("take", &["--from", "nowhere.json"]), 3, &["nowhere.json"]);
    assert_eq!(committed(&day), 0);
    write(&path, nobody);
    let named = ["--from", path.to_str().unwrap(), "--terminal", "terminal-1"];
    assert!(fine(&day.collector("take", &named)).contains("6 records committed"));
}
