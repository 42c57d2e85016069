//! A terminal that nobody registered (未登记终端). Page: docs/rules/unregistered_terminal.md.
//!
//! ## What it sees
//! Bytes under a name that the registry does not hold. They were refused; what is kept of them is
//! bounded. One anomaly for each name and day, however much it sends.
//!
//! ## Why it matters
//! Hours count only from a terminal registered for its site (Sichuan 九: 凡补必进); a private box
//! that imitates one is a way to mass-produce them.
//!
//! ## Example
//! Forty records as terminal `cd-9` in one minute.
//!
//! ## What it cannot know
//! Who runs it, and whether it is a new terminal that somebody forgot to register.
//!
//! ## What to do
//! Ask the sites; register the terminal if it is one of theirs, else revoke the broker's access.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::{AnomalyKind, Bilingual, Finding, Severity, TerminalId};
use crate::ledger::Entry;
use crate::rules::refused::Refused;
use crate::rules::{Ground, Rule};

/// Names raised on one day. A stranger can invent names without end; a thousand anomalies say it
/// as clearly as a million, so further names of that day raise nothing.
const NAMES_PER_DAY_MAX: usize = 1000;

/// Remembers which names were raised on the current day.
#[derive(Default)]
pub(super) struct UnregisteredTerminal {
    today: BTreeMap<TerminalId, Date>,
}

impl UnregisteredTerminal {
    /// Whether this is a name's first entry of the day.
    fn is_new(&mut self, terminal: &TerminalId, date: Date) -> bool {
        self.today.retain(|_, raised| *raised == date);
        let new = self.today.len() < NAMES_PER_DAY_MAX && !self.today.contains_key(terminal);
        if new {
            self.today.insert(terminal.clone(), date);
        }
        new
    }
}

impl Rule for UnregisteredTerminal {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::UnregisteredTerminal
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, .. } = *ground;
        let Some(refused) = Refused::of(entry, self.kind()) else { return Vec::new() };
        let date = entry.committed_at.shanghai().date();
        // On a registered terminal's topic, the stranger is whom the record names.
        let terminal = match refused.claims {
            Some(claims) if registry.terminal(refused.terminal).is_some() => &claims.terminal,
            Some(_) | None => refused.terminal,
        };
        if !self.is_new(terminal, date) {
            return Vec::new();
        }
        let (when, claim) = (refused.when(), refused.claim());
        let why = Bilingual::new(
            format!(
                "{when} 未登记的终端 {terminal} 送来记录{}，已拒收；当日不再重复提示。可能是私设终端；\
                 新终端漏登记也会如此。",
                claim.zh
            ),
            format!(
                "At {when} terminal {terminal}, which nobody registered, sent records{}; they are \
                 refused, and this is said once a day. It may be a private box; a new terminal that \
                 was not registered looks the same.",
                claim.en
            ),
        );
        vec![refused.raise(self.kind(), Severity::Warning, why, registry)]
    }
}
