//! Typed Amazon SES notifications, events and inbound mail.
//!
//! SES reports what becomes of mail in two JSON formats, identity notifications (`notificationType`) and
//! configuration-set events (`eventType`), and hands received mail over in a third. [`parse`] reads them all, from the
//! text that SNS, SQS or EventBridge carried, into one model.
//!
//! - The vocabulary is AWS's and open: an unknown type, subtype, verdict or action is a value, an unknown field is
//!   ignored. A payload is refused only when something is missing without which no decision can be made.
//! - An error names the JSON path and what was expected there. It never quotes the payload, so it can be logged.
//! - No I/O, no AWS SDK, no async runtime.
//!
//! ```
//! use notification_model::{Event, SesMessage, parse};
//!
//! let text = r#"{
//!   "notificationType": "Bounce",
//!   "mail": {"timestamp": "2026-01-27T14:59:38.237Z", "messageId": "0100-1", "source": "Shop <news@example.com>",
//!            "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/example.com",
//!            "destination": ["jane@example.net", "joe@example.net"]},
//!   "bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": "2026-01-27T14:59:39Z",
//!              "bouncedRecipients": [{"emailAddress": "Joe@Example.net", "status": "5.1.1"}]}
//! }"#;
//! let SesMessage::Notification(notification) = parse(text)? else { panic!("not about sent mail") };
//! let Event::Bounce(bounce) = &notification.event else { panic!("not a bounce") };
//! assert_eq!(bounce.bounced_recipients[0].email_address.key(), "joe@example.net");
//! assert_eq!(notification.mail.source_arn.unwrap().owner().as_str(), "111122223333");
//!
//! let error = parse(r#"{"notificationType": "Bounce", "mail": {"messageId": 7}}"#).unwrap_err();
//! assert_eq!(error.to_string(), "mail.messageId: expected a string");
//! # Ok::<(), notification_model::ParseError>(())
//! ```

mod address;
mod arn;
mod de;
mod error;
mod event;
mod inbound;
mod mail;
mod open_enum;
mod status;
mod timestamp;
mod wire;

pub use address::{EmailAddress, normalise_domain};
pub use arn::{AccountId, Identity, IdentityArn, InvalidAccountId, InvalidIdentityArn};
pub use error::ParseError;
pub use event::{
    Bounce, BounceSubType, BounceType, BouncedRecipient, Channel, Click, ComplainedRecipient, Complaint,
    ComplaintFeedbackType, ComplaintSubType, DelayType, DelayedRecipient, Delivery, DeliveryDelay, DsnAction, Event,
    Notification, Open, Reject, RenderingFailure, Subscription, SubscriptionStatus, TopicPreferences,
    TopicSubscription,
};
pub use inbound::{
    Content, ContentEncoding, ContentError, DmarcPolicy, InvocationType, Receipt, ReceiptAction, Received, Verdict,
    VerdictStatus,
};
pub use mail::{CommonHeaders, Header, Mail};
pub use status::{InvalidStatusCode, StatusCode};
pub use timestamp::parse_timestamp;

/// Anything SES publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SesMessage {
    /// About mail that was sent.
    Notification(Notification),
    /// About mail that was received.
    Received(Received),
    /// About SES itself: nothing to do.
    Setup(Setup),
}

/// What SES writes once when a topic, subscription or bucket is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setup {
    /// `Successfully validated SNS topic for Amazon SES event publishing.`: plain text, not JSON.
    TopicValidated,
    /// `AmazonSnsSubscriptionSucceeded`: an identity's topic was set.
    SubscriptionSucceeded {
        /// SES's words.
        message: Option<String>,
    },
    /// `AMAZON_SES_SETUP_NOTIFICATION`: a receipt rule's bucket or topic was set.
    InboundProbe,
}

impl Setup {
    /// One word for logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TopicValidated => "topic_validated",
            Self::SubscriptionSucceeded { .. } => "subscription_succeeded",
            Self::InboundProbe => "inbound_probe",
        }
    }
}

/// Reads one SES message: the SNS `Message`, the SQS body under raw delivery, the EventBridge `detail`, or the `ses`
/// object of a receipt-rule Lambda event.
///
/// # Errors
/// When the text is neither JSON nor a known set-up message, when it has no SES type, or when a field that every
/// decision needs is missing or has the wrong type.
pub fn parse(text: &str) -> Result<SesMessage, ParseError> {
    let text = text.trim();
    if text.starts_with("Successfully validated SNS topic") {
        return Ok(SesMessage::Setup(Setup::TopicValidated));
    }
    if !text.starts_with('{') {
        return Err(error::not_an_object(text));
    }
    match serde_json::from_str::<wire::Envelope>(text) {
        Ok(envelope) => envelope.try_into(),
        // Tracking the path costs time, so only a payload that failed pays for it.
        Err(_) => Err(error::locate::<wire::Envelope>(text)),
    }
}
