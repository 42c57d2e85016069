//! Relays shares between an institution's terminals (docs/spec/share-v1.md, docs/decisions/0024). It sees from
//! whom one is, for which institution and when it changed; what is in it, and of whom it is, it cannot
//! read.
//!
//! ```text
//! terminal ══ share ══► core ──bounded──► desk: whose, signed, newer? ─► shelf ──► a word to its peers
//! terminal ══ question ═══════════════► desk: what is behind this place ─► answer, sealed
//! ```
//!
//! *Durable, then told.* Nothing of it is in the ledger, and all of it can be lost: terminals say everything
//! again when they meet another shelf.

mod sqlite;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

pub use self::sqlite::{Put, Shelf, ShelfError};

use super::Hooks;
use super::enrol::Roll;
use super::mqtt::Herald;
use crate::domain::{InstitutionId, TerminalId, Timestamp};
use crate::platform::clock::Clock;
use crate::platform::telemetry::Chain;
use crate::record::share::{Have, SHARED_PARCELS_MAX, Share, ShareAsk, Shared};
use crate::record::topic::Channel;
use crate::record::{SigningKey, open_statement, seal_statement};

/// Messages that wait for the desk: what a hundred terminals send when they come back together. What
/// does not fit is sent again.
const QUEUE_MESSAGES: usize = 1_024;

const DAY_MS: i64 = 86_400_000;

/// How far a change may lie ahead of the centre's clock. One far ahead would outlive every later change of
/// the same person.
const AHEAD_MS_MAX: i64 = DAY_MS;

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nobody registered the terminal, or its site.
    Unknown,
    /// It was revoked.
    Revoked,
    /// Neither a share nor a question, or not signed with the terminal's newest key.
    Unsigned,
    /// It names another terminal.
    Foreign,
    /// It is for another institution than the terminal's.
    Institution,
    /// It changed too far in the future.
    Ahead,
    /// It is older than any template may be.
    Expired,
    /// The institution or the terminal has too many.
    Full,
}

impl Reason {
    /// Stable word for the log.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Unknown => "share_unknown_terminal",
            Reason::Revoked => "share_revoked",
            Reason::Unsigned => "share_unsigned",
            Reason::Foreign => "share_foreign",
            Reason::Institution => "share_other_institution",
            Reason::Ahead => "share_ahead",
            Reason::Expired => "share_expired",
            Reason::Full => "share_full",
        }
    }
}

/// What was done since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Shares kept.
    pub kept: u64,
    /// Shares that were there already, or older than what is.
    pub had: u64,
    /// Questions answered.
    pub answered: u64,
    /// Messages refused, by reason.
    pub refused: BTreeMap<Reason, u64>,
}

/// A message to a terminal, on its channel for shares. An empty one says that there is something new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub to: TerminalId,
    /// What.
    pub bytes: Vec<u8>,
}

/// What the desk is made of.
pub struct Parts {
    /// Which terminals there are, and whose.
    pub roll: Roll,
    /// Where shares lie.
    pub shelf: Shelf,
    /// Seals answers.
    pub receipt: SigningKey,
    /// How long a template is kept, in days: older shares are of no use to anybody.
    pub template_days: u32,
}

/// See the file's head.
pub struct Desk {
    parts: Parts,
    tally: Tally,
    pruned: Timestamp,
}

impl Desk {
    /// Nothing was heard yet.
    pub fn new(parts: Parts) -> Self {
        Self { parts, tally: Tally::default(), pruned: Timestamp::default() }
    }

    /// What was done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes what came under a terminal's name, and gives what is to be sent for it. An error means that the
    /// shelf cannot be used now; the terminal sends and asks again.
    pub fn hear(
        &mut self,
        from: &TerminalId,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Letter>, ShelfError> {
        self.prune(now)?;
        let institution = match self.belongs(from) {
            Ok(institution) => institution,
            Err(reason) => return Ok(self.refuse(from, reason)),
        };
        if let Ok(ask) = ShareAsk::decode(bytes) {
            self.tally.answered += 1;
            return Ok(vec![self.answer(from, institution, ask)?]);
        }
        let share = match self.judge(from, &institution, bytes, now) {
            Ok(share) => share,
            Err(reason) => return Ok(self.refuse(from, reason)),
        };
        // A crash before this line loses a share that its terminal sends again: it did not come back.
        match self.parts.shelf.put(&share, bytes)? {
            Put::Kept => {
                self.tally.kept += 1;
                let peers = self.parts.roll.terminals_of(&institution);
                Ok(peers.into_iter().map(|to| Letter { to, bytes: Vec::new() }).collect())
            }
            Put::Had => {
                self.tally.had += 1;
                Ok(Vec::new())
            }
            Put::Full => Ok(self.refuse(from, Reason::Full)),
        }
    }

    fn belongs(&self, terminal: &TerminalId) -> Result<InstitutionId, Reason> {
        let standing = self.parts.roll.standing(terminal).ok_or(Reason::Unknown)?;
        if standing.revoked.is_some() {
            return Err(Reason::Revoked);
        }
        self.parts.roll.institution(&standing.site).ok_or(Reason::Unknown)
    }

    fn judge(
        &self,
        from: &TerminalId,
        institution: &InstitutionId,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Share, Reason> {
        let standing = self.parts.roll.standing(from).ok_or(Reason::Unknown)?;
        let key = standing.keys.last().ok_or(Reason::Unknown)?;
        let share: Share = open_statement(bytes, key).map_err(|_| Reason::Unsigned)?;
        if share.terminal != *from {
            return Err(Reason::Foreign);
        }
        if share.institution != *institution {
            return Err(Reason::Institution);
        }
        if share.changed > now.plus_ms(AHEAD_MS_MAX) {
            return Err(Reason::Ahead);
        }
        if share.changed < self.oldest(now) {
            return Err(Reason::Expired);
        }
        Ok(share)
    }

    fn answer(
        &self,
        to: &TerminalId,
        institution: InstitutionId,
        ask: ShareAsk,
    ) -> Result<Letter, ShelfError> {
        let ShareAsk { nonce, have } = ask;
        let (shelf, epoch) = (&self.parts.shelf, self.parts.shelf.epoch());
        let known = have.filter(|it| it.institution == institution && it.epoch == epoch);
        let after = known.map_or(0, |Have { upto, .. }| upto);
        // A shelf that was put back from a copy has given out these numbers before.
        let after = if after > shelf.newest()? { 0 } else { after };
        let mut found = shelf.after(&institution, after, SHARED_PARCELS_MAX + 1)?;
        let more = found.len() > SHARED_PARCELS_MAX;
        found.truncate(SHARED_PARCELS_MAX);
        let upto = found.last().map_or(after, |(number, _)| *number);
        let parcels = found.into_iter().map(|(_, bytes)| bytes.into()).collect();
        let terminal = to.clone();
        let shared = Shared { terminal, nonce, institution, epoch, upto, more, parcels };
        Ok(Letter { to: to.clone(), bytes: seal_statement(&shared, &self.parts.receipt) })
    }

    fn refuse(&mut self, from: &TerminalId, reason: Reason) -> Vec<Letter> {
        let count = self.tally.refused.entry(reason).or_default();
        *count += 1;
        if *count == 1 {
            let code = reason.code();
            tracing::warn!(terminal.id = %from, code, "Refused a share; more of them are only counted.");
        }
        Vec::new()
    }

    fn oldest(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(-i64::from(self.parts.template_days) * DAY_MS)
    }

    /// Once a day: what has expired goes, also where its terminal is not there any more.
    fn prune(&mut self, now: Timestamp) -> Result<(), ShelfError> {
        if now.ms_since(self.pruned) >= DAY_MS {
            self.parts.shelf.prune(self.oldest(now))?;
            self.pruned = now;
        }
        Ok(())
    }
}

/// What waits for the desk.
pub type Heard = Receiver<(TerminalId, Vec<u8>)>;

/// Where the core puts what comes on the channels for shares. It never waits for the desk.
#[derive(Debug, Clone)]
pub struct Letterbox(SyncSender<(TerminalId, Vec<u8>)>);

impl Letterbox {
    /// The letterbox and what falls into it.
    pub fn new() -> (Self, Heard) {
        let (sender, heard) = sync_channel(QUEUE_MESSAGES);
        (Self(sender), heard)
    }

    /// Hooks that also feed this letterbox.
    pub fn fed_by(self, hooks: Hooks) -> Hooks {
        let on_share = Box::new(move |terminal: &TerminalId, bytes: &[u8]| {
            // Without room the terminal sends it again.
            self.0.try_send((terminal.clone(), bytes.to_vec())).ok();
        });
        Hooks { on_share, ..hooks }
    }
}

/// Works until the core has gone. Blocks for the disk: it has a thread of its own.
pub fn serve(mut desk: Desk, heard: &Heard, herald: &Herald, clock: &dyn Clock) {
    while let Ok((terminal, bytes)) = heard.recv() {
        match desk.hear(&terminal, &bytes, clock.now()) {
            Ok(letters) => {
                for Letter { to, bytes } in letters {
                    herald.publish(Channel::Shared.of(&to), bytes);
                }
            }
            Err(error) => tracing::warn!("Could not keep or find shares: {}.", Chain(&error)),
        }
    }
}

#[cfg(test)]
mod tests;
