//! The world of a voyage: one queue of happenings in the order of their times, and what each of them
//! does. Every step of a station or of the centre is the real one; only the sea between them, their
//! clocks and their disks are ours. Faults are in `storm.rs`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Write};

use super::centre::{Centre, CommitFault, Letter};
use super::dice::Dice;
use super::mutant::Mutant;
use super::oracle::{Broken, Invariant, Oracle, must};
use super::station::{Station, contents, wall};
use super::weather::Weather;
use crate::collector::office::{Payload, Taken};
use crate::domain::{CheckIn, Event as Kind, Fact, Outcome, PersonId, TerminalId, Timestamp, Way};
use crate::journal::AppendError;
use crate::ledger::Ledger;
use crate::record::topic::Channel;
use crate::record::{
    Batch, Receipt, Record, Sealed, TimeAnswer, Verdict, Wanted, open_statement, seal_statement,
};
use crate::terminal::TakeError;
use crate::uplink::clock::SignedTime;
use crate::uplink::effect::{self, Offer};
use crate::uplink::{Action, Event, NoWaypoints};

/// How long the world is watched after all is answered: longer than any wait for an answer.
const REST_MS: u64 = 25 * 60_000;

/// By then the last late message has come, and been answered.
const SETTLED_MS: u64 = 8 * 60_000;

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
    connections: u64,
    /// Messages for the centre while it is away.
    pub(super) kept_for_centre: VecDeque<Letter>,
    working: bool,
    pub(super) fair: bool,
    /// When all was answered.
    rests: Option<u64>,
    offered_at_rest: u64,
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
            let key = crate::record::SigningKey::from_secret(&dice.bytes());
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

    // ---- stations ---------------------------------------------------------------------------

    pub(super) fn start(&mut self, station: usize) -> Result<(), Broken> {
        let (now_ms, key) = (self.now_ms, self.centre.receipt_key());
        let here = &mut self.stations[station];
        if here.live.is_some() || here.wrecked {
            return Ok(());
        }
        let runs = here.start(now_ms, key, &mut self.oracle)?;
        let name = here.name.clone();
        if !runs {
            if here.wrecked {
                self.say(format_args!("{station} {name} cannot go on"));
            } else {
                self.crash(station);
            }
            return Ok(());
        }
        let standing = here.live.as_ref().map(|live| live.pen.journal.standing());
        self.say(format_args!("{station} {name} starts: {standing:?}"));
        self.stations[station].audit(None, &self.oracle)?;
        if !self.stations[station].unplugged {
            self.handle(station, Event::Plug)?;
        }
        Ok(())
    }

    /// The program ends, by itself or because the power is gone.
    pub(super) fn crash(&mut self, station: usize) {
        let here = &mut self.stations[station];
        let powerless = here.disks.is_dead();
        if powerless {
            here.disks.cut(&mut self.dice);
        }
        here.disks.hold();
        (here.live, here.connection, here.half_open) = (None, None, false);
        here.wake_at_ms = None;
        let name = here.name.clone();
        self.sessions.retain(|_, (whose, _)| *whose != station);
        self.say(format_args!(
            "{station} {name} is down, {}",
            if powerless { "no power" } else { "killed" }
        ));
        let wait = self.dice.between(500, 20_000);
        self.after(wait, Happening::Start(station));
    }

    fn check_in(&mut self, station: usize) -> Result<(), Broken> {
        let wait = if self.fair { 2_000 } else { self.weather.checkin_ms_max };
        let wait = self.dice.between(1, wait);
        let now_ms = self.now_ms;
        let here = &mut self.stations[station];
        if here.checkins_left == 0 || here.wrecked {
            return Ok(());
        }
        self.after(wait, Happening::CheckIn(station));
        let here = &mut self.stations[station];
        here.set_clock(now_ms);
        let Some(live) = &here.live else { return Ok(()) };
        let checkin = somebody(&mut self.dice);
        let salts = [self.dice.bytes(), self.dice.bytes()];
        let slot = live.pen.journal.next();
        let full = live.pen.journal.standing().waiting >= self.weather.bounds.records_max;
        let mut taken = live.pen.take(&checkin, salts, &NoWaypoints);
        if let (
            Err(TakeError::Append(AppendError::Full { .. })),
            Some(Mutant::DropsOldestWhenFull),
        ) = (&taken, self.mutant)
        {
            let oldest = live.pen.journal.standing().released + 1;
            self.forge(station, oldest, oldest)?;
            let Some(live) = &self.stations[station].live else { return Ok(()) };
            taken = live.pen.take(&checkin, salts, &NoWaypoints);
        }
        let here = &mut self.stations[station];
        match taken {
            Ok(taken) => {
                must(!full, Invariant::FullMeansRed, || {
                    format!("{} takes record {} beyond its bound", here.name, taken.seq)
                })?;
                here.green(taken.seq, taken.hash);
                here.checkins_left -= 1;
                self.greens += 1;
                let name = here.name.clone();
                self.oracle.made(&name, taken.seq, taken.hash);
                self.say(format_args!("{station} green {name} {} {:?}", taken.seq, taken.hash));
            }
            Err(TakeError::Append(AppendError::Full { records, .. })) => {
                must(full, Invariant::FullMeansRed, || {
                    format!("{} is red with {records} records", here.name)
                })?;
                self.say(format_args!("{station} red: full"));
                return Ok(());
            }
            Err(error) => {
                if self.mutant == Some(Mutant::GreenBeforeSync) {
                    here.green(slot.seq, crate::record::SealedHash([2; 32]));
                }
                self.say(format_args!("{station} red: {error:?}"));
                self.crash(station);
                return Ok(());
            }
        }
        self.stations[station].audit(None, &self.oracle)?;
        let Some(live) = &self.stations[station].live else { return Ok(()) };
        let standing = live.pen.journal.standing();
        self.handle(station, Event::Journal(standing))
    }

    /// As the uplink's shell does it: one event, its actions, and the events that these cause.
    pub(super) fn handle(&mut self, station: usize, event: Event) -> Result<(), Broken> {
        let now_ms = self.now_ms;
        self.stations[station].set_clock(now_ms);
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let Some(live) = &mut self.stations[station].live else { return Ok(()) };
            for action in live.link.step(event, now_ms) {
                events.extend(self.perform(station, action)?);
            }
        }
        let here = &mut self.stations[station];
        let Some(live) = &here.live else { return Ok(()) };
        let wake = live.link.wake_at_ms().map(|wake_ms| wake_ms.max(now_ms + 1));
        if let Some(wake_ms) = wake.filter(|_| wake != here.wake_at_ms) {
            here.wake_at_ms = wake;
            let life = here.life;
            self.after(wake_ms - now_ms, Happening::Wake(station, life));
        }
        Ok(())
    }

    fn perform(&mut self, station: usize, action: Action) -> Result<Option<Event>, Broken> {
        let here = &mut self.stations[station];
        let Some(live) = &mut here.live else { return Ok(None) };
        match action {
            Action::Connect => {
                let (wait, life) = (self.dice.between(10, 300), here.life);
                self.after(wait, Happening::Dialled(station, life));
            }
            Action::HangUp => {
                (here.connection, here.half_open) = (None, false);
                self.sessions.retain(|_, (whose, _)| *whose != station);
            }
            Action::Ask { nonce } => {
                live.asked = live.pen.timekeeper.uptime();
                self.send(station, Channel::Ask, nonce.to_vec());
            }
            Action::Tell { .. } => {}
            Action::Offer { seqs } => match effect::batch(&live.pen.journal, &seqs) {
                Ok(Offer { message, absent }) => {
                    if let Some(bytes) = message {
                        self.offer(station, &seqs, bytes)?;
                    }
                    return Ok(absent);
                }
                Err(_) => self.crash(station),
            },
            Action::Release(receipt) => return self.release(station, receipt),
            Action::NoteTime { at } => {
                if live.pen.journal.note_signed_time_durably(at).is_err() {
                    self.crash(station);
                    return Ok(None);
                }
                let answered = live.pen.timekeeper.uptime();
                live.pen.timekeeper.answered(SignedTime { at, asked: live.asked, answered });
            }
            Action::Raise(alarm) => self.say(format_args!("{station} alarm {alarm:?}")),
        }
        Ok(None)
    }

    fn release(&mut self, station: usize, receipt: Receipt) -> Result<Option<Event>, Broken> {
        let Some(live) = &self.stations[station].live else { return Ok(None) };
        let refusal = matches!(receipt.verdict, Verdict::Refused { .. });
        if refusal && self.mutant == Some(Mutant::IgnoresRefusals) {
            return Ok(None);
        }
        let (first, last, at) = (receipt.first, receipt.last, receipt.at);
        match effect::release(&live.pen.journal, receipt) {
            Ok(event) => {
                let standing = live.pen.journal.standing();
                self.say(format_args!(
                    "{station} receipt {first} to {last}{}: released {}, waiting {}",
                    if refusal { ", refused" } else { "" },
                    standing.released,
                    standing.waiting
                ));
                self.stations[station].audit(Some(at), &self.oracle)?;
                Ok(Some(event))
            }
            Err(_) => {
                self.crash(station);
                Ok(None)
            }
        }
    }

    fn offer(&mut self, station: usize, seqs: &[u64], bytes: Vec<u8>) -> Result<(), Broken> {
        let here = &mut self.stations[station];
        let name = here.name.clone();
        let mut batch = Batch::decode(&bytes).expect("it was just encoded");
        let first = seqs.first().copied().unwrap_or(0);
        match self.mutant {
            Some(Mutant::Renumbers) if first.is_multiple_of(5) => {
                if let Some(parcel) = batch.0.first_mut() {
                    let opened = Record::peek(parcel.sealed.bytes());
                    let mut record = opened.expect("the journal holds records").0;
                    record.policy = format!("voyage/{}", self.now_ms);
                    parcel.sealed = Sealed::seal(&record, &here.key);
                }
            }
            Some(Mutant::LosesGapStatements) => {
                let opened = |sealed: &Sealed| Record::peek(sealed.bytes());
                batch.0.retain(|p| opened(&p.sealed).is_ok_and(|(r, _)| r.gap.is_none()));
            }
            Some(Mutant::NeverOffersAgain) => {
                let fresh = |page: &(u64, _)| !self.oracle.has_sent(&name, page.0);
                if !contents(&batch).iter().any(fresh) {
                    return Ok(());
                }
            }
            Some(_) | None => {}
        }
        if batch.0.is_empty() {
            return Ok(());
        }
        for (seq, hash) in contents(&batch) {
            self.oracle.sends(&name, seq, hash)?;
        }
        let settled = self.rests.is_some_and(|since| self.now_ms - since > SETTLED_MS);
        if settled && self.oracle.is_honest(&name) {
            self.offered_at_rest += 1;
        }
        let last = seqs.last().copied().unwrap_or(0);
        self.say(format_args!("{station} offers {first} to {last}, {} records", seqs.len()));
        self.send(station, Channel::Records, batch.encode());
        if self.mutant == Some(Mutant::FreesOnPuback) && self.broker_up {
            self.forge(station, first, last)?;
        }
        Ok(())
    }

    /// Releases records by a receipt that the centre has never given.
    pub(super) fn forge(&mut self, station: usize, first: u64, last: u64) -> Result<(), Broken> {
        let here = &self.stations[station];
        let Some(page) = here.book.get(&last) else { return Ok(()) };
        let receipt = Receipt {
            terminal: here.name.clone(),
            first,
            last,
            hash: page.hash,
            ledger_size: 0,
            at: wall(self.now_ms),
            verdict: Verdict::Committed,
        };
        self.release(station, receipt).map(drop)
    }

    fn dialled(&mut self, station: usize, life: u64) -> Result<(), Broken> {
        let here = &self.stations[station];
        if here.life != life || here.live.is_none() || here.connection.is_some() {
            return Ok(());
        }
        if !self.broker_up || here.unplugged {
            return self.handle(station, Event::Lost);
        }
        self.connections += 1;
        let connection = self.connections;
        let here = &mut self.stations[station];
        here.connection = Some(connection);
        let name = here.name.clone();
        // One client of a name: whoever was connected under it is thrown out.
        if let Some((other, old)) = self.sessions.insert(name, (station, connection)) {
            let life = self.stations[other].life;
            self.after(5, Happening::HungUp(other, life, Some(old)));
        }
        let nonce = self.dice.bytes();
        self.say(format_args!("{station} is connected"));
        self.handle(station, Event::Connected { nonce })
    }

    /// An answer reaches a station.
    fn answered(&mut self, station: usize, mut bytes: Vec<u8>) -> Result<(), Broken> {
        let key = self.centre.receipt_key();
        match self.mutant {
            Some(Mutant::DeafToWanted) if open_statement::<Wanted>(&bytes, &key).is_ok() => {
                return Ok(());
            }
            Some(Mutant::DeafToWanted | Mutant::TellsNoHead) => {
                if let Ok(answer) = open_statement::<TimeAnswer>(&bytes, &key) {
                    let answer = TimeAnswer { head: None, ..answer };
                    bytes = seal_statement(&answer, &self.centre.receipt_signer());
                }
            }
            Some(Mutant::TrustsAnybody) => {
                if let Ok(receipt) = Receipt::open(&bytes, &super::storm::liar().verifying_key()) {
                    bytes = receipt.seal(&self.centre.receipt_signer());
                }
            }
            Some(_) | None => {}
        }
        self.handle(station, Event::Answer(bytes))
    }

    // ---- the sea ----------------------------------------------------------------------------

    /// What becomes of a message: when its copies arrive, and their bytes.
    fn fates(&mut self, bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let (dice, weather) = (&mut self.dice, &self.weather);
        let mut fates = Vec::new();
        if dice.happens(weather.lost) {
            return fates;
        }
        for _ in 0..1 + u64::from(dice.happens(weather.doubled)) {
            let mut bytes = bytes.to_vec();
            if dice.happens(weather.corrupted) && !bytes.is_empty() {
                let place = dice.index(bytes.len());
                bytes[place] ^= u8::try_from(dice.between(1, 255)).unwrap_or(1);
            }
            if dice.happens(weather.truncated) {
                bytes.truncate(dice.index(bytes.len().max(1)));
            }
            let late = dice.happens(weather.late);
            let wait = dice.between(5, if late { weather.late_ms_max } else { 200 });
            fates.push((wait, bytes));
        }
        fates
    }

    fn send(&mut self, station: usize, channel: Channel, bytes: Vec<u8>) {
        let here = &self.stations[station];
        if here.connection.is_none() || here.half_open || !self.broker_up {
            return;
        }
        let (from, broker) = (here.name.clone(), self.broker);
        for (wait, bytes) in self.fates(&bytes) {
            let letter = Letter { from: from.clone(), channel, bytes, broker };
            self.after(wait, Happening::AtCentre(letter));
        }
    }

    fn at_centre(&mut self, letter: Letter) {
        // A broker that was killed since has forgotten it, whatever it has acknowledged.
        if letter.broker != self.broker {
            return;
        }
        if !self.broker_up || self.centre.office.is_none() {
            self.kept_for_centre.push_back(letter);
            return;
        }
        self.centre.inbox.push_back(letter);
        self.be_at_work();
    }

    fn take_kept(&mut self) {
        if self.broker_up && self.centre.office.is_some() {
            self.centre.inbox.append(&mut self.kept_for_centre);
            self.be_at_work();
        }
    }

    fn be_at_work(&mut self) {
        if !self.working && !self.centre.inbox.is_empty() {
            self.working = true;
            let wait = self.dice.between(1, 50);
            self.after(wait, Happening::Work);
        }
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
                    let answer = office.answer_time(&letter.from, &payload, now);
                    answers.extend(answer.map(|answer| (letter.from.clone(), answer)));
                }
                Channel::Answers | Channel::Status => {}
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

    /// An answer goes to whoever is connected under the name.
    pub(super) fn answer(&mut self, name: &TerminalId, sealed: &[u8]) {
        let Some((station, connection)) = self.sessions.get(name).copied() else { return };
        if self.broker_up {
            for (wait, bytes) in self.fates(sealed) {
                self.after(wait, Happening::AtStation(station, connection, bytes));
            }
        }
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
fn skip_ahead(office: &mut crate::collector::office::Office, letter: &Letter) {
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

fn somebody(dice: &mut Dice) -> CheckIn {
    CheckIn {
        event: Kind::CheckIn,
        outcome: Outcome::Accepted,
        lesson: Some("cook-a-0302-1".parse().expect("a name")),
        person: Some(PersonId(dice.bytes())),
        way: Some(Way::Claimed),
        scores: None,
        other: None,
        same_face: None,
    }
}
