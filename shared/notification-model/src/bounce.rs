//! Bounces.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::de;
use crate::open_enum::open_enum;
use crate::status::StatusCode;

open_enum! {
    /// The type of a bounce.
    pub enum BounceType {
        /// SES could not determine a reason.
        Undetermined = "Undetermined",
        /// A hard bounce.
        Permanent = "Permanent",
        /// A soft bounce: SES stopped retrying. A later message may be delivered.
        Transient = "Transient",
    }
}

open_enum! {
    /// The subtype of a bounce. See
    /// [bounce types](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types).
    pub enum BounceSubType {
        /// No specific reason could be determined.
        Undetermined = "Undetermined",
        /// A general hard or soft bounce.
        General = "General",
        /// The address does not exist.
        NoEmail = "NoEmail",
        /// The address is on SES's global suppression list. Counts in the bounce rate of the account.
        Suppressed = "Suppressed",
        /// The address is on the account-level suppression list. SES did not send, and the bounce does not count.
        OnAccountSuppressionList = "OnAccountSuppressionList",
        /// The address is on the suppression list of the tenant. SES did not send, and the bounce does not count.
        OnTenantSuppressionList = "OnTenantSuppressionList",
        /// SES did not send because of its email validation.
        EmailValidationSuppressed = "EmailValidationSuppressed",
        /// The recipient unsubscribed from the contact list or topic.
        UnsubscribedRecipient = "UnsubscribedRecipient",
        /// The mailbox is full.
        MailboxFull = "MailboxFull",
        /// The message is too large for the recipient's server.
        MessageTooLarge = "MessageTooLarge",
        /// The content was rejected.
        ContentRejected = "ContentRejected",
        /// An attachment was rejected.
        AttachmentRejected = "AttachmentRejected",
        /// The maximum delivery time of the configuration set passed.
        CustomTimeoutExceeded = "CustomTimeoutExceeded",
    }
}

open_enum! {
    /// The action of the recipient's server, [RFC 3464 section 2.3.3](https://www.rfc-editor.org/rfc/rfc3464#section-2.3.3).
    pub enum DsnAction {
        /// The message could not be delivered.
        Failed = "failed",
        /// The server continues to try.
        Delayed = "delayed",
        /// The message was delivered.
        Delivered = "delivered",
        /// The message was relayed to a system that does not report.
        Relayed = "relayed",
        /// The message was forwarded to several addresses.
        Expanded = "expanded",
    }
}

/// The servers of recipients rejected the message. See
/// [the bounce object](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-object).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bounce {
    /// The type for the notification as a whole. It may not fit each recipient.
    pub bounce_type: BounceType,
    /// The subtype for the notification as a whole.
    #[serde(default = "undetermined")]
    pub bounce_sub_type: BounceSubType,
    /// The recipients that did not receive the message, at least one. From a DSN these are its `Final-Recipient` fields,
    /// which the sender of the DSN chooses. After forwarding they differ from the address that the message was sent to.
    #[serde(default, deserialize_with = "de::or_default")]
    pub bounced_recipients: Vec<BouncedRecipient>,
    /// When the recipient's server sent the bounce.
    #[serde(deserialize_with = "crate::timestamp::required")]
    pub timestamp: Timestamp,
    /// The id of the bounce. Several notifications can have the same.
    #[serde(default)]
    pub feedback_id: Option<String>,
    /// The reporting server, as in the DSN: `dsn; a8-70.smtp-out.amazonses.com`.
    #[serde(default, rename = "reportingMTA")]
    pub reporting_mta: Option<String>,
    /// The IP address of the server to which SES tried to deliver.
    #[serde(default)]
    pub remote_mta_ip: Option<String>,
}

fn undetermined() -> BounceSubType {
    BounceSubType::Undetermined
}

/// One recipient of a bounce. Only the address is required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BouncedRecipient {
    /// The address.
    pub email_address: EmailAddress,
    /// The action of the server.
    #[serde(default)]
    pub action: Option<DsnAction>,
    /// The RFC 3463 status. `None` if absent or malformed.
    #[serde(default, deserialize_with = "crate::status::lenient")]
    pub status: Option<StatusCode>,
    /// The text of the server: `smtp; 550 5.1.1 ... User unknown`.
    #[serde(default)]
    pub diagnostic_code: Option<String>,
}
