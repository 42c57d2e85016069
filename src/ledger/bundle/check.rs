//! The check of a bundle. It looks at everything and stops at nothing, so that an auditor sees
//! all that is wrong; each finding names the entry.

use std::collections::BTreeMap;

use super::super::keys::{learn, open_with};
use super::super::staged::{Kind, may_lie_beside};
use super::super::tree::{TreeHash, verify_inclusion};
use super::{Bundle, FORMAT, Line, Opened, Scope, Trust};
use crate::domain::{Event, TerminalId};
use crate::ingest::EVIDENCE_BYTES_MAX;
use crate::platform::telemetry::Chain;
use crate::record::{
    Checkpoint, Commitment, KeyId, Keyring, Opening, Record, SealedEvidence, SealedFact,
    SealedHash, Stated, open_statement, peek_kid,
};

/// One of the three questions: what was looked at, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// How many things were looked at.
    pub looked_at: usize,
    /// What does not hold, one sentence each.
    pub wrong: Vec<String>,
}

impl Finding {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Every statement is signed by whom it must be, and every name fits its commitment.
    pub signatures: Finding,
    /// Every terminal's records follow each other without a hole.
    pub chain: Finding,
    /// Every entry is in the ledger of the checkpoint, and none that should be here is missing.
    pub ledger: Finding,
    /// What the checkpoint says, if it is to be believed.
    pub checkpoint: Option<Checkpoint>,
    /// From which to which number the records of each terminal go.
    pub terminals: BTreeMap<TerminalId, (u64, u64)>,
}

impl Findings {
    /// Whether everything holds.
    pub fn hold(&self) -> bool {
        self.signatures.holds() && self.chain.holds() && self.ledger.holds()
    }
}

/// Checks a bundle against trusted keys.
pub fn check(bundle: &Bundle, trust: &Trust) -> Findings {
    let mut check = Check::new(trust);
    check.checkpoint(bundle);
    for line in &bundle.entries {
        check.included(line);
        check.signed(line);
    }
    check.complete(bundle);
    check.findings
}

struct Check<'t> {
    trust: &'t Trust,
    findings: Findings,
    /// The keys of each terminal, by the registrations read so far.
    keys: BTreeMap<TerminalId, Keyring>,
    /// Each chain so far: what took which place.
    chains: BTreeMap<TerminalId, BTreeMap<u64, SealedHash>>,
}

impl<'t> Check<'t> {
    fn new(trust: &'t Trust) -> Self {
        Self {
            trust,
            findings: Findings::default(),
            keys: BTreeMap::new(),
            chains: BTreeMap::new(),
        }
    }

    fn checkpoint(&mut self, bundle: &Bundle) {
        if bundle.format != FORMAT {
            self.findings.ledger.wrong.push(format!("this is no {FORMAT}"));
        }
        self.findings.signatures.looked_at += 1;
        match self.open::<Checkpoint>(&bundle.checkpoint.0) {
            Ok(checkpoint) => self.findings.checkpoint = Some(checkpoint),
            Err(why) => self.findings.signatures.wrong.push(format!("the checkpoint: {why}")),
        }
    }

    /// Opens a statement of the centre with whichever trusted key it names.
    fn open<T: Stated>(&self, sealed: &[u8]) -> Result<T, String> {
        let kid = peek_kid(sealed).map_err(|error| error.to_string())?;
        let key = self.trust.log.iter().find(|key| key.id() == kid);
        let key = key.ok_or_else(|| untrusted(kid))?;
        open_statement(sealed, key).map_err(|error| error.to_string())
    }

    fn included(&mut self, line: &Line) {
        let ledger = &mut self.findings.ledger;
        ledger.looked_at += 1;
        let Some(checkpoint) = &self.findings.checkpoint else { return };
        let proof: Option<Vec<_>> =
            line.proof.iter().map(|hash| hash.0.as_slice().try_into().ok().map(TreeHash)).collect();
        let leaf = TreeHash::of_sealed(&line.sealed.0);
        let root = TreeHash(checkpoint.root);
        let holds = proof
            .is_some_and(|proof| verify_inclusion(leaf, line.index, checkpoint.size, &proof, root));
        if !holds {
            ledger.wrong.push(format!("entry {} is not in the checkpoint's ledger", line.index));
        }
    }

    fn signed(&mut self, line: &Line) {
        self.findings.signatures.looked_at += 1;
        let signed = match line.kind {
            Kind::Fact => self.fact(line),
            Kind::Refused => self.refused(line),
            Kind::Record => self.record(line),
        };
        if let Err(why) = signed {
            self.findings.signatures.wrong.push(format!("entry {}: {why}", line.index));
        }
    }

    fn fact(&mut self, line: &Line) -> Result<(), String> {
        let opening = line.person.as_ref().map(opening).transpose()?;
        let sealed: SealedFact = self.open(&line.sealed.0)?;
        if !may_lie_beside(&sealed.fact, opening, None) {
            return Err(BESIDE.into());
        }
        nothing_beside(&Line { person: None, ..line.clone() }, line.evidence.is_none())?;
        learn(&mut self.keys, &sealed.fact).map_err(|error| Chain(&error).to_string())
    }

    fn refused(&mut self, line: &Line) -> Result<(), String> {
        nothing_beside(line, true)?;
        let statement: SealedEvidence = self.open(&line.sealed.0)?;
        let kept = line.evidence.as_ref().ok_or("the refused bytes are missing")?;
        let long = statement.bytes > EVIDENCE_BYTES_MAX as u64;
        let fits = if long {
            // Of long garbage only the beginning is kept; nothing can be said about the rest.
            kept.0.len() == EVIDENCE_BYTES_MAX
        } else {
            kept.0.len() as u64 == statement.bytes && SealedHash::of(&kept.0) == statement.hash
        };
        if !fits {
            return Err("the refused bytes are not those that the centre states".into());
        }
        if let Some(seq) = statement.seq {
            let claims = Record::peek(&kept.0).map_err(|error| error.to_string())?.0;
            self.link(&statement.terminal, seq, &claims, statement.hash, line.index);
        }
        Ok(())
    }

    fn record(&mut self, line: &Line) -> Result<(), String> {
        nothing_beside(
            &Line { person: None, other: None, ..line.clone() },
            line.evidence.is_none(),
        )?;
        let claims = Record::peek(&line.sealed.0).map_err(|error| error.to_string())?.0;
        let ring = self.keys.get_mut(&claims.terminal).ok_or_else(|| {
            format!("terminal {} was not registered before this record", claims.terminal)
        })?;
        let record = open_with(ring, &line.sealed.0).map_err(|error| error.to_string())?;
        let hash = SealedHash::of(&line.sealed.0);
        self.link(&record.terminal, record.seq, &record, hash, line.index);
        opens(line.person.as_ref(), record.person)?;
        opens(line.other.as_ref(), record.other.map(|other| other.person))
    }

    /// Joins a record to its terminal's chain.
    fn link(
        &mut self,
        terminal: &TerminalId,
        seq: u64,
        record: &Record,
        hash: SealedHash,
        index: u64,
    ) {
        let chain = &mut self.findings.chain;
        chain.looked_at += 1;
        let links = self.chains.entry(terminal.clone()).or_default();
        let (last, end) =
            links.last_key_value().map_or((0, SealedHash::GENESIS), |(last, end)| (*last, *end));
        let next = last.saturating_add(1);
        // A gap may cover numbers that had come: whoever lost his disk cannot know which.
        let bridged = record.gap.filter(|gap| {
            let ends = gap.last.checked_add(1) == Some(seq) && seq >= next;
            record.event == Event::Gap && (1..=next).contains(&gap.first) && ends
        });
        let begins = bridged.map_or(next, |gap| gap.first);
        let before = match begins {
            1 => Some(SealedHash::GENESIS),
            begins => links.get(&(begins - 1)).copied(),
        };
        if record.seq != seq || (seq != next && bridged.is_none()) {
            chain.wrong.push(format!(
                "entry {index}: record {seq} of {terminal} comes after record {last}"
            ));
        } else if before != Some(record.prev) && end != record.prev {
            chain.wrong.push(format!(
                "entry {index}: record {seq} of {terminal} does not continue the one before it"
            ));
        }
        links.insert(seq, hash);
        let range = self.findings.terminals.entry(terminal.clone()).or_insert((seq, seq));
        range.1 = range.1.max(seq);
    }

    /// Whether something that should be here was left out.
    fn complete(&mut self, bundle: &Bundle) {
        let ledger = &mut self.findings.ledger;
        if bundle.entries.is_empty() {
            ledger.wrong.push("there is no entry in it".into());
        }
        if !bundle.entries.is_sorted_by(|a, b| a.index < b.index) {
            ledger.wrong.push("its entries are not in ascending order, each once".into());
        }
        let Some(checkpoint) = &self.findings.checkpoint else {
            ledger.wrong.push("without a trusted checkpoint nothing can be said of it".into());
            return;
        };
        if bundle.scope == Scope::Everything && bundle.entries.len() as u64 != checkpoint.size {
            ledger.wrong.push(format!(
                "it says that it holds everything, but has {} of {} entries",
                bundle.entries.len(),
                checkpoint.size
            ));
        }
    }
}

fn untrusted(kid: KeyId) -> String {
    format!("sealed with key {kid}, which is not among the trusted keys")
}

const BESIDE: &str = "something lies beside it that does not belong there";

fn opening(opened: &Opened) -> Result<Opening, String> {
    let Opened { salt, person } = opened;
    let salt = salt.0.as_slice().try_into().map_err(|_| "a salt has 32 bytes")?;
    Ok(Opening { salt, person: *person })
}

/// Nothing may lie beside an entry that no signature or commitment speaks of.
fn nothing_beside(line: &Line, evidence_fits: bool) -> Result<(), String> {
    if line.person.is_none() && line.other.is_none() && evidence_fits {
        Ok(())
    } else {
        Err(BESIDE.into())
    }
}

fn opens(opened: Option<&Opened>, commitment: Option<Commitment>) -> Result<(), String> {
    let Some(opened) = opened else { return Ok(()) };
    let opening = opening(opened)?;
    if commitment == Some(opening.commitment()) {
        Ok(())
    } else {
        Err("a name beside it is not the one that it commits to".into())
    }
}
