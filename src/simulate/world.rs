//! The world of a voyage: one queue of happenings in the order of their times, and what each of them
//! does. Every step of a station or of the centre is the real one; only the sea between them, their
//! clocks and their disks are ours. What happens aboard is in `aboard.rs`, between them in `sea.rs`,
//! faults in `storm.rs`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Write};

use super::centre::{Centre, CommitFault, Letter};
use super::dice::Dice;
use super::mutant::Mutant;
use super::oracle::{Broken, Invariant, Oracle, must};
use super::station::{Station, wall};
use super::weather::Weather;
use crate::collector::office::{Office, Payload, Taken};
use crate::domain::{Fact, TerminalId, Timestamp};
use crate::ledger::Ledger;
use crate::record::topic::Channel;
use crate::record::{Batch, Record, SigningKey};
use crate::uplink::Event;

/// How long the world is watched after all is answered: longer than any wait for an answer.
const REST_MS: u64 = 25 * 60_000;

/// By then the last late message has come, and been answered.
pub(super) const SETTLED_MS: u64 = 8 * 60_000;

/// More than any voyage needs: whoever comes so far runs in a circle.
const HAPPENINGS_MAX: u64 = 100_000;

/// Messages that the centre takes before it commits.
const LETTERS_MAX: usize = 6;

/// What happens at a time.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    CheckIn(usize),
    Wake(usize, u64),
    Dialled(usize, u64),
    HungUp(usize, u64, Option<u64>),
    Start(usize),
    PlugIn(usize),
    AtCentre(Letter),
    AtStation(usize, u64, Vec<u8>),
    Work,
    CentreStarts,
    BrokerUp,
    Fault,
    Fair,
    Look,
}

pub(super) struct World {
    pub(super) now_ms: u64,
    order: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    pub(super) dice: Dice,
    pub(super) weather: Weather,
    pub(super) mutant: Option<Mutant>,
    pub(super) oracle: Oracle,
    pub(super) stations: Vec<Station>,
    pub(super) centre: Centre,
    pub(super) broker_up: bool,
    /// Counts the broker's lives.
    pub(super) broker: u64,
    /// Who is connected under a name, and by which connection.
    pub(super) sessions: BTreeMap<TerminalId, (usize, u64)>,
    pub(super) connections: u64,
    /// Messages for the centre while it is away.
    pub(super) kept_for_centre: VecDeque<Letter>,
    pub(super) working: bool,
    pub(super) fair: bool,
    /// When all was answered.
    pub(super) rests: Option<u64>,
    pub(super) offered_at_rest: u64,
    pub(super) greens: u64,
    pub(super) trace: String,
}

impl World {
    pub(super) fn new(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut dice = Dice::new(seed);
        let weather = Weather::forecast(&mut dice);
        let centre = Centre::new(dice.bytes(), dice.bytes(), mutant);
        let stations = (1..=weather.stations).map(|n| {
            let name = format!("t-{n}").parse().expect("a name");
            let key = SigningKey::from_secret(&dice.bytes());
            Station::new(name, key, &weather, mutant)
        });
        let stations = stations.collect();
        Self {
            now_ms: 0,
            order: 0,
            queue: BTreeMap::new(),
            dice,
            weather,
            mutant,
            oracle: Oracle::default(),
            stations,
            centre,
            broker_up: true,
            broker: 0,
            sessions: BTreeMap::new(),
            connections: 0,
            kept_for_centre: VecDeque::new(),
            working: false,
            fair: false,
            rests: None,
            offered_at_rest: 0,
            greens: 0,
            trace: String::new(),
        }
    }

    pub(super) fn say(&mut self, what: fmt::Arguments<'_>) {
        let now_ms = self.now_ms;
        writeln!(self.trace, "{:>9}.{:03} {what}", now_ms / 1_000, now_ms % 1_000)
            .expect("writing to a text cannot fail");
    }

    pub(super) fn after(&mut self, ms: u64, happening: Happening) {
        self.order += 1;
        self.queue.insert((self.now_ms.saturating_add(ms), self.order), happening);
    }

    /// The whole voyage.
    pub(super) fn sail(&mut self) -> Result<(), Broken> {
        self.depart()?;
        for happenings in 0.. {
            let Some(((at_ms, _), happening)) = self.queue.pop_first() else { break };
            self.now_ms = at_ms;
            must(happenings < HAPPENINGS_MAX, Invariant::ItComesToRest, || {
                format!("{HAPPENINGS_MAX} things have happened, and no end: {happening:.60?}")
            })?;
            if self.happen(happening)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn depart(&mut self) -> Result<(), Broken> {
        let weather = self.weather.clone();
        self.say(format_args!("{weather:?}"));
        self.centre.start(&mut self.oracle)?;
        let registrations: Vec<Fact> = self.stations.iter().map(registration).collect();
        let mut taken = Taken::default();
        if let Some(office) = &mut self.centre.office {
            registrations.into_iter().for_each(|fact| office.state(fact, &mut taken));
            office.settle(taken, &mut self.centre.ledger, wall(0)).expect("memory takes it");
        }
        self.oracle.look(&self.centre.ledger.inner)?;
        self.centre.backups.push(self.centre.ledger.inner.clone());
        for station in 0..self.stations.len() {
            self.start(station)?;
            self.after(1, Happening::CheckIn(station));
        }
        let first = self.dice.between(1, weather.fault_ms_max);
        self.after(first, Happening::Fault);
        self.after(weather.fair_at_ms, Happening::Fair);
        Ok(())
    }

    /// `true` at the end.
    fn happen(&mut self, happening: Happening) -> Result<bool, Broken> {
        match happening {
            Happening::CheckIn(station) => self.check_in(station)?,
            Happening::Wake(station, life) => {
                let now_ms = self.now_ms;
                let here = &mut self.stations[station];
                if here.life == life && here.live.is_some() && here.wake_at_ms == Some(now_ms) {
                    here.wake_at_ms = None;
                    let nonce = self.dice.bytes();
                    self.handle(station, Event::Tick { nonce })?;
                }
            }
            Happening::Dialled(station, life) => self.dialled(station, life)?,
            Happening::HungUp(station, life, connection) => {
                let here = &mut self.stations[station];
                if here.life == life && here.live.is_some() && here.connection == connection {
                    here.connection = None;
                    here.half_open = false;
                    self.handle(station, Event::Lost)?;
                }
            }
            Happening::Start(station) => self.start(station)?,
            Happening::PlugIn(station) => {
                self.stations[station].unplugged = false;
                self.handle(station, Event::Plug)?;
            }
            Happening::AtCentre(letter) => self.at_centre(letter),
            Happening::AtStation(station, connection, bytes) => {
                let here = &self.stations[station];
                if here.connection == Some(connection) && !here.half_open {
                    self.answered(station, bytes)?;
                }
            }
            Happening::Work => self.work()?,
            Happening::CentreStarts => {
                if self.centre.office.is_none() {
                    self.say(format_args!("the centre starts"));
                    self.centre.start(&mut self.oracle)?;
                    self.take_kept();
                }
            }
            Happening::BrokerUp => {
                self.say(format_args!("the broker is up"));
                self.broker_up = true;
                self.take_kept();
            }
            Happening::Fault => self.fault()?,
            Happening::Fair => self.clear_up()?,
            Happening::Look => return self.is_over(),
        }
        Ok(false)
    }

    // ---- the centre -------------------------------------------------------------------------

    /// The collector's process ends. What was not acknowledged, the broker brings again.
    pub(super) fn centre_dies(&mut self) {
        self.say(format_args!("the centre is down"));
        self.centre.office = None;
        self.centre.inbox.append(&mut self.kept_for_centre);
        std::mem::swap(&mut self.centre.inbox, &mut self.kept_for_centre);
        let wait = self.dice.between(500, 30_000);
        self.after(wait, Happening::CentreStarts);
    }

    /// As the collector's core does it: judge what is there, commit, then answer.
    fn work(&mut self) -> Result<(), Broken> {
        self.working = false;
        let now = self.centre_time();
        let Some(office) = &mut self.centre.office else { return Ok(()) };
        let mut taken = Taken::default();
        let mut answers = Vec::new();
        let letters = LETTERS_MAX.min(self.centre.inbox.len());
        for letter in self.centre.inbox.range(..letters) {
            let payload = Payload::Whole(letter.bytes.clone());
            let ledger = &self.centre.ledger;
            match letter.channel {
                Channel::Records => {
                    if self.mutant == Some(Mutant::TakesOutOfOrder) {
                        skip_ahead(office, letter);
                    }
                    office
                        .take_records(&letter.from, payload, ledger, &mut taken)
                        .expect("memory can be read");
                }
                Channel::Ask => {
                    let told = office.answer_time(&letter.from, &payload, now);
                    answers.extend(told.into_iter().map(|answer| (letter.from.clone(), answer)));
                }
                Channel::Answers
                | Channel::Dispatch
                | Channel::Share
                | Channel::Shared
                | Channel::Status => {}
            }
        }
        if self.dice.happens(20) {
            office.state(Fact::Tick, &mut taken);
        }
        if self.dice.happens(self.weather.commit_fails) {
            let faults = [CommitFault::NotStored, CommitFault::StoredAllTheSame];
            self.centre.ledger.fails = Some(self.dice.pick(&faults));
        }
        let settled = office.settle(taken, &mut self.centre.ledger, now);
        self.centre.ledger.fails = None;
        self.oracle.look(&self.centre.ledger.inner)?;
        let size = self.centre.ledger.size();
        let Ok(settled) = settled else {
            self.say(format_args!("the commit fails; {size} entries"));
            self.centre_dies();
            return Ok(());
        };
        self.say(format_args!(
            "{letters} letters, {size} entries, {} answers",
            settled.answers.len()
        ));
        if self.dice.happens(self.weather.dies_before_answer) {
            self.centre_dies();
            return Ok(());
        }
        self.centre.inbox.drain(..letters);
        if self.dice.happens(50) && !self.fair {
            self.centre.backups.push(self.centre.ledger.inner.clone());
        }
        answers.extend(settled.answers);
        for (name, sealed) in answers {
            self.oracle.answer(&sealed, &self.centre.receipt_key())?;
            self.answer(&name, &sealed);
        }
        self.be_at_work();
        Ok(())
    }

    fn centre_time(&self) -> Timestamp {
        wall(self.now_ms)
    }

    // ---- the end ----------------------------------------------------------------------------

    /// Looks whether all is answered, and whether it stays so.
    fn is_over(&mut self) -> Result<bool, Broken> {
        let owed = self.owed();
        match (self.rests, owed) {
            (Some(since), None) if self.now_ms - since >= REST_MS => {
                must(self.offered_at_rest == 0, Invariant::ItComesToRest, || {
                    format!(
                        "{} messages with records after all were answered",
                        self.offered_at_rest
                    )
                })?;
                return Ok(true);
            }
            (None, None) => {
                self.say(format_args!("all is answered"));
                self.rests = Some(self.now_ms);
            }
            (_, None) => {}
            (_, Some(owed)) => {
                if self.now_ms >= self.weather.end_at_ms {
                    return Err(owed);
                }
            }
        }
        self.after(30_000, Happening::Look);
        Ok(false)
    }

    /// What is still owed to somebody.
    fn owed(&self) -> Option<Broken> {
        let owed = |invariant, what| Some(Broken { invariant, what });
        for station in self.stations.iter().filter(|station| !station.wrecked) {
            let name = &station.name;
            if station.live.is_none() || station.checkins_left > 0 || station.waiting() > 0 {
                let what = format!(
                    "{name} has {} records without an answer and {} people at the door; the ledger has it up to {}",
                    station.waiting(),
                    station.checkins_left,
                    self.oracle.head(name)
                );
                return owed(Invariant::EveryoneIsAnswered, what);
            }
            let honest = self.oracle.is_honest(name);
            let lacks = |hash| match honest {
                true => !self.oracle.holds(name, hash),
                false => !self.oracle.ever_held(name, hash),
            };
            if let Some((seq, _)) = station.book.iter().find(|(_, page)| lacks(page.hash)) {
                let what = format!(
                    "record {seq} of {name} is freed, and the ledger, which has it up to {}, lacks it",
                    self.oracle.head(name)
                );
                return owed(Invariant::TheLedgerHeals, what);
            }
        }
        None
    }
}

/// A mistake: whatever comes is made the next one.
fn skip_ahead(office: &mut Office, letter: &Letter) {
    let Ok(Batch(parcels)) = Batch::decode(&letter.bytes) else { return };
    let first = parcels.first().and_then(|parcel| Record::peek(parcel.sealed.bytes()).ok());
    if let Some((record, _)) = first {
        office.skip_to(&letter.from, record.seq, record.prev);
    }
}

/// What the centre states of a station.
pub(super) fn registration(station: &Station) -> Fact {
    Fact::Terminal {
        id: station.name.clone(),
        site: "s-1".parse().expect("a name"),
        key: station.key.verifying_key().to_bytes(),
    }
}
