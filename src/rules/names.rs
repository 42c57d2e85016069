//! Numbers in the place of names: what a rule remembers of a hundred thousand happenings is small, and is
//! compared at once. There are no more names than were registered.

use std::collections::HashMap;
use std::hash::Hash;

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
