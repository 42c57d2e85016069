//! Roll calls that somebody who supervises has ordered.

use std::collections::BTreeMap;

use super::Registry;
use crate::domain::{RollOrder, TerminalId, Timestamp};

/// An order with the centre's time when it was stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// What was ordered.
    pub order: RollOrder,
    /// When.
    pub at: Timestamp,
}

/// All orders, by terminal, in the ledger's order.
#[derive(Debug, Clone, Default)]
pub(super) struct RollCalls(BTreeMap<TerminalId, Vec<Ordered>>);

impl RollCalls {
    pub(super) fn order(&mut self, order: RollOrder, at: Timestamp) {
        self.0.entry(order.terminal.clone()).or_default().push(Ordered { order, at });
    }
}

impl Registry {
    /// The roll calls that were ordered at a terminal, the newest last.
    pub fn roll_orders(&self, terminal: &TerminalId) -> &[Ordered] {
        self.roll_calls.0.get(terminal).map_or(&[], Vec::as_slice)
    }
}
