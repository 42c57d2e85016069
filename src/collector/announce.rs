//! From the ledger to the page: joins rules, registry and names into the events of the live feed.
//! Belongs to the roots (it alone knows rules *and* feed); pure all the same: entries in, words out.
//!
//! Everything here can be made again from the ledger, so nothing of it is stored: at each start
//! the collector feeds all entries through once more, and cases and feed keep each thing once.

use std::collections::{BTreeMap, HashMap};

use crate::collector::shadow::{Shadow, Tried};
use crate::domain::{
    Anomaly, AnomalyKind, Bilingual, ClockQuality, Event, Outcome, PersonId, SiteId, TerminalId,
    Timestamp,
};
use crate::feed;
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::Registry;
use crate::rules::Judge;

/// How persons are called on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// By a short number that is the same person's throughout: enough to follow a case, useless
    /// outside. The rule: names belong to the institution's own desk.
    Numbers,
    /// By invented names: the demo.
    Invented(HashMap<PersonId, String>),
}

impl Names {
    /// What she is called.
    pub fn of(&self, person: &PersonId) -> String {
        let number = || {
            let id = person.to_string();
            format!("№ {}", id.chars().take(6).collect::<String>())
        };
        match self {
            Names::Numbers => number(),
            Names::Invented(names) => names.get(person).cloned().unwrap_or_else(number),
        }
    }
}

/// What a terminal says of itself; a hint, never evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfReport {
    /// Connected, or its last will was read.
    pub online: bool,
    /// Its journal is at its bound.
    pub full: bool,
    /// Its opinion of its own clock.
    pub clock: Option<ClockQuality>,
    /// Records that wait for a receipt.
    pub waiting: Option<u64>,
}

/// What came of a stretch of the ledger.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// For the cases.
    pub anomalies: Vec<Anomaly>,
    /// For the feed, in order.
    pub events: Vec<feed::Body>,
    /// Of the candidate that is tried out: neither for cases nor for the feed.
    pub tried: Vec<Tried>,
}

#[derive(Debug, Clone, Default)]
struct Life {
    report: Option<SelfReport>,
    last: Option<feed::Reported>,
}

/// Judges entries and finds the words for the page.
pub struct Announcer {
    judge: Judge,
    shadow: Shadow,
    names: Names,
    /// Bounded by the registered terminals.
    lives: BTreeMap<TerminalId, Life>,
    /// One short line for each entry that an anomaly may name.
    lines: Lines,
}

impl Announcer {
    /// Nothing seen yet.
    pub fn new(judge: Judge, shadow: Shadow, names: Names) -> Self {
        Self { judge, shadow, names, lives: BTreeMap::new(), lines: Lines::default() }
    }

    /// What the ledger so far says of institutions, sites, terminals and lessons.
    pub fn registry(&self) -> &Registry {
        self.judge.registry()
    }

    /// How persons are called.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Takes in committed entries, in order.
    pub fn take(&mut self, entries: &[Entry]) -> Told {
        let mut told = Told::default();
        let mut stirred = Vec::new();
        for entry in entries {
            self.lines.note(entry);
            let anomalies = self.judge.judge(entry);
            told.tried.extend(self.shadow.take(entry, self.judge.registry()));
            match &entry.body {
                Body::Record { record, person, .. } => {
                    told.events.extend(self.attendance(entry.index, record, person.as_ref()));
                    let life = self.lives.entry(record.terminal.clone()).or_default();
                    life.last = Some(feed::Reported { seq: record.seq, at: record.clock.wall });
                    stirred.push(record.terminal.clone());
                }
                Body::Fact(crate::domain::Fact::Terminal { id, .. }) => {
                    self.lives.entry(id.clone()).or_default();
                    stirred.push(id.clone());
                }
                Body::Refused { .. } | Body::Fact(_) => {}
            }
            for anomaly in anomalies {
                let event = self.anomaly(&anomaly, entry.committed_at);
                told.events.push(feed::Body::Anomaly(event));
                told.anomalies.push(anomaly);
            }
        }
        stirred.sort();
        stirred.dedup();
        told.events.extend(stirred.iter().filter_map(|terminal| self.terminal(terminal)));
        told
    }

    /// Takes in what a terminal says of itself. Terminals that nobody registered are not shown.
    pub fn hear(&mut self, terminal: &TerminalId, report: SelfReport) -> Option<feed::Body> {
        self.lives.get_mut(terminal)?.report = Some(report);
        self.terminal(terminal)
    }

    fn attendance(
        &self,
        index: u64,
        record: &Record,
        person: Option<&PersonId>,
    ) -> Option<feed::Body> {
        if matches!(record.event, Event::Gap | Event::Notice) {
            return None;
        }
        let lesson = record.lesson.as_ref().and_then(|id| self.registry().lesson(id));
        let class = lesson.and_then(|l| self.registry().class(&l.lesson.class));
        let late_ms = lesson.map_or(0, |l| record.clock.wall.ms_since(l.lesson.starts));
        let is_late = record.event == Event::CheckIn && late_ms >= 60_000;
        Some(feed::Body::Attendance(feed::Attendance {
            index,
            at: record.clock.wall,
            person: person.map(|person| self.names.of(person)),
            terminal: record.terminal.clone(),
            place: self.place_of(&record.terminal),
            lesson: class.zip(lesson).map(|(class, announced)| {
                let begins = announced.lesson.starts.shanghai().strftime("%H:%M").to_string();
                Bilingual::new(
                    format!("{} {begins}", class.name.zh),
                    format!("{} {begins}", class.name.en),
                )
            }),
            event: record.event,
            outcome: record.outcome,
            late_minutes: is_late.then(|| u32::try_from(late_ms / 60_000).unwrap_or(u32::MAX)),
        }))
    }

    fn anomaly(&self, anomaly: &Anomaly, committed_at: Timestamp) -> feed::Anomaly {
        let who = anomaly.who.iter().enumerate().map(|(place, person)| feed::Person {
            role: role(anomaly.kind, place),
            name: self.names.of(person),
        });
        let site = anomaly.site.as_ref();
        let terminal_place = || anomaly.terminals.first().and_then(|t| self.place_of(t));
        feed::Anomaly {
            anomaly: anomaly.id,
            kind: anomaly.kind,
            severity: anomaly.severity,
            at: anomaly.at,
            committed_at,
            who: who.collect(),
            place: site.and_then(|site| self.place(site)).or_else(terminal_place),
            terminals: anomaly.terminals.clone(),
            why: anomaly.why.clone(),
            evidence: anomaly.evidence.iter().filter_map(|&i| self.lines.of(i)).collect(),
            policy: anomaly.policy.clone(),
            rule: anomaly.rule,
            inputs: anomaly.inputs.clone(),
            ledger: Some(anomaly.ledger),
        }
    }

    fn terminal(&self, id: &TerminalId) -> Option<feed::Body> {
        let life = self.lives.get(id)?;
        let state = match life.report {
            None | Some(SelfReport { online: false, .. }) => feed::TerminalState::Offline,
            Some(SelfReport { full: true, .. }) => feed::TerminalState::Full,
            Some(SelfReport { clock: Some(ClockQuality::Doubtful), .. }) => {
                feed::TerminalState::ClockDoubtful
            }
            Some(SelfReport { .. }) => feed::TerminalState::Online,
        };
        Some(feed::Body::Terminal(feed::Terminal {
            terminal: id.clone(),
            place: self.place_of(id),
            state,
            waiting: life.report.and_then(|report| report.waiting),
            last: life.last,
        }))
    }

    fn place_of(&self, terminal: &TerminalId) -> Option<feed::Place> {
        self.place(self.registry().site_of(terminal)?)
    }

    fn place(&self, site: &SiteId) -> Option<feed::Place> {
        place(self.registry(), site)
    }
}

/// Where a site is, for people.
pub(super) fn place(registry: &Registry, site: &SiteId) -> Option<feed::Place> {
    let site = registry.site(site)?;
    let institution = registry.institution(&site.institution)?;
    Some(feed::Place {
        institution: institution.name.clone(),
        site: site.name.clone(),
        town: site.town.clone(),
    })
}

/// The part that the n-th person of an anomaly plays in it.
fn role(kind: AnomalyKind, place: usize) -> Bilingual {
    match (kind, place) {
        (AnomalyKind::ProxyStandIn, 0) => Bilingual::new("所报姓名", "Name claimed"),
        (AnomalyKind::ProxyStandIn, _) => Bilingual::new("人脸所属", "Face belongs to"),
        (AnomalyKind::ProxySharedFace, _) => Bilingual::new("同一张脸", "Same face"),
        (
            AnomalyKind::MultiDevice
            | AnomalyKind::OffTimetable
            | AnomalyKind::ExcessHours
            | AnomalyKind::Forged
            | AnomalyKind::Altered
            | AnomalyKind::Replayed
            | AnomalyKind::UnregisteredTerminal
            | AnomalyKind::ForkedChain
            | AnomalyKind::MadeAfterwards
            | AnomalyKind::MachinePace
            | AnomalyKind::SpoofAttempts
            | AnomalyKind::MissedRollCall
            | AnomalyKind::OverLimit
            | AnomalyKind::MovedCohort
            | AnomalyKind::PlatformSessions
            | AnomalyKind::BackgroundPlay
            | AnomalyKind::LateRegistration
            | AnomalyKind::TwoClasses
            | AnomalyKind::ShortLesson
            | AnomalyKind::LateCheckouts
            | AnomalyKind::LongWeek
            | AnomalyKind::WithoutFace
            | AnomalyKind::SteadyScores
            | AnomalyKind::ScoreDrift
            | AnomalyKind::ThinMargins
            | AnomalyKind::Pairs
            | AnomalyKind::PerfectAttendance
            | AnomalyKind::SilentTerminal
            | AnomalyKind::DeviceChanged
            | AnomalyKind::OftenUnseen
            | AnomalyKind::TimeRefuted,
            _,
        ) => Bilingual::new("学员", "Trainee"),
    }
}

/// One line for each entry, for the newest [`LINES_MAX`]: rules look back no further than some
/// days, and a page shows the line only as a help beside the entry's number.
#[derive(Debug, Default)]
struct Lines(BTreeMap<u64, feed::Evidence>);

/// A province's busy week; some 300 bytes each.
const LINES_MAX: usize = 200_000;

impl Lines {
    fn note(&mut self, entry: &Entry) {
        let (hash, what) = match &entry.body {
            Body::Record { record, hash, .. } => (hash, line_of(record)),
            Body::Refused { terminal, refusal, hash, .. } => {
                let code = refusal.code();
                let zh = format!("以 {terminal} 名义送来，已拒收（{code}）");
                (hash, Bilingual::new(zh, format!("came as {terminal}, refused ({code})")))
            }
            Body::Fact(_) => return,
        };
        let hash = hash.to_string().chars().take(12).collect();
        self.0.insert(entry.index, feed::Evidence { index: entry.index, hash, what });
        if self.0.len() > LINES_MAX {
            self.0.pop_first();
        }
    }

    fn of(&self, index: u64) -> Option<feed::Evidence> {
        self.0.get(&index).cloned()
    }
}

fn line_of(record: &Record) -> Bilingual {
    let event = match (record.event, record.outcome) {
        (Event::CheckIn, _) => ("签到", "check-in"),
        (Event::CheckOut, _) => ("签退", "check-out"),
        (Event::Gap, _) => ("缺号声明", "gap statement"),
        (Event::Presence, _) => ("在场确认", "presence"),
        (Event::Notice, _) => ("终端通告", "notice"),
        (Event::Attempt, Some(Outcome::LooksLikeOther)) => ("与所报姓名不符", "claim contradicted"),
        (Event::Attempt, Some(Outcome::NoLesson)) => ("无课时到场", "no lesson"),
        (Event::Attempt, _) => ("未通过", "attempt"),
    };
    let (terminal, seq, at) = (&record.terminal, record.seq, record.clock.wall);
    Bilingual::new(
        format!("{terminal} 第 {seq} 号 {at} {}", event.0),
        format!("{terminal} no. {seq} {at} {}", event.1),
    )
}
