//! What a rule says when it sees something that an investigator should look at. An anomaly is
//! a question with evidence, never a verdict.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Bilingual, PersonId, SiteId, TerminalId, Timestamp};

/// What was seen. Each kind is one rule's file and one page of docs/rules/.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// A claim was contradicted by a confident match to somebody else (替课).
    ProxyStandIn,
    /// One face served under two names (一人多名).
    ProxySharedFace,
    /// One person was active at two terminals too far apart for the time between (同时多端).
    MultiDevice,
    /// Attendance where the registered timetable has no lesson (课外异常).
    OffTimetable,
    /// More hours than the timetable or the profile allows (超时长).
    ExcessHours,
    /// A record was made up by someone without the terminal's key (伪造).
    Forged,
    /// A genuine record was changed after signing (篡改).
    Altered,
    /// A record was sent again as something else: under another terminal, or renumbered (重放).
    Replayed,
    /// A terminal that nobody registered sent records (未登记终端).
    UnregisteredTerminal,
    /// One key tells two histories (链分叉).
    ForkedChain,
    /// A record contradicts its own clock: it was made later than it says (事后补造).
    MadeAfterwards,
    /// Comings and goings at the pace of a machine (机器节奏).
    MachinePace,
    /// Somebody was again and again not shown to be alive (多次活体未通过).
    SpoofAttempts,
    /// Many who were in were not seen when the roll was called (点名多人未到).
    MissedRollCall,
    /// What was claimed or engaged goes beyond a limit (超出限制).
    OverLimit,
    /// A group comes to two institutions, or a class to another one's terminal (成批流动).
    MovedCohort,
    /// One person at two devices at once, or in a room and on a platform (多端登录).
    PlatformSessions,
    /// A session played on without anybody before it (挂课刷课).
    BackgroundPlay,
    /// Lessons were registered once they had begun, or were over (补登课次).
    LateRegistration,
    /// One person was in two classes at the same time (同时两班).
    TwoClasses,
    /// A lesson was over before its time (课时不足).
    ShortLesson,
    /// Somebody checks out late again and again (惯常晚签退).
    LateCheckouts,
    /// More hours in a week than anybody learns (周超时长).
    LongWeek,
    /// The way without a face was used unusually often (频繁非人脸签到).
    WithoutFace,
    /// Scores that no living face gives (相似度过稳).
    SteadyScores,
    /// A person's scores drift away from her template (相似度走低).
    ScoreDrift,
    /// Many faces only just pass at one terminal (勉强通过成堆).
    ThinMargins,
    /// Two always come and go together (成对出入).
    Pairs,
    /// Nobody of a class is ever missing (全勤异常).
    PerfectAttendance,
    /// A terminal has fallen silent (终端沉默).
    SilentTerminal,
    /// A terminal is no longer what it was (设备变更).
    DeviceChanged,
    /// Somebody is again and again not seen when the roll is called (屡次点名未到).
    OftenUnseen,
    /// A later record proves that others were made at another time than they say (时间被推翻).
    TimeRefuted,
}

impl AnomalyKind {
    /// The stable word: `proxy_stand_in` and so on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProxyStandIn => "proxy_stand_in",
            Self::ProxySharedFace => "proxy_shared_face",
            Self::MultiDevice => "multi_device",
            Self::OffTimetable => "off_timetable",
            Self::ExcessHours => "excess_hours",
            Self::Forged => "forged",
            Self::Altered => "altered",
            Self::Replayed => "replayed",
            Self::UnregisteredTerminal => "unregistered_terminal",
            Self::ForkedChain => "forked_chain",
            Self::MadeAfterwards => "made_afterwards",
            Self::MachinePace => "machine_pace",
            Self::SpoofAttempts => "spoof_attempts",
            Self::MissedRollCall => "missed_roll_call",
            Self::OverLimit => "over_limit",
            Self::MovedCohort => "moved_cohort",
            Self::PlatformSessions => "platform_sessions",
            Self::BackgroundPlay => "background_play",
            Self::LateRegistration => "late_registration",
            Self::TwoClasses => "two_classes",
            Self::ShortLesson => "short_lesson",
            Self::LateCheckouts => "late_checkouts",
            Self::LongWeek => "long_week",
            Self::WithoutFace => "without_face",
            Self::SteadyScores => "steady_scores",
            Self::ScoreDrift => "score_drift",
            Self::ThinMargins => "thin_margins",
            Self::Pairs => "pairs",
            Self::PerfectAttendance => "perfect_attendance",
            Self::SilentTerminal => "silent_terminal",
            Self::DeviceChanged => "device_changed",
            Self::OftenUnseen => "often_unseen",
            Self::TimeRefuted => "time_refuted",
        }
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How soon somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Worth a look today.
    Warning,
    /// Worth a look now.
    Alarm,
}

/// Names an anomaly by what it is: the same kind on the same evidence has the same id, so it is
/// stored once however often the ledger is judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnomalyId(pub [u8; 16]);

impl AnomalyId {
    /// The id of an anomaly of `kind` that rests on `evidence` (ledger indexes, order does not matter).
    pub fn of(kind: AnomalyKind, evidence: &[u64]) -> Self {
        Self::about(kind, evidence, &[])
    }

    /// The same, where one piece of evidence says something about each of several subjects.
    pub fn about(kind: AnomalyKind, evidence: &[u64], subject: &[u8]) -> Self {
        let mut sorted = evidence.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut hash = Sha256::new();
        hash.update(kind.as_str());
        for index in sorted {
            hash.update([0]);
            hash.update(index.to_be_bytes());
        }
        if !subject.is_empty() {
            hash.update([1]);
            hash.update(subject);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }
}

impl fmt::Display for AnomalyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for AnomalyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnomalyId({self})")
    }
}

/// What one rule sees in one stretch of the ledger: all that it can say by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Derived from kind and evidence, see [`AnomalyId::of`].
    pub id: AnomalyId,
    /// What was seen.
    pub kind: AnomalyKind,
    /// How soon somebody should look.
    pub severity: Severity,
    /// When it happened: the evidence's own time where it has one, else when it was committed.
    pub at: Timestamp,
    /// Whom it is about; empty where no person is known (a forged record names nobody).
    pub who: Vec<PersonId>,
    /// Which terminals it happened at, or was sent as.
    pub terminals: Vec<TerminalId>,
    /// Where, where known.
    pub site: Option<SiteId>,
    /// Why, in words: what was seen and what it can and cannot mean. Names no person: `who` does.
    pub why: Bilingual,
    /// Ledger indexes of the entries that prove it.
    pub evidence: Vec<u64>,
}

/// A finding with the grounds on which it was judged. With these an auditor judges again: the same
/// program, the same profile and the same stretch of the ledger give the same anomaly, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Derived from kind and evidence, see [`AnomalyId::of`].
    pub id: AnomalyId,
    /// What was seen.
    pub kind: AnomalyKind,
    /// How soon somebody should look.
    pub severity: Severity,
    /// When it happened: the evidence's own time where it has one, else when it was committed.
    pub at: Timestamp,
    /// Whom it is about; empty where no person is known (a forged record names nobody).
    pub who: Vec<PersonId>,
    /// Which terminals it happened at, or was sent as.
    pub terminals: Vec<TerminalId>,
    /// Where, where known.
    pub site: Option<SiteId>,
    /// Why, in words: what was seen and what it can and cannot mean. Names no person: `who` does.
    pub why: Bilingual,
    /// Ledger indexes of the entries that prove it.
    pub evidence: Vec<u64>,
    /// Name and version of the policy profile whose numbers were used.
    pub policy: String,
    /// Version of the rule that raised it, from 1; 0 where it was stored before rules had versions.
    pub rule: u16,
    /// The numbers of the profile that the rule reads, by name, as its file writes them.
    pub inputs: BTreeMap<String, String>,
    /// What had been judged of the ledger when it was raised.
    pub ledger: LedgerRange,
}

/// A stretch of the ledger, both ends within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRange {
    /// Index of the entry at which judging began.
    pub first: u64,
    /// Index of the entry at which the anomaly was raised.
    pub last: u64,
}
