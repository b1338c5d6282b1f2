//! One notification in a digest.

use jiff::Timestamp;
use notification_model::{Event, Notification};
use serde::{Deserialize, Serialize};
use store::Redaction;

use crate::digest::category::DigestCategory;
use crate::ownership::Ownership;
use crate::redaction::own_recipients;
use crate::rendered_mail::single_line;

/// Maximum number of recipients of a notification in a digest.
const MAX_RECIPIENTS: usize = 10;

/// One notification in a digest. The table stores it as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestItem {
    pub(super) category: DigestCategory,
    pub(super) at: Timestamp,
    pub(super) recipients: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) more_recipients: usize,
    /// What SES and the server of the recipient report. Empty when they report nothing.
    pub(super) cause: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    pub(super) message_id: String,
    pub(super) identity: String,
    pub(super) owner: String,
    pub(super) account: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde expects")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl DigestItem {
    /// Creates the item of a notification. Only an unredacted item has the subject of the message.
    #[must_use]
    pub fn new(notification: &Notification, ownership: &Ownership, redaction: Redaction) -> Self {
        let mut recipients = own_recipients(notification);
        let more_recipients = recipients.len().saturating_sub(MAX_RECIPIENTS);
        recipients.truncate(MAX_RECIPIENTS);
        let headers = notification
            .mail
            .common_headers
            .as_ref()
            .filter(|_| redaction == Redaction::None);
        Self {
            category: DigestCategory::of(&notification.event),
            at: notification.occurred_at(),
            recipients: recipients.iter().map(|recipient| single_line(recipient)).collect(),
            more_recipients,
            cause: single_line(&describe_cause(&notification.event)),
            subject: headers.and_then(|headers| headers.subject.as_deref()).map(single_line),
            message_id: notification.mail.message_id.clone(),
            identity: ownership.identity.to_string(),
            owner: ownership.owner.to_string(),
            account: ownership.account.to_string(),
        }
    }

    /// The text for the table.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Strings, numbers and lists of them always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a text of the table. `None` when another version wrote it in another format.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Describes the cause of an event, as far as SES and the server of the recipient report it.
fn describe_cause(event: &Event) -> String {
    let join = |parts: &[Option<String>]| parts.iter().flatten().cloned().collect::<Vec<_>>().join("; ");
    match event {
        Event::Bounce(bounce) => {
            let first = bounce.bounced_recipients.first();
            let diagnostic_code = first
                .and_then(|recipient| recipient.diagnostic_code.clone())
                .filter(|code| !code.is_empty());
            let status = first.and_then(|recipient| recipient.status);
            let bounce_type = format!("{} {}", bounce.bounce_type, bounce.bounce_sub_type);
            join(&[
                Some(bounce_type),
                diagnostic_code.or_else(|| status.map(|status| status.to_string())),
            ])
        }
        Event::Complaint(complaint) => {
            let several = complaint.complained_recipients.len();
            join(&[
                complaint
                    .complaint_feedback_type
                    .as_ref()
                    .map(|kind| format!("reported as {kind}")),
                complaint
                    .complaint_sub_type
                    .as_ref()
                    .map(|list| format!("SES did not send the message: {list}")),
                (several > 1).then(|| format!("one of {several} recipients at the provider complained")),
            ])
        }
        Event::Reject(reject) => reject.reason.clone().unwrap_or_default(),
        Event::RenderingFailure(failure) => {
            let template = failure.template_name.as_ref().map(|name| format!("template {name}"));
            join(&[template, failure.error_message.clone()])
        }
        Event::DeliveryDelay(delay) => {
            let first = delay.delayed_recipients.first();
            let diagnostic_code = first.and_then(|recipient| recipient.diagnostic_code.clone());
            join(&[delay.delay_type.as_ref().map(ToString::to_string), diagnostic_code])
        }
        Event::Delivery(delivery) => delivery.smtp_response.clone().unwrap_or_default(),
        Event::Subscription(subscription) => {
            let list = subscription.contact_list.as_ref();
            join(&[
                list.map(|list| format!("contact list {list}")),
                subscription.source.clone(),
            ])
        }
        Event::Other(name) => name.clone(),
        Event::Send | Event::Open(_) | Event::Click(_) => String::new(),
    }
}
