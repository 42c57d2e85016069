//! What people do about a case: they take it, talk about it, put it off, judge it, contest it. Each step is a
//! fact of the ledger (docs/decisions/0028), so that nobody is judged in silence and nothing that was said
//! is unsaid.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Serialize};

use super::terms::words;
use super::{AnomalyId, IdError, Timestamp, Word};

/// Names a case: by the anomaly that opened it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseId(pub [u8; 16]);

impl CaseId {
    /// The case that this anomaly opened.
    pub fn opened_by(anomaly: AnomalyId) -> Self {
        Self(anomaly.0)
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaseId({self})")
    }
}

impl FromStr for CaseId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| IdError::Case { text: text.chars().take(60).collect() })
    }
}

impl TryFrom<String> for CaseId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> String {
        id.to_string()
    }
}

impl<C> Encode<C> for CaseId {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for CaseId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        bytes.try_into().map(Self).map_err(|_| decode::Error::message("a case id has 16 bytes"))
    }
}

words! {
    /// What a named person has found a case to be.
    Verdict {
        /// Somebody meant to deceive.
        1 Fraud "fraud" "舞弊",
        /// Nobody did: a mistake, a device, the data or the rule.
        2 Error "error" "差错",
        /// It cannot be told.
        3 Undecided "undecided" "未定",
    }
}

words! {
    /// Why. Each reason belongs to one verdict.
    VerdictReason {
        /// Somebody stood in for somebody else.
        1 ProxyAttendance "proxy_attendance" "冒名顶替",
        /// Attendance of nobody was made up.
        2 MadeUp "made_up" "虚构考勤",
        /// A device, its clock or its key was misused.
        3 DeviceMisused "device_misused" "设备舞弊",
        /// Another deceit; the text says which.
        4 OtherFraud "other_fraud" "其他舞弊",
        /// Somebody made an honest mistake: forgot to check out, took another's card.
        5 HonestMistake "honest_mistake" "无意失误",
        /// A device or a line failed.
        6 DeviceFault "device_fault" "设备故障",
        /// Timetable, roster or another registration was wrong.
        7 WrongData "wrong_data" "登记有误",
        /// Two people look alike.
        8 Lookalike "lookalike" "相貌相似",
        /// The rule takes for odd what is in order.
        9 RuleWrong "rule_wrong" "规则误报",
        /// What there is does not prove it either way.
        10 NotProven "not_proven" "证据不足",
        /// What could prove it is gone.
        11 ProofLost "proof_lost" "证据灭失",
        /// Who could say more cannot be reached.
        12 NobodyReached "nobody_reached" "无法核实",
    }
}

impl VerdictReason {
    /// The verdict that it is a reason for.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::ProxyAttendance | Self::MadeUp | Self::DeviceMisused | Self::OtherFraud => {
                Verdict::Fraud
            }
            Self::HonestMistake
            | Self::DeviceFault
            | Self::WrongData
            | Self::Lookalike
            | Self::RuleWrong => Verdict::Error,
            Self::NotProven | Self::ProofLost | Self::NobodyReached => Verdict::Undecided,
        }
    }
}

words! {
    /// Who contests a verdict.
    Party {
        /// The institution.
        1 Institution "institution" "机构",
        /// The trainee.
        2 Trainee "trainee" "学员",
    }
}

/// What somebody does about a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Looks after it from now on.
    #[n(1)]
    Taken,
    /// Says something about it.
    #[n(2)]
    Commented,
    /// Puts it off: until then it does not ask for attention.
    #[n(3)]
    #[cbor(map)]
    Snoozed {
        /// Until when.
        #[n(1)]
        until: Timestamp,
    },
    /// Judges it.
    #[n(4)]
    #[cbor(map)]
    Judged {
        /// What it is.
        #[n(1)]
        verdict: Verdict,
        /// Why.
        #[n(2)]
        reason: VerdictReason,
        /// How many anomalies of the case were judged: those found first. What is found later opens
        /// another case.
        #[n(3)]
        anomalies: u32,
        /// Which they were: the first 16 bytes of SHA-256 over their ids, in the order of finding.
        #[n(4)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 16],
    },
    /// Contests the verdict, which thereby stands no longer.
    #[n(5)]
    #[cbor(map)]
    Appealed {
        /// Who contests it.
        #[n(1)]
        party: Party,
    },
    /// Takes the verdict back, for something new.
    #[n(6)]
    Reopened,
}

/// A step with whoever takes it. A later step stands beside the earlier ones and never takes their place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct CaseStep {
    /// 16 random bytes that name it: it is stated once, however often it is asked for.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub id: [u8; 16],
    /// About which case.
    #[n(2)]
    pub case: CaseId,
    /// What.
    #[n(3)]
    pub step: Step,
    /// Who: a person's name with an office, never a trainee's.
    #[n(4)]
    pub by: String,
    /// In words. Public for ever: it names no trainee.
    #[n(5)]
    pub text: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_named_by_the_anomaly_that_opened_it() {
        let id = CaseId::opened_by(AnomalyId([0xab; 16]));
        assert_eq!(id.to_string(), "ab".repeat(16));
        assert_eq!(id.to_string().parse::<CaseId>().unwrap(), id);
        assert!("AB".repeat(16).parse::<CaseId>().is_err(), "one way of writing");
        assert!("ab".repeat(15).parse::<CaseId>().is_err());
    }

    #[test]
    fn each_verdict_has_its_reasons() {
        for verdict in Verdict::ALL {
            let reasons = VerdictReason::ALL.iter().filter(|reason| reason.verdict() == *verdict);
            assert!(reasons.count() >= 3, "{verdict:?}");
        }
    }
}
