//! What is told of an anomaly or of a step in a case: a CloudEvent (docs/spec/notifications-v1.md), with its
//! region and severity. Names nobody: persons stand in it by the short numbers of the pages. Pure.

use serde_json::{Value, json};

use crate::cases::{Case, Found, Gathered, State, Stated, Subject};
use crate::collector::announce::place;
use crate::collector::cases::step_word;
use crate::domain::{PersonId, Severity, SiteId, Step, TerminalId, Timestamp, Word};
use crate::record::topic;
use crate::registry::Registry;

/// Longest region in a topic, in bytes: as of a name.
const REGION_BYTES_MAX: usize = 40;

/// Where a site is not known, or its town has no Latin name.
const UNKNOWN: &str = "unknown";

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The same for the same thing, however often it is told.
    pub id: String,
    /// How soon somebody should look.
    pub severity: Severity,
    /// An area's number or a town's name.
    pub region: String,
    /// The whole CloudEvent.
    pub event: Value,
}

impl Message {
    /// Its MQTT topic.
    pub fn topic(&self) -> String {
        topic::alerts(&self.region, severity_word(self.severity))
    }

    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.event.to_string().into_bytes()
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Alarm => "alarm",
    }
}

/// What messages are made with.
pub struct Writer<'w> {
    /// Names the ledger.
    pub origin: &'w str,
    /// The cases.
    pub gathered: &'w Gathered,
    /// What the ledger says of sites and institutions.
    pub registry: &'w Registry,
    /// How a person is called.
    pub called: &'w dyn Fn(&PersonId) -> String,
    /// What moment it is.
    pub now: Timestamp,
}

impl Writer<'_> {
    /// Of an anomaly; `None` while its case is put off.
    pub fn anomaly(&self, found: &Found) -> Option<Message> {
        let anomaly = &found.anomaly;
        let case = self.gathered.case(crate::domain::CaseId::opened_by(anomaly.id))?;
        if matches!(case.state(self.now), State::Snoozed(_)) {
            return None;
        }
        let (site, region) = self.region(anomaly.site.as_ref(), anomaly.terminals.first());
        let data = json!({
            "case": case.id,
            "opens_case": case.first().id == anomaly.id,
            "anomaly": anomaly.id.to_string(),
            "kind": anomaly.kind,
            "severity": anomaly.severity,
            "at_ms": anomaly.at,
            "who": anomaly.who.iter().map(|person| (self.called)(person)).collect::<Vec<_>>(),
            "where": site.and_then(|site| place(self.registry, site)),
            "terminals": anomaly.terminals,
            "why": anomaly.why,
            "evidence": anomaly.evidence,
            "policy": anomaly.policy,
            "rule": anomaly.rule,
            "inputs": anomaly.inputs,
            "ledger": anomaly.ledger,
        });
        let id = format!("anomaly-{}", anomaly.id);
        let event = self.event(("rollcall.anomaly.v1", &id, anomaly.at), case, &region, data);
        Some(Message { id, severity: anomaly.severity, region, event })
    }

    /// Of a step; `None` where the case is not known.
    pub fn step(&self, stated: &Stated) -> Option<Message> {
        let step = &stated.step;
        let case = self.gathered.case(step.case)?;
        let first = case.first();
        let (site, region) = self.region(first.site.as_ref(), first.terminal.as_ref());
        let mut data = json!({
            "case": case.id,
            "step": step_word(&step.step),
            "state": case.state(self.now).as_str(),
            "by": step.by,
            "text": step.text,
            "entry": stated.index,
            "at_ms": stated.at,
            "subject": self.subject(case),
            "where": site.and_then(|site| place(self.registry, site)),
        });
        match &step.step {
            Step::Taken | Step::Commented | Step::Reopened => {}
            Step::Snoozed { until } => data["until_ms"] = json!(until),
            Step::Judged { verdict, reason, .. } => {
                data["verdict"] = json!(verdict.code());
                data["reason"] = json!(reason.code());
            }
            Step::Appealed { party } => data["party"] = json!(party.code()),
        }
        let id = format!("step-{}", data_encoding::HEXLOWER.encode(&step.id));
        let event = self.event(("rollcall.case.v1", &id, stated.at), case, &region, data);
        Some(Message { id, severity: case.severity(), region, event })
    }

    fn event(
        &self,
        (kind, id, at): (&str, &str, Timestamp),
        case: &Case,
        region: &str,
        data: Value,
    ) -> Value {
        json!({
            "specversion": "1.0",
            "id": id,
            "source": format!("urn:rollcall:{}", self.origin),
            "type": kind,
            "subject": case.id,
            "time": rfc_3339(at),
            "region": region,
            "severity": case.severity(),
            "datacontenttype": "application/json",
            "data": data,
        })
    }

    fn subject(&self, case: &Case) -> String {
        match &case.subject {
            Subject::Person(person) => (self.called)(person),
            Subject::Terminal(terminal) => terminal.to_string(),
            Subject::Site(site) => site.to_string(),
            Subject::Rule(kind) => kind.to_string(),
        }
    }

    /// The site, and the area that supervises its institution, else the town's name.
    fn region<'s>(
        &'s self,
        site: Option<&'s SiteId>,
        terminal: Option<&TerminalId>,
    ) -> (Option<&'s SiteId>, String) {
        let id = site.or_else(|| terminal.and_then(|it| self.registry.site_of(it)));
        let Some(site) = id.and_then(|id| self.registry.site(id)) else {
            return (id, UNKNOWN.to_owned());
        };
        let details = self.registry.institution_details(&site.institution);
        let area = details.and_then(|details| details.area.as_deref());
        (id, plain(area.unwrap_or(&site.town.en)))
    }
}

/// In the characters of names, so that it is one level of a topic whatever it was.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => plain.push(c),
            _ if plain.is_empty() || plain.ends_with('-') => {}
            _ => plain.push('-'),
        }
        if plain.len() == REGION_BYTES_MAX {
            break;
        }
    }
    let plain = plain.trim_end_matches('-');
    if plain.is_empty() { UNKNOWN.to_owned() } else { plain.to_owned() }
}

/// In UTC, as CloudEvents have it.
fn rfc_3339(at: Timestamp) -> String {
    at.plus_ms(-8 * 3_600_000).shanghai().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_one_level_of_a_topic_whatever_a_town_is_called() {
        for (town, region) in [
            ("Chengdu", "chengdu"),
            ("510104", "510104"),
            ("Xi'an / Yanta #+", "xi-an-yanta"),
            ("成都", "unknown"),
            ("", "unknown"),
            ("A".repeat(90).as_str(), "a".repeat(40).as_str()),
        ] {
            assert_eq!(plain(town), region);
        }
    }

    #[test]
    fn times_are_utc() {
        let at = Timestamp::parse_shanghai("2026-03-02 08:31:40").unwrap();
        assert_eq!(rfc_3339(at), "2026-03-02T00:31:40Z");
    }
}
