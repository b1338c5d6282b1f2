//! The handle that clients and the simulation share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::services::Services;

/// The simulated services, shared by every client.
#[derive(Clone)]
pub struct SimulatedAws(Arc<Mutex<Services>>);

impl fmt::Debug for SimulatedAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedAws")
    }
}

impl SimulatedAws {
    /// Services with an empty table and no faults.
    #[must_use]
    pub fn new(seed: u64, trace: bool) -> Self {
        Self(Arc::new(Mutex::new(Services::new(seed, trace))))
    }

    /// Locks the services. The caller must not await while it holds the lock.
    pub fn services(&self) -> MutexGuard<'_, Services> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how many of 1000 requests meet a fault, and returns the previous rate.
    pub fn set_fault_rate(&self, rate_per_1000: u32) -> u32 {
        self.services().faults.set_rate(rate_per_1000)
    }
}
