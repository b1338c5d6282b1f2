//! The time source of the SDK clients.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_types::sdk_config::TimeSource;

/// A clock that follows tokio's paused time. With the system's clock, the SDK's stalled stream protection would decide by
/// the speed of the machine, and a seed would not have the same result each time.
#[derive(Debug)]
pub(super) struct SimulatedClock {
    started_at: tokio::time::Instant,
}

impl SimulatedClock {
    pub(super) fn start() -> Self {
        Self {
            started_at: tokio::time::Instant::now(),
        }
    }
}

impl TimeSource for SimulatedClock {
    fn now(&self) -> SystemTime {
        // 2026-01-01.
        UNIX_EPOCH + Duration::from_secs(1_767_225_600) + self.started_at.elapsed()
    }
}
