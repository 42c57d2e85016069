//! What the rules on refused bytes share: which refusal is whose matter, and the frame of the
//! anomaly. Nothing that refused bytes say is proven, so such an anomaly names no person, and its
//! time is the centre's.
//!
//! | refusal | raised as |
//! |---|---|
//! | foreign key; bad signature off the chain | `forged` |
//! | bad signature on the chain | `altered` |
//! | another terminal's name | `replayed` |
//! | unknown terminal | `unregistered_terminal` |
//! | forked; broken chain | `forked_chain` |
//! | malformed; bad opening | nothing: kept as evidence, and a defect explains it as well as a fraud |
//! | revoked terminal | nothing: the centre itself turned it away, and said so in its ledger |

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Refusal, Severity, TerminalId};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::Registry;
use crate::rules::words;

/// Refused bytes, as a rule reads them.
pub(super) struct Refused<'e> {
    /// Under whose name they came.
    pub(super) terminal: &'e TerminalId,
    /// Why they were refused.
    pub(super) refusal: &'e Refusal,
    /// What they claim to say; nothing in it is proven.
    pub(super) claims: Option<&'e Record>,
    entry: &'e Entry,
}

/// Whose matter a refusal is. A new refusal must be sorted in here before it compiles.
fn kind_of(refusal: &Refusal) -> Option<AnomalyKind> {
    match refusal {
        Refusal::ForeignKey | Refusal::BadSignature { fits_chain: false } => {
            Some(AnomalyKind::Forged)
        }
        Refusal::BadSignature { fits_chain: true } => Some(AnomalyKind::Altered),
        Refusal::ForeignTerminal { .. } => Some(AnomalyKind::Replayed),
        Refusal::UnknownTerminal => Some(AnomalyKind::UnregisteredTerminal),
        Refusal::Forked | Refusal::BrokenChain => Some(AnomalyKind::ForkedChain),
        Refusal::Malformed { .. } | Refusal::BadOpening | Refusal::Revoked => None,
    }
}

impl<'e> Refused<'e> {
    /// The refused bytes of `entry`, if they are the matter of `kind`.
    pub(super) fn of(entry: &'e Entry, kind: AnomalyKind) -> Option<Self> {
        match &entry.body {
            Body::Refused { terminal, refusal, claims, hash: _ } => {
                let claims = claims.as_deref();
                (kind_of(refusal) == Some(kind)).then_some(Self {
                    terminal,
                    refusal,
                    claims,
                    entry,
                })
            }
            Body::Record { .. } | Body::Fact(_) => None,
        }
    }

    /// When the centre got them.
    pub(super) fn when(&self) -> String {
        words::clock(self.entry.committed_at)
    }

    /// What they claim to be.
    pub(super) fn claim(&self) -> Bilingual {
        match self.claims {
            Some(record) => {
                let (seq, time) = (record.seq, words::clock(record.clock.wall));
                Bilingual::new(
                    format!("（自称序号 {seq}、时间 {time}）"),
                    format!(" (it claims number {seq}, made {time})"),
                )
            }
            None => Bilingual::new("", ""),
        }
    }

    /// The anomaly that rests on this entry alone.
    pub(super) fn raise(
        &self,
        kind: AnomalyKind,
        severity: Severity,
        why: Bilingual,
        registry: &Registry,
    ) -> Finding {
        let evidence = vec![self.entry.index];
        let mut terminals = vec![self.terminal.clone()];
        if let Refusal::ForeignTerminal { named } = self.refusal {
            terminals.push(named.clone());
        }
        Finding {
            id: AnomalyId::of(kind, &evidence),
            kind,
            severity,
            at: self.entry.committed_at,
            who: Vec::new(),
            terminals,
            site: registry.site_of(self.terminal).cloned(),
            why,
            evidence,
        }
    }
}
