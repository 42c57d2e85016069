//! A terminal, a real Mosquitto and a centre, each of which is away when it hurts most. At the end
//! each record is at the centre exactly once, and the terminal freed only what receipts cover.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rollcall::domain::{
    CheckIn, ClockDoubt, ClockQuality, Event, Outcome, PersonId, Timestamp, Way,
};
use rollcall::journal::{Bounds, Journal};
use rollcall::platform::clock::{Clock, StepClock, SystemClock};
use rollcall::record::topic::Channel;
use rollcall::record::{Record, SealedHash};
use rollcall::terminal::{Setup, Terminal};
use rollcall::uplink::{self, NoWaypoints, Pace};
use rumqttc::{AsyncClient, MqttOptions, Packet, QoS};
use tempfile::TempDir;

use crate::support::centre::{Centre, StandIn};
use crate::support::collector::RealCentre;
use crate::support::mosquitto::Mosquitto;
use crate::support::records::{receipt_verifying_key, terminal_id, terminal_key};
use crate::support::within_limit;

struct Scene<C> {
    dir: TempDir,
    broker: Mosquitto,
    centre: C,
    terminal: Terminal,
    green: Vec<(u64, SealedHash)>,
}

impl<C: Centre> Scene<C> {
    fn set() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = terminal_key().verifying_key();
        Journal::init(dir.path(), &terminal_id(), key.id()).unwrap();
        let broker = Mosquitto::start();
        let centre = C::start(broker.port(), BTreeMap::from([(terminal_id(), key)]));
        let terminal = start_terminal(&dir, broker.port());
        Self { dir, broker, centre, terminal, green: Vec::new() }
    }

    fn take(&mut self, count: usize) {
        for _ in 0..count {
            let taken = self.terminal.take(&checkin()).unwrap();
            self.green.push((taken.seq, taken.hash));
        }
    }

    async fn online(&self, online: bool) {
        let mut view = self.terminal.view();
        let wait = view.wait_for(|view| view.online == online);
        within_limit("the uplink notices", wait).await.unwrap();
    }

    async fn all_green_is_at_the_centre_once(&self) {
        within_limit("every record has its receipt", self.terminal.drained()).await;
        assert_eq!(self.centre.committed(&terminal_id()), self.green);
    }
}

fn start_terminal(dir: &TempDir, broker_port: u16) -> Terminal {
    start_terminal_by(Arc::new(SystemClock::start()), dir, broker_port)
}

fn start_terminal_by(clock: Arc<dyn Clock>, dir: &TempDir, broker_port: u16) -> Terminal {
    let pace = Pace { retry_ms_min: 20, retry_ms_max: 200, answer_ms_min: 200, ..Pace::default() };
    Terminal::start(Setup {
        terminal: terminal_id(),
        key: terminal_key(),
        journal_dir: dir.path().to_owned(),
        bounds: Bounds::default(),
        uplink: uplink::Config {
            tls: None,
            broker_host: "127.0.0.1".into(),
            broker_port,
            receipt_key: receipt_verifying_key(),
            clock_tolerance_ms: 60_000,
            pace,
            firmware: "test".into(),
        },
        policy: "test@1".into(),
        pack: None,
        plugged: true,
        clock,
        waypoints: Arc::new(NoWaypoints),
    })
    .unwrap()
}

fn checkin() -> CheckIn {
    CheckIn {
        staff: None,
        event: Event::CheckIn,
        outcome: Outcome::Accepted,
        lesson: None,
        person: Some(PersonId([3; 16])),
        way: Some(Way::Open),
        scores: None,
        other: None,
        same_face: None,
    }
}

/// One test with the stand-in, whose every answer a test can steer, and one with the real collector
/// as a process of its own.
macro_rules! with_both_centres {
    ($scenario:ident) => {
        mod $scenario {
            use super::{RealCentre, StandIn};

            #[tokio::test(flavor = "multi_thread")]
            async fn with_a_stand_in() {
                super::$scenario::<StandIn>().await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn with_the_real_collector() {
                super::$scenario::<RealCentre>().await;
            }
        }
    };
}

with_both_centres!(a_broker_that_is_stopped_costs_no_record);
async fn a_broker_that_is_stopped_costs_no_record<C: Centre>() {
    let mut scene: Scene<C> = Scene::set();
    scene.take(70);
    scene.broker.stop();
    scene.take(70);
    scene.online(false).await;
    scene.take(70);
    scene.broker.start_again();
    scene.take(70);
    scene.all_green_is_at_the_centre_once().await;
}

with_both_centres!(a_broker_that_is_killed_again_and_again_costs_no_record);
async fn a_broker_that_is_killed_again_and_again_costs_no_record<C: Centre>() {
    let mut scene: Scene<C> = Scene::set();
    for _ in 0..5 {
        scene.take(40);
        scene.online(true).await;
        scene.take(40);
        scene.broker.kill();
        scene.take(40);
        scene.broker.start_again();
    }
    scene.all_green_is_at_the_centre_once().await;
}

with_both_centres!(a_centre_that_is_killed_again_and_again_gets_each_record_once);
async fn a_centre_that_is_killed_again_and_again_gets_each_record_once<C: Centre>() {
    let mut scene: Scene<C> = Scene::set();
    for _ in 0..5 {
        scene.take(100);
        scene.centre.kill();
        scene.take(100);
        scene.centre.start_again();
    }
    scene.all_green_is_at_the_centre_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_acknowledged_but_the_centre_did_not_receipt_is_not_freed() {
    let mut scene: Scene<StandIn> = Scene::set();
    scene.centre.mute(true);
    scene.take(30);
    let mut at_centre = Vec::new();
    let all_there = async {
        while at_centre.len() < 30 {
            tokio::task::yield_now().await;
            at_centre = scene.centre.committed(&terminal_id());
        }
    };
    within_limit("all records reach the centre", all_there).await;
    assert_eq!(scene.terminal.waiting(), 30, "no receipt has come");
    scene.centre.mute(false);
    scene.all_green_is_at_the_centre_once().await;
}

with_both_centres!(a_terminal_that_was_offline_for_a_lesson_catches_up);
async fn a_terminal_that_was_offline_for_a_lesson_catches_up<C: Centre>() {
    let mut scene: Scene<C> = Scene::set();
    scene.take(3);
    scene.all_green_is_at_the_centre_once().await;
    scene.terminal.disconnect();
    scene.online(false).await;
    scene.take(40);
    assert_eq!(scene.terminal.waiting(), 40);
    scene.terminal.connect();
    scene.all_green_is_at_the_centre_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_restored_from_an_older_backup_gets_released_records_again() {
    let mut scene: Scene<StandIn> = Scene::set();
    scene.take(50);
    scene.all_green_is_at_the_centre_once().await;
    scene.centre.kill();
    scene.centre.restore_backup(20);
    scene.centre.start_again();
    scene.take(1);
    let healed = async {
        while scene.centre.committed(&terminal_id()).len() < 51 {
            tokio::task::yield_now().await;
        }
    };
    within_limit("the centre has all records again", healed).await;
    scene.all_green_is_at_the_centre_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_is_freed_by_its_refusal_and_seen() {
    let mut scene: Scene<StandIn> = Scene::set();
    scene.centre.refuse(2);
    scene.take(3);
    scene.all_green_is_at_the_centre_once().await;
    let mut view = scene.terminal.view();
    let seen = view.wait_for(|view| view.last_refused == Some((2, "altered".into())));
    within_limit("the refusal is seen", seen).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_starts_again_offers_what_had_no_receipt() {
    let mut scene: Scene<StandIn> = Scene::set();
    scene.centre.mute(true);
    scene.take(10);
    scene.terminal.shut_down().await.unwrap();
    drop(scene.terminal);
    scene.centre.mute(false);
    scene.terminal = start_terminal(&scene.dir, scene.broker.port());
    assert_eq!(scene.terminal.journal().boot(), 2);
    scene.take(1);
    scene.all_green_is_at_the_centre_once().await;
}

/// A folder with what is in it, as a backup makes it.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copied(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_put_back_from_an_older_copy_replaces_nothing_and_is_seen_at_both_ends() {
    let mut scene: Scene<RealCentre> = Scene::set();
    scene.take(2);
    scene.all_green_is_at_the_centre_once().await;
    scene.terminal.shut_down().await.unwrap();
    drop(scene.terminal);
    let backup = tempfile::tempdir().unwrap();
    copied(scene.dir.path(), backup.path());
    scene.terminal = start_terminal(&scene.dir, scene.broker.port());
    scene.take(3);
    scene.all_green_is_at_the_centre_once().await;
    let committed = scene.green.clone();
    scene.terminal.shut_down().await.unwrap();
    drop(scene.terminal);

    // The older copy goes on with number 3, which the centre has had.
    scene.terminal = start_terminal(&backup, scene.broker.port());
    scene.take(1);
    assert_eq!(scene.green.last().unwrap().0, 3, "the terminal cannot know");
    let mut view = scene.terminal.view();
    let told = view.wait_for(|view| view.last_refused == Some((3, "forked".into())));
    within_limit("the terminal is told", told).await.unwrap();
    assert_eq!(scene.centre.committed(&terminal_id()), committed, "the first history stands");
}

/// Publishes on the answers' topic as anybody may who reaches the broker.
async fn a_stranger_publishes(broker: &Mosquitto, messages: Vec<Vec<u8>>) {
    let mut options = MqttOptions::new("stranger", "127.0.0.1", broker.port());
    options.set_max_packet_size(300_000, 300_000);
    let (client, mut eventloop) = AsyncClient::new(options, 10);
    let mut left = messages.len();
    for message in messages {
        let topic = Channel::Answers.of(&terminal_id());
        client.try_publish(topic, QoS::AtLeastOnce, false, message).unwrap();
    }
    let acknowledged = async {
        while left > 0 {
            if let rumqttc::Event::Incoming(Packet::PubAck(_)) = eventloop.poll().await.unwrap() {
                left -= 1;
            }
        }
    };
    within_limit("the broker has the messages", acknowledged).await;
}

/// Waits until the terminal's subscription is certain: its question for the time was answered.
async fn answered(scene: &Scene<StandIn>) {
    let mut view = scene.terminal.view();
    within_limit("the time", view.wait_for(|view| view.time_answered)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_answers_topic_is_counted_and_harms_nothing() {
    let mut scene: Scene<StandIn> = Scene::set();
    answered(&scene).await;
    let garbage = vec![vec![], vec![0xff; 50], vec![7; 70_000]];
    a_stranger_publishes(&scene.broker, garbage).await;
    let mut view = scene.terminal.view();
    within_limit("garbage is counted", view.wait_for(|view| view.garbage == 3)).await.unwrap();
    scene.take(10);
    scene.all_green_is_at_the_centre_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_answer_costs_one_connection_and_no_record() {
    let mut scene: Scene<StandIn> = Scene::set();
    answered(&scene).await;
    let mut view = scene.terminal.view();
    view.mark_unchanged();
    a_stranger_publishes(&scene.broker, vec![vec![7; 200_000]]).await;
    within_limit("the connection breaks", view.changed()).await.unwrap();
    scene.online(true).await;
    scene.take(10);
    scene.all_green_is_at_the_centre_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_online_and_the_last_will_says_offline() {
    let scene: Scene<StandIn> = Scene::set();
    let options = MqttOptions::new("watcher", "127.0.0.1", scene.broker.port());
    let (client, mut eventloop) = AsyncClient::new(options, 10);
    client.try_subscribe(Channel::Status.of(&terminal_id()), QoS::AtLeastOnce).unwrap();
    let mut told = async |state: &str| loop {
        if let rumqttc::Event::Incoming(Packet::Publish(publish)) = eventloop.poll().await.unwrap()
        {
            let status: serde_json::Value = serde_json::from_slice(&publish.payload).unwrap();
            if status["state"] == state {
                return status;
            }
        }
    };
    let online = within_limit("the terminal says online", told("online")).await;
    assert_eq!(online["waiting"], 0);
    assert_eq!(online["firmware"], "test");
    scene.terminal.disconnect();
    within_limit("the will says offline", told("offline")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_stops_nobody_and_the_record_says_that_it_is_doubtful() {
    let mut scene: Scene<StandIn> = Scene::set();
    answered(&scene).await;
    scene.take(1);
    scene.all_green_is_at_the_centre_once().await;
    scene.terminal.shut_down().await.unwrap();
    drop(scene.terminal);
    // The battery is empty: the clock begins in the year 2000 again.
    let clock = StepClock::at(Timestamp::parse_shanghai("2000-01-01 00:00").unwrap());
    scene.terminal = start_terminal_by(Arc::new(clock), &scene.dir, scene.broker.port());
    let taken = scene.terminal.take(&checkin()).unwrap();
    assert_eq!(taken.clock_doubt, Some(ClockDoubt::BeforeSigned), "the screen warns");
    scene.green.push((taken.seq, taken.hash));
    let (_, parcel) = scene.terminal.journal().replay(taken.seq, 1).unwrap().remove(0);
    let record = Record::open(parcel.sealed.bytes(), &terminal_key().verifying_key()).unwrap();
    assert_eq!(record.clock.quality, ClockQuality::Doubtful);
    assert_eq!(record.clock.boot, 2);
    assert!(record.clock.signed.unwrap() > record.clock.wall, "with the evidence against it");
    scene.all_green_is_at_the_centre_once().await;
}
