//! What an operator sees and decides: one implementation for the command line and the console.
//!
//! Errors of AWS are those of `store`; how they are shown is up to the caller.

mod decision;
mod escape;
mod explain;
mod input;
mod notification_text;
mod operator;
mod payload;
mod recipient;
mod senders;
mod suppression_text;
mod suppressions;

pub use decision::Decision;
pub use escape::{is_unsafe, push_escaped};
pub use explain::{Explanation, InboundContext, Outcome, explain};
pub use input::{parse_address, parse_day_or_time};
pub use notification_text::{notification_text, received_text, setup_text};
pub use operator::operator_name;
pub use payload::{Input, inputs_of, read_inputs};
pub use recipient::{active_suppressions, read_recipient, recipient_version, suppressed_since};
pub use senders::{EVENT_KINDS, RatedCounts, counts_text, sender_text, senders_worst_first, stream_text};
pub use suppression_text::{period_text, scope_text};
pub use suppressions::{Suppressions, suppressions_in_force};
