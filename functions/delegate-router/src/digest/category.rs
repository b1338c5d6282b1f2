//! The categories of notifications in a digest.

use notification_model::{Bounce, BounceSubType, BounceType, Event};
use serde::{Deserialize, Serialize};

/// The category of a notification, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "title and advice describe each category")]
pub enum DigestCategory {
    Complaint,
    HardBounce,
    Reject,
    RenderingFailure,
    NotSent,
    SoftBounce,
    Delay,
    Subscription,
    Delivery,
    Send,
    Open,
    Click,
    #[serde(other)]
    Other,
}

impl DigestCategory {
    /// The category of an event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Complaint(_) => Self::Complaint,
            Event::Bounce(bounce) => Self::of_bounce(bounce),
            Event::Reject(_) => Self::Reject,
            Event::RenderingFailure(_) => Self::RenderingFailure,
            Event::DeliveryDelay(_) => Self::Delay,
            Event::Subscription(_) => Self::Subscription,
            Event::Delivery(_) => Self::Delivery,
            Event::Send => Self::Send,
            Event::Open(_) => Self::Open,
            Event::Click(_) => Self::Click,
            Event::Other(_) => Self::Other,
        }
    }

    fn of_bounce(bounce: &Bounce) -> Self {
        match (&bounce.bounce_type, &bounce.bounce_sub_type) {
            (
                _,
                BounceSubType::OnAccountSuppressionList
                | BounceSubType::OnTenantSuppressionList
                | BounceSubType::EmailValidationSuppressed
                | BounceSubType::UnsubscribedRecipient,
            ) => Self::NotSent,
            (BounceType::Permanent, _) => Self::HardBounce,
            _ => Self::SoftBounce,
        }
    }

    /// The heading of the category.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Complaint => "Complaints",
            Self::HardBounce => "Hard bounces",
            Self::Reject => "Rejected messages",
            Self::RenderingFailure => "Rendering failures",
            Self::NotSent => "Not sent: suppressed recipients",
            Self::SoftBounce => "Soft bounces",
            Self::Delay => "Delivery delays",
            Self::Subscription => "Subscription changes",
            Self::Delivery => "Deliveries",
            Self::Send => "Sent messages",
            Self::Open => "Opens",
            Self::Click => "Clicks",
            Self::Other => "Other events",
        }
    }

    /// What the reader should do.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::Complaint => {
                "Recipients reported the mail as spam. Remove them from the list, and check how they were added to it. \
                 AWS reviews an account at a complaint rate of 0.1 %."
            }
            Self::HardBounce => {
                "These addresses cannot receive mail. Remove them from the list. AWS reviews an account at a bounce rate of 5 %."
            }
            Self::Reject => "SES found a virus and did not send the message. Check the system that created it.",
            Self::RenderingFailure => {
                "The template needs data that the message did not have, and SES did not send it. Correct the data or the \
                 template, and send the message again."
            }
            Self::NotSent => {
                "SES did not send the message because the recipient is on a suppression list. Remove the address from your \
                 list. If it is suppressed by mistake, remove it from the suppression list first."
            }
            Self::SoftBounce => {
                "The servers of the recipients did not accept the message temporarily. No action is needed unless the same \
                 addresses bounce repeatedly."
            }
            Self::Delay => "SES continues to retry. No action is needed unless the delay continues.",
            Self::Subscription => {
                "Recipients changed their subscription preferences. Apply the changes to your own lists as well."
            }
            Self::Delivery | Self::Send | Self::Open | Self::Click => "For information. No action is needed.",
            Self::Other => "This version of Postroom does not know the event type. See the documentation of SES.",
        }
    }
}
