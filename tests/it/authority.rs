//! The centre's certificate authority is exchanged: with overlap, so that nobody is cut off, or at once,
//! because somebody has its key. Real programs, a real Mosquitto.

use std::path::PathBuf;

use rollcall::platform::tls::{Files, certificates};
use rollcall::terminal::Terminal;
use rumqttc::{Event, Incoming, QoS};

use crate::support::day::{rollcall, write};
use crate::support::town::{Town, checkin};
use crate::support::{fine, refused, within_limit};

/// `rollcall collector ca COMMAND --config …`
fn ca(town: &Town, command: &str) -> std::process::Output {
    rollcall(&["collector", "ca", command, "--config", town.config().to_str().unwrap()])
}

/// Brings the list of trusted authorities to the broker and the collector, and starts both anew.
fn trusted_everywhere(town: &mut Town) {
    let trusted = fine(&ca(town, "trusted"));
    for folder in ["broker", "own"] {
        write(&town.file(folder).join("ca.pem"), &trusted);
    }
    restarted(town);
}

fn restarted(town: &mut Town) {
    town.stop_collector();
    town.stop_broker();
    town.start_broker();
    town.start_collector();
}

fn certified_anew(town: &Town) {
    let own: PathBuf = town.file("own");
    let to = ["--for", "collector", "--out", own.to_str().unwrap()];
    fine(&town.collector("certificate", &to));
    town.certify_broker(&["127.0.0.1"]);
}

fn renewed(town: &Town, device: &str) {
    let config = town.device(device);
    fine(&rollcall(&["terminal", "renew", "--config", config.to_str().unwrap()]));
}

async fn takes_one(terminal: &Terminal) {
    terminal.take(&checkin()).unwrap();
    within_limit("its record has a receipt", terminal.drained()).await;
}

/// The authority of each terminal's certificate, as the list shows it.
fn authorities(town: &Town) -> Vec<String> {
    let listed = fine(&town.terminal("list", &["--json"]));
    let all: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
    all.iter().filter_map(|one| Some(one["authority"].as_str()?.to_owned())).collect()
}

/// Whether the broker lets in who shows these.
fn let_in(town: &Town, id: &str, files: &Files) -> bool {
    let outcome = |event| match event {
        Err(_) => Some(false),
        Ok(Event::Incoming(Incoming::SubAck(_))) => Some(true),
        Ok(Event::Incoming(_) | Event::Outgoing(_)) => None,
    };
    // This client blocks, and is called inside a runtime here.
    tokio::task::block_in_place(|| {
        let (client, mut connection) = town.client(id, files);
        client.subscribe(format!("rollcall/v1/{id}/answers"), QoS::AtLeastOnce).unwrap();
        connection.iter().find_map(outcome).unwrap()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_is_exchanged_with_overlap_and_nobody_is_cut_off() {
    let mut town = Town::running();
    let early = town.enrolled("t-101");
    let late = town.enrolled("t-102");
    let unused = town.token("t-103");
    refused(&ca(&town, "renew"), 3, &["end the other collector first"]);
    refused(&ca(&town, "retire"), 3, &["end the other collector first"]);
    town.stop_collector();
    refused(&ca(&town, "retire"), 2, &["only the one in force is trusted"]);
    let said = fine(&ca(&town, "renew"));
    assert!(said.contains("ca.key.1: nothing needs it any more"), "{said}");
    refused(&ca(&town, "renew"), 2, &["the one before it is still trusted", "ca retire"]);
    trusted_everywhere(&mut town);
    takes_one(&early).await;
    takes_one(&late).await;

    // One has its new certificate, and the broker has not.
    renewed(&town, "t-101");
    assert_eq!(certificates(&town.files("t-101").ca).unwrap().len(), 2);
    let [one, other] = &authorities(&town)[..] else { panic!() };
    assert_ne!(one, other, "it shows who has done it");
    early.shut_down().await.unwrap();
    drop(early);
    let early = town.start("t-101");
    takes_one(&early).await;
    takes_one(&late).await;
    // Who comes in meanwhile speaks to both; a token from before the exchange is none any more.
    refused(&town.init("t-103", &unused), 1, &["another centre", "a new token"]);
    std::fs::remove_dir_all(town.file("t-103")).unwrap();
    let again = fine(&town.terminal("add", &["--id", "t-103", "--site", "s-1", "--again"]));
    fine(&town.init("t-103", &crate::support::town::token_in(&again)));

    renewed(&town, "t-102");
    late.shut_down().await.unwrap();
    drop(late);
    let late = town.start("t-102");
    certified_anew(&town);
    town.stop_collector();
    fine(&ca(&town, "retire"));
    trusted_everywhere(&mut town);
    assert_eq!(certificates(&town.file("broker").join("ca.pem")).unwrap().len(), 1);
    takes_one(&early).await;
    takes_one(&late).await;
    let newcomer = town.start("t-103");
    takes_one(&newcomer).await;
    assert_eq!((town.records("t-101"), town.records("t-102"), town.records("t-103")), (3, 3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_authoritys_key_is_shut_out_at_once_and_terminals_come_back_by_renewing() {
    let mut town = Town::running();
    let terminal = town.enrolled("t-101");
    takes_one(&terminal).await;
    terminal.shut_down().await.unwrap();
    drop(terminal);
    let before = town.file("before");
    std::fs::create_dir(&before).unwrap();
    let Files { ca: authority, cert, key } = town.files("t-101");
    let kept = Files {
        ca: before.join("ca.pem"),
        cert: before.join("tls.pem"),
        key: before.join("tls.key"),
    };
    for (from, to) in [(&authority, &kept.ca), (&cert, &kept.cert), (&key, &kept.key)] {
        std::fs::copy(from, to).unwrap();
    }
    assert!(let_in(&town, "t-101", &kept));

    town.stop_collector();
    fine(&ca(&town, "renew"));
    fine(&ca(&town, "retire"));
    certified_anew(&town);
    restarted(&mut town);
    let known = Files { ca: town.own_files().ca, ..kept };
    assert!(
        !let_in(&town, "t-101", &known),
        "a certificate of the authority before lets nobody in"
    );
    // Nothing is lost meanwhile.
    let terminal = town.start("t-101");
    terminal.take(&checkin()).unwrap();
    terminal.shut_down().await.unwrap();
    drop(terminal);
    // It asks by the authority that it knows, and believes the receipt key about the new one.
    renewed(&town, "t-101");
    assert_eq!(certificates(&town.files("t-101").ca).unwrap().len(), 1);
    let terminal = town.start("t-101");
    within_limit("what waited has its receipt", terminal.drained()).await;
    takes_one(&terminal).await;
    assert_eq!(town.records("t-101"), 3);
}
