//! Received mail: SES invokes the real [`inbound::handle`] for each mail, among faults and kills.
//!
//! Every mail must be forwarded, answered and notified as its mailboxes say, and nothing may be sent twice outside the window
//! that `docs/inbound.md` names: after a response that the function did not receive, or an invocation that ended between a
//! send and its mark.

mod caps;
mod check;
mod invocation;
mod mail;
mod run;
mod world;

pub use mail::InboundScenario;
pub(crate) use run::run;

/// Every seed with this remainder is about received mail.
const REMAINDER: u64 = 3;
const SEEDS_PER_SCENARIO: u64 = 8;

/// Whether the scenario of a seed is about received mail.
#[must_use]
pub fn is_about_received_mail(seed: u64) -> bool {
    seed % SEEDS_PER_SCENARIO == REMAINDER
}
