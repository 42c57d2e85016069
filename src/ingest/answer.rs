//! What terminals are told once a batch is committed: one receipt for each unbroken run of
//! records, one refusal for each refused record, one wish for what is missing.

use std::collections::BTreeMap;

use super::Step;
use crate::domain::{TerminalId, Timestamp};
use crate::record::{Receipt, SealedHash, Verdict, Wanted};

/// One message to one terminal, not sealed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Committed or refused.
    Receipt(Receipt),
    /// Something is missing.
    Wanted(Wanted),
}

impl Answer {
    /// To whom.
    pub fn terminal(&self) -> &TerminalId {
        match self {
            Answer::Receipt(receipt) => &receipt.terminal,
            Answer::Wanted(wanted) => &wanted.terminal,
        }
    }
}

#[derive(Default)]
struct Heard {
    committed: BTreeMap<u64, SealedHash>,
    refused: Vec<(u64, SealedHash, String)>,
    wanted: Option<u64>,
}

/// The answers to committed steps. `ledger_size` and `at` are those of the commit.
pub fn answers<'s>(
    steps: impl IntoIterator<Item = &'s Step>,
    ledger_size: u64,
    at: Timestamp,
) -> Vec<Answer> {
    let mut heard: BTreeMap<TerminalId, Heard> = BTreeMap::new();
    let mut of = |terminal: &TerminalId, note: &mut dyn FnMut(&mut Heard)| {
        note(heard.entry(terminal.clone()).or_default());
    };
    for step in steps {
        match step {
            Step::Commit(admitted) => {
                let head = admitted.head();
                of(&admitted.record().terminal, &mut |h| {
                    h.committed.insert(head.seq, head.hash);
                });
            }
            Step::Again(again) => of(&again.terminal, &mut |h| match &again.refused {
                Some(code) => h.refused.push((again.seq, again.hash, code.clone())),
                None => {
                    h.committed.insert(again.seq, again.hash);
                }
            }),
            Step::Keep { refused, answer: true } => of(refused.topic(), &mut |h| {
                let code = refused.refusal().code().to_owned();
                h.refused.push((refused.seq(), refused.evidence().hash(), code));
            }),
            Step::Want { terminal, from } => of(terminal, &mut |h| h.wanted = Some(*from)),
            Step::Keep { answer: false, .. } | Step::Count { .. } => {}
        }
    }
    let mut out = Vec::new();
    for (terminal, heard) in heard {
        let mut receipt = |first, last, hash, verdict| {
            let terminal = terminal.clone();
            out.push(Answer::Receipt(Receipt {
                terminal,
                first,
                last,
                hash,
                ledger_size,
                at,
                verdict,
            }));
        };
        let mut run: Option<(u64, u64, SealedHash)> = None;
        for (&seq, &hash) in &heard.committed {
            run = match run {
                Some((first, last, _)) if last.checked_add(1) == Some(seq) => {
                    Some((first, seq, hash))
                }
                Some((first, last, before)) => {
                    receipt(first, last, before, Verdict::Committed);
                    Some((seq, seq, hash))
                }
                None => Some((seq, seq, hash)),
            };
        }
        if let Some((first, last, hash)) = run {
            receipt(first, last, hash, Verdict::Committed);
        }
        for (seq, hash, code) in heard.refused {
            receipt(seq, seq, hash, Verdict::Refused { code });
        }
        // What arrived later in the same batch is wanted no more.
        if let Some(from) = heard.wanted.filter(|from| !heard.committed.contains_key(from)) {
            out.push(Answer::Wanted(Wanted { terminal, from }));
        }
    }
    out
}
