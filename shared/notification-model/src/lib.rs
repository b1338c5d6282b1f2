//! Typed Amazon SES notifications, events and inbound mail.
//!
//! SES reports events of sent mail in two JSON formats, identity notifications (`notificationType`) and events of a
//! configuration set (`eventType`), and received mail in a third. [`parse`] reads all of them into one model, from the text
//! that SNS, SQS or EventBridge delivers.
//!
//! - The vocabulary is that of AWS and is open: an unknown type, subtype, verdict or action is a value, and an unknown field
//!   is ignored. A payload is rejected only if a field is missing that every decision needs.
//! - An error names the JSON path and what is expected there. It never quotes the payload, so it can be logged.
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
//! let SesMessage::Notification(notification) = parse(text)? else { panic!("not a notification") };
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
mod bounce;
mod complaint;
mod de;
mod error;
mod event;
mod inbound;
mod mail;
mod message;
mod open_enum;
mod recipients;
mod service_event;
mod status;
mod subscription;
mod timestamp;
mod topic_subscribed;
mod wire;

pub use address::{EmailAddress, normalise_domain};
pub use arn::{AccountId, Identity, IdentityArn, InvalidAccountId, InvalidIdentityArn};
pub use bounce::{Bounce, BounceSubType, BounceType, BouncedRecipient, DsnAction};
pub use complaint::{ComplainedRecipient, Complaint, ComplaintFeedbackType, ComplaintSubType};
pub use error::ParseError;
pub use event::{
    Channel, Click, DelayType, DelayedRecipient, Delivery, DeliveryDelay, Event, Notification, Open, Reject,
    RenderingFailure,
};
pub use inbound::{
    Content, ContentEncoding, ContentError, DmarcPolicy, InvocationType, Receipt, ReceiptAction, Received, Verdict,
    VerdictStatus,
};
pub use mail::{CommonHeaders, Header, Mail};
pub use message::{ServiceEvent, SesMessage, Setup};
pub use status::{InvalidStatusCode, StatusCode};
pub use subscription::{Subscription, SubscriptionStatus, TopicPreferences, TopicSubscription};
pub use timestamp::parse_timestamp;
pub use topic_subscribed::TopicSubscribed;

/// Reads one SES message: the SNS `Message`, the SQS body with raw message delivery, the EventBridge `detail`, the whole
/// EventBridge event if it is not about a mail, or the `ses` object of the event of a receipt rule's Lambda action.
///
/// A recipient of a bounce, complaint, delivery or delay that cannot be read does not make the others unreadable: see
/// [`Notification::unreadable_recipients`].
///
/// # Errors
/// If the text is neither JSON nor a known set-up message, if it has no SES type, if a required field is missing or has the
/// wrong type, or if none of the recipients can be read.
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
        // Finding the cause is slow, so it is done only after a failure.
        Err(_) => match recipients::parse_readable(text) {
            Some(message) => message,
            None => Err(error::locate::<wire::Envelope>(text)),
        },
    }
}
