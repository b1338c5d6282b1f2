//! The `mail` object: the message that a notification is about.
//!
//! See [the mail object](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#mail-object) and, for
//! events, [event data](https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{EmailAddress, normalise_domain};
use crate::arn::{AccountId, IdentityArn};
use crate::de;

/// The message that a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// When SES accepted the message.
    #[serde(deserialize_with = "crate::timestamp::required")]
    pub timestamp: Timestamp,
    /// The SES message id, which is not the `Message-ID` header.
    pub message_id: String,
    /// `MAIL FROM` or `From` as the sender wrote it. May have a display name, and may not be an address.
    #[serde(default)]
    pub source: Option<String>,
    /// The identity that the message was sent from. Its account is the identity owner.
    #[serde(default)]
    pub source_arn: Option<IdentityArn>,
    /// The sending account: the identity owner or a delegate sender.
    #[serde(default)]
    pub sending_account_id: Option<AccountId>,
    /// The IP address of the client of the API call or SMTP session.
    #[serde(default)]
    pub source_ip: Option<String>,
    /// The IAM identity of the sender.
    #[serde(default)]
    pub caller_identity: Option<String>,
    /// All recipients of the message, not only those of the event. For inbound mail, the recipients in its headers.
    #[serde(default, deserialize_with = "de::or_default")]
    pub destination: Vec<String>,
    /// All headers in order. Empty unless original headers are enabled.
    #[serde(default, deserialize_with = "de::or_default")]
    pub headers: Vec<Header>,
    /// Whether SES truncated the headers at 10 KB.
    #[serde(default)]
    pub headers_truncated: Option<bool>,
    /// Common headers by name. Absent unless original headers are enabled.
    #[serde(default)]
    pub common_headers: Option<CommonHeaders>,
    /// Message tags of the sender and of SES (`ses:...`). Only with a configuration set.
    #[serde(default, deserialize_with = "de::map_of_lists")]
    pub tags: BTreeMap<String, Vec<String>>,
}

impl Mail {
    /// Returns the first value of a message tag, unless it is empty.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags
            .get(name)?
            .first()
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns the SES tenant, from the tag `ses:tenant-name`.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tag("ses:tenant-name")
    }

    /// Returns the configuration set, from the tag `ses:configuration-set`.
    #[must_use]
    pub fn configuration_set(&self) -> Option<&str> {
        self.tag("ses:configuration-set")
    }

    /// Returns the address in `source`.
    #[must_use]
    pub fn source_address(&self) -> Option<EmailAddress> {
        self.source.as_deref().and_then(EmailAddress::parse)
    }

    /// Returns the normalised domain of the identity, or else of the tag `ses:from-domain`, or else of `source`. The last two
    /// are not verified by SES.
    #[must_use]
    pub fn sending_domain(&self) -> Option<String> {
        let identity = self.source_arn.as_ref().map(|arn| arn.identity().domain().to_owned());
        identity
            .or_else(|| self.tag("ses:from-domain").map(normalise_domain))
            .or_else(|| self.source_address()?.domain().map(str::to_owned))
    }

    /// Returns whether a delegate sender sent the message. `None` if the owner or the sending account is unknown.
    #[must_use]
    pub fn is_delegated(&self) -> Option<bool> {
        Some(self.source_arn.as_ref()?.owner() != self.sending_account_id.as_ref()?)
    }

    /// Returns the first value of a header. The case of the name is ignored.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The name as written.
    pub name: String,
    /// The unfolded value. Encoded words are not decoded.
    #[serde(default, deserialize_with = "de::or_default")]
    pub value: String,
}

/// Common headers as written. An element may contain a comma-separated list, so read addresses with
/// [`EmailAddress::parse_list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommonHeaders {
    /// `From`
    #[serde(deserialize_with = "de::one_or_many")]
    pub from: Vec<String>,
    /// `Sender`
    pub sender: Option<String>,
    /// `Reply-To`
    #[serde(deserialize_with = "de::one_or_many")]
    pub reply_to: Vec<String>,
    /// `To`. Empty for a message with Bcc recipients only.
    #[serde(deserialize_with = "de::one_or_many")]
    pub to: Vec<String>,
    /// `Cc`
    #[serde(deserialize_with = "de::one_or_many")]
    pub cc: Vec<String>,
    /// `Bcc`
    #[serde(deserialize_with = "de::one_or_many")]
    pub bcc: Vec<String>,
    /// `Return-Path` (inbound)
    pub return_path: Option<String>,
    /// `Date`, as written
    pub date: Option<String>,
    /// `Message-ID`. SES may add a leading space.
    pub message_id: Option<String>,
    /// `Subject`
    pub subject: Option<String>,
}
