//! Mail that SES received: the event of the Lambda action and the `Received` notification of the other actions.
//!
//! See [the event of the Lambda action](https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html)
//! and [notification contents](https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::de;
use crate::mail::Mail;
use crate::open_enum::open_enum;

/// A received mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message. Its `destination` has the recipients in the headers.
    pub mail: Mail,
    /// The results of the checks, and the action of the receipt rule.
    pub receipt: Receipt,
    /// The raw message. Only the SNS action includes it.
    pub content: Option<Content>,
}

/// The results of the checks of SES, and the action of the receipt rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// When the receipt rules were applied.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// Milliseconds from reception to the action.
    #[serde(default)]
    pub processing_time_millis: Option<u64>,
    /// The envelope recipients that matched the rule, including Bcc recipients.
    #[serde(default, deserialize_with = "de::or_default")]
    pub recipients: Vec<EmailAddress>,
    /// The spam verdict.
    #[serde(default)]
    pub spam_verdict: Option<Verdict>,
    /// The virus verdict.
    #[serde(default)]
    pub virus_verdict: Option<Verdict>,
    /// The SPF verdict, [RFC 7208](https://www.rfc-editor.org/rfc/rfc7208).
    #[serde(default)]
    pub spf_verdict: Option<Verdict>,
    /// The DKIM verdict, [RFC 6376](https://www.rfc-editor.org/rfc/rfc6376).
    #[serde(default)]
    pub dkim_verdict: Option<Verdict>,
    /// The DMARC verdict, [RFC 7489](https://www.rfc-editor.org/rfc/rfc7489).
    #[serde(default)]
    pub dmarc_verdict: Option<Verdict>,
    /// The DMARC policy of the sender's domain. Present only if the DMARC check failed.
    #[serde(default)]
    pub dmarc_policy: Option<DmarcPolicy>,
    /// The action of the receipt rule. A rule of Mail Manager may name none.
    #[serde(default = "no_action")]
    pub action: ReceiptAction,
}

fn no_action() -> ReceiptAction {
    ReceiptAction::Other("none".to_owned())
}

/// The result of one check: `{"status":"PASS"}` in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The result.
    pub status: VerdictStatus,
}

open_enum! {
    /// The result of one check.
    pub enum VerdictStatus {
        /// Passed.
        Pass = "PASS",
        /// Failed.
        Fail = "FAIL",
        /// Neither passed nor failed: no signature, no policy, or no result.
        Gray = "GRAY",
        /// The check failed with an error.
        ProcessingFailed = "PROCESSING_FAILED",
        /// Scanning is disabled in the rule.
        Disabled = "DISABLED",
    }
}

open_enum! {
    /// The DMARC policy of the sender's domain.
    pub enum DmarcPolicy {
        /// No particular treatment.
        None = "none",
        /// Treat the message as suspicious.
        Quarantine = "quarantine",
        /// Reject the message.
        Reject = "reject",
    }
}

/// An action of a receipt rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptAction {
    /// Stores the message in a bucket.
    S3 {
        /// The bucket.
        bucket_name: String,
        /// The object key, including the prefix.
        object_key: String,
        /// The prefix.
        object_key_prefix: Option<String>,
        /// The topic to notify.
        topic_arn: Option<String>,
    },
    /// Publishes the message to a topic.
    Sns {
        /// The topic.
        topic_arn: Option<String>,
        /// How `content` is encoded.
        encoding: ContentEncoding,
    },
    /// Invokes a Lambda function without the content of the message.
    Lambda {
        /// The function.
        function_arn: String,
        /// With `RequestResponse` the function decides about the remaining actions, with `Event` it does not.
        invocation_type: InvocationType,
    },
    /// Bounces the message.
    Bounce {
        /// The sender of the bounce.
        sender: Option<String>,
        /// The SMTP reply code: `550`.
        smtp_reply_code: Option<String>,
        /// The RFC 3463 status: `5.1.1`.
        status_code: Option<String>,
        /// The text of the bounce.
        message: Option<String>,
        /// The topic to notify.
        topic_arn: Option<String>,
    },
    /// Stops the evaluation of the rule set.
    Stop {
        /// The topic to notify.
        topic_arn: Option<String>,
    },
    /// Passes the message to Amazon WorkMail.
    WorkMail {
        /// The organization.
        organization_arn: Option<String>,
        /// The topic to notify.
        topic_arn: Option<String>,
    },
    /// Adds a header.
    AddHeader {
        /// The name of the header.
        header_name: Option<String>,
        /// The value of the header.
        header_value: Option<String>,
    },
    /// An unknown action, with its type.
    Other(String),
}

open_enum! {
    /// The encoding of the content in the SNS action.
    pub enum ContentEncoding {
        /// Text. Bytes that are not UTF-8 are lost.
        Utf8 = "UTF-8" | "UTF8",
        /// Base64 of the raw bytes.
        Base64 = "BASE64",
    }
}

open_enum! {
    /// How SES invokes the function.
    pub enum InvocationType {
        /// SES waits up to 30 seconds for a disposition.
        RequestResponse = "RequestResponse",
        /// SES does not wait. Lambda retries.
        Event = "Event",
    }
}

/// The raw message as the SNS action sends it, up to 150 KB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The encoded text.
    pub text: String,
    /// The encoding.
    pub encoding: ContentEncoding,
}

/// The content cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The text is not base64.
    #[error("content is not valid base64")]
    NotBase64,
}

impl Content {
    /// Returns the raw message. Content with an unknown encoding is read as text.
    ///
    /// # Errors
    /// If the content is marked as base64 and is not.
    pub fn bytes(&self) -> Result<Vec<u8>, ContentError> {
        match &self.encoding {
            ContentEncoding::Utf8 | ContentEncoding::Other(_) => Ok(self.text.clone().into_bytes()),
            ContentEncoding::Base64 => {
                mail_parser::decoders::base64::base64_decode(self.text.as_bytes()).ok_or(ContentError::NotBase64)
            }
        }
    }
}
