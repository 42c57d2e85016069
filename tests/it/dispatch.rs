//! What a terminal works by comes from the centre: real program at both ends, real Mosquitto. A class
//! that is imported at the centre appears on a running terminal, stays without a network, and nobody
//! else reads it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rollcall::domain::{PersonId, Timestamp};
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::platform::secret;
use rollcall::record::ReadingKey;
use rollcall::terminal::inbox::Inbox;
use rollcall::terminal::{Config, SitePlan, Terminal};
use rollcall::uplink::Trust;
use rumqttc::{Event, Incoming, QoS};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::face_data::people;
use crate::support::broker::eventually;
use crate::support::day::{rollcall, write};
use crate::support::town::Town;
use crate::support::{fine, refused, within_limit};

/// Names, and numbers that are well-formed and nobody's.
const TRAINEES: [(&str, &str); 3] = [
    ("示例学员一", "990000199305120020"),
    ("示例学员二", "990000198807270032"),
    ("示例学员三", "990000200101150047"),
];

fn now() -> Timestamp {
    SystemClock::start().now()
}

/// `rollcall collector KIND import`, while no collector runs.
fn import(town: &Town, kind: &str, table: &str) -> String {
    let file = town.file(&format!("{kind}.csv"));
    write(&file, table);
    let config = town.config();
    let arguments = ["collector", kind, "import", "--replace", "--config"];
    fine(&rollcall(&[&arguments[..], &[text(&config), text(&file)]].concat()))
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A class with three trainees and a teacher, whose lesson has begun.
pub(crate) fn school(town: &Town) {
    let (starts, ends) = (now().plus_ms(-600_000), now().plus_ms(7_200_000));
    import(
        town,
        "teacher",
        "id,institution,name,id_number,employment,qualification\n\
         i-1-t01,i-1,示例教师,990000197903040013,full_time,trade\n",
    );
    import(
        town,
        "class",
        "id,institution,name,persons,project,occupation,level,starts,ends,hours,target\n\
         cook-a,i-1,中式烹调一班,3,中式烹调师,中式烹调师,junior,2026-01-01,2036-12-31,240,employment\n",
    );
    let rows =
        TRAINEES.map(|(name, number)| format!("cook-a,{name},{number},{name}的卡\n")).concat();
    import(town, "roster", &format!("class,name,id_number,card\n{rows}"));
    import(
        town,
        "lesson",
        &format!(
            "id,class,site,starts,ends,teacher\ncook-a-1,cook-a,s-1,{starts},{ends},i-1-t01\n"
        ),
    );
}

/// A running terminal with its inbox.
pub(crate) struct Room {
    pub(crate) terminal: Arc<Terminal>,
    plans: watch::Receiver<Arc<SitePlan>>,
    inbox: JoinHandle<()>,
}

/// The inbox of a device that was set up, and the plan that it stored.
fn inbox(town: &Town, device: &str) -> (Inbox, Option<SitePlan>) {
    let config = Config::read(&town.device(device)).unwrap();
    let trust = Trust::read(&config.journal_dir, config.uplink.receipt_key).unwrap();
    Inbox::open(&config.terminal, &config.dispatch, trust.all()).unwrap().unwrap()
}

impl Room {
    pub(crate) fn open(town: &Town, device: &str) -> Self {
        let (inbox, stored) = inbox(town, device);
        let (sender, plans) = watch::channel(Arc::new(stored.unwrap_or_default()));
        let terminal = Arc::new(town.start(device));
        let clock = Arc::new(SystemClock::start());
        let inbox = tokio::spawn(inbox.keep(Arc::clone(&terminal), clock, sender));
        Self { terminal, plans, inbox }
    }

    pub(crate) async fn plan(
        &mut self,
        what: &str,
        is_it: impl FnMut(&Arc<SitePlan>) -> bool,
    ) -> SitePlan {
        SitePlan::clone(&within_limit(what, self.plans.wait_for(is_it)).await.unwrap())
    }

    pub(crate) async fn close(self) {
        self.inbox.abort();
        self.terminal.shut_down().await.unwrap();
    }
}

fn names(plan: &SitePlan) -> BTreeSet<&str> {
    plan.people.values().map(|who| who.name.as_str()).collect()
}

pub(crate) fn person(plan: &SitePlan, name: &str) -> PersonId {
    let mut people = plan.people.iter();
    *people.find(|(_, who)| who.name == name).unwrap_or_else(|| panic!("no {name}")).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_that_is_imported_at_the_centre_appears_at_a_running_terminal_and_stays_offline() {
    let mut town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    let mut room = Room::open(&town, "t-101");
    room.plan("the first dispatch comes", |plan| plan.version.is_some()).await;
    town.stop_collector();
    school(&town);
    town.start_collector();
    let plan = room.plan("the class is there", |plan| !plan.plans.is_empty()).await;
    let everybody = BTreeSet::from(["示例学员一", "示例学员二", "示例学员三", "示例教师"]);
    assert_eq!(names(&plan), everybody);
    assert_eq!(plan.plans[0].lesson.class.as_str(), "cook-a");
    assert_eq!(plan.plans[0].roster.len(), 4, "the teacher checks in as trainees do");
    assert_eq!(plan.teachers, [person(&plan, "示例教师")].into());
    assert_eq!(plan.holder("示例学员二的卡"), Some(person(&plan, "示例学员二")));
    let days_left = plan.expires.unwrap().ms_since(now()) / 86_400_000;
    assert!((13..=15).contains(&days_left), "{days_left}");
    assert_eq!(plan.policy.as_ref().unwrap().profile(), "sichuan-2025/2");
    room.close().await;
    // Nobody is there any more, and nothing of anybody stands readable on the disk.
    town.stop_collector();
    town.stop_broker();
    let (_, stored) = inbox(&town, "t-101");
    assert_eq!(stored.as_ref(), Some(&plan));
    let bytes = std::fs::read(town.file("t-101").join("dispatch.sealed")).unwrap();
    for word in ["示例学员一", "示例教师", "cook-a"] {
        assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_moved_or_was_erased_is_gone_with_the_next_dispatch_and_a_suspension_is_there() {
    let mut town = Town::founded();
    school(&town);
    town.start_broker();
    town.start_collector();
    fine(&town.init("t-101", &town.token("t-101")));
    let mut room = Room::open(&town, "t-101");
    let plan = room.plan("the class is there", |plan| plan.people.len() == 4).await;
    assert!(!plan.is_suspended(now(), None));
    // Erased while the collector runs.
    let (config, gone) = (town.config(), person(&plan, "示例学员一"));
    let erase = ["collector", "people", "erase", "--config", text(&config), "--person"];
    fine(&rollcall(&[&erase[..], &[&gone.to_string()]].concat()));
    let plan = room.plan("she is erased", |plan| plan.people.len() == 3).await;
    assert!(!plan.plans[0].roster.contains(&gone) && !names(&plan).contains("示例学员一"));
    town.stop_collector();
    import(&town, "roster", "class,id_number,left\ncook-a,990000198807270032,moved\n");
    import(
        &town,
        "status",
        "of,id,state,from\nsite,s-1,suspended,2026-01-01 00:00\nlesson,cook-a-1,resumed,2026-01-01 00:00\n",
    );
    town.start_collector();
    let plan = room.plan("she has moved", |plan| plan.people.len() == 2).await;
    assert_eq!(names(&plan), BTreeSet::from(["示例学员三", "示例教师"]));
    assert!(plan.is_suspended(now(), None));
    town.stop_collector();
    import(&town, "status", "of,id,state,from\nlesson,cook-a-1,cancelled,2026-01-02 00:00\n");
    town.start_collector();
    room.plan("the lesson is cancelled", |plan| plan.plans.is_empty()).await;
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_terminal_gets_it_neither_from_the_broker_nor_by_hand() {
    let town = Town::running();
    for device in ["t-101", "t-102"] {
        fine(&town.init(device, &town.token(device)));
    }
    let mut room = Room::open(&town, "t-101");
    room.plan("the first dispatch comes", |plan| plan.version.is_some()).await;
    room.close().await;
    // Both topics; what comes, comes in the order of the subscriptions.
    let heard = tokio::task::block_in_place(|| {
        let (client, mut connection) = town.client("t-102", &town.files("t-102"));
        for terminal in ["t-101", "t-102"] {
            let topic = format!("rollcall/v1/{terminal}/dispatch");
            client.subscribe(topic, QoS::AtLeastOnce).unwrap();
        }
        connection.iter().find_map(|event| match event.unwrap() {
            Event::Incoming(Incoming::Publish(publish)) => Some(publish.topic),
            Event::Incoming(_) | Event::Outgoing(_) => None,
        })
    });
    assert_eq!(heard.as_deref(), Some("rollcall/v1/t-102/dispatch"));
    let file = dispatch_of(&town, "t-101");
    let other = town.device("t-102");
    let take = ["terminal", "take", "--config", text(&other), "--from", text(&file)];
    refused(&rollcall(&take), 1, &["it is for terminal t-101", "made for this terminal"]);
    // Nor with its name: a thief who has the file, and calls his device so.
    let stolen = std::fs::read_to_string(&other).unwrap().replace("\"t-102\"", "\"t-101\"");
    let thief = town.file("thief.toml");
    write(&thief, stolen);
    let take = ["terminal", "take", "--config", text(&thief), "--from", text(&file)];
    refused(&rollcall(&take), 1, &["encrypted to another reading key", "terminal renew"]);
    // Once it is revoked, nothing is kept for it any more.
    fine(&town.terminal("revoke", &["--id", "t-101", "--reason", "stolen"]));
    let kept = |id: &str| town.data().join(format!("dispatch/{id}.dispatch")).exists();
    eventually("its dispatch is taken away", || !kept("t-101"));
    assert!(kept("t-102"));
}

/// `rollcall collector terminal dispatch`.
fn dispatch_of(town: &Town, id: &str) -> PathBuf {
    let file = town.file(&format!("{id}.dispatch"));
    fine(&town.terminal("dispatch", &["--id", id, "--out", text(&file)]));
    file
}

#[test]
fn a_dispatch_is_carried_to_a_terminal_and_an_older_altered_or_foreign_one_is_refused() {
    let town = Town::founded();
    let (request, answer) = (town.file("request"), town.file("answer"));
    let token = town.token("t-101");
    fine(&town.init_with("t-101", &token, &["--request", text(&request)]));
    fine(&town.terminal("admit", &["--request", text(&request), "--out", text(&answer)]));
    fine(&town.init_with("t-101", &token, &["--answer", text(&answer)]));
    let first = std::fs::read(dispatch_of(&town, "t-101")).unwrap();
    school(&town);
    let file = dispatch_of(&town, "t-101");
    let config = town.device("t-101");
    let take = ["terminal", "take", "--config", text(&config), "--from", text(&file)];
    let said = fine(&rollcall(&take));
    assert!(said.contains("took the dispatch: 1 lessons, 4 people"), "{said}");
    assert!(fine(&rollcall(&take)).contains("has this dispatch already"));
    let newest = std::fs::read(&file).unwrap();
    let mut altered = newest.clone();
    *altered.last_mut().unwrap() ^= 1;
    let foreign = Town::founded();
    fine(&foreign.init_with("t-101", &foreign.token("t-101"), &["--request", text(&request)]));
    fine(&foreign.terminal("admit", &["--request", text(&request), "--out", text(&answer)]));
    // Somebody else's centre, which knows this terminal's reading key.
    let secret = secret::read(&town.file("t-101").join("reading.key")).unwrap();
    let ours = ReadingKey::from_secret(&secret).public().to_string();
    let note = foreign.data().join("enrolment/t-101.bound.json");
    let bound = std::fs::read_to_string(&note).unwrap();
    let theirs = bound.split('"').find(|part| part.starts_with("x25519:")).unwrap();
    write(&note, bound.replace(theirs, &ours));
    let forged = std::fs::read(dispatch_of(&foreign, "t-101")).unwrap();
    for (bytes, words) in [
        (first, ["this terminal has the newer", "the newer one is in use"]),
        (altered, ["was changed on the way", "could not take the dispatch"]),
        (forged, ["not from this terminal's centre", "find out who made it"]),
        (b"nothing".to_vec(), ["it is no dispatch", "same version"]),
    ] {
        write(&file, &bytes);
        refused(&rollcall(&take), 1, &words);
    }
    // What it had is still there.
    assert_eq!(std::fs::read(town.file("t-101").join("dispatch.sealed")).unwrap(), newest);
    refused(
        &town.terminal("dispatch", &["--id", "t-999", "--out", text(&file)]),
        2,
        &["not registered", "no reading key"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_of_an_earlier_build_gets_its_reading_key_by_renewing() {
    let town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    // As if neither end had ever heard of dispatches.
    let config = town.device("t-101");
    let old = std::fs::read_to_string(&config).unwrap();
    let old: String = old
        .lines()
        .filter(|line| !line.starts_with("reading_key_file") && !line.starts_with("dispatch_file"))
        .flat_map(|line| [line, "\n"])
        .collect();
    write(&config, old);
    std::fs::remove_file(town.file("t-101").join("reading.key")).unwrap();
    let renew = ["terminal", "renew", "--config", text(&config)];
    fine(&rollcall(&renew));
    let mut room = Room::open(&town, "t-101");
    room.plan("a dispatch for the new key comes", |plan| plan.version.is_some()).await;
    room.close().await;
    fine(&rollcall(&renew));
    let written = std::fs::read_to_string(&config).unwrap();
    assert_eq!(written.matches("reading_key_file").count(), 1, "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_receipt_key_is_exchanged_the_terminal_is_led_on_and_takes_the_next_dispatch() {
    let mut town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    let mut room = Room::open(&town, "t-101");
    let before = room.plan("the first dispatch comes", |plan| plan.version.is_some()).await;
    town.stop_collector();
    fine(&town.collector("renew-receipt-key", &[]));
    school(&town);
    town.start_collector();
    // The dispatch is there before the word that leads on to its key: that comes with the answer to
    // the question for the time, at the next connection or within an hour.
    let mut view = room.terminal.view();
    room.terminal.disconnect();
    within_limit("it is offline", view.wait_for(|view| !view.online)).await.unwrap();
    room.terminal.connect();
    let plan = room.plan("the next one is taken", |plan| plan.version > before.version).await;
    assert_eq!(plan.people.len(), 4);
    room.close().await;
    let (_, stored) = inbox(&town, "t-101");
    assert_eq!(stored, Some(plan), "a start without a network knows both keys");
}

/// `rollcall terminal run` with its screen.
struct Run {
    child: Child,
    address: String,
}

impl Run {
    fn start(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(["terminal", "run", "--config", text(config)])
            .env("XDG_DATA_HOME", "/nowhere")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().expect("it goes on").unwrap();
        let address = loop {
            if let Some((_, address)) = line().split_once("its screen is at http://") {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn ask(&self, path: &str) -> BufReader<TcpStream> {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let host = &self.address;
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        BufReader::new(socket)
    }

    /// Waits until the screen shows all of these in one scene.
    fn shows(&self, words: &[&str]) {
        let mut last = String::new();
        for line in self.ask("/events").lines() {
            last = line.unwrap_or_else(|error| panic!("{error}: no {words:?} in {last}"));
            if words.iter().all(|word| last.contains(word)) {
                return;
            }
        }
        panic!("no {words:?} in {last}");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn the_screen_of_a_running_terminal_shows_the_new_class_its_people_and_the_suspension() {
    let mut town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    let (config, replay) = (town.device("t-101"), town.file("replay"));
    std::fs::create_dir(&replay).unwrap();
    let pictures = &people()[0].1;
    std::fs::copy(&pictures[3], replay.join("1.jpg")).unwrap();
    let set_up = std::fs::read_to_string(&config).unwrap();
    let screen = "[kiosk]\nlisten = \"127.0.0.1:0\"\n[camera]\nreplay =";
    write(&config, format!("{set_up}\n{screen} {replay:?}\n"));
    let somebody = "00112233445566778899aabbccddeeff";
    let enrol = ["terminal", "enrol", "--config", text(&config), "--person", somebody];
    fine(&rollcall(&[&enrol[..], &[text(&pictures[0])]].concat()));
    let run = Run::start(&config);
    run.shows(&["\"no_lesson\""]);
    town.stop_collector();
    school(&town);
    town.start_collector();
    run.shows(&["cook-a 班", "class cook-a"]);
    let mut listed = String::new();
    std::io::Read::read_to_string(&mut run.ask("/people"), &mut listed).unwrap();
    assert_eq!(listed.matches("\"name\":\"示*").count(), 4, "{listed}");
    town.stop_collector();
    import(&town, "status", "of,id,state,from\nclass,cook-a,suspended,2026-01-01 00:00\n");
    town.start_collector();
    run.shows(&["\"suspended\"", "cook-a"]);
    drop(run);
    // Without anybody to ask, from the first second on.
    town.stop_collector();
    town.stop_broker();
    let run = Run::start(&config);
    run.shows(&["\"suspended\"", "\"offline\"", "cook-a 班"]);
    eventually("and its people", || {
        let mut listed = String::new();
        std::io::Read::read_to_string(&mut run.ask("/people"), &mut listed).unwrap();
        listed.contains("示")
    });
}
