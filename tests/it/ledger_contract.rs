//! What every ledger promises, in memory, in SQLite and in PostgreSQL alike.

use rollcall::collector::Store;
use rollcall::domain::{Bilingual, Fact, PersonId, TerminalId, Timestamp};
use rollcall::ingest::{Head, Intake, Limits, Past, Step};
use rollcall::ledger::tree::{Tree, TreeHash};
use rollcall::ledger::{Body, CommitError, Item, Ledger, Memory, Postgres, Sqlite, Staged};
use rollcall::platform::postgres::{Broken, Session};
use rollcall::record::{Parcel, SealedHash, SigningKey};
use tempfile::TempDir;

use crate::support::pen::{MORNING, Pen, opening};
use crate::support::postgres::database;

/// Runs one law on each.
fn on_each(law: impl Fn(&mut dyn Ledger)) {
    law(&mut Memory::default());
    let (_folder, mut sqlite) = sqlite();
    law(&mut sqlite);
    law(&mut Postgres::create(&database().address()).unwrap());
}

/// Runs one law on both databases, each still empty.
fn on_each_store(law: impl Fn(&Store)) {
    let folder = tempfile::tempdir().unwrap();
    law(&Store::files(folder.path()));
    law(&Store::Postgres(database().address()));
}

/// Changes a database behind the program's back.
fn change(store: &Store, sql: &str) {
    match store {
        Store::Sqlite(_) => {
            let db = rusqlite::Connection::open(store.ledger_file().unwrap()).unwrap();
            db.execute_batch(sql).unwrap();
        }
        Store::Postgres(address) => {
            let mut session = Session::open(address, Broken::Ends).unwrap();
            session.run(&format!("SET search_path = ledger; {sql}")).unwrap();
        }
    }
}

fn sqlite() -> (TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::create(&folder.path().join("ledger.sqlite")).unwrap();
    (folder, sqlite)
}

fn log() -> SigningKey {
    SigningKey::from_secret(&[42; 32])
}

fn stage(items: Vec<Item>, at: Timestamp) -> Staged {
    Staged::seal(items, at, Timestamp::default(), &log()).unwrap()
}

fn terminal(name: &str) -> TerminalId {
    name.parse().unwrap()
}

struct NoPast;

impl Past for NoPast {
    type Error = std::convert::Infallible;
    fn link(&self, _: &TerminalId, _: u64) -> Result<Option<rollcall::ingest::Link>, Self::Error> {
        Ok(None)
    }
    fn refused(&self, _: &TerminalId, _: SealedHash) -> Result<Option<String>, Self::Error> {
        Ok(None)
    }
}

/// What ingest makes of parcels of registered terminals.
pub(crate) fn judged(pens: &[&Pen], parcels: &[Parcel]) -> Vec<Item> {
    let mut intake = Intake::new(Limits::default());
    pens.iter().for_each(|pen| intake.learn(&pen.registration()));
    let mut items = Vec::new();
    for parcel in parcels {
        let named = rollcall::record::Record::peek(parcel.sealed.bytes()).unwrap().0.terminal;
        let mut steps = intake.offer(&named, parcel.clone(), &NoPast).unwrap();
        // A wrong opening is asked for again some times before it is refused.
        while matches!(&steps[..], [Step::Want { .. }]) {
            steps = intake.offer(&named, parcel.clone(), &NoPast).unwrap();
        }
        for step in steps {
            match step {
                Step::Commit(admitted) => items.push(Item::Record(admitted)),
                Step::Keep { refused, .. } => items.push(Item::Refused(refused)),
                Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {}
            }
        }
    }
    items
}

/// A registration, three records (the second refused for its opening) and one of a stranger.
fn small_day() -> (Pen, Vec<Parcel>, Vec<Item>) {
    let mut pen = Pen::new("t-1", 1);
    let mut parcels = pen.write_many(3);
    parcels[1].person = None;
    let mut items = vec![Item::Fact(pen.registration())];
    items.extend(judged(&[&pen], &parcels));
    items.extend(judged(&[], &[Pen::new("t-9", 9).write()]));
    (pen, parcels, items)
}

#[test]
fn entries_are_numbered_from_zero_and_read_back_as_they_were_committed() {
    on_each(|ledger| {
        let (_, _, items) = small_day();
        let mut given = ledger.commit(stage(items, MORNING)).unwrap();
        given.extend(ledger.commit(stage(vec![Item::Fact(Fact::Tick)], MORNING)).unwrap());
        assert_eq!(given.iter().map(|e| e.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(ledger.entries_since(0, 100).unwrap(), given);
        assert_eq!(ledger.entries_since(2, 2).unwrap(), given[2..4]);
        assert_eq!(ledger.entries_since(6, 100).unwrap(), []);
        assert_eq!(ledger.size(), 6);
    });
}

#[test]
fn a_record_names_its_person_by_its_opening() {
    on_each(|ledger| {
        let (_, parcels, items) = small_day();
        ledger.commit(stage(items, MORNING)).unwrap();
        let entries = ledger.entries_since(1, 1).unwrap();
        let Body::Record { hash, person, .. } = &entries[0].body else { panic!() };
        assert_eq!(*hash, parcels[0].sealed.hash());
        assert_eq!(*person, parcels[0].person.map(|opening| opening.person));
    });
}

#[test]
fn heads_and_links_follow_the_chain_over_refused_records() {
    on_each(|ledger| {
        let (pen, parcels, items) = small_day();
        ledger.commit(stage(items, MORNING)).unwrap();
        let head = Head { seq: 3, hash: parcels[2].sealed.hash() };
        assert_eq!(ledger.heads().unwrap(), [(pen.terminal.clone(), head)]);
        let link = ledger.link(&pen.terminal, 2).unwrap().unwrap();
        assert_eq!(link.hash, parcels[1].sealed.hash());
        assert_eq!(link.refused.as_deref(), Some("bad_opening"));
        assert_eq!(ledger.link(&pen.terminal, 1).unwrap().unwrap().refused, None);
        assert_eq!(ledger.link(&pen.terminal, 4).unwrap(), None);
        assert_eq!(ledger.link(&terminal("t-9"), 1).unwrap(), None);
    });
}

#[test]
fn refused_bytes_are_found_again_and_counted_by_sender() {
    on_each(|ledger| {
        let (pen, parcels, items) = small_day();
        ledger.commit(stage(items, MORNING)).unwrap();
        let code = ledger.refused(&pen.terminal, parcels[1].sealed.hash()).unwrap();
        assert_eq!(code.as_deref(), Some("bad_opening"));
        assert_eq!(ledger.refused(&pen.terminal, parcels[0].sealed.hash()).unwrap(), None);
        let mut counts = ledger.refusals().unwrap();
        counts.sort();
        assert_eq!(counts, [(pen.terminal, 1), (terminal("t-9"), 1)]);
        let stored = ledger.stored_since(2, 1).unwrap();
        assert_eq!(stored[0].evidence.as_deref(), Some(parcels[1].sealed.bytes()));
    });
}

#[test]
fn a_place_in_a_chain_is_taken_once_and_a_failed_batch_leaves_nothing() {
    on_each(|ledger| {
        let pen = Pen::new("t-1", 1);
        let first = judged(&[&pen], &[pen.clone().write()]);
        ledger.commit(stage(first.clone(), MORNING)).unwrap();
        let before = (ledger.size(), ledger.root(), ledger.entries_since(0, 10).unwrap());
        let again = [vec![Item::Fact(Fact::Tick)], first].concat();
        let error = ledger.commit(stage(again, MORNING)).unwrap_err();
        assert!(matches!(error, CommitError::Taken { seq: 1, .. }), "{error:?}");
        assert_eq!((ledger.size(), ledger.root(), ledger.entries_since(0, 10).unwrap()), before);
    });
}

#[test]
fn time_never_runs_backwards() {
    on_each(|ledger| {
        ledger.commit(stage(vec![Item::Fact(Fact::Tick)], MORNING)).unwrap();
        let earlier = MORNING.plus_ms(-1);
        let error = ledger.commit(stage(vec![Item::Fact(Fact::Tick)], earlier)).unwrap_err();
        assert!(matches!(error, CommitError::Backwards { .. }), "{error:?}");
        let last = ledger.last_committed_at();
        let staged = Staged::seal([Item::Fact(Fact::Tick)], earlier, last, &log()).unwrap();
        assert_eq!(ledger.commit(staged).unwrap()[0].committed_at, MORNING);
    });
}

#[test]
fn the_root_is_that_of_the_tree_over_all_sealed_bytes() {
    on_each(|ledger| {
        assert_eq!(ledger.root(), TreeHash::empty());
        for n in 0..5 {
            let mut pen = Pen::new(&format!("t-{n}"), n);
            let items = judged(&[&pen.clone()], &pen.write_many(usize::from(n) + 1));
            ledger.commit(stage(items, MORNING)).unwrap();
            let stored = ledger.stored_since(0, 100).unwrap();
            let leaves = stored.iter().map(|stored| TreeHash::of_sealed(&stored.sealed)).collect();
            assert_eq!(ledger.root(), Tree::of(leaves).root());
        }
    });
}

#[test]
fn erasing_a_person_changes_nothing_but_the_name() {
    on_each(|ledger| {
        let (_, _, items) = small_day();
        ledger.commit(stage(items, MORNING)).unwrap();
        let (root, before) = (ledger.root(), ledger.stored_since(0, 100).unwrap());
        assert_eq!(ledger.erase(PersonId([250; 16])).unwrap(), 0);
        assert_eq!(ledger.erase(opening(1).person).unwrap(), 1);
        let mut expected = before;
        expected[1].person = None;
        assert_eq!(ledger.stored_since(0, 100).unwrap(), expected);
        assert_eq!(ledger.root(), root);
        let entries = ledger.entries_since(1, 1).unwrap();
        assert!(matches!(entries[0].body, Body::Record { person: None, .. }));
    });
}

/// Who is behind a session lies beside it like who is behind a record.
#[test]
fn a_session_keeps_its_person_beside_it_and_is_whole_without_her() {
    on_each(|ledger| {
        let activity = crate::platforms::report(1, opening(1)).into_activities([9; 32]).remove(0);
        ledger.commit(stage(vec![Item::Fact(Fact::Activity(activity.clone()))], MORNING)).unwrap();
        let read = |ledger: &dyn Ledger| ledger.entries_since(0, 1).unwrap().remove(0).body;
        assert_eq!(activity.who(), Some(opening(1).person));
        assert_eq!(read(ledger), Body::Fact(Fact::Activity(activity.clone())));
        let root = ledger.root();
        assert_eq!(ledger.erase(opening(1).person).unwrap(), 1);
        let erased = rollcall::domain::Activity { opened: None, ..activity };
        assert_eq!(read(ledger), Body::Fact(Fact::Activity(erased)));
        assert_eq!(ledger.root(), root);
    });
}

#[test]
fn a_reopened_ledger_goes_on_where_it_ended_and_a_reader_sees_it_at_once() {
    on_each_store(|store| {
        let mut ledger = store.create_ledger().unwrap();
        let (_, _, items) = small_day();
        ledger.commit(stage(items, MORNING)).unwrap();
        let before = (ledger.size(), ledger.root(), ledger.last_committed_at());
        drop(ledger);
        let mut ledger = store.open_ledger().unwrap();
        assert_eq!((ledger.size(), ledger.root(), ledger.last_committed_at()), before);
        let mut reader = store.read_ledger().unwrap();
        let tick = || stage(vec![Item::Fact(Fact::Tick)], MORNING);
        let committed = ledger.commit(tick()).unwrap();
        assert_eq!(reader.entries_since(before.0, 10).unwrap(), committed);
        assert!(reader.commit(tick()).is_err(), "a reader does not write");
        assert_eq!(reader.entries_since(before.0, 10).unwrap(), committed);
    });
}

#[test]
fn a_ledger_is_never_made_over_another_and_one_that_is_not_there_is_not_made() {
    on_each_store(|store| {
        for error in [store.open_ledger(), store.read_ledger()].map(Result::unwrap_err) {
            assert!(error.to_string().contains("no ledger at"), "{error}");
        }
        let mut ledger = store.create_ledger().unwrap();
        ledger.commit(stage(vec![Item::Fact(Fact::Tick)], MORNING)).unwrap();
        drop(ledger);
        let error = store.create_ledger().unwrap_err();
        assert!(error.to_string().contains("already"), "{error}");
        assert_eq!(store.open_ledger().unwrap().size(), 1);
    });
}

#[test]
fn a_tree_that_is_not_over_the_entries_is_a_contradiction_and_can_still_be_audited() {
    on_each_store(|store| {
        let (_, _, items) = small_day();
        store.create_ledger().unwrap().commit(stage(items, MORNING)).unwrap();
        change(store, "DELETE FROM evidence WHERE idx = 4; DELETE FROM entry WHERE idx = 4");
        let error = store.open_ledger().unwrap_err();
        assert!(error.to_string().contains("5 leaves, the ledger 4 entries"), "{error}");
        let (ledger, detail) = store.audit_ledger().unwrap();
        assert!(detail.is_some_and(|detail| detail.contains("5 leaves")));
        assert_eq!(ledger.entries_since(0, 10).unwrap().len(), 4);
    });
}

#[test]
fn a_ledger_of_a_newer_program_is_refused_by_its_version() {
    on_each_store(|store| {
        drop(store.create_ledger().unwrap());
        match store {
            Store::Sqlite(_) => change(store, "PRAGMA user_version = 99"),
            Store::Postgres(_) => change(store, "UPDATE state SET version = 99"),
        }
        for error in [store.open_ledger(), store.read_ledger()].map(Result::unwrap_err) {
            assert!(
                error.to_string().contains("has version 99, and this program knows"),
                "{error}"
            );
        }
    });
}

#[test]
fn an_erased_person_is_not_in_the_files_any_more() {
    let (folder, mut sqlite) = sqlite();
    let (_, _, items) = small_day();
    sqlite.commit(stage(items, MORNING)).unwrap();
    let person = opening(1).person;
    let found = || {
        std::fs::read_dir(folder.path()).unwrap().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(16).any(|window| window == person.0)
        })
    };
    assert!(found());
    sqlite.erase(person).unwrap();
    assert!(!found());
}

#[test]
fn a_file_that_is_no_ledger_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.sqlite");
    #[expect(clippy::disallowed_methods, reason = "a test's file need not be durable")]
    std::fs::write(&path, b"this is no database, but long enough to be looked at").unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(error.to_string().contains("is no ledger"), "{error}");
}

#[test]
fn a_fact_with_an_endless_name_is_not_staged() {
    let name = Bilingual::new("长".repeat(1_000), "long");
    let fact = Fact::Institution { id: "i-1".parse().unwrap(), name };
    let error = Staged::seal([Item::Fact(fact)], MORNING, MORNING, &log()).unwrap_err();
    assert!(error.to_string().contains("1024 are allowed"), "{error}");
}
