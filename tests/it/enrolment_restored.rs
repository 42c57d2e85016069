//! Enrolment over a restore: what the folder knows and the backup does not is stated again, and a
//! lost folder opens no door that was shut. From SQLite into SQLite and into PostgreSQL.

use rollcall::domain::Fact;

use crate::support::broker::eventually;
use crate::support::day::{rollcall, write};
use crate::support::postgres::{Database, database};
use crate::support::town::{Town, checkin};
use crate::support::{fine, within_limit};

/// The ledger and what follows from it is gone; the folder stays. Goes on under another origin, for
/// more was published than a backup holds, and in this database, if there is one.
fn lost(town: &Town, next: Option<&Database>) {
    for file in ["ledger.sqlite", "cases.sqlite", "feed.sqlite"] {
        for end in ["", "-wal", "-shm"] {
            std::fs::remove_file(town.data().join(format!("{file}{end}"))).ok();
        }
    }
    let text = std::fs::read_to_string(town.config()).unwrap();
    let store = next.map(|database| format!("[store]\nurl = {:?}\n", database.url()));
    let text = format!(
        "origin = \"second\"\n{text}[log]\nfollows = \"rollcall-collector\"\nfolder = {:?}\n{}",
        town.file("public-2"),
        store.unwrap_or_default()
    );
    write(&town.config(), text);
}

fn backed_up(town: &Town) -> String {
    let out = town.file("backup").display().to_string();
    fine(&town.collector("backup", &["--out", &out]));
    out
}

fn revoke(town: &Town, id: &str) {
    fine(&town.terminal("revoke", &["--id", id, "--reason", "stolen"]));
    eventually("the ledger says so", || {
        town.facts().iter().any(|fact| matches!(fact, Fact::Revocation { .. }))
    });
}

fn acl(town: &Town) -> String {
    std::fs::read_to_string(town.data().join("enrolment/acl")).unwrap()
}

/// One whole way: what came after the backup is a new terminal, a new record key, a revocation.
async fn walk(next: Option<&Database>) {
    let mut town = Town::running();
    let first = town.enrolled("t-101");
    first.take(&checkin()).unwrap();
    within_limit("the first record has its receipt", first.drained()).await;
    first.shut_down().await.unwrap();
    drop(first);
    fine(&town.init("t-103", &town.token("t-103")));
    let backup = backed_up(&town);

    let config = town.device("t-101");
    fine(&rollcall(&["terminal", "rotate-key", "--config", config.to_str().unwrap()]));
    for id in ["t-101", "t-102"] {
        let terminal = if id == "t-101" { town.start(id) } else { town.enrolled(id) };
        terminal.take(&checkin()).unwrap();
        within_limit("its record has a receipt", terminal.drained()).await;
        terminal.shut_down().await.unwrap();
    }
    revoke(&town, "t-103");
    town.stop_collector();

    lost(&town, next);
    let said = fine(&town.collector("restore", &["--from", &backup]));
    assert!(said.contains("the backup does not: t-101, t-102, t-103"), "{said}");
    assert_eq!((town.records("t-101"), town.records("t-102")), (1, 0));
    assert!(town.facts().iter().any(|fact| matches!(fact, Fact::Revocation { .. })));
    town.start_collector();
    for (id, records) in [("t-101", 2), ("t-102", 1)] {
        let terminal = town.start(id);
        eventually("what it had freed is there again", || town.records(id) == records);
        terminal.take(&checkin()).unwrap();
        within_limit("it goes on", terminal.drained()).await;
        assert_eq!((town.records(id), terminal.view().borrow().refused), (records + 1, 0));
        terminal.shut_down().await.unwrap();
    }
    assert!(fine(&town.collector("audit", &[])).contains("成立 holds"));
}

#[tokio::test(flavor = "multi_thread")]
async fn terminals_and_keys_that_came_after_the_backup_are_known_again_after_its_restore() {
    walk(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terminals_and_keys_that_came_after_the_backup_are_known_again_in_postgresql() {
    walk(Some(&tokio::task::block_in_place(database))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_enrolment_folder_opens_no_door_to_a_revoked_terminal_and_shuts_none() {
    let mut town = Town::running();
    for id in ["t-101", "t-102"] {
        fine(&town.init(id, &town.token(id)));
    }
    revoke(&town, "t-101");
    let backup = backed_up(&town);
    town.stop_collector();
    let database = tokio::task::block_in_place(database);
    lost(&town, Some(&database));
    std::fs::remove_dir_all(town.data().join("enrolment")).unwrap();
    let said = fine(&town.collector("restore", &["--from", &backup]));
    assert!(!said.contains("Stated again") && said.contains("reload mosquitto"), "{said}");
    assert!(acl(&town).contains("user t-101\ntopic deny #\n"), "{}", acl(&town));
    town.start_collector();
    assert!(acl(&town).contains("user t-101\ntopic deny #\n"), "{}", acl(&town));
    // Who was in needs no new token: the record key proves it.
    let config = town.device("t-102");
    fine(&rollcall(&["terminal", "renew", "--config", config.to_str().unwrap()]));
    let terminal = town.start("t-102");
    terminal.take(&checkin()).unwrap();
    within_limit("its record has a receipt", terminal.drained()).await;
    // And the desk lets in who is new.
    let new = town.enrolled("t-103");
    new.take(&checkin()).unwrap();
    within_limit("the new one has its receipt", new.drained()).await;
    assert_eq!((town.records("t-102"), town.records("t-103")), (1, 1));
    let listed = fine(&town.terminal("list", &[]));
    assert!(listed.contains("revoked: stolen"), "{listed}");
}
