//! The sea between stations and centre: the broker, and what becomes of messages on their way.

use super::centre::Letter;
use super::mutant::Mutant;
use super::world::{Happening, World};
use crate::domain::TerminalId;
use crate::record::topic::Channel;
use crate::record::{Receipt, Verdict};

impl World {
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

    pub(super) fn send(&mut self, station: usize, channel: Channel, bytes: Vec<u8>) {
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

    pub(super) fn at_centre(&mut self, letter: Letter) {
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

    pub(super) fn take_kept(&mut self) {
        if self.broker_up && self.centre.office.is_some() {
            self.centre.inbox.append(&mut self.kept_for_centre);
            self.be_at_work();
        }
    }

    pub(super) fn be_at_work(&mut self) {
        if !self.working && !self.centre.inbox.is_empty() {
            self.working = true;
            let wait = self.dice.between(1, 50);
            self.after(wait, Happening::Work);
        }
    }

    /// An answer goes to whoever is connected under the name.
    pub(super) fn answer(&mut self, name: &TerminalId, sealed: &[u8]) {
        let Some((station, connection)) = self.sessions.get(name).copied() else { return };
        if self.broker_up && !self.is_parked(name, sealed) {
            for (wait, bytes) in self.fates(sealed) {
                self.after(wait, Happening::AtStation(station, connection, bytes));
            }
        }
    }

    /// A mistake: what follows a refused record waits for ever, and nobody tells its terminal.
    fn is_parked(&self, name: &TerminalId, sealed: &[u8]) -> bool {
        let ahead = |receipt: &Receipt| receipt.first > self.oracle.head(name) + 1;
        let code = |receipt: &Receipt| match &receipt.verdict {
            Verdict::Refused { code } => code == "broken_chain",
            Verdict::Committed => false,
        };
        self.mutant == Some(Mutant::ParksForEver)
            && Receipt::open(sealed, &self.centre.receipt_key())
                .is_ok_and(|receipt| code(&receipt) && ahead(&receipt))
    }
}
