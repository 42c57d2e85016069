//! An anomaly as columns of a table: times in milliseconds since the epoch, lists and inputs as JSON, ids as their
//! bytes. What does not read back is damage, and says in which column.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Found, ReadError};
use crate::domain::{Anomaly, AnomalyId, AnomalyKind, Bilingual, LedgerRange, Severity, Timestamp};

/// All columns but the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) id: Vec<u8>,
    pub(super) kind: String,
    pub(super) severity: String,
    pub(super) at_ms: i64,
    pub(super) who: String,
    pub(super) terminals: String,
    pub(super) site: String,
    pub(super) why_zh: String,
    pub(super) why_en: String,
    pub(super) evidence: String,
    pub(super) policy: String,
    pub(super) rule: i64,
    pub(super) inputs: String,
    pub(super) ledger_first: i64,
    pub(super) ledger_last: i64,
}

impl Columns {
    pub(super) fn of(anomaly: &Anomaly) -> Self {
        let Anomaly {
            id,
            kind,
            severity,
            at,
            who,
            terminals,
            site,
            why,
            evidence,
            policy,
            rule,
            inputs,
            ledger,
        } = anomaly;
        Self {
            id: id.0.to_vec(),
            kind: kind.as_str().to_owned(),
            severity: severity_word(*severity).to_owned(),
            at_ms: at.as_ms(),
            who: json(who),
            terminals: json(terminals),
            site: json(site),
            why_zh: why.zh.clone(),
            why_en: why.en.clone(),
            evidence: json(evidence),
            policy: policy.clone(),
            rule: i64::from(*rule),
            inputs: json(inputs),
            ledger_first: signed(ledger.first),
            ledger_last: signed(ledger.last),
        }
    }

    pub(super) fn case(self, number: u64) -> Result<Found, ReadError> {
        let id = self.id.try_into().map_err(|_| ReadError::Damaged { number, column: "id" })?;
        let anomaly = Anomaly {
            id: AnomalyId(id),
            kind: word::<AnomalyKind>(number, "kind", self.kind)?,
            severity: word::<Severity>(number, "severity", self.severity)?,
            at: Timestamp::from_ms(self.at_ms),
            who: list(number, "who", &self.who)?,
            terminals: list(number, "terminals", &self.terminals)?,
            site: list(number, "site", &self.site)?,
            why: Bilingual { zh: self.why_zh, en: self.why_en },
            evidence: list(number, "evidence", &self.evidence)?,
            policy: self.policy,
            rule: self
                .rule
                .try_into()
                .map_err(|_| ReadError::Damaged { number, column: "rule" })?,
            inputs: list(number, "inputs", &self.inputs)?,
            ledger: LedgerRange {
                first: unsigned(self.ledger_first),
                last: unsigned(self.ledger_last),
            },
        };
        Ok(Found { number, anomaly })
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Alarm => "alarm",
    }
}

/// A word of one of our enums, by the name that serde gives it.
pub(super) fn word<T: DeserializeOwned>(
    number: u64,
    column: &'static str,
    text: String,
) -> Result<T, ReadError> {
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|_| ReadError::Damaged { number, column })
}

fn list<T: DeserializeOwned>(
    number: u64,
    column: &'static str,
    text: &str,
) -> Result<T, ReadError> {
    serde_json::from_str(text).map_err(|_| ReadError::Damaged { number, column })
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("ids, numbers and texts are always valid JSON")
}

/// Row numbers are positive, and those of databases are signed.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
