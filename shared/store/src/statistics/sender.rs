//! The sender of a message and its sending stream.

use std::fmt;
use std::str::FromStr;

use notification_model::Mail;

use crate::item::{Item, text};

/// A sender: the identity owner, the sending account (another one for a delegate sender) and the identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sender {
    /// The account id of the identity owner. `-` if SES does not report it.
    pub owner: String,
    /// The id of the sending account. `-` if SES does not report it.
    pub account: String,
    /// The identity. `unverified:DOMAIN` if only the message itself names the domain, `-` if nothing does.
    pub identity: String,
}

impl Sender {
    /// Returns the sender of a message.
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

/// A text is not a sender: it does not have three parts separated by `/`.
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

/// The configuration set and tenant within a sender, as far as the notification reports them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendingStream {
    /// The configuration set.
    pub configuration_set: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
}

impl SendingStream {
    /// Returns the sending stream of a message.
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
