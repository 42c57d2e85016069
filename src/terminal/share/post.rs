//! When to ask the centre for shares and when to send it one's own: pure. Nothing that is asked or sent is
//! relied upon; what brings no answer is done again, and at each new connection everything is.

use std::collections::BTreeMap;

use crate::domain::{PersonId, Timestamp};

/// How long an answer is waited for.
const PATIENCE_MS: u64 = 30_000;

/// How often it is asked anyway: a word that there is something new may be lost.
const ASK_MS: u64 = 3_600_000;

/// How long after a parcel was sent it is asked whether it has arrived, if nothing was heard.
const SOON_MS: u64 = 10_000;

/// How long after a parcel was sent it is sent again on the same connection. The centre may have refused
/// it, and will again.
const AGAIN_MS: u64 = 600_000;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Post {
    /// Which of the connections since the start.
    connection: Option<u64>,
    question: Option<([u8; 16], u64)>,
    ask_at_ms: u64,
    /// On this connection the centre has said of which institution this terminal is.
    answered: bool,
    /// Which change of whom was sent, and when.
    sent: BTreeMap<PersonId, (Timestamp, u64)>,
}

impl Post {
    /// Takes note of the connection that there is.
    pub(super) fn connected(&mut self, connection: Option<u64>, now_ms: u64) {
        if self.connection != connection {
            *self = Self { connection, ask_at_ms: now_ms, ..Self::default() };
        }
    }

    /// There is something new at the centre.
    pub(super) fn hear(&mut self, now_ms: u64) {
        self.ask_at_ms = self.ask_at_ms.min(now_ms);
    }

    /// Whether to ask now.
    pub(super) fn may_ask(&mut self, now_ms: u64) -> bool {
        if self.question.is_some_and(|(_, asked_ms)| now_ms >= asked_ms + PATIENCE_MS) {
            self.question = None;
            self.ask_at_ms = now_ms;
        }
        self.connection.is_some() && self.question.is_none() && now_ms >= self.ask_at_ms
    }

    /// The question was sent.
    pub(super) fn asked(&mut self, nonce: [u8; 16], now_ms: u64) {
        self.question = Some((nonce, now_ms));
        self.ask_at_ms = now_ms + ASK_MS;
    }

    /// Whether this is the answer to the open question, which is answered then.
    pub(super) fn answers(&mut self, nonce: &[u8; 16]) -> bool {
        let fits = self.question.is_some_and(|(asked, _)| asked == *nonce);
        if fits {
            self.question = None;
            self.answered = true;
        }
        fits
    }

    /// Whether somebody's parcel is to be sent now.
    pub(super) fn may_send(&self, person: &PersonId, changed: Timestamp, now_ms: u64) -> bool {
        let lately = |(sent, sent_ms): &(Timestamp, u64)| {
            *sent == changed && now_ms < sent_ms.saturating_add(AGAIN_MS)
        };
        self.answered && !self.sent.get(person).is_some_and(lately)
    }

    /// It was sent.
    pub(super) fn sent(&mut self, person: PersonId, changed: Timestamp, now_ms: u64) {
        self.sent.insert(person, (changed, now_ms));
        self.again(now_ms);
    }

    /// The centre has forgotten all that was sent.
    pub(super) fn forgotten(&mut self) {
        self.sent.clear();
    }

    /// It is asked again soon.
    pub(super) fn again(&mut self, now_ms: u64) {
        self.ask_at_ms = self.ask_at_ms.min(now_ms + SOON_MS);
    }

    /// An answer was taken in; if there is `more` it is asked for at once.
    pub(super) fn done(&mut self, more: bool, now_ms: u64) {
        // Whether what was sent a moment ago has arrived is still to be asked.
        let soon = self.sent.values().map(|(_, sent_ms)| sent_ms + SOON_MS);
        let soon = soon.filter(|due_ms| *due_ms > now_ms).min().unwrap_or(u64::MAX);
        self.ask_at_ms = if more { now_ms } else { soon.min(now_ms + ASK_MS) };
    }
}
