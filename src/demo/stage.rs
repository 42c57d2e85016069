//! Sets the stage: broker, collector, page and three terminals, each with its own key, journal and
//! people, on one clock that the play moves.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::world::{CLASSES, PEOPLE, Person, SITES, TERMINALS, both, person_id, registered};
use super::{DemoError, broker};
use crate::checkin::{Plan, Settings};
use crate::collector::Judging;
use crate::collector::Names;
use crate::collector::Watch;
use crate::collector::{Broker, Collector, Home, Setup as CollectorSetup, Store};
use crate::domain::{Fact, PersonId, Policy, TerminalId};
use crate::face::{Embedding, Gallery, Pipeline};
use crate::ingest::Limits;
use crate::journal::{Bounds, Journal};
use crate::kiosk::{Message, Screen};
use crate::platform::chance;
use crate::platform::clock::{Clock, StepClock};
use crate::record::{SigningKey, roster_commitment};
use crate::terminal::{Door, Setup, Terminal, numbers, people_searched};
use crate::uplink::{self, NoWaypoints};

use super::pictures::Album;

/// Everything that runs.
pub(super) struct Stage {
    pub(super) clock: Arc<StepClock>,
    pub(super) broker: SocketAddr,
    pub(super) collector: Collector,
    pub(super) watch: Watch,
    pub(super) store: Store,
    pub(super) terminals: Vec<(Terminal, Door)>,
    pub(super) board: Board,
}

/// The newest message of any screen: the narration prints it.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<Mutex<Option<Message>>>);

impl Board {
    pub(super) fn take(&self) -> Option<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Screen for Board {
    fn show(&mut self, message: &Message, _at_ms: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(message.clone());
    }
}

pub(super) fn set(
    folder: &Path,
    pipeline: &mut Pipeline,
    albums: &[Album],
    enrolled: impl FnMut(&Person),
) -> Result<Stage, DemoError> {
    let policy = Policy::sichuan_2025();
    let clock = Arc::new(StepClock::at(registered()));
    let broker = broker::start().map_err(DemoError::Broker)?;

    let home = Home::create(&folder.join("collector"))?;
    let (receipt_key, store) = (home.receipt_key(), home.store().clone());
    let watch = Watch::open(&store, Judging::by(policy.clone()), invented_names())?;
    let setup = CollectorSetup {
        broker: Broker {
            tls: None,
            host: broker.ip().to_string(),
            port: broker.port(),
            client_id: "collector".into(),
            login: None,
        },
        origin: super::ORIGIN.into(),
        limits: Limits::default(),
        // The play states its own ticks, by its own clock.
        tick_ms: None,
    };
    let on_clock: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let collector = Collector::start(home, setup, Arc::clone(&on_clock), watch.hooks())?;

    let keys: Vec<_> =
        TERMINALS.iter().map(|_| SigningKey::from_secret(&chance::random_bytes())).collect();
    collector.state(facts(&policy, &keys))?;

    let templates = enrol(pipeline, albums, enrolled)?;
    let board = Board::default();
    let mut terminals = Vec::new();
    for ((name, site), key) in TERMINALS.into_iter().zip(keys) {
        let id = name_of(name);
        let journal_dir = folder.join(name);
        Journal::init(&journal_dir, &id, key.verifying_key().id())?;
        let uplink = uplink::Section::default();
        let terminal = Terminal::start(Setup {
            terminal: id,
            key,
            journal_dir,
            bounds: Bounds::default(),
            uplink: uplink::Config {
                tls: None,
                broker_host: broker.ip().to_string(),
                broker_port: broker.port(),
                receipt_key,
                clock_tolerance_ms: i64::from(policy.clock_tolerance_s()) * 1_000,
                pace: uplink.pace().expect("a test checks the defaults"),
                firmware: env!("CARGO_PKG_VERSION").into(),
            },
            policy: policy.profile(),
            pack: Some(pipeline.pack_digest()),
            plugged: true,
            clock: Arc::clone(&on_clock),
            waypoints: Arc::new(NoWaypoints),
        })?;
        let thresholds = pipeline.thresholds()?;
        let (plans, same) = (plans(site), thresholds.matching.cosine);
        let gallery = gallery(site, pipeline.embedding_digest(), &templates, same)?;
        let people = people_searched(&plans, &gallery);
        let door = Door::new(
            numbers(&policy, thresholds, &single_pictures(), people),
            plans,
            gallery,
            thresholds,
            Box::new(board.clone()),
        );
        terminals.push((terminal, door));
    }
    Ok(Stage { clock, broker, collector, watch, store, terminals, board })
}

/// The people of the demo pass as single pictures, not as a video.
fn single_pictures() -> Settings {
    Settings { pictures_min: 1, ..Settings::default() }
}

fn name_of(name: &str) -> TerminalId {
    name.parse().expect("the demo's names are names")
}

fn invented_names() -> Names {
    let both_names = |person: &Person| format!("{} {}", person.name.0, person.name.1);
    let names = PEOPLE.iter().enumerate().map(|(no, person)| (person_id(no), both_names(person)));
    Names::Invented(names.collect::<HashMap<_, _>>())
}

fn facts(policy: &Policy, keys: &[SigningKey]) -> Vec<Fact> {
    const NAMED: &str = "the demo's names are names";
    let mut facts = vec![Fact::Policy { profile: policy.profile(), digest: policy.digest() }];
    for site in &SITES {
        facts.push(Fact::Institution {
            id: site.institution.parse().expect(NAMED),
            name: both(site.institution_name),
        });
        facts.push(Fact::Site {
            id: site.id.parse().expect(NAMED),
            institution: site.institution.parse().expect(NAMED),
            name: both(site.name),
            town: both(site.town),
            place: site.place,
        });
    }
    for ((name, site), key) in TERMINALS.iter().zip(keys) {
        facts.push(Fact::Terminal {
            id: name_of(name),
            site: site.parse().expect(NAMED),
            key: key.verifying_key().to_bytes(),
        });
    }
    for class in &CLASSES {
        let institution = SITES.iter().find(|site| site.id == class.site).map(|s| s.institution);
        let roster: Vec<_> = class.roster_ids().into_iter().collect();
        facts.push(Fact::Class {
            id: class.id.parse().expect(NAMED),
            institution: institution.and_then(|name| name.parse().ok()).expect(NAMED),
            name: both(class.name),
            persons: u32::try_from(roster.len()).expect("a class is small"),
            roster: roster_commitment(&chance::random_bytes(), &roster),
        });
        facts.extend(class.lessons().map(Fact::Lesson));
    }
    facts
}

fn plans(site: &str) -> Vec<Plan> {
    let here = CLASSES.iter().filter(|class| class.site == site);
    here.flat_map(|class| class.lessons().map(|lesson| Plan { lesson, roster: class.roster_ids() }))
        .collect()
}

type Templates = HashMap<PersonId, Vec<Embedding>>;

/// Each person's enrolment pictures, through the real pipeline.
fn enrol(
    pipeline: &mut Pipeline,
    albums: &[Album],
    mut enrolled: impl FnMut(&Person),
) -> Result<Templates, DemoError> {
    let mut templates = Templates::new();
    for (no, person) in PEOPLE.iter().enumerate() {
        let mut embeddings = Vec::new();
        for picture in &albums[person.face].enrol {
            let frame =
                picture.frame().map_err(|why| DemoError::Picture { path: picture.path(), why })?;
            embeddings.extend(pipeline.look(&frame)?.face.map(|face| face.embedding));
        }
        templates.insert(person_id(no), embeddings);
        enrolled(person);
    }
    Ok(templates)
}

fn gallery(
    site: &str,
    model: [u8; 32],
    templates: &Templates,
    same: crate::domain::Score,
) -> Result<Gallery, DemoError> {
    let mut gallery = Gallery::new(model);
    let people = CLASSES.iter().filter(|class| class.site == site).flat_map(|c| c.roster_ids());
    for person in people {
        if let Some(pictures) = templates.get(&person) {
            gallery.enrol(person, pictures, same)?;
        }
    }
    Ok(gallery)
}
