//! Compares the bounce and complaint rates of every sender with its thresholds, enforces what was configured, and
//! undoes enforcements.
//!
//! SES attributes the bounces of a delegate sender to the delegate and sends the complaints of its recipients to the
//! identity owner, so neither account sees the whole. [`decide`] compares the rates of a sender with its thresholds and is
//! pure; [`ReputationMonitor`] reads, writes and enforces.
//!
//! - **One alert per crossing.** Each window (1 hour, 24 hours) and measure (hard bounces, complaints) of a sender has a
//!   state: normal, warn or enforce. A rise sends one alert. The all-clear follows when the rate has stayed below the warning
//!   threshold for the length of the window, so a campaign that pauses for minutes, or a sender near the minimum volume,
//!   does not alternate between alert and all-clear.
//! - **At least once.** An invocation claims an alert in the table before it sends it, and ends it with
//!   [`ReputationMonitor::mark_notified`]. After [`CLAIM`] another invocation repeats an alert that was not ended, with the
//!   same [`Alert::id`].
//! - **Enforcements only restrict sending.** Each is written to the table before the call to SES, with all that [`undo`]
//!   needs, and confirmed afterwards. An enforcement has to be configured, needs the enforcement threshold, and concerns
//!   only objects of this account: names of configuration sets and tenants belong to the sending account.
//! - **An unknown outcome is not a failure.** When SES did not answer, or throttled the call, the enforcement stays planned,
//!   a later round repeats it, and it can be undone. Only a rejection by SES ends it as failed.
//! - **Manual overrides win.** An enforcement undone by an operator is not repeated within [`MANUAL_OVERRIDE_PERIOD`].

mod alert;
mod change;
mod decide;
mod enforce;
mod levels;
mod monitor;
mod plan;
mod policy;
mod requests;
mod round;
mod ses_error;
mod undo;

pub use alert::{Alert, EnforcementReport};
pub use decide::{CLAIM, Step, decide};
pub use enforce::MANUAL_OVERRIDE_PERIOD;
pub use monitor::{ReputationMonitor, SenderCheck};
pub use requests::{EnforcementRequest, EnforcementRequests, enforcement_requests};
pub use round::{Round, WORST};
pub use ses_error::SesError;
pub use undo::{Undo, UndoError, undo};
