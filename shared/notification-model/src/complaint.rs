//! Complaints.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::de;
use crate::open_enum::open_enum;

open_enum! {
    /// Why SES itself created the complaint. Absent if a recipient complained.
    pub enum ComplaintSubType {
        /// The address is on the account-level suppression list because of a complaint. SES did not send.
        OnAccountSuppressionList = "OnAccountSuppressionList",
        /// The address is on the suppression list of the tenant because of a complaint. SES did not send.
        OnTenantSuppressionList = "OnTenantSuppressionList",
    }
}

open_enum! {
    /// The feedback type, [RFC 5965 section 7.3](https://www.rfc-editor.org/rfc/rfc5965#section-7.3).
    pub enum ComplaintFeedbackType {
        /// Unsolicited mail or other abuse.
        Abuse = "abuse",
        /// Authentication failed.
        AuthFailure = "auth-failure",
        /// Fraud or phishing.
        Fraud = "fraud",
        /// The recipient reports that the message is not spam.
        NotSpam = "not-spam",
        /// Another type.
        Unclassified = "other",
        /// The message contains a virus.
        Virus = "virus",
    }
}

/// A recipient marked the message as spam. See
/// [the complaint object](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#complaint-object).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Complaint {
    /// The recipients at the provider that sent the report, at least one. It is unknown which of them complained.
    #[serde(default, deserialize_with = "de::or_default")]
    pub complained_recipients: Vec<ComplainedRecipient>,
    /// When SES published the complaint.
    #[serde(deserialize_with = "crate::timestamp::required")]
    pub timestamp: Timestamp,
    /// The id of the complaint.
    #[serde(default)]
    pub feedback_id: Option<String>,
    /// Present if SES did not send because of a suppression list.
    #[serde(default)]
    pub complaint_sub_type: Option<ComplaintSubType>,
    /// The software that created the feedback report.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The type in the feedback report. Absent without a report.
    #[serde(default)]
    pub complaint_feedback_type: Option<ComplaintFeedbackType>,
    /// When the provider received the message.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub arrival_date: Option<Timestamp>,
}

/// A recipient that may have complained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComplainedRecipient {
    /// The address the message was sent to.
    pub email_address: EmailAddress,
}
