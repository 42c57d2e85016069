//! The state between records. One offer in, steps out; the caller commits them all at once and
//! then says [`Intake::committed`]. If that commit fails, this state is ahead of the ledger and
//! must be thrown away.

use std::collections::HashMap;

use super::Admitted;
use super::admit::{
    Duplicate, Evidence, Head, Known, Link, Offer, Refused, Ruling, admit, leads_astray,
};
use super::park::Park;
use super::quota::{Limits, Quota};
use crate::domain::{Fact, Refusal, TerminalId};
use crate::record::{KeyId, Keyring, Parcel, Ringed, SealedHash, VerifyingKey};

/// What ingest asks of the ledger about committed records.
pub trait Past {
    /// Why an answer may fail.
    type Error;

    /// What has taken place `seq` in the chain of `terminal`.
    fn link(&self, terminal: &TerminalId, seq: u64) -> Result<Option<Link>, Self::Error>;

    /// The code with which these bytes were refused, if they were, under this terminal's name.
    fn refused(
        &self,
        terminal: &TerminalId,
        hash: SealedHash,
    ) -> Result<Option<String>, Self::Error>;
}

/// What shall be done about an offer.
#[derive(Debug, Clone)]
pub enum Step {
    /// Commit it, then give a receipt.
    Commit(Admitted),
    /// Commit it as evidence; then give a refusal receipt if `answer`.
    Keep {
        /// The bytes and why they were refused.
        refused: Refused,
        /// Whether its sender is registered.
        answer: bool,
    },
    /// Answer as before; nothing new is stored.
    Again(Duplicate),
    /// Ask the terminal for what is missing.
    Want {
        /// Whose records.
        terminal: TerminalId,
        /// First missing number.
        from: u64,
    },
    /// Over the sender's bound: only counted, no answer.
    Count {
        /// The code of the refusal.
        code: &'static str,
    },
}

/// How often the terminal's true next record is asked for again because the opening beside it does
/// not fit, before it is refused for good. The opening travels unsigned: whoever carries it can spoil
/// it, and must not make the terminal let go of a genuine attendance by that.
const OPENING_CHANCES: u8 = 3;

#[derive(Debug)]
struct Seat {
    ring: Keyring,
    head: Head,
    revoked: bool,
}

impl Seat {
    /// The terminal's key of that name; where it has none of it, its newest, which will not fit.
    fn key_for(&self, kid: Option<KeyId>) -> Ringed {
        let found = kid.and_then(|kid| self.ring.find(kid));
        found.unwrap_or(Ringed { key: self.ring.newest(), retired: false })
    }
}

/// Everything ingest remembers.
#[derive(Debug)]
pub struct Intake {
    limits: Limits,
    seats: HashMap<TerminalId, Seat>,
    /// Heads of chains whose registration was not seen yet, while the ledger is read back.
    heads: HashMap<TerminalId, Head>,
    parked: HashMap<TerminalId, Park>,
    /// The next record of a terminal, while it comes with a wrong opening, and how often it has.
    spoilt: HashMap<TerminalId, (SealedHash, u8)>,
    quota: Quota,
    fresh_links: HashMap<(TerminalId, u64), Link>,
    fresh_refused: HashMap<(TerminalId, SealedHash), String>,
}

impl Intake {
    /// Knows nobody yet. [`Self::learn`] registers terminals, `resume_*` continue after a restart.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            seats: HashMap::new(),
            heads: HashMap::new(),
            parked: HashMap::new(),
            spoilt: HashMap::new(),
            quota: Quota::default(),
            fresh_links: HashMap::new(),
            fresh_refused: HashMap::new(),
        }
    }

    /// Continues a chain where the ledger has it.
    pub fn resume_head(&mut self, terminal: TerminalId, head: Head) {
        if let Some(seat) = self.seats.get_mut(&terminal) {
            seat.head = head;
        } else {
            self.heads.insert(terminal, head);
        }
    }

    /// Continues with the key that sealed a terminal's newest committed record. After the facts
    /// about its keys are learnt.
    pub fn resume_key(&mut self, terminal: &TerminalId, key: KeyId) {
        if let Some(seat) = self.seats.get_mut(terminal) {
            seat.ring.sealed_with(key);
        }
    }

    /// Counts the evidence that the ledger already keeps. After all facts are learnt.
    pub fn resume_evidence(&mut self, sender: TerminalId, kept: u64) {
        let registered = self.seats.contains_key(&sender);
        self.quota.resume(sender, kept, registered);
    }

    /// Takes note of a committed fact: terminals are registered by facts.
    pub fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Terminal { id, key, .. } => {
                // A key that is no point of the curve registers nobody; the root refuses to
                // state such a fact in the first place.
                if let Ok(key) = VerifyingKey::from_bytes(key) {
                    let head = self.heads.remove(id).unwrap_or(Head::START);
                    // A terminal that is registered again has moved; its keys are its own matter.
                    self.seats.entry(id.clone()).or_insert(Seat {
                        ring: Keyring::new(key),
                        head,
                        revoked: false,
                    });
                }
            }
            Fact::TerminalKey { id, key, proof } => {
                if let Some(seat) = self.seats.get_mut(id) {
                    // The root states no key that does not prove itself, and such a one is none.
                    seat.ring.succeed(id, key, proof).ok();
                }
            }
            Fact::Revocation { id, .. } => {
                if let Some(seat) = self.seats.get_mut(id) {
                    seat.revoked = true;
                }
                // What waited behind a gap would be refused one by one when the gap is filled.
                self.parked.remove(id);
            }
            Fact::Institution { .. }
            | Fact::Site { .. }
            | Fact::Class { .. }
            | Fact::Lesson(_)
            | Fact::Policy { .. }
            | Fact::InstitutionDetails(_)
            | Fact::ClassPlan(_)
            | Fact::LessonDetails(_)
            | Fact::Joined(_)
            | Fact::Left(_)
            | Fact::Teacher(_)
            | Fact::Status(_)
            | Fact::Claim(_)
            | Fact::ClaimLine(_)
            | Fact::RollOrdered(_)
            | Fact::Held(_)
            | Fact::Objected(_)
            | Fact::Platform(_)
            | Fact::Project(_)
            | Fact::Activity(_)
            | Fact::PictureOpened { .. }
            | Fact::Trial(_)
            | Fact::CaseStep(_)
            | Fact::Replacement { .. }
            | Fact::Tick => {}
        }
    }

    /// The end of a registered terminal's chain.
    pub fn head(&self, terminal: &TerminalId) -> Option<Head> {
        self.seats.get(terminal).map(|seat| seat.head)
    }

    /// How many records wait behind gaps.
    pub fn parked(&self) -> usize {
        self.parked.values().map(Park::len).sum()
    }

    /// Judges one parcel that came on the topic of `topic`, and what it sets free.
    pub fn offer<P: Past + ?Sized>(
        &mut self,
        topic: &TerminalId,
        parcel: Parcel,
        past: &P,
    ) -> Result<Vec<Step>, P::Error> {
        let mut steps = Vec::new();
        let mut next = Some(Offer::read(topic.clone(), parcel));
        while let Some(offer) = next.take() {
            let known = self.known(&offer, past)?;
            let kid = offer.key();
            match admit(offer, &known) {
                Ruling::Admitted(admitted) => {
                    self.sealed_with(topic, kid);
                    next = self.advance(topic, admitted.head(), None);
                    steps.push(Step::Commit(admitted));
                }
                Ruling::Duplicate(duplicate) => steps.push(Step::Again(duplicate)),
                Ruling::Parked(offer) => {
                    let park = self.parked.entry(topic.clone()).or_default();
                    park.put(offer, self.limits.parked_max);
                    let from = known.head.seq.saturating_add(1);
                    steps.push(Step::Want { terminal: topic.clone(), from });
                }
                Ruling::Refused(refused) if self.may_come_again(&refused) => {
                    let from = known.head.seq.saturating_add(1);
                    steps.push(Step::Want { terminal: topic.clone(), from });
                }
                Ruling::Refused(refused) => {
                    let code = refused.refusal().code();
                    if let Some(head) = refused.takes() {
                        self.sealed_with(topic, kid);
                        next = self.advance(topic, head, Some(code));
                    } else if leads_astray(code) {
                        let hash = refused.evidence().hash();
                        next = self.parked.get_mut(topic).and_then(|park| park.take_after(hash));
                    }
                    steps.push(self.keep(refused, past)?);
                }
            }
        }
        Ok(steps)
    }

    /// Judges a message that is no batch. It is kept within bounds; nobody gets an answer, for
    /// there is no record that an answer could name.
    pub fn garbage<P: Past + ?Sized>(
        &mut self,
        topic: &TerminalId,
        evidence: Evidence,
        detail: &str,
        past: &P,
    ) -> Result<Step, P::Error> {
        let step = self.keep(Refused::message(topic.clone(), evidence, detail), past)?;
        Ok(match step {
            Step::Keep { refused, .. } => Step::Keep { refused, answer: false },
            Step::Again(_) => Step::Count { code: "malformed" },
            Step::Commit(_) | Step::Want { .. } | Step::Count { .. } => step,
        })
    }

    /// All steps so far are committed.
    pub fn committed(&mut self) {
        self.fresh_links.clear();
        self.fresh_refused.clear();
    }

    fn known<P: Past + ?Sized>(&self, offer: &Offer, past: &P) -> Result<Known, P::Error> {
        let topic = offer.topic();
        let seat = self.seats.get(topic);
        let ringed = seat.map(|seat| seat.key_for(offer.key()));
        let mut known = Known {
            key: ringed.map(|ringed| ringed.key),
            retired: ringed.is_some_and(|ringed| ringed.retired),
            named_key: None,
            head: seat.map_or(Head::START, |seat| seat.head),
            revoked: seat.is_some_and(|seat| seat.revoked),
            here: None,
            before: None,
            astray: false,
        };
        let Some(claims) = offer.claims().filter(|_| seat.is_some()) else { return Ok(known) };
        if claims.terminal != *topic {
            known.named_key =
                self.seats.get(&claims.terminal).map(|seat| seat.key_for(offer.key()).key);
            return Ok(known);
        }
        if claims.seq <= known.head.seq {
            known.here = self.link(topic, claims.seq, past)?;
        }
        if claims.seq > known.head.seq {
            let code = match self.fresh_refused.get(&(topic.clone(), claims.prev)) {
                Some(code) => Some(code.clone()),
                None => past.refused(topic, claims.prev)?,
            };
            known.astray = code.is_some_and(|code| leads_astray(&code));
        }
        known.before = match offer.begins() {
            1 => Some(SealedHash::GENESIS),
            seq if seq == known.head.seq.saturating_add(1) => Some(known.head.hash),
            seq if (2..=known.head.seq).contains(&seq) => {
                self.link(topic, seq - 1, past)?.map(|link| link.hash)
            }
            _ => None,
        };
        Ok(known)
    }

    fn link<P: Past + ?Sized>(
        &self,
        terminal: &TerminalId,
        seq: u64,
        past: &P,
    ) -> Result<Option<Link>, P::Error> {
        match self.fresh_links.get(&(terminal.clone(), seq)) {
            Some(link) => Ok(Some(link.clone())),
            None => past.link(terminal, seq),
        }
    }

    fn sealed_with(&mut self, terminal: &TerminalId, key: Option<KeyId>) {
        if let (Some(seat), Some(key)) = (self.seats.get_mut(terminal), key) {
            seat.ring.sealed_with(key);
        }
    }

    /// Whether the opening may have been spoilt on the way, so that the record is asked for again.
    fn may_come_again(&mut self, refused: &Refused) -> bool {
        let (Refusal::BadOpening, Some(head)) = (refused.refusal(), refused.takes()) else {
            return false;
        };
        let (hash, times) = self.spoilt.entry(refused.topic().clone()).or_insert((head.hash, 0));
        if *hash != head.hash {
            (*hash, *times) = (head.hash, 0);
        }
        *times += 1;
        *times <= OPENING_CHANCES
    }

    /// Moves the chain on, and gives back what waited for that.
    fn advance(
        &mut self,
        terminal: &TerminalId,
        head: Head,
        refused: Option<&'static str>,
    ) -> Option<Offer> {
        let link = Link { hash: head.hash, refused: refused.map(str::to_owned) };
        self.fresh_links.insert((terminal.clone(), head.seq), link);
        if let Some(seat) = self.seats.get_mut(terminal) {
            seat.head = head;
        }
        self.spoilt.remove(terminal);
        self.parked.get_mut(terminal)?.take_next(head)
    }

    fn keep<P: Past + ?Sized>(&mut self, refused: Refused, past: &P) -> Result<Step, P::Error> {
        let topic = refused.topic().clone();
        let registered = self.seats.contains_key(&topic);
        let code = refused.refusal().code();
        let hash = refused.evidence().hash();
        let named = (topic, hash);
        let before = match self.fresh_refused.get(&named) {
            Some(code) => Some(code.clone()),
            None => past.refused(&named.0, hash)?,
        };
        // A place in the chain is always kept: the next record continues it.
        if refused.takes().is_none() {
            if before.is_some() {
                return Ok(if registered {
                    let seq = refused.seq();
                    Step::Again(Duplicate { terminal: named.0, seq, hash, refused: before })
                } else {
                    Step::Count { code }
                });
            }
            if !self.quota.admits(&named.0, registered, &self.limits) {
                return Ok(Step::Count { code });
            }
        }
        self.fresh_refused.insert(named, code.to_owned());
        Ok(Step::Keep { refused, answer: registered })
    }
}
