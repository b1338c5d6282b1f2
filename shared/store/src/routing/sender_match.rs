//! Which senders a route, threshold or lookup is about.

use std::fmt;
use std::str::FromStr;

use notification_model::{AccountId, Identity};

/// The senders that a route is about. `None` matches any value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderMatch {
    /// The account of the identity owner.
    pub owner: Option<AccountId>,
    /// The sending account.
    pub account: Option<AccountId>,
    /// The identity. A domain also matches the addresses of the domain.
    pub identity: Option<Identity>,
}

/// The key of the routes about the same senders: an owner, an account, or both, and with an owner also an identity. In text
/// `OWNER#ACCOUNT#IDENTITY`, with `*` for any.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteKey(SenderMatch);

/// Senders that no route may be about, because the route would match the notifications of other accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSenderMatch {
    /// Neither owner nor account: the route would match every notification.
    #[error("expected an owner, a sending account, or both")]
    NoAccount,
    /// An identity without its owner: the route would match every account that verifies the same identity.
    #[error("expected an owner beside the identity")]
    IdentityWithoutOwner,
}

impl RouteKey {
    /// Creates the key of these senders.
    ///
    /// # Errors
    /// When they have neither owner nor account, or an identity without its owner.
    pub fn new(senders: SenderMatch) -> Result<Self, InvalidSenderMatch> {
        match (&senders.owner, &senders.account, &senders.identity) {
            (None, _, Some(_)) => Err(InvalidSenderMatch::IdentityWithoutOwner),
            (None, None, None) => Err(InvalidSenderMatch::NoAccount),
            _ => Ok(Self(senders)),
        }
    }

    /// Returns the keys of all routes that can match a notification, from the most to the least specific. At most seven, so
    /// that one BatchGetItem request reads them.
    ///
    /// ```
    /// use store::RouteKey;
    /// use notification_model::Identity;
    ///
    /// let keys = RouteKey::candidates(&"111122223333".parse()?, &"222233334444".parse()?, &Identity::from("shop.example"));
    /// let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    /// assert_eq!(keys, [
    ///     "111122223333#222233334444#shop.example",
    ///     "111122223333#222233334444#*",
    ///     "111122223333#*#shop.example",
    ///     "111122223333#*#*",
    ///     "*#222233334444#*",
    /// ]);
    /// # Ok::<(), notification_model::InvalidAccountId>(())
    /// ```
    #[must_use]
    pub fn candidates(owner: &AccountId, account: &AccountId, identity: &Identity) -> Vec<Self> {
        let mut identities = vec![identity.clone()];
        if let Identity::Address(_) = identity {
            identities.push(Identity::Domain(identity.domain().to_owned()));
        }
        let mut keys = Vec::new();
        for account in [Some(account), None] {
            for identity in identities.iter().map(Some).chain([None]) {
                keys.push(Self(SenderMatch {
                    owner: Some(owner.clone()),
                    account: account.cloned(),
                    identity: identity.cloned(),
                }));
            }
        }
        keys.push(Self(SenderMatch {
            owner: None,
            account: Some(account.clone()),
            identity: None,
        }));
        keys
    }

    /// The senders.
    #[must_use]
    pub fn sender_match(&self) -> &SenderMatch {
        &self.0
    }

    pub(super) fn pk(&self) -> String {
        format!("ROUTE#{self}")
    }

    /// The key for error messages, without the local part of an address.
    pub(super) fn without_local_part(&self) -> String {
        let text = self.to_string();
        match (&self.0.identity, text.rsplit_once('@')) {
            (Some(Identity::Address(_)), Some((_, domain))) => {
                let senders: Vec<&str> = text.split('#').take(2).collect();
                format!("{}#...@{domain}", senders.join("#"))
            }
            _ => text,
        }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = |account: &'_ Option<AccountId>| account.as_ref().map_or("*", AccountId::as_str).to_owned();
        let identity = self.0.identity.as_ref().map_or("*", Identity::as_str);
        write!(f, "{}#{}#{identity}", account(&self.0.owner), account(&self.0.account))
    }
}

impl FromStr for RouteKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '#');
        let (Some(owner), Some(account), Some(identity)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("expected OWNER#ACCOUNT#IDENTITY".to_owned());
        };
        let account_or_any = |text: &str| match text {
            "*" => Ok(None),
            digits => digits
                .parse()
                .map(Some)
                .map_err(|_| "expected a 12-digit account id or *".to_owned()),
        };
        Self::new(SenderMatch {
            owner: account_or_any(owner)?,
            account: account_or_any(account)?,
            identity: (identity != "*").then(|| Identity::from(identity)),
        })
        .map_err(|error| error.to_string())
    }
}
