//! One person at two places at once (同时多端). Page: docs/rules/multi_device.md.
//!
//! ## What it sees
//! Two accepted check-ins or check-outs of one person, at two sites that lie farther apart than she
//! can have travelled in the time between, clock uncertainty and a grace granted.
//!
//! ## Why it matters
//! At one of the two places she was not: somebody, or something, stood in for her (Hebei 七:
//! 同一账号同时多端口登录).
//!
//! ## Example
//! Checked in at Chengdu at 08:40 and at Mianyang, 108 km away, at 08:55.
//!
//! ## What it cannot know
//! Which of the two was she. A terminal with a wrong clock that does not doubt itself looks the
//! same, and so do twins, each at a terminal of her own.
//!
//! ## What to do
//! Ask both sites' teachers; look at both terminals' clocks before asking the person.

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, Event, Finding, Outcome, Policy, Severity, SiteId,
    TerminalId,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::Registry;
use crate::rules::names::Names;
use crate::rules::window::{Seen, Window};
use crate::rules::{Rule, moment, words};

/// Remembers where each person was seen.
#[derive(Default)]
pub(super) struct MultiDevice {
    seen: Window<Presence>,
    terminals: Names<TerminalId>,
    sites: Names<SiteId>,
}

/// At which terminal, and how sure the time is.
#[derive(Debug, Clone, Copy)]
struct Presence {
    terminal: u32,
    site: u32,
    uncertainty_ms: i64,
}

/// Two happenings that one person cannot both have had.
struct Conflict<'w> {
    earlier: &'w Seen<Presence>,
    later: &'w Seen<Presence>,
    distance_m: u32,
    needed_ms: i64,
}

fn is_presence(record: &Record) -> bool {
    record.outcome == Some(Outcome::Accepted)
        && matches!(record.event, Event::CheckIn | Event::CheckOut)
}

/// Whether the two contradict each other.
fn conflict<'w>(
    one: &'w Seen<Presence>,
    other: &'w Seen<Presence>,
    (sites, registry): (&Names<SiteId>, &Registry),
    policy: &Policy,
) -> Option<Conflict<'w>> {
    if one.what.site == other.what.site {
        return None;
    }
    let distance_m = registry.distance_m(sites.name(one.what.site), sites.name(other.what.site))?;
    let needed_ms = i64::from(distance_m) * 3600 / i64::from(policy.travel_speed_kmh_max());
    let (earlier, later) = if one.at <= other.at { (one, other) } else { (other, one) };
    let granted_ms = later.at.ms_since(earlier.at)
        + i64::from(policy.travel_grace_s()) * 1000
        + one.what.uncertainty_ms
        + other.what.uncertainty_ms;
    (needed_ms > granted_ms).then_some(Conflict { earlier, later, distance_m, needed_ms })
}

impl Rule for MultiDevice {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::MultiDevice
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "travel_speed_kmh_max",
            "travel_grace_s",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    /// A new presence is compared with *all* that are remembered of the person, not only with its
    /// neighbours in time: with a grace granted to each stretch, a stop half way could hide a journey
    /// that nobody can make, and whether it does would hang on the order of arrival. Of several
    /// contradictions the one nearest in time is raised.
    fn judge(&mut self, entry: &Entry, registry: &Registry, policy: &Policy) -> Vec<Finding> {
        let Body::Record { record, person: Some(person), .. } = &entry.body else {
            return Vec::new();
        };
        let Some(moment) = moment::proven(record, entry.committed_at, policy) else {
            return Vec::new();
        };
        let Some(site) = registry.site_of(&record.terminal).filter(|_| is_presence(record)) else {
            return Vec::new();
        };
        let what = Presence {
            terminal: self.terminals.number(&record.terminal),
            site: self.sites.number(site),
            uncertainty_ms: moment.uncertainty_ms,
        };
        let new = Seen { at: moment.at, index: entry.index, what };
        let nearest = self
            .seen
            .of(person)
            .iter()
            .filter_map(|old| conflict(old, &new, (&self.sites, registry), policy))
            .min_by_key(|found| {
                (found.later.at.ms_since(found.earlier.at), found.earlier.index, found.later.index)
            });
        let raised = nearest.map(|found| {
            let Conflict { earlier, later, distance_m, needed_ms } = found;
            let [here, there] = [later, earlier].map(|seen| self.sites.name(seen.what.site));
            let (from, to) = (words::site(registry, there), words::site(registry, here));
            let terminals = [earlier, later].map(|seen| self.terminals.name(seen.what.terminal));
            let (first, second) = (words::clock(earlier.at), words::clock(later.at));
            let between = words::length(later.at.ms_since(earlier.at));
            let needed = words::length(needed_ms);
            let km = distance_m / 1000;
            let speed = policy.travel_speed_kmh_max();
            let mut evidence = vec![earlier.index, later.index];
            evidence.sort_unstable();
            Finding {
                id: AnomalyId::of(self.kind(), &evidence),
                kind: self.kind(),
                severity: Severity::Alarm,
                at: later.at,
                who: vec![*person],
                terminals: terminals.map(Clone::clone).to_vec(),
                site: Some(here.clone()),
                why: Bilingual::new(
                    format!(
                        "同一学员 {first} 在{}、{second} 在{}均有考勤：两地直线距离 {km} 公里，相隔 {}\
                         ，按时速 {speed} 公里至少需 {}。可能有人代打卡；某台终端时钟有误也会如此。",
                        from.zh, to.zh, between.zh, needed.zh
                    ),
                    format!(
                        "The same person was recorded at {}, at {first}, and at {}, at {second}: {km} \
                         km apart in a straight line, {} between, while {speed} km/h needs at least \
                         {}. Somebody may have checked in for her; a terminal with a wrong clock \
                         looks the same.",
                        from.en, to.en, between.en, needed.en
                    ),
                ),
                evidence,
            }
        });
        self.seen.add(*person, new, entry.committed_at, policy);
        raised.into_iter().collect()
    }
}
