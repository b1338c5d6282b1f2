//! The attributes of last notifications that this process has written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The interval that this process wrote last, by attribute of a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenCache(Arc<Mutex<HashMap<u64, i64>>>);

impl SeenCache {
    /// More than the types of the identities that a process sees in five minutes. When it is reached, the cache is cleared and
    /// attributes are written again.
    const MAX_ENTRIES: usize = 20_000;

    pub(crate) fn has(&self, attribute: u64, interval: i64) -> bool {
        self.intervals().get(&attribute).is_some_and(|known| *known >= interval)
    }

    pub(crate) fn insert(&self, attribute: u64, interval: i64) {
        let mut intervals = self.intervals();
        if intervals.len() >= Self::MAX_ENTRIES {
            intervals.clear();
        }
        intervals.insert(attribute, interval);
    }

    fn intervals(&self) -> MutexGuard<'_, HashMap<u64, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
