//! Numbers in the place of names: what a rule remembers of a hundred thousand happenings is small, and is
//! compared at once. There are no more names than were registered.

use std::collections::HashMap;
use std::hash::Hash;

use crate::domain::{LessonId, SiteId, TerminalId};
use crate::record::Record;

/// Names that were met, each with its number.
#[derive(Debug)]
pub(super) struct Names<T> {
    numbers: HashMap<T, u32>,
    names: Vec<T>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), names: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Names<T> {
    /// The number of a name, the same at each call.
    pub(super) fn number(&mut self, name: &T) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number =
            u32::try_from(self.names.len()).expect("memory ends before four billion names");
        self.numbers.insert(name.clone(), number);
        self.names.push(name.clone());
        number
    }

    /// The name of a number that was given.
    pub(super) fn name(&self, number: u32) -> &T {
        &self.names[number as usize]
    }
}

/// What a record names, found out once for all rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) terminal: u32,
    /// Where the terminal stands.
    pub(super) site: Option<u32>,
    pub(super) lesson: Option<u32>,
}

/// The names that records and passages have numbers for.
#[derive(Debug, Default)]
pub(super) struct Book {
    terminals: Names<TerminalId>,
    sites: Names<SiteId>,
    lessons: Names<LessonId>,
}

impl Book {
    /// The numbers of a record whose terminal stands at `site`.
    pub(super) fn numbers(&mut self, record: &Record, site: Option<&SiteId>) -> Numbers {
        Numbers {
            terminal: self.terminals.number(&record.terminal),
            site: site.map(|site| self.sites.number(site)),
            lesson: record.lesson.as_ref().map(|lesson| self.lessons.number(lesson)),
        }
    }

    pub(super) fn terminal(&self, number: u32) -> &TerminalId {
        self.terminals.name(number)
    }

    pub(super) fn site(&self, number: u32) -> &SiteId {
        self.sites.name(number)
    }

    pub(super) fn lesson(&self, number: u32) -> &LessonId {
        self.lessons.name(number)
    }
}

/// Something about each of what has numbers.
#[derive(Debug)]
pub(super) struct Numbered<T>(Vec<T>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default> Numbered<T> {
    pub(super) fn of(&mut self, number: u32) -> &mut T {
        let place = number as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, T::default);
        }
        &mut self.0[place]
    }
}
