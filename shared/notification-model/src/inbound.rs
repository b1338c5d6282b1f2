//! Mail that SES received: the Lambda action's event and the `Received` notification of the other actions.
//!
//! See [the Lambda action's event](https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html)
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
    /// The message; its `destination` are the header recipients.
    pub mail: Mail,
    /// What SES found, and the action that told us.
    pub receipt: Receipt,
    /// The raw message, which only the SNS action sends along.
    pub content: Option<Content>,
}

/// What SES found when it received the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// When the receipt rules were applied.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// From reception to the action, in milliseconds.
    #[serde(default)]
    pub processing_time_millis: Option<u64>,
    /// The envelope recipients that matched the rule, Bcc included.
    #[serde(default, deserialize_with = "de::or_default")]
    pub recipients: Vec<EmailAddress>,
    /// Spam.
    #[serde(default)]
    pub spam_verdict: Option<Verdict>,
    /// Virus.
    #[serde(default)]
    pub virus_verdict: Option<Verdict>,
    /// SPF, [RFC 7208](https://www.rfc-editor.org/rfc/rfc7208).
    #[serde(default)]
    pub spf_verdict: Option<Verdict>,
    /// DKIM, [RFC 6376](https://www.rfc-editor.org/rfc/rfc6376).
    #[serde(default)]
    pub dkim_verdict: Option<Verdict>,
    /// DMARC, [RFC 7489](https://www.rfc-editor.org/rfc/rfc7489).
    #[serde(default)]
    pub dmarc_verdict: Option<Verdict>,
    /// What the sender's domain asks for when DMARC fails; only present then.
    #[serde(default)]
    pub dmarc_policy: Option<DmarcPolicy>,
    /// The receipt-rule action that sent this.
    pub action: ReceiptAction,
}

/// The result of one check, `{"status":"PASS"}` on the wire.
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
        /// Neither: no signature, no policy, or undecided.
        Gray = "GRAY",
        /// SES could not check.
        ProcessingFailed = "PROCESSING_FAILED",
        /// Scanning is switched off in the rule.
        Disabled = "DISABLED",
    }
}

open_enum! {
    /// The DMARC policy of the sender's domain.
    pub enum DmarcPolicy {
        /// No request.
        None = "none",
        /// Treat as suspicious.
        Quarantine = "quarantine",
        /// Refuse.
        Reject = "reject",
    }
}

/// The receipt-rule action that produced the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptAction {
    /// Stored in a bucket.
    S3 {
        /// The bucket.
        bucket_name: String,
        /// The whole key, prefix included.
        object_key: String,
        /// The rule's prefix.
        object_key_prefix: Option<String>,
        /// The topic told about it.
        topic_arn: Option<String>,
    },
    /// Published to a topic with its content.
    Sns {
        /// The topic.
        topic_arn: Option<String>,
        /// How `content` is encoded.
        encoding: ContentEncoding,
    },
    /// Handed to a Lambda function, without content.
    Lambda {
        /// The function.
        function_arn: String,
        /// `RequestResponse` decides about the rest of the rule, `Event` does not.
        invocation_type: InvocationType,
    },
    /// Bounced.
    Bounce {
        /// Who bounced it.
        sender: Option<String>,
        /// The SMTP reply code, `550`.
        smtp_reply_code: Option<String>,
        /// The RFC 3463 status, `5.1.1`.
        status_code: Option<String>,
        /// The text for people.
        message: Option<String>,
        /// The topic told about it.
        topic_arn: Option<String>,
    },
    /// The rule set was ended.
    Stop {
        /// The topic told about it.
        topic_arn: Option<String>,
    },
    /// Handed to Amazon WorkMail.
    WorkMail {
        /// The organization.
        organization_arn: Option<String>,
        /// The topic told about it.
        topic_arn: Option<String>,
    },
    /// A header was added.
    AddHeader {
        /// Its name.
        header_name: Option<String>,
        /// Its value.
        header_value: Option<String>,
    },
    /// An action this version does not know, by its type.
    Other(String),
}

open_enum! {
    /// How the SNS action encodes a mail's content.
    pub enum ContentEncoding {
        /// As text; bytes that are no UTF-8 are lost.
        Utf8 = "UTF-8",
        /// Base64 of the raw bytes.
        Base64 = "BASE64",
    }
}

open_enum! {
    /// How SES invokes the function.
    pub enum InvocationType {
        /// SES waits up to 30 seconds for a disposition.
        RequestResponse = "RequestResponse",
        /// SES does not wait; Lambda retries.
        Event = "Event",
    }
}

/// A raw message as the SNS action sends it (up to 150 KB).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The text on the wire.
    pub text: String,
    /// How it is encoded.
    pub encoding: ContentEncoding,
}

/// The content is not what its encoding says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// Not base64.
    #[error("content is not valid base64")]
    NotBase64,
    /// An encoding this version does not know.
    #[error("content has the unknown encoding {0}")]
    UnknownEncoding(String),
}

impl Content {
    /// The raw message.
    ///
    /// # Errors
    /// When the content does not fit its encoding, or the encoding is unknown.
    pub fn bytes(&self) -> Result<Vec<u8>, ContentError> {
        match &self.encoding {
            ContentEncoding::Utf8 => Ok(self.text.clone().into_bytes()),
            ContentEncoding::Base64 => {
                mail_parser::decoders::base64::base64_decode(self.text.as_bytes()).ok_or(ContentError::NotBase64)
            }
            ContentEncoding::Other(name) => Err(ContentError::UnknownEncoding(name.clone())),
        }
    }
}
