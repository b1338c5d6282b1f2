//! How a seed is disturbed.

use fastrand::Rng;

/// How a seed is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// Every kind of fault, and kills.
    Any {
        /// Requests of 1000 that meet a fault.
        faults_per_1000: u32,
        /// Invocations of 100 that are killed.
        kill_percent: u32,
    },
    /// Only responses of the table are lost, and the SDK's retries recover. No invocation may fail or wait because of it.
    LostTableResponses,
}

impl Disturbance {
    pub(crate) fn draw(rng: &mut Rng, no_faults: bool) -> Self {
        let (faults_per_1000, kill_percent) = match (no_faults, rng.u8(..7)) {
            (true, _) | (_, 0) => (0, 0),
            (_, 1) => (20, 0),
            (_, 2) => (0, 40),
            (_, 3) => (60, 20),
            (_, 4) => (150, 10),
            (_, 5) => (300, 30),
            _ => return Self::LostTableResponses,
        };
        Self::Any {
            faults_per_1000,
            kill_percent,
        }
    }

    /// Requests of 1000 that meet a fault.
    pub(crate) fn faults_per_1000(self) -> u32 {
        match self {
            Self::Any { faults_per_1000, .. } => faults_per_1000,
            Self::LostTableResponses => 300,
        }
    }

    /// Invocations of 100 that are killed.
    pub(crate) fn kill_percent(self) -> u32 {
        match self {
            Self::Any { kill_percent, .. } => kill_percent,
            Self::LostTableResponses => 0,
        }
    }

    /// Whether nothing is disturbed.
    pub(crate) fn is_none(self) -> bool {
        self.faults_per_1000() == 0 && self.kill_percent() == 0
    }
}
