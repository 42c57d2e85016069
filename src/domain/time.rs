//! Two kinds of time that do not convert: a [`Timestamp`] is wall time and may jump, an
//! [`Uptime`] is monotonic and dies with the boot. Stored is UTC, judged is Asia/Shanghai, which
//! has been UTC+8 without summer time since 1991 (IANA time zone database, file `asia`), so a fixed offset serves.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Bilingual;

const SHANGHAI: Offset = Offset::constant(8);

/// Why a text is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no time: write it like 2026-03-02 08:30, in China standard time")]
pub struct TimeError {
    text: String,
}

/// Wall time in milliseconds since 1970-01-01 00:00 UTC. It may jump: compare with care.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    Encode,
    Decode,
)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Parses `2026-03-02 08:30` (seconds optional) as China standard time.
    pub fn parse_shanghai(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError { text: text.chars().take(60).collect() };
        let civil: DateTime = text.trim().parse().map_err(|_| wrong())?;
        let at = SHANGHAI.to_timestamp(civil).map_err(|_| wrong())?;
        Ok(Self(at.as_millisecond()))
    }

    /// Date and time of day in China standard time. Values that no calendar holds (a hostile
    /// record may carry any number) are clamped to the calendar's ends.
    pub fn shanghai(self) -> DateTime {
        // Two days of margin, so that the offset cannot push past the calendar's ends.
        const MARGIN_MS: i64 = 2 * 86_400_000;
        let least = jiff::Timestamp::MIN.as_millisecond() + MARGIN_MS;
        let most = jiff::Timestamp::MAX.as_millisecond() - MARGIN_MS;
        let at = jiff::Timestamp::from_millisecond(self.0.clamp(least, most))
            .expect("clamped into the range");
        SHANGHAI.to_datetime(at)
    }

    /// This time and `ms` more (or fewer), stopping at the ends of the range.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this time; negative when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    /// `2026-03-02 08:30:05`, China standard time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shanghai().strftime("%Y-%m-%d %H:%M:%S"))
    }
}

/// Monotonic milliseconds since the terminal's boot.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    Encode,
    Decode,
)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Uptime(#[n(0)] u64);

impl Uptime {
    /// From milliseconds since boot.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since boot.
    pub const fn as_ms(self) -> u64 {
        self.0
    }
}

/// How far a terminal trusts its own wall clock when it makes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ClockQuality {
    /// Signed collector time was received in this boot and agrees.
    #[n(1)]
    Synced,
    /// The clock runs on from an earlier boot; nothing contradicts it.
    #[n(2)]
    Holding,
    /// The clock contradicts evidence (set back, battery died); the time is not to be believed.
    #[n(3)]
    Doubtful,
}

/// Why a terminal does not believe its own wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockDoubt {
    /// It shows a time before one that the centre has signed: set back, or the battery is empty.
    BeforeSigned,
    /// It shows a time before this terminal's own last record: set back since.
    BeforeOwnRecord,
    /// It was set while the terminal ran: it moved otherwise than the monotonic clock.
    Moved,
    /// The centre's answer of this boot says another time.
    OffSigned,
}

impl ClockDoubt {
    /// For the screen, behind "时钟存疑"; in English behind "the clock".
    pub fn text(self) -> Bilingual {
        match self {
            ClockDoubt::BeforeSigned => Bilingual::new(
                "早于中心确认的时间",
                "is earlier than a time that the centre has confirmed",
            ),
            ClockDoubt::BeforeOwnRecord => {
                Bilingual::new("早于本机上一条记录", "is earlier than this terminal's last record")
            }
            ClockDoubt::Moved => Bilingual::new("运行中被调整过", "was set while the terminal ran"),
            ClockDoubt::OffSigned => {
                Bilingual::new("与中心时间不符", "differs from the centre's time")
            }
        }
    }
}

/// What a record says about time, so that the centre can bound when it was made
/// (docs/spec/record-v1.md, "Clock evidence").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct ClockEvidence {
    /// The terminal's wall clock.
    #[n(1)]
    pub wall: Timestamp,
    /// Monotonic time since boot.
    #[n(2)]
    pub uptime: Uptime,
    /// Number of this boot, counted durably by the journal from 1.
    #[n(3)]
    pub boot: u64,
    /// The newest collector time that the terminal holds with a valid signature.
    #[n(4)]
    pub signed: Option<Timestamp>,
    /// The terminal's own opinion.
    #[n(5)]
    pub quality: ClockQuality,
}
