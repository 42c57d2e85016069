//! The desk: takes one request after the other, makes what was decided durable, states it, certifies,
//! and only then answers.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::acl::acl;
use super::files::{Notes, NotesError};
use super::judge::{Denied, Known, Ruling, judge, judge_succession};
use super::recall::shut_out;
use super::roll::Roll;
use crate::collector::StateError;
use crate::collector::ca::{Ca, CaError, Issued, Role};
use crate::domain::{Fact, TerminalId};
use crate::platform::clock::Clock;
use crate::record::enrolment::{
    Answer, Confirmation, RequestKind, Welcome, digest_of, digest_of_all, peek_request,
};
use crate::record::{CentreMark, SigningKey, seal_statement};

/// States facts; all or none.
type State = Box<dyn Fn(Vec<Fact>) -> Result<(), StateError> + Send + Sync>;

/// A request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// It is not granted; the sender is told why.
    #[error("could not grant the request")]
    Denied(#[from] Denied),
    /// A note could not be read or kept.
    #[error("could not use the notes of enrolment")]
    Notes(#[from] NotesError),
    /// The facts were not stated.
    #[error("could not state the terminal")]
    State(#[from] StateError),
    /// No certificate.
    #[error("could not certify the terminal")]
    Ca(#[from] CaError),
}

/// What terminals are told besides their certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The broker's host name or address, as they reach it.
    pub broker_host: String,
    /// Its port.
    pub broker_port: u16,
    /// How long their certificates last, in days.
    pub certificate_days: u16,
}

/// Everything that the desk needs.
pub struct Desk {
    /// Signs certificates.
    pub ca: Ca,
    /// Signs answers.
    pub receipt: SigningKey,
    /// Tokens and bound keys.
    pub notes: Notes,
    /// What the ledger says.
    pub roll: Roll,
    /// What terminals are told.
    pub told: Told,
    /// The broker's access list.
    pub acl_file: PathBuf,
    /// The centre's clock.
    pub clock: Arc<dyn Clock>,
    /// States facts.
    pub state: State,
    /// One request at a time: two under one token must not both be first.
    pub turn: Mutex<()>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    /// By what terminals know this centre: those of the authority in force and of each before it.
    fn marks(&self) -> Vec<CentreMark> {
        let receipt = self.receipt.verifying_key();
        self.ca.known().map(|der| CentreMark::of(&receipt, der)).collect()
    }

    /// Answers a request. Blocks for the disk and for the ledger's commit.
    pub fn answer(&self, request: &[u8]) -> Result<Vec<u8>, DeskError> {
        let claim = peek_request(request).map_err(|error| Denied::Malformed(error.to_string()))?;
        let _turn = self.turn.lock().expect("no code under this lock panics");
        let now = self.clock.now();
        if claim.kind == RequestKind::Succession {
            return self.follow(&claim.terminal, request);
        }
        let known = Known {
            token: self.notes.token(&claim.terminal)?,
            bound: self.notes.bound(&claim.terminal)?,
            standing: self.roll.standing(&claim.terminal),
        };
        // Nobody is let in by half.
        self.ca.ready()?;
        let ruling = judge(request, &self.marks(), &known, now)?;
        let Ruling { terminal, mut bound, mut new, facts } = ruling;
        let authority = Some(self.ca.name());
        new |= bound.authority != authority;
        bound.authority = authority;
        if new {
            // A crash after this line leaves keys that are bound and not stated: the same device
            // asks again, and no other is let in under this token.
            self.notes.keep_bound(&terminal, &bound)?;
            self.roll.note_change();
        }
        if !facts.is_empty() {
            // A crash after this line costs an answer; the question comes again.
            (self.state)(facts.clone())?;
            facts.iter().for_each(|fact| self.roll.learn(fact));
            tracing::info!(%terminal, key = %bound.record.id(), "A terminal was enrolled.");
        }
        let tls = bound.tls.last().ok_or(Denied::OldKey)?;
        let role = Role::Terminal(terminal.clone());
        let Issued { der, until } = self.ca.issue(&role, tls, now, self.told.certificate_days)?;
        let welcome = Welcome {
            terminal,
            asked: digest_of(request),
            at: now,
            site: bound.site,
            broker_host: self.told.broker_host.clone(),
            broker_port: self.told.broker_port,
            certificate: digest_of(&der),
            until,
            authorities: digest_of_all(self.ca.trusted()),
        };
        let answer = Answer {
            ca: self.ca.der().to_vec(),
            receipt_key: self.receipt.verifying_key().to_bytes(),
            certificate: der,
            welcome: seal_statement(&welcome, &self.receipt),
            before: self.ca.trusted().get(1).cloned(),
        };
        Ok(answer.encode())
    }

    /// Lets another record key follow. A crash after the statement costs an answer.
    fn follow(&self, terminal: &TerminalId, request: &[u8]) -> Result<Vec<u8>, DeskError> {
        let standing = self.roll.standing(terminal);
        if let Some(fact) = judge_succession(request, terminal, standing.as_ref())? {
            // A crash after this line leaves a word that a restore would state: it is the terminal's.
            self.notes.keep_followed(terminal, request)?;
            (self.state)(vec![fact.clone()])?;
            self.roll.learn(&fact);
            tracing::info!(%terminal, "A terminal has another record key.");
        }
        let (terminal, asked) = (terminal.clone(), digest_of(request));
        let confirmation = Confirmation { terminal, asked, at: self.clock.now() };
        Ok(seal_statement(&confirmation, &self.receipt))
    }

    /// States the revocations that were asked for, and writes the broker's access list. Gives the
    /// terminals that were revoked now.
    pub fn sweep(&self) -> Result<Vec<TerminalId>, DeskError> {
        let wishes = self.notes.revocations()?;
        let mut stated = Vec::new();
        for (terminal, wish) in &wishes {
            // Somebody may have revoked a token that nobody used: the list below is enough.
            let Some(standing) = self.roll.standing(terminal) else { continue };
            if standing.revoked.is_none() {
                let (id, reason) = (terminal.clone(), wish.reason.clone());
                let fact = Fact::Revocation { id, reason };
                (self.state)(vec![fact.clone()])?;
                self.roll.learn(&fact);
                tracing::warn!(%terminal, "A terminal was revoked.");
                stated.push(terminal.clone());
            }
        }
        Notes::keep_acl(
            &self.acl_file,
            &acl(&self.roll.platforms(), &shut_out(&wishes, &self.roll)),
        )?;
        Ok(stated)
    }
}
