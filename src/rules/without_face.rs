//! The way without a face, used unusually often (频繁非人脸签到). Page: docs/rules/without_face.md.
//!
//! ## What it sees
//! A person whose face the terminals know, let in by card and PIN or by the staff on more days of two weeks
//! than the profile allows; or a lesson to which more people than it allows, and at least five, were let in
//! without a face.
//!
//! ## Why it matters
//! Whoever is not there has no face to show, but her card can be there, and the staff can confirm her
//! (Hebei 七: 替课; 冒领).
//!
//! ## Example
//! Recognised daily until 20 March, and confirmed by the staff on three days of the week after.
//!
//! ## What it cannot know
//! Whether her face is bandaged, or the lamp over the kiosk is broken. Who never gave consent to face
//! comparison uses card and PIN every day, by right, and is not meant: only those are whose face is known.
//!
//! ## What to do
//! Ask who confirmed; call the roll and look for these people; renew their templates.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, NoticeKind, Severity};
use crate::ledger::{Body, Entry};
use crate::rules::lessons::{Held, Mark};
use crate::rules::recent::{Days, Recent};
use crate::rules::{Ground, Rule, words};

/// Days that are looked at together.
const DAYS: i64 = 14;

/// Of a lesson, fewer say nothing.
const PEOPLE_MIN: usize = 5;

/// Remembers whose face is known, and each person's visits without it.
#[derive(Default)]
pub(super) struct WithoutFace {
    persons: Recent<Visits>,
}

#[derive(Debug, Default)]
struct Visits {
    /// She was recognised, or has a template, and did not take it back.
    known: bool,
    without: Days<u64>,
}

fn distinct_days(days: &Days<u64>) -> usize {
    let mut dates: Vec<_> = days.iter().map(|(at, _)| at.shanghai().date()).collect();
    dates.dedup();
    dates.len()
}

impl WithoutFace {
    fn of_lesson(&self, held: &Held, ground: &Ground<'_>) -> Option<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let lesson = &held.announced.lesson;
        let came = held.stays.iter().filter_map(|(who, stay)| Some((*who, stay.came.as_ref()?)));
        let came: Vec<_> = came.collect();
        let without: Vec<_> = came.iter().filter(|(_, mark)| !mark.is_by_face()).collect();
        let allowed = policy.without_face_percent_max();
        let (count, people) = (without.len(), came.len());
        if count < PEOPLE_MIN || count * 100 <= usize::try_from(allowed).unwrap_or(100) * people {
            return None;
        }
        let mut evidence: Vec<u64> = without.iter().map(|(_, mark)| mark.index).collect();
        evidence.sort_unstable();
        let mut terminals: Vec<_> = without.iter().map(|(_, mark)| mark.terminal.clone()).collect();
        terminals.sort();
        terminals.dedup();
        let place = words::site(registry, &lesson.site);
        let span = words::stretch(lesson.starts, lesson.ends);
        Some(Finding {
            id: AnomalyId::of(AnomalyKind::WithoutFace, &evidence),
            kind: AnomalyKind::WithoutFace,
            severity: Severity::Warning,
            at: lesson.starts,
            who: without.iter().map(|(who, _)| *who).collect(),
            terminals,
            site: Some(lesson.site.clone()),
            why: Bilingual::new(
                format!(
                    "{}：课次 {}（{span}）签到的 {people} 人中 {count} 人未用人脸（刷卡或工作人员确认，允许 {allowed}%）。\
                     可能代为签到；摄像头故障、或全班未同意人脸核验也会如此。",
                    place.zh, lesson.id
                ),
                format!(
                    "{}: to lesson {} ({span}) {count} of {people} people were let in without a face, by card or by \
                     the staff ({allowed} % are allowed). Somebody may have done it for them; a broken camera, or a \
                     class that gave no consent, looks the same.",
                    place.en, lesson.id
                ),
            ),
            evidence,
        })
    }

    fn of_person(&mut self, held: &Held, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let lesson = &held.announced.lesson;
        let allowed = policy.without_face_days_max();
        let mut raised = Vec::new();
        for (person, stay) in &held.stays {
            let Some(newest) = stay.marks().last() else { continue };
            let visits = self.persons.of(*person, newest.at);
            visits.known |= stay.marks().any(Mark::is_by_face);
            for mark in stay.marks().filter(|mark| !mark.is_by_face()) {
                visits.without.add(mark.at, mark.index, DAYS);
            }
            let days = distinct_days(&visits.without);
            if !visits.known || u32::try_from(days).unwrap_or(u32::MAX) <= allowed {
                continue;
            }
            let mut evidence: Vec<u64> = visits.without.iter().map(|(_, index)| *index).collect();
            evidence.sort_unstable();
            visits.without.clear();
            let (until, place) = (words::clock(newest.at), words::site(registry, &lesson.site));
            raised.push(Finding {
                id: AnomalyId::of(AnomalyKind::WithoutFace, &evidence),
                kind: AnomalyKind::WithoutFace,
                severity: Severity::Warning,
                at: newest.at,
                who: vec![*person],
                terminals: vec![newest.terminal.clone()],
                site: Some(lesson.site.clone()),
                why: Bilingual::new(
                    format!(
                        "{}，至 {until}：终端认得该学员的脸，两周内却有 {days} 天以刷卡或工作人员确认通过（允许 {allowed} 天）。\
                         可能并非本人到场；受伤、遮挡或光线不好也会如此。",
                        place.zh
                    ),
                    format!(
                        "{}, until {until}: the terminals know this person's face, and on {days} days of two weeks she \
                         was let in by card or by the staff ({allowed} are allowed). She may not have been there; an \
                         injury or poor light looks the same.",
                        place.en
                    ),
                ),
                evidence,
            });
        }
        raised
    }
}

impl Rule for WithoutFace {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::WithoutFace
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "without_face_days_max",
            "without_face_percent_max",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
            "report_grace_hours",
            "door_opens_minutes_before",
        ]
    }

    /// Whose face is known is told by notices as well; who takes it back uses her card by right.
    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Body::Record { record, person: Some(person), .. } = &entry.body else {
            return Vec::new();
        };
        let Some(notice) = record.notice else { return Vec::new() };
        let known = match notice.kind {
            NoticeKind::TemplateMade | NoticeKind::TemplateShared => true,
            NoticeKind::ConsentWithdrawn | NoticeKind::TemplateDeleted => false,
            NoticeKind::CameraChanged
            | NoticeKind::ConsentGiven
            | NoticeKind::TemplateRefused
            | NoticeKind::RollCalled
            | NoticeKind::PictureKept
            | NoticeKind::PictureHandedOver
            | NoticeKind::PictureDeleted => return Vec::new(),
        };
        let now = entry.committed_at;
        let at = ground.moment.map_or(now, |moment| moment.at);
        self.persons.of(*person, at).known = known;
        Vec::new()
    }

    fn lesson_over(&mut self, held: &Held, ground: &Ground<'_>) -> Vec<Finding> {
        let mut raised = self.of_person(held, ground);
        raised.extend(self.of_lesson(held, ground));
        raised
    }
}
