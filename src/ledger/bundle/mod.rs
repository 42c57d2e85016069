//! What an auditor takes home: entries with their inclusion proofs under one signed checkpoint,
//! and the check of it, which needs no database and no network (docs/spec/bundle-v2.md).
//!
//! Trust comes from outside: [`Trust`] holds the centre's keys. A terminal's key counts only by a
//! registration that the bundle holds, sealed with a trusted log key and included in the ledger
//! before the record.

mod check;
mod trust;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

pub use check::{Finding, Findings, check};
pub use trust::{Trust, TrustError};

use super::staged::{Kind, Stored};
use super::tree::{Tree, TreeHash};
use super::{Body, Ledger, ReadError, read_back};
use crate::domain::{Fact, PersonId, SiteId, TerminalId};
use crate::record::{Opening, base64};

/// What stands in every bundle's `format`.
pub const FORMAT: &str = "rollcall-bundle-v2";

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// Bytes as text: base64 (RFC 4648, section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub Vec<u8>);

impl TryFrom<String> for Bytes {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        base64::decode(&text).map(Self).ok_or("no base64, or not in its only form")
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        BASE64.encode(&bytes.0)
    }
}

/// What a bundle says it holds of its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// Every entry.
    Everything,
    /// Everything that came under one terminal's name, and its registration.
    Terminal(TerminalId),
}

/// Opens a commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The record's salt.
    pub salt: Bytes,
    /// Whom it stands for.
    pub person: PersonId,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its place in the ledger.
    pub index: u64,
    /// What kind of statement it is.
    pub kind: Kind,
    /// The complete sealed bytes.
    pub sealed: Bytes,
    /// Its inclusion proof (RFC 9162, section 2.1.3).
    pub proof: Vec<Bytes>,
    /// The refused bytes, or their beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Bytes>,
    /// Opens the record's `person`, unless erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Opened>,
    /// Opens the record's `other`, unless erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Opened>,
}

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// What it says it holds.
    pub scope: Scope,
    /// The sealed checkpoint that all proofs lead to.
    pub checkpoint: Bytes,
    /// The entries, ascending.
    pub entries: Vec<Line>,
}

impl Bundle {
    /// Takes entries out of a ledger, under a checkpoint of its present size and root.
    pub fn export(
        ledger: &dyn Ledger,
        terminal: Option<&TerminalId>,
        checkpoint: Vec<u8>,
    ) -> Result<Self, ReadError> {
        let mut leaves = Vec::new();
        let mut entries = Vec::new();
        let mut facts = Vec::new();
        while let Some(chunk) = next_chunk(ledger, leaves.len() as u64)? {
            for stored in chunk {
                leaves.push(stored.leaf());
                match (terminal, read_back(&stored)?.body) {
                    (None, _) => entries.push(line(stored)),
                    (Some(wished), Body::Record { record, .. }) if record.terminal == *wished => {
                        entries.push(line(stored));
                    }
                    (Some(wished), Body::Refused { terminal, .. }) if terminal == *wished => {
                        entries.push(line(stored));
                    }
                    (Some(_), Body::Fact(fact)) if fact != Fact::Tick => {
                        facts.push((fact, line(stored)));
                    }
                    (Some(_), Body::Record { .. } | Body::Refused { .. } | Body::Fact(_)) => {}
                }
            }
        }
        if let Some(wished) = terminal {
            entries.extend(concerning(wished, facts));
            entries.sort_by_key(|line| line.index);
        }
        let tree = Tree::of(leaves);
        for line in &mut entries {
            let proof = usize::try_from(line.index).ok().and_then(|index| tree.prove(index));
            let proof = proof.expect("every exported entry is a leaf of the tree");
            line.proof = proof.into_iter().map(|TreeHash(hash)| Bytes(hash.to_vec())).collect();
        }
        let scope = terminal.cloned().map_or(Scope::Everything, Scope::Terminal);
        Ok(Self { format: FORMAT.to_owned(), scope, checkpoint: Bytes(checkpoint), entries })
    }

    /// As a file: one entry a line, so that people can look at it and compare two.
    pub fn to_json(&self) -> String {
        let lines: Vec<_> = self.entries.iter().map(json).collect();
        format!(
            "{{\"format\":{},\n\"scope\":{},\n\"checkpoint\":{},\n\"entries\":[\n{}\n]}}\n",
            json(&self.format),
            json(&self.scope),
            json(&self.checkpoint),
            lines.join(",\n")
        )
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data with text keys is always JSON")
}

fn next_chunk(ledger: &dyn Ledger, from: u64) -> Result<Option<Vec<Stored>>, ReadError> {
    let chunk = ledger.stored_since(from, READ_ENTRIES)?;
    // Entries committed since the checkpoint are not part of it.
    let old = chunk.into_iter().filter(|stored| stored.index < ledger.size()).collect::<Vec<_>>();
    Ok(Some(old).filter(|chunk| !chunk.is_empty()))
}

/// The facts that say who a terminal is: its registrations, its sites, their institutions, and
/// the policies in force.
fn concerning(terminal: &TerminalId, facts: Vec<(Fact, Line)>) -> Vec<Line> {
    let mut sites: Vec<SiteId> = Vec::new();
    for (fact, _) in &facts {
        if let Fact::Terminal { id, site, .. } = fact
            && id == terminal
        {
            sites.push(site.clone());
        }
    }
    let mut owners = Vec::new();
    for (fact, _) in &facts {
        if let Fact::Site { id, institution, .. } = fact
            && sites.contains(id)
        {
            owners.push(institution.clone());
        }
    }
    let wanted = |fact: &Fact| match fact {
        Fact::Terminal { id, .. } => id == terminal,
        Fact::Site { id, .. } => sites.contains(id),
        Fact::Institution { id, .. } => owners.contains(id),
        Fact::Policy { .. } | Fact::Trial(_) => true,
        Fact::TerminalKey { id, .. }
        | Fact::Revocation { id, .. }
        | Fact::Replacement { id, .. }
        | Fact::PictureOpened { terminal: id, .. } => id == terminal,
        Fact::RollOrdered(order) => order.terminal == *terminal,
        Fact::Class { .. }
        | Fact::Lesson(_)
        | Fact::InstitutionDetails(_)
        | Fact::ClassPlan(_)
        | Fact::LessonDetails(_)
        | Fact::Joined(_)
        | Fact::Left(_)
        | Fact::Teacher(_)
        | Fact::Status(_)
        | Fact::Claim(_)
        | Fact::ClaimLine(_)
        | Fact::Held(_)
        | Fact::Objected(_)
        | Fact::Platform(_)
        | Fact::Project(_)
        | Fact::Activity(_)
        | Fact::CaseStep(_)
        | Fact::Tick => false,
    };
    facts.into_iter().filter(|(fact, _)| wanted(fact)).map(|(_, line)| line).collect()
}

fn line(stored: Stored) -> Line {
    let opened =
        |opening: Opening| Opened { salt: Bytes(opening.salt.to_vec()), person: opening.person };
    Line {
        index: stored.index,
        kind: stored.kind,
        sealed: Bytes(stored.sealed),
        proof: Vec::new(),
        evidence: stored.evidence.map(Bytes),
        person: stored.person.map(opened),
        other: stored.other.map(opened),
    }
}
