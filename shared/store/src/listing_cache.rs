//! The index entries that this process has written.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Hashes of the index entries that this process has written, each for a sender and an hour.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListingCache(Arc<Mutex<HashSet<u64>>>);

impl ListingCache {
    /// More than the number of senders in a few hours. When it is reached, the cache is cleared and entries are written
    /// again.
    const MAX_ENTRIES: usize = 10_000;

    pub(crate) fn contains(&self, entry: u64) -> bool {
        self.entries().contains(&entry)
    }

    pub(crate) fn insert(&self, entry: u64) {
        let mut entries = self.entries();
        if entries.len() >= Self::MAX_ENTRIES {
            entries.clear();
        }
        entries.insert(entry);
    }

    fn entries(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
