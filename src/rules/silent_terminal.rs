//! A terminal that has fallen silent (终端沉默). Page: docs/rules/silent_terminal.md.
//!
//! ## What it sees
//! A lesson whose grace is over, of which next to nothing has come, while the terminal that its class used
//! before has told of nothing since; of a class that never came before, a site of which no terminal has told
//! of anything. Once for each silence.
//!
//! ## Why it matters
//! A journal that is kept back can be sorted first: nobody can be found missing by a roll call that never
//! arrives (Hubei 四: 防止漏统). Until it speaks, who was not seen is unknown, and not absent.
//!
//! ## Example
//! The terminal last told of Friday evening; a week after Monday's lesson nothing has come.
//!
//! ## What it cannot know
//! Whether the network failed, the kiosk broke, or the class was on an excursion and nobody changed the
//! timetable. A terminal whose clock is in doubt has told of a lesson when its records name it.
//!
//! ## What to do
//! Call the site. The records are in the terminal's journal; `rollcall collector take` accepts them by hand.

use std::collections::BTreeMap;

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, ClassId, Finding, Severity, TerminalId, Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::rules::lessons::Held;
use crate::rules::{Ground, Rule, words};

/// A lesson with less than this share of the class's usual people was not told of.
const USUAL_PART: usize = 4;

/// Remembers where each class was last, and which terminals are known to be silent.
#[derive(Default)]
pub(super) struct SilentTerminal {
    usual: BTreeMap<ClassId, Usual>,
    silent: BTreeMap<TerminalId, Timestamp>,
}

/// Where a class last checked in, and how many of it.
#[derive(Debug)]
struct Usual {
    terminal: TerminalId,
    people: usize,
    newest: u64,
}

impl Usual {
    fn of(held: &Held) -> Option<Self> {
        let mut counts: BTreeMap<&TerminalId, usize> = BTreeMap::new();
        let came = || held.stays.values().filter_map(|stay| stay.came.as_ref());
        for mark in came() {
            *counts.entry(&mark.terminal).or_default() += 1;
        }
        let (terminal, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let newest = came().map(|mark| mark.index).max()?;
        Some(Self { terminal: terminal.clone(), people: held.stays.len(), newest })
    }
}

impl Rule for SilentTerminal {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::SilentTerminal
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "report_grace_hours",
            "door_opens_minutes_before",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    /// Whoever speaks again is not silent.
    fn judge(&mut self, entry: &Entry, _ground: &Ground<'_>) -> Vec<Finding> {
        if let Body::Record { record, .. } = &entry.body
            && let Some(since) = self.silent.get(&record.terminal)
            && record.clock.wall >= *since
        {
            self.silent.remove(&record.terminal);
        }
        Vec::new()
    }

    fn lesson_over(&mut self, held: &Held, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let lesson = &held.announced.lesson;
        let told = held.stays.len() + held.doubted.len();
        let told_of = |people: usize| told * USUAL_PART >= people;
        let (suspects, before) = match self.usual.get(&lesson.class) {
            Some(usual) if !told_of(usual.people) => {
                (std::slice::from_ref(&usual.terminal), Some(usual.newest))
            }
            None if told == 0 && !held.heard => (&held.silent[..], None),
            Some(_) | None => {
                if let Some(usual) = Usual::of(held) {
                    self.usual.insert(lesson.class.clone(), usual);
                }
                return Vec::new();
            }
        };
        let is_new = |terminal: &&TerminalId| {
            held.silent.contains(terminal) && !self.silent.contains_key(*terminal)
        };
        let terminals: Vec<TerminalId> = suspects.iter().filter(is_new).cloned().collect();
        if terminals.is_empty() {
            return Vec::new();
        }
        self.silent.extend(terminals.iter().map(|terminal| (terminal.clone(), lesson.ends)));
        let evidence: Vec<u64> = before.into_iter().chain([held.index]).collect();
        let place = words::site(registry, &lesson.site);
        let names: Vec<&str> = terminals.iter().map(TerminalId::as_str).collect();
        let (names_zh, names_en) = (names.join("、"), names.join(", "));
        let (span, grace) =
            (words::stretch(lesson.starts, lesson.ends), policy.report_grace_hours());
        vec![Finding {
            id: AnomalyId::of(self.kind(), &evidence),
            kind: self.kind(),
            severity: Severity::Warning,
            at: lesson.starts,
            who: Vec::new(),
            terminals,
            site: Some(lesson.site.clone()),
            why: Bilingual::new(
                format!(
                    "{}：终端 {names_zh} 自课次 {}（{span}）以来没有任何记录，下课已超过 {grace} 小时。\
                     可能扣留记录；断网、故障或改在别处上课也会如此。未见到的人为“未知”，不为缺勤。",
                    place.zh, lesson.id
                ),
                format!(
                    "{}: terminal {names_en} has told of nothing since lesson {} ({span}), more than {grace} h ago. Records may be kept back; a network that fails, a broken kiosk or a \
                     lesson held elsewhere look the same. Who was not seen is unknown, not absent.",
                    place.en, lesson.id
                ),
            ),
            evidence,
        }]
    }
}
