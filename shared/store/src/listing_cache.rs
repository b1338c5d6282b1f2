//! Which index entries this process has written.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries of the index that this process has made, as hashes of sender and hour.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListingCache(Arc<Mutex<HashSet<u64>>>);

impl ListingCache {
    /// More than the senders of some hours. Whatever is forgotten is listed once more.
    const MAX_ENTRIES: usize = 10_000;

    pub(crate) fn has(&self, entry: u64) -> bool {
        self.entries().contains(&entry)
    }

    pub(crate) fn add(&self, entry: u64) {
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
