//! What the ledger says of terminals and of who else comes to the broker, as the desk needs it: a projection of its facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::collector::{Hooks, Store};
use crate::domain::{Fact, InstitutionId, PlatformId, SiteId, TerminalId};
use crate::ledger::{Body, Entry, OpenLedgerError, ReadError};
use crate::record::VerifyingKey;

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// A terminal in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub site: SiteId,
    /// Its record keys, the newest last.
    pub keys: Vec<VerifyingKey>,
    /// Why it was revoked, if it was.
    pub revoked: Option<String>,
    /// The terminal in whose place it came.
    pub replaces: Option<TerminalId>,
}

/// The ledger could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RollError {
    /// The ledger does not open.
    #[error("could not open the ledger")]
    Open(#[from] OpenLedgerError),
    /// It cannot be read.
    #[error("could not read the ledger")]
    Read(#[from] ReadError),
}

#[derive(Debug, Default)]
struct Inner {
    terminals: BTreeMap<TerminalId, Standing>,
    /// Whose each site is.
    sites: BTreeMap<SiteId, InstitutionId>,
    platforms: BTreeSet<PlatformId>,
    changes: u64,
}

/// All terminals of the ledger. A handle: clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Roll(Arc<Mutex<Inner>>);

impl Roll {
    /// What a collector's ledger says now, whether a collector runs or not.
    pub fn read(store: &Store) -> Result<Self, RollError> {
        let roll = Self::default();
        let ledger = store.read_ledger()?;
        let mut next = 0;
        loop {
            let entries = ledger.entries_since(next, READ_ENTRIES)?;
            let Some(last) = entries.last() else { return Ok(roll) };
            next = last.index + 1;
            roll.take(&entries);
        }
    }

    /// Takes in committed entries.
    pub fn take(&self, entries: &[Entry]) {
        for entry in entries {
            if let Body::Fact(fact) = &entry.body {
                self.learn(fact);
            }
        }
    }

    /// Hooks that also feed this roll.
    pub fn fed_by(&self, hooks: Hooks) -> Hooks {
        let Hooks { mut on_committed, on_status, on_share } = hooks;
        let roll = self.clone();
        let on_committed = Box::new(move |entries: &[Entry]| {
            roll.take(entries);
            on_committed(entries);
        });
        Hooks { on_committed, on_status, on_share }
    }

    /// Takes in one fact.
    pub fn learn(&self, fact: &Fact) {
        let mut inner = self.inner();
        inner.changes += u64::from(*fact != Fact::Tick);
        match fact {
            Fact::Site { id, institution, .. } => {
                inner.sites.insert(id.clone(), institution.clone());
            }
            Fact::Terminal { id, site, key } => {
                let Ok(key) = VerifyingKey::from_bytes(key) else { return };
                let fresh = || Standing {
                    site: site.clone(),
                    keys: Vec::new(),
                    revoked: None,
                    replaces: None,
                };
                let standing = inner.terminals.entry(id.clone()).or_insert_with(fresh);
                standing.site = site.clone();
                if standing.keys.is_empty() {
                    standing.keys.push(key);
                }
            }
            Fact::TerminalKey { id, key, .. } => {
                let key = VerifyingKey::from_bytes(key);
                // It is told twice: by the desk, which goes on with it, and by the ledger.
                if let (Some(standing), Ok(key)) = (inner.terminals.get_mut(id), key)
                    && standing.keys.last() != Some(&key)
                {
                    standing.keys.push(key);
                }
            }
            Fact::Revocation { id, reason } => {
                if let Some(standing) = inner.terminals.get_mut(id) {
                    standing.revoked = Some(reason.clone());
                }
            }
            Fact::Replacement { id, replaces } => {
                if let Some(standing) = inner.terminals.get_mut(id) {
                    standing.replaces = Some(replaces.clone());
                }
            }
            Fact::Platform(platform) => {
                inner.platforms.insert(platform.id.clone());
            }
            Fact::Institution { .. }
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
            | Fact::Project(_)
            | Fact::Activity(_)
            | Fact::PictureOpened { .. }
            | Fact::Trial(_)
            | Fact::CaseStep(_)
            | Fact::Tick => {}
        }
    }

    /// How many facts were taken in, and changes noted: another number means to look again.
    pub fn changes(&self) -> u64 {
        self.inner().changes
    }

    /// Notes a change of what the ledger does not hold: a terminal's reading key.
    pub fn note_change(&self) {
        self.inner().changes += 1;
    }

    /// A terminal.
    pub fn standing(&self, terminal: &TerminalId) -> Option<Standing> {
        self.inner().terminals.get(terminal).cloned()
    }

    /// Whether a site is registered.
    pub fn has_site(&self, site: &SiteId) -> bool {
        self.inner().sites.contains_key(site)
    }

    /// Whose site it is.
    pub fn institution(&self, site: &SiteId) -> Option<InstitutionId> {
        self.inner().sites.get(site).cloned()
    }

    /// The terminals at an institution's sites that were not revoked.
    pub fn terminals_of(&self, institution: &InstitutionId) -> Vec<TerminalId> {
        let inner = self.inner();
        let own = |standing: &Standing| {
            standing.revoked.is_none() && inner.sites.get(&standing.site) == Some(institution)
        };
        inner.terminals.iter().filter(|(_, it)| own(it)).map(|(id, _)| id.clone()).collect()
    }

    /// The online platforms that are registered.
    pub fn platforms(&self) -> BTreeSet<PlatformId> {
        self.inner().platforms.clone()
    }

    /// All terminals, by name.
    pub fn terminals(&self) -> BTreeMap<TerminalId, Standing> {
        self.inner().terminals.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no code under this lock panics")
    }
}
