//! The `mail` object: the message a notification is about.
//!
//! See [the mail object](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#mail-object) and, for
//! events, [event data](https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{EmailAddress, normalise_domain};
use crate::arn::{AccountId, IdentityArn};
use crate::de;

/// The message a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// When SES accepted the message.
    #[serde(deserialize_with = "crate::timestamp::required")]
    pub timestamp: Timestamp,
    /// The id SES gave the message; not the `Message-ID` header.
    pub message_id: String,
    /// `MAIL FROM` or `From` as the sender wrote it: possibly with a display name, possibly no address at all.
    #[serde(default)]
    pub source: Option<String>,
    /// The identity the message was sent from. Its account is the identity owner. Can be absent.
    #[serde(default)]
    pub source_arn: Option<IdentityArn>,
    /// The account that sent: the owner, or a delegate sender.
    #[serde(default)]
    pub sending_account_id: Option<AccountId>,
    /// The address the API call or SMTP session came from.
    #[serde(default)]
    pub source_ip: Option<String>,
    /// The IAM identity that sent.
    #[serde(default)]
    pub caller_identity: Option<String>,
    /// Every recipient of the message, not only those the notification concerns. For inbound mail: its header recipients.
    #[serde(default, deserialize_with = "de::or_default")]
    pub destination: Vec<String>,
    /// All headers in their order; empty unless switched on.
    #[serde(default, deserialize_with = "de::or_default")]
    pub headers: Vec<Header>,
    /// Whether SES cut the headers at 10 KB.
    #[serde(default)]
    pub headers_truncated: Option<bool>,
    /// The usual headers by name; absent unless switched on.
    #[serde(default)]
    pub common_headers: Option<CommonHeaders>,
    /// Message tags, only with a configuration set: the sender's own and SES's (`ses:...`).
    #[serde(default, deserialize_with = "de::map_of_lists")]
    pub tags: BTreeMap<String, Vec<String>>,
}

impl Mail {
    /// The first value of a message tag, unless it is empty.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags
            .get(name)?
            .first()
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The SES tenant the message was sent for, from the tag `ses:tenant-name`.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tag("ses:tenant-name")
    }

    /// The configuration set, from the tag `ses:configuration-set`.
    #[must_use]
    pub fn configuration_set(&self) -> Option<&str> {
        self.tag("ses:configuration-set")
    }

    /// The sender's address, when `source` holds one.
    #[must_use]
    pub fn source_address(&self) -> Option<EmailAddress> {
        self.source.as_deref().and_then(EmailAddress::parse)
    }

    /// The normalised domain the message was sent from: of the identity, else of the tag `ses:from-domain`, else of
    /// `source`. The last two are the sender's own words.
    #[must_use]
    pub fn sending_domain(&self) -> Option<String> {
        let identity = self.source_arn.as_ref().map(|arn| arn.identity().domain().to_owned());
        identity
            .or_else(|| self.tag("ses:from-domain").map(normalise_domain))
            .or_else(|| self.source_address()?.domain().map(str::to_owned))
    }

    /// Whether an account other than the identity owner sent. `None` when one of the two is unknown.
    #[must_use]
    pub fn is_delegated(&self) -> Option<bool> {
        Some(self.source_arn.as_ref()?.owner() != self.sending_account_id.as_ref()?)
    }

    /// The first value of a header, its name compared without regard to case.
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
    /// The value, unfolded, encoded words as they are.
    #[serde(default, deserialize_with = "de::or_default")]
    pub value: String,
}

/// The usual headers, as written. Use [`EmailAddress::parse_list`]: one element may hold a comma-joined list.
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
    /// `To`; empty for a mail with Bcc recipients only.
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
    /// `Message-ID`; SES may put a space before it.
    pub message_id: Option<String>,
    /// `Subject`
    pub subject: Option<String>,
}
