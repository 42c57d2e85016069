//! What happens aboard a station: its program starts, dies, takes people in, and does what its link
//! decides, as the terminal's own shell does it.

use std::collections::VecDeque;

use super::dice::Dice;
use super::mutant::Mutant;
use super::oracle::{Broken, Invariant, must};
use super::station::{contents, wall};
use super::world::{Happening, SETTLED_MS, World};
use crate::domain::{CheckIn, Event as Kind, Outcome, PersonId, Way};
use crate::journal::AppendError;
use crate::record::topic::Channel;
use crate::record::{
    Batch, Receipt, Record, Sealed, SealedHash, TimeAnswer, Verdict, Wanted, open_statement,
    seal_statement,
};
use crate::terminal::TakeError;
use crate::uplink::clock::SignedTime;
use crate::uplink::effect::{self, Offer};
use crate::uplink::{Action, Event, NoWaypoints};

impl World {
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

    pub(super) fn check_in(&mut self, station: usize) -> Result<(), Broken> {
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
                    here.green(slot.seq, SealedHash([2; 32]));
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
            Action::Follow { handover } => {
                here.follow(&handover);
                self.say(format_args!("{station} follows the centre's next receipt key"));
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
                let hears = self.mutant != Some(Mutant::ForgetsAnswers);
                let standing = live.pen.journal.standing();
                self.say(format_args!(
                    "{station} receipt {first} to {last}{}: released {}, waiting {}",
                    if refusal { ", refused" } else { "" },
                    standing.released,
                    standing.waiting
                ));
                self.stations[station].audit(Some(at), &self.oracle)?;
                Ok(Some(event).filter(|_| hears))
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

    pub(super) fn dialled(&mut self, station: usize, life: u64) -> Result<(), Broken> {
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
    pub(super) fn answered(&mut self, station: usize, mut bytes: Vec<u8>) -> Result<(), Broken> {
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
}

fn somebody(dice: &mut Dice) -> CheckIn {
    CheckIn {
        staff: None,
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
