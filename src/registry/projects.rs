//! The list of published projects, as the centre stated it.

use std::collections::BTreeMap;

use crate::domain::{Project, Timestamp};

/// Every publication, by the project's name and its first day: a later one takes the place of the one before from
/// that day on, and what opened before is judged by what stood then.
#[derive(Debug, Clone, Default)]
pub(super) struct Projects(BTreeMap<(String, Timestamp), Project>);

impl Projects {
    pub(super) fn publish(&mut self, project: Project) {
        self.0.insert((project.name.trim().to_owned(), project.from), project);
    }

    /// What was published of a project at a moment, unless it was over.
    pub(super) fn at(&self, name: &str, at: Timestamp) -> Option<&Project> {
        let key = |at| (name.trim().to_owned(), at);
        let (_, last) = self.0.range(key(Timestamp::from_ms(i64::MIN))..=key(at)).next_back()?;
        (!last.is_over_at(at)).then_some(last)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Project> {
        self.0.values()
    }
}
