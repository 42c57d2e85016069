//! The decision on one request, pure: what the centre knows and the time come as arguments.

use super::roll::Standing;
use crate::domain::{Fact, SiteId, TerminalId, Timestamp};
use crate::record::enrolment::{
    Held, RequestKind, open_enrolment, open_succession, open_wish, peek_request,
};
use crate::record::{CentreMark, OpenError, ReadingPublic, VerifyingKey};

/// Keys of one kind that are remembered for a terminal, so that none comes back: one a day for three
/// years.
const KEYS_MAX: usize = 1_000;

/// What is kept of a token: nothing that could be used in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenNote {
    /// The public half of the key that its secret stands for.
    pub key: VerifyingKey,
    /// Where the terminal will stand.
    pub site: SiteId,
    /// Until when it can be used.
    pub until: Timestamp,
    /// The terminal in whose place it comes.
    pub replaces: Option<TerminalId>,
}

/// The keys that a token was used for, or that certificates were given to since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Seals its records.
    pub record: VerifyingKey,
    /// Its TLS keys, the newest last.
    pub tls: Vec<VerifyingKey>,
    /// What was to be encrypted to for it, the newest last; none for a terminal of an earlier build.
    pub reading: Vec<ReadingPublic>,
    /// Where it stands.
    pub site: SiteId,
    /// The terminal in whose place it came.
    pub replaces: Option<TerminalId>,
    /// When it was bound.
    pub at: Timestamp,
    /// The name of the authority of its newest certificate, where it is known.
    pub authority: Option<String>,
}

impl Bound {
    /// Takes the reading key that a request names, and says whether it is new. One that was replaced
    /// does not come back by a request that somebody overheard.
    fn read_with(&mut self, key: Option<ReadingPublic>) -> Result<bool, Denied> {
        let Some(key) = key.filter(|key| self.reading.last() != Some(key)) else {
            return Ok(false);
        };
        if self.reading.contains(&key) || self.reading.len() >= KEYS_MAX {
            return Err(Denied::OldKey);
        }
        self.reading.push(key);
        Ok(true)
    }

    /// What the ledger says of a terminal that came in so.
    pub(super) fn facts(&self, id: &TerminalId) -> Vec<Fact> {
        let (site, key) = (self.site.clone(), self.record.to_bytes());
        let mut facts = vec![Fact::Terminal { id: id.clone(), site, key }];
        let replaced = self.replaces.clone();
        facts.extend(replaced.map(|replaces| Fact::Replacement { id: id.clone(), replaces }));
        facts
    }
}

/// What the centre knows of the terminal that a request names.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Its token, used or not.
    pub token: Option<TokenNote>,
    /// Its keys.
    pub bound: Option<Bound>,
    /// What the ledger says of it.
    pub standing: Option<Standing>,
}

/// Why a request is not granted. Told to its sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No request.
    #[error("this is no request of Rollcall's: {0}")]
    Malformed(String),
    /// Its signatures do not hold, or it is meant for another centre.
    #[error("it does not prove what it says: {0}")]
    Unproven(String),
    /// There is no token for this terminal.
    #[error("there is no token for terminal {terminal}")]
    NoToken {
        /// Whom.
        terminal: TerminalId,
    },
    /// Another token was made for this terminal since.
    #[error("this is not the token that was made last for terminal {terminal}")]
    OtherToken {
        /// Whom.
        terminal: TerminalId,
    },
    /// The token's time is over.
    #[error("the token expired at {until}, China standard time")]
    Expired {
        /// When.
        until: Timestamp,
    },
    /// Used by a device with other keys.
    #[error("the token was used already, by a device with other keys")]
    Used,
    /// Registered with another key.
    #[error("terminal {terminal} is registered with another key")]
    Registered {
        /// Whom.
        terminal: TerminalId,
    },
    /// Nobody registered such a terminal.
    #[error("terminal {terminal} is not registered")]
    Unknown {
        /// Whom.
        terminal: TerminalId,
    },
    /// Revoked.
    #[error("terminal {terminal} is revoked: {reason}")]
    Revoked {
        /// Whom.
        terminal: TerminalId,
        /// Why, as the centre stated it.
        reason: String,
    },
    /// A key that was replaced.
    #[error("this key was replaced by a newer one")]
    OldKey,
}

impl Denied {
    /// Stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Denied::Malformed(_) => "malformed",
            Denied::Unproven(_) => "unproven",
            Denied::NoToken { .. } => "no_token",
            Denied::OtherToken { .. } => "other_token",
            Denied::Expired { .. } => "expired",
            Denied::Used => "used",
            Denied::Registered { .. } => "registered",
            Denied::Unknown { .. } => "unknown",
            Denied::Revoked { .. } => "revoked",
            Denied::OldKey => "old_key",
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Denied::Malformed(_) => "use the same version of Rollcall at both ends",
            Denied::Unproven(_) | Denied::NoToken { .. } | Denied::OtherToken { .. } => {
                "ask the centre for a new token: `rollcall collector terminal add`"
            }
            Denied::Expired { .. } => {
                "ask the centre for a new one: `rollcall collector terminal add --again`"
            }
            Denied::Used => {
                "if nobody of yours used it, tell the centre to revoke this terminal at once; a board \
                 that was set up anew comes in under a new name, by `terminal replace`"
            }
            Denied::Registered { .. } => {
                "a device that was set up anew comes in under a new name: `rollcall collector \
                 terminal replace`"
            }
            Denied::Unknown { .. } => "enrol it with a token",
            Denied::Revoked { .. } => "ask the centre; a new device comes in under a new name",
            Denied::OldKey => "use the newest key, or make another one",
        }
    }
}

/// What shall be done for a request that is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Whose request.
    pub terminal: TerminalId,
    /// The keys that it is bound to from now on; kept durably before anything else is done.
    pub bound: Bound,
    /// Whether that differs from what is kept.
    pub new: bool,
    /// What the ledger has to say, and does not say yet.
    pub facts: Vec<Fact>,
}

/// Judges a request. Of the `centre`'s marks the first is that of its tokens; a terminal that asks for
/// another certificate may know an earlier one.
pub fn judge(
    request: &[u8],
    centre: &[CentreMark],
    known: &Known,
    now: Timestamp,
) -> Result<Ruling, Denied> {
    let claim = peek_request(request).map_err(|error| Denied::Malformed(error.to_string()))?;
    let terminal = claim.terminal;
    let standing = known.standing.as_ref();
    if claim.kind == RequestKind::Enrolment {
        let token = known.token.as_ref();
        let token = token.ok_or_else(|| Denied::NoToken { terminal: terminal.clone() })?;
        if token.key.id() != claim.key {
            return Err(Denied::OtherToken { terminal });
        }
        let newest = centre.get(..1).unwrap_or_default();
        let held = open_enrolment(request, &token.key, newest).map_err(|e| unproven(&e))?;
        not_revoked(&terminal, standing)?;
        enrol(terminal, held, token, known, now)
    } else {
        let unknown = || Denied::Unknown { terminal: terminal.clone() };
        let standing = standing.ok_or_else(unknown)?;
        let key = standing.keys.last().ok_or_else(unknown)?;
        let held = open_wish(request, key, &terminal, centre).map_err(|e| unproven(&e))?;
        not_revoked(&terminal, Some(standing))?;
        renew(terminal, held, standing, known.bound.as_ref(), now)
    }
}

/// Judges a terminal's word that another record key follows its own: what the ledger has to say of
/// it, or nothing when it says so already.
pub(super) fn judge_succession(
    request: &[u8],
    terminal: &TerminalId,
    standing: Option<&Standing>,
) -> Result<Option<Fact>, Denied> {
    let unknown = || Denied::Unknown { terminal: terminal.clone() };
    let keys = standing.map(|standing| standing.keys.as_slice()).ok_or_else(unknown)?;
    not_revoked(terminal, standing)?;
    let newest = keys.last().ok_or_else(unknown)?;
    // The answer may have been lost: then the newest key is the one that follows.
    if let [.., before, newest] = keys
        && open_succession(request, terminal, before).is_ok_and(|next| next == *newest)
    {
        return Ok(None);
    }
    let next = open_succession(request, terminal, newest).map_err(|error| unproven(&error))?;
    if keys.contains(&next) {
        return Err(Denied::OldKey);
    }
    let (id, key, proof) = (terminal.clone(), next.to_bytes(), request.to_vec());
    Ok(Some(Fact::TerminalKey { id, key, proof }))
}

fn unproven(error: &OpenError) -> Denied {
    Denied::Unproven(error.to_string())
}

fn not_revoked(terminal: &TerminalId, standing: Option<&Standing>) -> Result<(), Denied> {
    match standing.and_then(|standing| standing.revoked.clone()) {
        Some(reason) => Err(Denied::Revoked { terminal: terminal.clone(), reason }),
        None => Ok(()),
    }
}

fn enrol(
    terminal: TerminalId,
    held: Held,
    token: &TokenNote,
    known: &Known,
    now: Timestamp,
) -> Result<Ruling, Denied> {
    let (bound, new) = match (&known.bound, &known.standing) {
        // The answer was lost, or the program: the same device asks again. However late.
        (Some(bound), _) if bound.record == held.record && bound.tls.last() == Some(&held.tls) => {
            let mut after = bound.clone();
            let new = after.read_with(held.reading)?;
            (after, new)
        }
        (Some(_), _) => return Err(Denied::Used),
        (None, Some(standing)) if standing.keys.last() != Some(&held.record) => {
            return Err(Denied::Registered { terminal });
        }
        (None, _) if now > token.until => return Err(Denied::Expired { until: token.until }),
        (None, _) => {
            let TokenNote { site, replaces, .. } = token.clone();
            let (record, tls) = (held.record, vec![held.tls]);
            let reading = held.reading.into_iter().collect();
            (Bound { record, tls, reading, site, replaces, at: now, authority: None }, true)
        }
    };
    let stated = known.standing.is_some();
    let facts = if stated { Vec::new() } else { bound.facts(&terminal) };
    Ok(Ruling { terminal, bound, new, facts })
}

fn renew(
    terminal: TerminalId,
    held: Held,
    standing: &Standing,
    bound: Option<&Bound>,
    now: Timestamp,
) -> Result<Ruling, Denied> {
    // A terminal that was registered by hand has no keys bound yet: its record key proves it.
    let mut after = bound.cloned().unwrap_or_else(|| Bound {
        record: held.record,
        tls: Vec::new(),
        reading: Vec::new(),
        site: standing.site.clone(),
        replaces: None,
        at: now,
        authority: None,
    });
    after.record = held.record;
    if after.tls.last() != Some(&held.tls) {
        // Else a wish that was overheard would get a certificate for a key that was stolen since.
        if after.tls.contains(&held.tls) || after.tls.len() >= KEYS_MAX {
            return Err(Denied::OldKey);
        }
        after.tls.push(held.tls);
    }
    after.read_with(held.reading)?;
    let new = bound != Some(&after);
    Ok(Ruling { terminal, bound: after, new, facts: Vec::new() })
}
