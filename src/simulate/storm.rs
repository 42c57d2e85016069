//! What goes wrong on a voyage, and how it clears up.

use super::disk::Disks;
use super::oracle::Broken;
use super::station::{Station, wall};
use super::weather::Fault;
use super::world::{Happening, World};
use crate::ledger::Ledger;
use crate::record::{Receipt, SigningKey, Verdict};
use crate::uplink::Event;

/// Signs what the centre never said.
pub(super) fn liar() -> SigningKey {
    SigningKey::from_secret(&[0x66; 32])
}

impl World {
    /// One fault, and the next one is planned.
    pub(super) fn fault(&mut self) -> Result<(), Broken> {
        if self.fair || self.weather.faults.is_empty() {
            return Ok(());
        }
        let wait = self.dice.between(1, self.weather.fault_ms_max);
        self.after(wait, Happening::Fault);
        let fault = self.dice.pick(&self.weather.faults);
        let station = self.dice.index(self.stations.len());
        self.say(format_args!("fault {fault:?} ({station})"));
        match fault {
            Fault::BrokerDown => self.broker_goes(false),
            Fault::BrokerForgets => self.broker_goes(true),
            Fault::HalfOpen => {
                let here = &mut self.stations[station];
                if here.connection.is_some() {
                    here.half_open = true;
                    let (life, connection) = (here.life, here.connection);
                    self.after(20_000, Happening::HungUp(station, life, connection));
                }
            }
            Fault::CentreKilled => {
                if self.centre.office.is_some() {
                    self.centre_dies();
                }
            }
            Fault::CentreRestored => self.restore()?,
            Fault::ReceiptKeyChanged => {
                let (secret, now) = (self.dice.bytes(), wall(self.now_ms));
                self.centre.renew_receipt_key(secret, now);
                if self.centre.office.is_some() {
                    self.centre_dies();
                }
            }
            Fault::PowerCut => {
                let calls = self.dice.below(40);
                self.stations[station].disks.cut_after(calls);
            }
            Fault::ProcessKilled => {
                if self.stations[station].live.is_some() {
                    self.crash(station);
                }
            }
            Fault::ClockJumps => {
                let hours = i64::try_from(self.dice.below(2_000)).unwrap_or(0) - 1_000;
                self.stations[station].clock_off_ms = hours * 3_600_000;
            }
            Fault::Offline => {
                if !self.stations[station].unplugged {
                    self.stations[station].unplugged = true;
                    self.handle(station, Event::Unplug)?;
                    let wait = self.dice.between(1_000, self.weather.offline_ms_max);
                    self.after(wait, Happening::PlugIn(station));
                }
            }
            Fault::Liar => self.lie(station),
            Fault::Cloned => self.clone_of(station)?,
            Fault::OlderCopy => self.older_copy(station),
            Fault::Damaged => self.damage(station),
        }
        Ok(())
    }

    /// All connections break; a broker that is killed has forgotten what it had acknowledged.
    fn broker_goes(&mut self, forgets: bool) {
        if !self.broker_up {
            return;
        }
        self.broker_up = false;
        if forgets {
            self.broker += 1;
            self.kept_for_centre.clear();
        }
        // What the centre has and has not acknowledged, comes again.
        let unacknowledged = std::mem::take(&mut self.centre.inbox);
        if !forgets {
            self.kept_for_centre.extend(unacknowledged);
        }
        self.sessions.clear();
        for station in 0..self.stations.len() {
            let here = &self.stations[station];
            if let Some(connection) = here.connection {
                let life = here.life;
                let wait = self.dice.between(1, 10_000);
                self.after(wait, Happening::HungUp(station, life, Some(connection)));
            }
        }
        let wait = self.dice.between(200, 60_000);
        self.after(wait, Happening::BrokerUp);
    }

    /// The ledger's disk is lost, and a backup takes its place. Only one within the days for which
    /// every terminal keeps what it has freed: an older one cannot heal.
    fn restore(&mut self) -> Result<(), Broken> {
        let backup = self.dice.index(self.centre.backups.len());
        let backup = self.centre.backups[backup].clone();
        let heads = backup.heads().expect("memory can be read");
        let within = |station: &Station| {
            let head = heads.iter().find(|(name, _)| *name == station.name);
            let head = head.map_or(0, |(_, head)| head.seq);
            let standing = station.live.as_ref().map(|live| live.pen.journal.standing());
            standing.is_some_and(|standing| standing.kept_from <= head + 1)
        };
        let registered = backup.size() >= self.weather.stations as u64;
        if !registered || !self.stations.iter().all(within) {
            self.say(format_args!("no backup is young enough"));
            return Ok(());
        }
        self.say(format_args!("restored to {} entries", backup.size()));
        self.centre.ledger.inner = backup;
        // A backup that is newer than what was restored belongs to no history any more.
        let size = self.centre.ledger.size();
        self.centre.backups.retain(|backup| backup.size() <= size);
        self.oracle.restored(&self.centre.ledger.inner)?;
        if self.centre.office.is_some() {
            self.centre_dies();
        }
        Ok(())
    }

    /// Somebody at the broker invents a receipt.
    fn lie(&mut self, station: usize) {
        let here = &self.stations[station];
        let Some((last, page)) = here.book.last_key_value() else { return };
        let receipt = Receipt {
            terminal: here.name.clone(),
            first: 1,
            last: *last,
            hash: page.hash,
            ledger_size: 1_000,
            at: wall(self.now_ms),
            verdict: Verdict::Committed,
        };
        let name = here.name.clone();
        self.answer(&name, &receipt.seal(&liar()));
    }

    /// A second terminal with the same key: on a copy of the disk, or from the beginning.
    fn clone_of(&mut self, station: usize) -> Result<(), Broken> {
        let from_copy = self.dice.happens(500);
        let here = &self.stations[station];
        if self.stations.len() > self.weather.stations + 1
            || here.damaged
            || here.wrecked
            || here.live.is_none()
        {
            return Ok(());
        }
        let (name, key) = (here.name.clone(), SigningKey::from_secret(&here.key.secret()));
        self.oracle.fork(&name);
        let mut clone = if from_copy {
            let disks = Disks::new(self.mutant == Some(super::Mutant::SyncDoesNothing));
            disks.put(here.disks.image());
            let mut clone = Station::on(name, key, disks, &self.weather, self.mutant);
            clone.book.clone_from(&here.book);
            clone
        } else {
            Station::new(name, key, &self.weather, self.mutant)
        };
        clone.checkins_left = self.dice.between(1, 10);
        self.stations.push(clone);
        let station = self.stations.len() - 1;
        self.start(station)?;
        self.after(1, Happening::CheckIn(station));
        Ok(())
    }

    /// Takes a copy of a disk, or puts the last copy back.
    fn older_copy(&mut self, station: usize) {
        let here = &mut self.stations[station];
        if here.live.is_none() || here.damaged {
            return;
        }
        let Some((image, book)) = here.older.take() else {
            here.older = Some((here.disks.image(), here.book.clone()));
            return;
        };
        let name = here.name.clone();
        self.crash(station);
        let here = &mut self.stations[station];
        here.disks.put(image);
        here.book = book;
        self.oracle.fork(&name);
    }

    /// A medium loses the same stretch in both copies, in a terminal that stands still. Not while
    /// the ledger still lacks what the terminal has freed: then two disks fail at once.
    fn damage(&mut self, station: usize) {
        let here = &self.stations[station];
        if here.live.is_none() || here.damaged {
            return;
        }
        let healed = here.book.values().all(|page| self.oracle.holds(&here.name, page.hash));
        let waits = here.waiting() > 0;
        if !(healed || (waits && self.freed_are_held(station))) {
            return;
        }
        self.crash(station);
        let here = &mut self.stations[station];
        if here.disks.damage(&mut self.dice) {
            here.damaged = true;
            // What was copied before is no longer what this terminal was.
            here.older = None;
        }
    }

    fn freed_are_held(&self, station: usize) -> bool {
        let here = &self.stations[station];
        let freed = here.book.values().filter(|page| page.is_freed());
        freed.into_iter().all(|page| self.oracle.holds(&here.name, page.hash))
    }

    /// The storm is over: everything is repaired, and nothing fails from now on.
    pub(super) fn clear_up(&mut self) -> Result<(), Broken> {
        self.say(format_args!("fair weather"));
        self.fair = true;
        self.weather.clear();
        if !self.broker_up {
            self.after(1, Happening::BrokerUp);
        }
        if self.centre.office.is_none() {
            self.after(1, Happening::CentreStarts);
        }
        for station in 0..self.stations.len() {
            self.stations[station].disks.hold();
            if self.stations[station].unplugged {
                self.after(1, Happening::PlugIn(station));
            }
            self.start(station)?;
        }
        self.after(30_000, Happening::Look);
        Ok(())
    }
}
