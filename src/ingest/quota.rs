//! How much a sender may leave behind. Every refusal is evidence, but nobody may fill the disk
//! with it: after the first ones the rest is only counted.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::domain::TerminalId;

/// Bounds of what ingest keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Records of one terminal that may wait behind a gap. 256 are four full messages and at
    /// most 300 KiB of memory.
    pub parked_max: usize,
    /// Refusals kept per registered terminal. They get receipts, so a fault that makes a
    /// terminal's records refused for weeks must fit.
    pub evidence_per_terminal_max: u64,
    /// Refusals kept per name that nobody registered.
    pub evidence_per_stranger_max: u64,
    /// How many such names are kept at all: names cost a stranger nothing.
    pub strangers_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parked_max: 256,
            evidence_per_terminal_max: 10_000,
            evidence_per_stranger_max: 100,
            strangers_max: 1_000,
        }
    }
}

/// What each sender has left behind so far.
#[derive(Debug, Default)]
pub(super) struct Quota {
    kept: HashMap<TerminalId, u64>,
    strangers: usize,
}

impl Quota {
    /// Counts what the ledger already keeps of a sender.
    pub(super) fn resume(&mut self, sender: TerminalId, kept: u64, registered: bool) {
        if self.kept.insert(sender, kept).is_none() && !registered {
            self.strangers += 1;
        }
    }

    /// Whether one more refusal of this sender is kept; counts it if so.
    pub(super) fn admits(
        &mut self,
        sender: &TerminalId,
        registered: bool,
        limits: &Limits,
    ) -> bool {
        if !self.kept.contains_key(sender) {
            if !registered {
                if self.strangers >= limits.strangers_max {
                    return false;
                }
                self.strangers += 1;
            }
            self.kept.insert(sender.clone(), 0);
        }
        let max = if registered {
            limits.evidence_per_terminal_max
        } else {
            limits.evidence_per_stranger_max
        };
        let kept = self.kept.entry(sender.clone()).or_default();
        let fits = *kept < max;
        *kept += u64::from(fits);
        fits
    }
}
