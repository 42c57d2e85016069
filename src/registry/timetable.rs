//! The lessons, by name and by site and time, with the moment since when each was known.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{Lesson, LessonId, SiteId, Timestamp};

/// A lesson together with when the centre learned of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The lesson.
    pub lesson: Lesson,
    /// The centre's time when exactly this place and time was first registered.
    pub registered_at: Timestamp,
}

impl Announced {
    /// Registered only after it had begun.
    pub fn is_late(&self) -> bool {
        self.registered_at >= self.lesson.starts
    }

    /// Registered only when it was already over: it announces nothing, it only explains.
    pub fn is_backfilled(&self) -> bool {
        self.registered_at >= self.lesson.ends
    }
}

/// One site's lessons by their start.
#[derive(Debug, Clone, Default)]
struct SiteLessons {
    by_start: BTreeMap<Timestamp, Vec<Announced>>,
    /// Longest lesson here: a lesson that touches a moment cannot begin earlier than this before it.
    longest_ms: i64,
}

/// All that was ever announced.
#[derive(Debug, Clone, Default)]
pub(super) struct Timetable {
    versions: HashMap<LessonId, Vec<Announced>>,
    by_site: HashMap<SiteId, SiteLessons>,
}

impl Timetable {
    /// Takes in an announcement. The same place and time again changes nothing but the class, so a
    /// repeated announcement does not make a timely lesson late.
    pub(super) fn announce(&mut self, mut lesson: Lesson, registered_at: Timestamp) {
        // A timetable is long, and most lessons are announced once: no byte more than is needed.
        if let Some((site, _)) = self.by_site.get_key_value(&lesson.site) {
            lesson.site = site.clone();
        }
        let versions =
            self.versions.entry(lesson.id.clone()).or_insert_with(|| Vec::with_capacity(1));
        let same = |old: &Announced| {
            (&old.lesson.site, old.lesson.starts, old.lesson.ends)
                == (&lesson.site, lesson.starts, lesson.ends)
        };
        if let Some(index) = versions.iter().position(same) {
            let mut again = versions.remove(index);
            again.lesson = lesson;
            versions.push(again);
            return;
        }
        let site = self.by_site.entry(lesson.site.clone()).or_default();
        site.longest_ms = site.longest_ms.max(lesson.ends.ms_since(lesson.starts));
        let announced = Announced { lesson, registered_at };
        let at_once =
            site.by_start.entry(announced.lesson.starts).or_insert_with(|| Vec::with_capacity(1));
        at_once.push(announced.clone());
        versions.push(announced);
    }

    pub(super) fn latest(&self, id: &LessonId) -> Option<&Announced> {
        self.versions.get(id)?.last()
    }

    pub(super) fn all(&self) -> Vec<&Announced> {
        let mut all: Vec<_> = self.versions.values().filter_map(|each| each.last()).collect();
        all.sort_by(|one, other| one.lesson.id.cmp(&other.lesson.id));
        all
    }

    pub(super) fn latest_end(&self, id: &LessonId) -> Option<Timestamp> {
        self.versions.get(id)?.iter().map(|version| version.lesson.ends).max()
    }

    pub(super) fn between<'t>(
        &'t self,
        site: &SiteId,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = &'t Announced> + use<'t> {
        let site = self.by_site.get(site).filter(|_| from <= to);
        site.into_iter()
            .flat_map(move |site| site.by_start.range(from.plus_ms(-site.longest_ms)..=to))
            .flat_map(|(_, announced)| announced)
            .filter(move |announced| announced.lesson.ends >= from)
    }
}
