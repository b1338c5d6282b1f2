//! Watches how senders do: tells both parties when a rate crosses a line, acts where it was asked to, takes acts back.
//!
//! SES counts a delegate's bounces against the delegate, and the complaints of its recipients reach the identity owner;
//! neither sees the whole. [`decide`] compares a sender's rates with its lines, purely; [`ReputationMonitor`] reads, writes and acts.
//!
//! - **One alert per crossing.** Each window (1 h, 24 h) and measure (hard bounces, complaints) of a sender has a state:
//!   calm, warn or act. A rise is told once. The all-clear comes when the rate has stayed under the warn line for as long
//!   as the window is: a campaign that pauses for a moment, or a sender around the minimum volume, does not flap.
//! - **At least once.** An alert is claimed in the table before it is returned, and ends with [`ReputationMonitor::told`]. Whoever
//!   claimed it and died is replaced after [`CLAIM`]; [`Alert::id`] stays the same.
//! - **Acts only take away.** Each is in the table before it is done, with all that [`undo`] needs, and again
//!   after. An act needs to be asked for, needs the act line, and touches only what belongs to this account: names of
//!   configuration sets and tenants are the sending account's, and mean something else here when it is another one.
//! - **A person's word stands.** What was undone within [`MANUAL_OVERRIDE_PERIOD`] is not done again.

mod alert;
mod decide;
mod effects;
mod policy;

pub use alert::{Alert, EnforcementReport};
pub use decide::{CLAIM, EnforcementRequest, EnforcementRequests, Step, decide, enforcement_requests};
pub use effects::{MANUAL_OVERRIDE_PERIOD, ReputationMonitor, Round, SesError, Undo, UndoError, WORST, undo};
