//! Texts for values that several commands print.

mod mailbox;
mod route;

pub(crate) use self::mailbox::{action_text, address_text, verdict_rules_json, verdict_rules_text};
pub(crate) use self::route::{filter_text, redaction_text, sender_match_text, target_text};
