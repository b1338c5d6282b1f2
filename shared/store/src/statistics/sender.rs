//! Who sent a message, and through which sending stream.

use std::fmt;
use std::str::FromStr;

use notification_model::Mail;

use crate::item::{Item, text};

/// Who sent: the identity owner, the sending account (another one when sending is delegated) and the identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sender {
    /// The identity owner's account id, `-` when SES did not tell.
    pub owner: String,
    /// The sending account's id, `-` when SES did not tell.
    pub account: String,
    /// The identity; `unverified:DOMAIN` when only the sender's own words tell it, `-` when nothing does.
    pub identity: String,
}

impl Sender {
    /// The sender of a message.
    #[must_use]
    pub fn of(mail: &Mail) -> Self {
        let unknown = || "-".to_owned();
        let arn = mail.source_arn.as_ref();
        let claimed = || mail.sending_domain().map(|domain| format!("unverified:{domain}"));
        Self {
            owner: arn.map_or_else(unknown, |arn| arn.owner().to_string()),
            account: mail
                .sending_account_id
                .as_ref()
                .map_or_else(unknown, ToString::to_string),
            identity: arn
                .map(|arn| arn.identity().to_string())
                .or_else(claimed)
                .unwrap_or_else(unknown),
        }
    }

    pub(super) fn pk(&self) -> String {
        format!("SENDER#{}#{}#{}", self.owner, self.account, self.identity)
    }

    pub(super) fn read(pk: &str) -> Option<Self> {
        let mut parts = pk.strip_prefix("SENDER#")?.splitn(3, '#').map(str::to_owned);
        Some(Self {
            owner: parts.next()?,
            account: parts.next()?,
            identity: parts.next()?,
        })
    }
}

/// The text is not three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a sender: OWNER/ACCOUNT/IDENTITY")]
pub struct InvalidSender;

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.owner, self.account, self.identity)
    }
}

impl FromStr for Sender {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(3, '/').collect();
        match parts.as_slice() {
            [owner, account, identity] if parts.iter().all(|part| !part.is_empty()) => Ok(Self {
                owner: (*owner).to_owned(),
                account: (*account).to_owned(),
                identity: (*identity).to_owned(),
            }),
            _ => Err(InvalidSender),
        }
    }
}

/// Within a sender: which configuration set and tenant, as far as the notification told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendingStream {
    /// The configuration set.
    pub configuration_set: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
}

impl SendingStream {
    /// The line of a message.
    #[must_use]
    pub fn of(mail: &Mail) -> Self {
        Self {
            configuration_set: mail.configuration_set().map(str::to_owned),
            tenant: mail.tenant().map(str::to_owned),
        }
    }

    pub(super) fn read(item: &Item) -> Self {
        Self {
            configuration_set: text(item, "configurationSet").map(str::to_owned),
            tenant: text(item, "tenant").map(str::to_owned),
        }
    }
}
