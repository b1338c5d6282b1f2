//! What the functions acknowledged.

use std::collections::BTreeSet;

/// The record of what was acknowledged and what was dead-lettered.
#[derive(Debug, Default)]
pub struct Journal {
    /// Indices of the publications that the feedback function acknowledged, at least one copy of each.
    pub acknowledged_by_feedback: BTreeSet<usize>,
    /// The same for the router.
    pub acknowledged_by_router: BTreeSet<usize>,
    /// Bodies in the dead-letter queue of the delivery queue.
    pub dead_deliveries: Vec<String>,
}
