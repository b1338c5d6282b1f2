//! Whether SES itself confirms a bounce. What a remote party can write is a claim: it reaches no other sender, and suppresses
//! permanently only if it is repeated.

use notification_model::Bounce;

use super::context::Context;
use crate::classification::{BounceClassification, Certainty};

/// What makes a bounce more than the claim of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// SES decided by itself, and reports it by a subtype that no remote party can cause.
    Decision,
    /// SES received the reply in its own SMTP conversation: `remoteMtaIp` is present.
    Conversation,
    /// The message had one recipient.
    SingleRecipient,
}

impl Confirmation {
    /// For the history and the command line.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "SES's own decision",
            Self::Conversation => "SES's own SMTP conversation",
            Self::SingleRecipient => "the message's only recipient",
        }
    }
}

/// Returns what confirms a bounce of the message, if anything does. Nothing confirms a report that arrived by mail, because
/// the reporter also writes the returned header with the recipients.
pub(super) fn confirmation(
    context: &Context,
    bounce: &Bounce,
    classification: &BounceClassification,
) -> Option<Confirmation> {
    if context.is_mailed_report() {
        return None;
    }
    if classification.certainty == Certainty::DecidedBySes {
        return Some(Confirmation::Decision);
    }
    if bounce.remote_mta_ip.is_some() {
        return Some(Confirmation::Conversation);
    }
    (context.mailed.len() == 1).then_some(Confirmation::SingleRecipient)
}

/// Returns what would make it surer that the address of a hard bounce is dead. `None`: nothing is needed.
pub(super) fn what_is_missing(certainty: Certainty, confirmation: Option<Confirmation>) -> Option<&'static str> {
    match (certainty, confirmation) {
        (Certainty::Assumed, Some(_)) => Some("surer with a reply or status that says why the address fails"),
        (Certainty::Assumed, None) => Some(
            "surer with a reply or status that says why the address fails, in SES's own SMTP conversation or about a message \
             with one recipient",
        ),
        (Certainty::Stated | Certainty::DecidedBySes, None) => {
            Some("surer in SES's own SMTP conversation or about a message with one recipient")
        }
        (Certainty::Stated | Certainty::DecidedBySes, Some(_)) => None,
    }
}
