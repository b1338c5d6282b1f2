//! The thresholds, the reputation states and the enforcements of senders.

#[macro_use]
mod named_enum;

mod enforcement;
mod state;
mod thresholds;

pub use enforcement::{Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus};
pub use state::{Figures, Level, Measure, ReputationState, Window};
pub use thresholds::{InvalidRate, Rate, Threshold, ThresholdTable, Thresholds};
