//! Counters of what the seeds went through.

use std::collections::BTreeMap;

/// Counters by name. `make prove` writes them into `docs/proof.md`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(pub BTreeMap<&'static str, u64>);

impl Figures {
    /// Adds `number` to the counter `name`.
    pub fn add(&mut self, name: &'static str, number: u64) {
        *self.0.entry(name).or_default() += number;
    }

    /// Adds every counter of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (name, number) in &other.0 {
            self.add(name, *number);
        }
    }
}
