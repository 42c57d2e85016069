//! Two who always come and go together (成对出入). Page: docs/rules/pairs.md.
//!
//! ## What it sees
//! Two persons of one class of whom the second follows the first within the profile's seconds, on coming and
//! on going, in so many common lessons in a row as the profile says; and each time either at another terminal
//! than the first, or with a score that only just passes.
//!
//! ## Why it matters
//! One person who serves for two names goes from one to the next: at the same terminal she would be found by
//! her face (`proxy_shared_face`), so she goes to the neighbour, or brings a template that fits badly
//! (Hebei 七: 替课; 十一: 拼凑人数).
//!
//! ## Example
//! In six lessons B came 70 to 90 s after A, at the other terminal of the site, and left so.
//!
//! ## What it cannot know
//! Whether they are a couple of which one cannot wait. Friends who come together use the same kiosk and match
//! well; they are not meant.
//!
//! ## What to do
//! Call the roll, and look at both at once.

use std::collections::BTreeMap;

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, ClassId, Finding, PersonId, Policy, Severity,
};
use crate::rules::lessons::{Held, Mark, Stay};
use crate::rules::{Ground, Rule, words};

/// Remembers, by class, which pairs have come together ever since: few do so twice.
#[derive(Default)]
pub(super) struct Pairs {
    classes: BTreeMap<ClassId, BTreeMap<(PersonId, PersonId), Vec<u64>>>,
}

/// Whether the second came and left after the first, within so long, and in a way that one body could.
fn follows(first: &Stay, second: &Stay, policy: &Policy) -> Option<[u64; 4]> {
    let within_ms = i64::from(policy.pair_seconds_max()) * 1_000;
    let (came, left) = first.whole()?;
    let (came_after, left_after) = second.whole()?;
    let soon = |one: &Mark, two: &Mark| (0..=within_ms).contains(&two.at.ms_since(one.at));
    let margin = policy.thin_match_margin().as_e4();
    let thin = |mark: &Mark| mark.margin_e4().is_some_and(|e4| e4 < margin);
    let elsewhere = came.terminal != came_after.terminal && left.terminal != left_after.terminal;
    let odd = elsewhere || (thin(came_after) && thin(left_after));
    (soon(came, came_after) && soon(left, left_after) && odd).then_some([
        came.index,
        came_after.index,
        left.index,
        left_after.index,
    ])
}

impl Rule for Pairs {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::Pairs
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "thin_match_margin",
            "pair_seconds_max",
            "pair_lessons_min",
            "report_grace_hours",
            "door_opens_minutes_before",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn lesson_over(&mut self, held: &Held, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let lesson = &held.announced.lesson;
        let within_ms = i64::from(policy.pair_seconds_max()) * 1_000;
        let mut by_time: Vec<_> = held
            .stays
            .iter()
            .filter_map(|(person, stay)| Some((stay.came.as_ref()?.at, *person, stay)))
            .collect();
        by_time.sort_by_key(|(at, person, _)| (*at, *person));
        let mut together: BTreeMap<(PersonId, PersonId), [u64; 4]> = BTreeMap::new();
        for (n, (came, first, stay)) in by_time.iter().enumerate() {
            let next = by_time[n + 1..].iter();
            for (_, second, other) in next.take_while(|it| it.0.ms_since(*came) <= within_ms) {
                if let Some(evidence) = follows(stay, other, policy) {
                    together.insert((*first, *second), evidence);
                }
            }
        }
        let runs = self.classes.entry(lesson.class.clone()).or_default();
        // One who was away alone breaks nothing; two who were both there and not together do.
        let here = |person: &PersonId| held.stays.contains_key(person);
        runs.retain(|pair, _| together.contains_key(pair) || !(here(&pair.0) && here(&pair.1)));
        for (pair, evidence) in together {
            runs.entry(pair).or_default().extend(evidence);
        }
        let needed = usize::try_from(policy.pair_lessons_min()).unwrap_or(usize::MAX);
        let full = runs.extract_if(.., |_, evidence| evidence.len() / 4 >= needed);
        let full: Vec<_> = full.collect();
        if runs.is_empty() {
            self.classes.remove(&lesson.class);
        }
        let seconds = policy.pair_seconds_max();
        let place = words::site(registry, &lesson.site);
        let until = words::clock(lesson.ends);
        let raise = |((first, second), mut evidence): ((PersonId, PersonId), Vec<u64>)| {
            let lessons = evidence.len() / 4;
            evidence.sort_unstable();
            let marks = [first, second].into_iter().filter_map(|it| held.stays.get(&it));
            let mut terminals: Vec<_> =
                marks.flat_map(Stay::marks).map(|mark| mark.terminal.clone()).collect();
            terminals.sort();
            terminals.dedup();
            Finding {
                id: AnomalyId::of(AnomalyKind::Pairs, &evidence),
                kind: AnomalyKind::Pairs,
                severity: Severity::Warning,
                at: lesson.starts,
                who: vec![first, second],
                terminals,
                site: Some(lesson.site.clone()),
                why: Bilingual::new(
                    format!(
                        "{}，班级 {}，至 {until}：连续 {lessons} 个共同课次中，后一人总在前一人之后 {seconds} 秒内签到、签退，\
                         且每次在另一终端或仅勉强通过。可能一人顶两名；结伴而行者也可能如此。",
                        place.zh, lesson.class
                    ),
                    format!(
                        "{}, class {}, until {until}: in {lessons} common lessons in a row the second person came and left \
                         within {seconds} s after the first, each time at another terminal or with a face that only just \
                         passed. One may serve for both; two who go together can look the same.",
                        place.en, lesson.class
                    ),
                ),
                evidence,
            }
        };
        full.into_iter().map(raise).collect()
    }
}
