//! The key of a mailbox: an address, a domain, or `*`.

use std::fmt;
use std::str::FromStr;

use notification_model::{EmailAddress, normalise_domain};

/// The recipients of a mailbox. As text: the address, the domain, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MailboxKey {
    /// One address, in the form of [`EmailAddress::key`].
    Address(String),
    /// Every address of a domain without a mailbox of its own. Subdomains are not included.
    Domain(String),
    /// Every other address. As text: `*`.
    CatchAll,
}

impl MailboxKey {
    /// The keys that the mailbox of a recipient can have, most specific first. The first mailbox that exists takes the mail.
    ///
    /// ```
    /// use store::MailboxKey;
    /// use notification_model::EmailAddress;
    ///
    /// let recipient = EmailAddress::parse("Sales+Spring@Shop.Example").unwrap();
    /// let keys: Vec<String> = MailboxKey::candidates(&recipient).iter().map(ToString::to_string).collect();
    /// assert_eq!(keys, ["sales+spring@shop.example", "sales@shop.example", "shop.example", "*"]);
    /// ```
    #[must_use]
    pub fn candidates(recipient: &EmailAddress) -> Vec<Self> {
        let mut keys = Vec::new();
        if let Some((local, domain)) = recipient.key().rsplit_once('@') {
            keys.push(Self::Address(recipient.key().to_owned()));
            // A plus in a quoted local part does not begin a tag.
            if let Some((untagged, _)) = local.split_once('+')
                && !untagged.is_empty()
                && !untagged.starts_with('"')
            {
                keys.push(Self::Address(format!("{untagged}@{domain}")));
            }
            keys.push(Self::Domain(domain.to_owned()));
        }
        keys.push(Self::CatchAll);
        keys
    }

    /// The partition key of the mailbox.
    pub(super) fn pk(&self) -> String {
        format!("MAILBOX#{self}")
    }

    /// The key for error messages, without the local part of an address.
    pub(super) fn redacted(&self) -> String {
        match self {
            Self::Address(address) => address
                .rsplit_once('@')
                .map_or_else(|| "...".to_owned(), |(_, domain)| format!("...@{domain}")),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for MailboxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address(text) | Self::Domain(text) => text,
            Self::CatchAll => "*",
        })
    }
}

/// The text is not an address, a domain or `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a mail address, a domain, or *")]
pub struct InvalidMailboxKey;

impl FromStr for MailboxKey {
    type Err = InvalidMailboxKey;

    fn from_str(text: &str) -> Result<Self, InvalidMailboxKey> {
        match text {
            "*" => Ok(Self::CatchAll),
            "" => Err(InvalidMailboxKey),
            _ if text.contains('@') => EmailAddress::parse(text)
                .filter(|address| !address.key().starts_with('@') && !address.key().ends_with('@'))
                .map(|address| Self::Address(address.key().to_owned()))
                .ok_or(InvalidMailboxKey),
            domain => Ok(Self::Domain(normalise_domain(domain))),
        }
    }
}
