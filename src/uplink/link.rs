//! What the uplink does next: pure, without a clock, a socket or chance.
//!
//! ```text
//!              Plug                    Connected
//!   Unplugged ─────► Connecting ─────────────────► Online
//!       ▲              │      ▲                      │
//!       │        Lost  ▼      │ Tick at retry        │ Lost
//!       └── Unplug ── Waiting ◄──────────────────────┘
//! ```
//!
//! Offers go out in sequence, at most [`Pace::unanswered_batches_max`] of them without a receipt. An offer
//! that stays without one for [`Pace::answer_ms_min`] is made again, and so is all that was offered
//! behind it; the wait doubles each time until an answer comes.

use std::collections::{BTreeSet, VecDeque};

use crate::domain::{TerminalId, Timestamp};
use crate::journal::Standing;
use crate::record::{
    BATCH_PARCELS_MAX, CentreKeys, Follow, Receipt, TimeAnswer, Verdict, Wanted, open_statement,
};

/// How fast the link tries, and how much it offers at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// First wait before connecting again.
    pub retry_ms_min: u64,
    /// Longest wait before connecting again.
    pub retry_ms_max: u64,
    /// First wait for a receipt before offering again.
    pub answer_ms_min: u64,
    /// Longest wait for a receipt before offering again.
    pub answer_ms_max: u64,
    /// Messages that may be without a receipt at the same time.
    pub unanswered_batches_max: usize,
    /// How often the centre is asked for its time while online.
    pub ask_ms: u64,
    /// Shortest time between two statements of the status.
    pub status_ms_min: u64,
}

impl Default for Pace {
    /// Eight messages of 64 records fill a slow line for some seconds and a centre's commit many
    /// times over; five seconds are long against both.
    fn default() -> Self {
        Self {
            retry_ms_min: 500,
            retry_ms_max: 30_000,
            answer_ms_min: 5_000,
            answer_ms_max: 300_000,
            unanswered_batches_max: 8,
            ask_ms: 3_600_000,
            status_ms_min: 2_000,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The owner wants a connection.
    Plug,
    /// The owner wants none.
    Unplug,
    /// The broker accepted the connection. `nonce` is random, for asking the time.
    Connected {
        /// Fresh random bytes.
        nonce: [u8; 16],
    },
    /// The connection failed or broke.
    Lost,
    /// The journal has grown.
    Journal(Standing),
    /// The journal has not what was to be offered: no answer will come for it.
    Absent {
        /// Sequence numbers, ascending.
        seqs: Vec<u64>,
    },
    /// Bytes came on the answers' topic. Who sent them is not known.
    Answer(Vec<u8>),
    /// The journal has released durably what a receipt covers.
    Released {
        /// The receipt.
        receipt: Receipt,
        /// Where the journal stands after it.
        standing: Standing,
    },
    /// The journal did not accept a receipt.
    NotReleased {
        /// The receipt.
        receipt: Receipt,
    },
    /// Time has passed. `nonce` is random, for asking the time.
    Tick {
        /// Fresh random bytes.
        nonce: [u8; 16],
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Connect to the broker, subscribe to the answers.
    Connect,
    /// Drop the connection.
    HangUp,
    /// Ask the centre for its time.
    Ask {
        /// What the answer must carry.
        nonce: [u8; 16],
    },
    /// Publish the status.
    Tell {
        /// Records that wait.
        waiting: u64,
    },
    /// Publish these records in one message.
    Offer {
        /// Sequence numbers, ascending, [`BATCH_PARCELS_MAX`] at most.
        seqs: Vec<u64>,
    },
    /// Release in the journal what the receipt covers.
    Release(Receipt),
    /// The centre's time, signed, answering our own nonce.
    NoteTime {
        /// The time.
        at: Timestamp,
    },
    /// Keep the word of the receipt key of before that another one opens the answers from now on.
    Follow {
        /// The sealed handover.
        handover: Vec<u8>,
    },
    /// Tell people.
    Raise(Alarm),
}

/// What a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// The centre refused a record and keeps it as evidence.
    Refused {
        /// Which.
        seq: u64,
        /// Why: the stable word of `domain::Refusal::code`.
        code: String,
    },
    /// A validly signed receipt does not fit this journal.
    StrangeReceipt {
        /// The last record that it names.
        seq: u64,
    },
}

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No connection is wanted.
    Unplugged,
    /// A connection is being made.
    Connecting,
    /// The next attempt is due at this time.
    Waiting {
        /// On the clock that is passed to `step`.
        retry_at_ms: u64,
    },
    /// The broker listens.
    Online,
}

#[derive(Debug)]
struct Unanswered {
    /// What no receipt has covered yet.
    open: BTreeSet<u64>,
    due_ms: u64,
}

/// The link of one terminal.
#[derive(Debug)]
pub struct Link {
    terminal: TerminalId,
    receipt_keys: CentreKeys,
    pace: Pace,
    phase: Phase,
    // released ≤ offered ≤ appended, but for what the centre wants again.
    standing: Standing,
    /// The next number to offer.
    cursor: u64,
    /// Up to here records are offered although they are released: the centre asked for them.
    again_until: u64,
    /// Released out of order, beyond `standing.released`.
    freed_ahead: BTreeSet<u64>,
    unanswered: VecDeque<Unanswered>,
    /// Attempts to connect since the last that brought a connection which lasted.
    failures: u32,
    connected_at_ms: Option<u64>,
    /// Offers without an answer since the last answer.
    silences: u32,
    /// The open question for the time, and up to where all was released when it was asked.
    question: Option<([u8; 16], u64)>,
    ask_at_ms: u64,
    told: Option<(u64, u64)>,
    garbage: u64,
}

impl Link {
    /// A link that is not plugged in yet.
    pub fn new(
        terminal: TerminalId,
        receipt_keys: impl Into<CentreKeys>,
        pace: Pace,
        standing: Standing,
        freed_ahead: impl IntoIterator<Item = u64>,
    ) -> Self {
        Self {
            terminal,
            receipt_keys: receipt_keys.into(),
            pace,
            phase: Phase::Unplugged,
            standing,
            cursor: standing.released + 1,
            again_until: 0,
            freed_ahead: freed_ahead.into_iter().collect(),
            unanswered: VecDeque::new(),
            failures: 0,
            connected_at_ms: None,
            silences: 0,
            question: None,
            ask_at_ms: 0,
            told: None,
            garbage: 0,
        }
    }

    /// Where the connection stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Answers that were none: not signed by the centre, not for us, or not understood.
    pub fn garbage(&self) -> u64 {
        self.garbage
    }

    /// When a [`Event::Tick`] is needed next.
    pub fn wake_at_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Unplugged | Phase::Connecting => None,
            Phase::Waiting { retry_at_ms } => Some(retry_at_ms),
            Phase::Online => {
                let due = self.unanswered.front().map(|batch| batch.due_ms);
                let tell = self.told.and_then(|(waiting, told_ms)| {
                    (waiting != self.standing.waiting).then_some(told_ms + self.pace.status_ms_min)
                });
                [Some(self.ask_at_ms), due, tell].into_iter().flatten().min()
            }
        }
    }

    /// Takes one event and says what to do, in this order.
    pub fn step(&mut self, event: Event, now_ms: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Plug => {
                if self.phase == Phase::Unplugged {
                    self.failures = 0;
                    self.phase = Phase::Connecting;
                    actions.push(Action::Connect);
                }
            }
            Event::Unplug => {
                if matches!(self.phase, Phase::Online | Phase::Connecting) {
                    actions.push(Action::HangUp);
                }
                self.hang_up(Phase::Unplugged);
            }
            Event::Connected { nonce } => {
                if self.phase == Phase::Connecting {
                    self.phase = Phase::Online;
                    self.connected_at_ms = Some(now_ms);
                    self.silences = 0;
                    self.ask(nonce, now_ms, &mut actions);
                    self.tell(now_ms, &mut actions);
                }
            }
            Event::Lost => {
                if matches!(self.phase, Phase::Online | Phase::Connecting) {
                    // A connection that lasts no longer than the wait for it has not succeeded:
                    // two terminals with one name would throw each other out twice a second.
                    let wait = |failures| {
                        doubled(self.pace.retry_ms_min, failures, self.pace.retry_ms_max)
                    };
                    let lasted_ms = self.connected_at_ms.take().map(|at_ms| now_ms - at_ms);
                    if lasted_ms.is_some_and(|ms| ms > wait(self.failures)) {
                        self.failures = 0;
                    }
                    let wait = wait(self.failures);
                    self.failures = self.failures.saturating_add(1);
                    self.hang_up(Phase::Waiting { retry_at_ms: now_ms + wait });
                }
            }
            Event::Journal(standing) => self.standing = standing,
            Event::Absent { seqs } => {
                for batch in &mut self.unanswered {
                    batch.open.retain(|seq| seqs.binary_search(seq).is_err());
                }
                self.unanswered.retain(|batch| !batch.open.is_empty());
            }
            Event::Answer(bytes) => self.answer(&bytes, &mut actions),
            Event::Released { receipt, standing } => {
                self.standing = standing;
                self.answered(&receipt, now_ms);
                if let Verdict::Refused { code } = receipt.verdict {
                    actions.push(Action::Raise(Alarm::Refused { seq: receipt.last, code }));
                }
            }
            Event::NotReleased { receipt } => {
                self.garbage += 1;
                actions.push(Action::Raise(Alarm::StrangeReceipt { seq: receipt.last }));
            }
            Event::Tick { nonce } => self.tick(nonce, now_ms, &mut actions),
        }
        self.offer(now_ms, &mut actions);
        actions
    }

    fn tick(&mut self, nonce: [u8; 16], now_ms: u64, actions: &mut Vec<Action>) {
        match self.phase {
            Phase::Unplugged | Phase::Connecting => {}
            Phase::Waiting { retry_at_ms } => {
                if now_ms >= retry_at_ms {
                    self.phase = Phase::Connecting;
                    actions.push(Action::Connect);
                }
            }
            Phase::Online => {
                if self.unanswered.front().is_some_and(|batch| now_ms >= batch.due_ms) {
                    self.silences = self.silences.saturating_add(1);
                    self.rewind();
                }
                if now_ms >= self.ask_at_ms {
                    self.ask(nonce, now_ms, actions);
                }
                let tell = self.told.is_none_or(|(waiting, told_ms)| {
                    waiting != self.standing.waiting && now_ms >= told_ms + self.pace.status_ms_min
                });
                if tell {
                    self.tell(now_ms, actions);
                }
            }
        }
    }

    /// Signed answers are told apart by the kind in their protected header; whatever opens as none
    /// of the four is counted and otherwise as if it had not come.
    fn answer(&mut self, bytes: &[u8], actions: &mut Vec<Action>) {
        let key = &self.receipt_keys.newest();
        if let Ok(receipt) = Receipt::open(bytes, key) {
            if receipt.terminal == self.terminal {
                return actions.push(Action::Release(receipt));
            }
        } else if let Ok(wanted) = open_statement::<Wanted>(bytes, key) {
            if wanted.terminal == self.terminal {
                return self.want(wanted.from);
            }
        } else if let Ok(follow) = self.receipt_keys.follow(bytes) {
            if follow == Follow::Newer {
                actions.push(Action::Follow { handover: bytes.to_vec() });
            }
            return;
        } else if let Ok(answer) = open_statement::<TimeAnswer>(bytes, key)
            && answer.terminal == self.terminal
            && let Some((_, released)) = self.question.filter(|(nonce, _)| *nonce == answer.nonce)
        {
            // Each question takes one answer: the same bytes played again are garbage.
            self.question = None;
            // Receipts are held here for records that the centre has no more: it was restored from
            // an older backup.
            if let Some(head) = answer.head.filter(|head| *head < released) {
                self.want(head + 1);
            }
            return actions.push(Action::NoteTime { at: answer.at });
        }
        self.garbage += 1;
    }

    /// The centre lacks what follows `from`: offer all of it again, released or not. What this
    /// journal no longer keeps cannot be offered.
    fn want(&mut self, from: u64) {
        let from = from.max(self.standing.kept_from);
        if from <= self.standing.appended {
            self.rewind();
            self.again_until = self.standing.appended;
            self.cursor = self.cursor.min(from);
            self.silences = 0;
        }
    }

    fn answered(&mut self, receipt: &Receipt, now_ms: u64) {
        self.silences = 0;
        let last = receipt.last.min(self.standing.appended);
        self.freed_ahead.extend(receipt.first.max(self.standing.released + 1)..=last);
        self.freed_ahead = self.freed_ahead.split_off(&(self.standing.released + 1));
        for batch in &mut self.unanswered {
            batch.open.retain(|seq| !(receipt.first..=receipt.last).contains(seq));
            // The centre is at work: give what is left the time that a fresh offer has.
            batch.due_ms = batch.due_ms.max(now_ms + self.pace.answer_ms_min);
        }
        self.unanswered.retain(|batch| !batch.open.is_empty());
    }

    fn hang_up(&mut self, phase: Phase) {
        self.phase = phase;
        self.question = None;
        self.told = None;
        self.rewind();
    }

    /// Back to the first offer without an answer.
    fn rewind(&mut self) {
        let open = self.unanswered.iter().filter_map(|batch| batch.open.first()).min();
        if let Some(first) = open {
            self.cursor = self.cursor.min(*first);
        }
        self.unanswered.clear();
    }

    fn ask(&mut self, nonce: [u8; 16], now_ms: u64, actions: &mut Vec<Action>) {
        self.question = Some((nonce, self.standing.released));
        self.ask_at_ms = now_ms + self.pace.ask_ms;
        actions.push(Action::Ask { nonce });
    }

    fn tell(&mut self, now_ms: u64, actions: &mut Vec<Action>) {
        self.told = Some((self.standing.waiting, now_ms));
        actions.push(Action::Tell { waiting: self.standing.waiting });
    }

    fn offer(&mut self, now_ms: u64, actions: &mut Vec<Action>) {
        if self.phase != Phase::Online {
            return;
        }
        while self.unanswered.len() < self.pace.unanswered_batches_max {
            self.cursor = self.cursor.max(self.standing.kept_from);
            let wanted = |seq: &u64| {
                *seq <= self.again_until
                    || (*seq > self.standing.released && !self.freed_ahead.contains(seq))
            };
            let seqs: Vec<u64> = (self.cursor..=self.standing.appended)
                .filter(wanted)
                .take(BATCH_PARCELS_MAX)
                .collect();
            let Some(last) = seqs.last() else { return };
            self.cursor = last + 1;
            let wait = doubled(self.pace.answer_ms_min, self.silences, self.pace.answer_ms_max);
            self.unanswered.push_back(Unanswered {
                open: seqs.iter().copied().collect(),
                due_ms: now_ms + wait,
            });
            actions.push(Action::Offer { seqs });
        }
    }
}

/// `min_ms`, doubled `times` times, `max_ms` at most.
fn doubled(min_ms: u64, times: u32, max_ms: u64) -> u64 {
    min_ms.saturating_mul(2_u64.saturating_pow(times)).min(max_ms)
}
