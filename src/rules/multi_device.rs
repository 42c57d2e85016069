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

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity};
use crate::rules::passages::{Mark, Passage};
use crate::rules::window::Seen;
use crate::rules::{Ground, Rule, words};

/// Looks at what is remembered of a person's comings and goings.
pub(super) struct MultiDevice;

/// Two happenings that one person cannot both have had.
struct Conflict {
    earlier: Seen<Mark>,
    later: Seen<Mark>,
    distance_m: u32,
    needed_ms: i64,
}

/// Whether the two contradict each other.
fn conflict(one: Seen<Mark>, other: Seen<Mark>, ground: &Ground<'_>) -> Option<Conflict> {
    let Ground { registry, policy, book, .. } = *ground;
    let distance_m = registry.distance_m(book.site(one.what.site), book.site(other.what.site))?;
    let needed_ms = i64::from(distance_m) * 3600 / i64::from(policy.travel_speed_kmh_max());
    let (earlier, later) = if one.at <= other.at { (one, other) } else { (other, one) };
    let granted_ms = later.at.ms_since(earlier.at)
        + i64::from(policy.travel_grace_s()) * 1000
        + one.what.uncertainty_ms()
        + other.what.uncertainty_ms();
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
    fn passed(&mut self, passage: &Passage<'_>, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, book, .. } = *ground;
        let Passage { person, new, all } = *passage;
        // Nearly always nothing is left: who is at one site all the time is looked at no closer.
        let nearest = all
            .iter()
            .filter(|old| old.what.site != new.what.site)
            .filter_map(|old| conflict(*old, new, ground))
            .min_by_key(|found| {
                (found.later.at.ms_since(found.earlier.at), found.earlier.index, found.later.index)
            });
        let Some(Conflict { earlier, later, distance_m, needed_ms }) = nearest else {
            return Vec::new();
        };
        let [here, there] = [later, earlier].map(|seen| book.site(seen.what.site));
        let (from, to) = (words::site(registry, there), words::site(registry, here));
        let terminals = [earlier, later].map(|seen| book.terminal(seen.what.terminal).clone());
        let (first, second) = (words::clock(earlier.at), words::clock(later.at));
        let between = words::length(later.at.ms_since(earlier.at));
        let needed = words::length(needed_ms);
        let km = distance_m / 1000;
        let speed = policy.travel_speed_kmh_max();
        let mut evidence = vec![earlier.index, later.index];
        evidence.sort_unstable();
        vec![Finding {
            id: AnomalyId::of(AnomalyKind::MultiDevice, &evidence),
            kind: AnomalyKind::MultiDevice,
            severity: Severity::Alarm,
            at: later.at,
            who: vec![person],
            terminals: terminals.to_vec(),
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
        }]
    }
}
