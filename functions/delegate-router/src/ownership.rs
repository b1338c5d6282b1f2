//! Determines the identity owner and the sending account of a notification. Pure.
//!
//! SES determines `sourceArn` and `sendingAccountId`. Without `sourceArn` the domain of a message is a claim of the sender, so
//! it only selects among the identities that are registered for the sending account.

use notification_model::{AccountId, Identity, Mail, normalise_domain};
use store::{RegisteredIdentity, RouteKey};

/// The accounts and the identity of a notification, and what route filters select by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The identity owner.
    pub owner: AccountId,
    /// The sending account: the owner, or a delegate sender.
    pub account: AccountId,
    /// The identity the message was sent from.
    pub identity: Identity,
    /// The configuration set. The sender chooses it, so it only narrows and never grants.
    pub configuration_set: Option<String>,
    /// The tenant. The sender chooses it, so it only narrows and never grants.
    pub tenant: Option<String>,
}

/// Why the accounts of a notification cannot be determined. No target receives such a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnidentifiedAccounts {
    /// The notification has no `sendingAccountId`.
    #[error("no sendingAccountId")]
    NoSendingAccount,
    /// No `sourceArn`, and neither a tag nor `source` has a domain.
    #[error("no sourceArn, and neither ses:from-domain nor source has a domain")]
    NoDomain,
    /// No `sourceArn`, and the domain is not registered for the account.
    #[error("no sourceArn, and the message's domain is not registered for the sending account")]
    NotRegistered,
    /// No `sourceArn`, and the domain is registered for the account with more than one owner.
    #[error("no sourceArn, and several owners are registered for the message's domain")]
    SeveralOwners,
}

impl Ownership {
    /// Returns whether a delegate sent the message.
    #[must_use]
    pub fn delegated(&self) -> bool {
        self.owner != self.account
    }

    /// Returns the keys of the routes that can match, from the most to the least specific.
    #[must_use]
    pub fn route_keys(&self) -> Vec<RouteKey> {
        RouteKey::candidates(&self.owner, &self.account, &self.identity)
    }
}

/// Returns the account whose registered identities [`identify`] needs. `None` when it needs none.
#[must_use]
pub fn needs_registration(mail: &Mail) -> Option<&AccountId> {
    match mail.source_arn {
        Some(_) => None,
        None => mail.sending_account_id.as_ref(),
    }
}

/// Determines the accounts and the identity of a message. `registered` are the identities of its sending account.
///
/// # Errors
/// When they cannot be determined.
pub fn identify(mail: &Mail, registered: &[RegisteredIdentity]) -> Result<Ownership, UnidentifiedAccounts> {
    let account = mail
        .sending_account_id
        .clone()
        .ok_or(UnidentifiedAccounts::NoSendingAccount)?;
    let (owner, identity) = match &mail.source_arn {
        Some(arn) => (arn.owner().clone(), arn.identity().clone()),
        None => {
            let found = registered_identity(mail, registered)?;
            (found.owner.clone(), found.identity.clone())
        }
    };
    Ok(Ownership {
        owner,
        account,
        identity,
        configuration_set: mail.configuration_set().map(str::to_owned),
        tenant: mail.tenant().map(str::to_owned),
    })
}

/// Returns the registered identity that SES used. As in SES, an address precedes its domain, and a domain precedes its parent
/// domain. SES sets `ses:from-domain`, so `source` counts only without it.
fn registered_identity<'a>(
    mail: &Mail,
    registered: &'a [RegisteredIdentity],
) -> Result<&'a RegisteredIdentity, UnidentifiedAccounts> {
    let source = mail.source_address();
    let domain = mail
        .tag("ses:from-domain")
        .map(normalise_domain)
        .or_else(|| Some(source.as_ref()?.domain()?.to_owned()))
        .ok_or(UnidentifiedAccounts::NoDomain)?;
    let specificity = |identity: &Identity| match identity {
        Identity::Address(address) => {
            let same = source.as_ref().is_some_and(|source| source.key() == address);
            (same && identity.domain() == domain).then_some(usize::MAX)
        }
        Identity::Domain(name) => {
            let below = domain
                .strip_suffix(name.as_str())
                .is_some_and(|rest| rest.ends_with('.'));
            (domain == *name || below).then_some(name.len())
        }
    };
    let most_specific = registered
        .iter()
        .filter_map(|registered| specificity(&registered.identity))
        .max();
    let mut found = registered
        .iter()
        .filter(|registered| most_specific.is_some() && specificity(&registered.identity) == most_specific);
    let first = found.next().ok_or(UnidentifiedAccounts::NotRegistered)?;
    if found.any(|other| other.owner != first.owner) {
        return Err(UnidentifiedAccounts::SeveralOwners);
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use notification_model::Mail;
    use serde_json::{Value, json};
    use store::RegisteredIdentity;

    use super::{UnidentifiedAccounts, identify};

    const OWNER: &str = "111122223333";
    const OTHER_OWNER: &str = "999900001111";
    const DELEGATE: &str = "222233334444";

    fn mail(fields: Value) -> Mail {
        let mut mail = json!({"timestamp": "2026-03-02T08:15:30Z", "messageId": "m1"});
        let all = mail.as_object_mut().unwrap();
        all.extend(fields.as_object().unwrap().clone());
        serde_json::from_value(mail).unwrap()
    }

    /// The registered identities of the delegate, each with its owner.
    fn registered(list: &[(&str, &str)]) -> Vec<RegisteredIdentity> {
        let one = |(identity, owner): &(&str, &str)| RegisteredIdentity {
            identity: (*identity).into(),
            owner: owner.parse().unwrap(),
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn accounts_are_determined_from_the_arn_or_the_registered_identities() {
        let arn = |name: &str| format!("arn:aws:ses:us-east-1:{OWNER}:identity/{name}");
        let tagged = |domain: &str| json!({"ses:from-domain": [domain]});
        let all = [
            ("shop.example", OWNER),
            ("mail.shop.example", OTHER_OWNER),
            ("boss@shop.example", OTHER_OWNER),
        ];
        let cases = [
            (
                "with an ARN and an account",
                json!({"sourceArn": arn("shop.example"), "sendingAccountId": DELEGATE}),
                vec![],
                Ok((OWNER, "shop.example", true)),
            ),
            (
                "an owner that sends itself",
                json!({"sourceArn": arn("News@Shop.Example"), "sendingAccountId": OWNER}),
                vec![],
                Ok((OWNER, "news@shop.example", false)),
            ),
            (
                "the ARN precedes the sender's domain and the registered identities",
                json!({"sourceArn": arn("shop.example"), "sendingAccountId": DELEGATE, "source": "x@other.example",
                       "tags": tagged("other.example")}),
                vec![("other.example", OTHER_OWNER)],
                Ok((OWNER, "shop.example", true)),
            ),
            (
                "without an account",
                json!({"sourceArn": arn("shop.example")}),
                vec![],
                Err(UnidentifiedAccounts::NoSendingAccount),
            ),
            (
                "the tag selects among the registered identities",
                json!({"sendingAccountId": DELEGATE, "tags": tagged("Shop.Example")}),
                all.to_vec(),
                Ok((OWNER, "shop.example", true)),
            ),
            (
                "without a tag the source selects",
                json!({"sendingAccountId": DELEGATE, "source": "\"Shop <evil@other.example>\" <a@mail.shop.example>"}),
                all.to_vec(),
                Ok((OTHER_OWNER, "mail.shop.example", true)),
            ),
            (
                "an address precedes its domain",
                json!({"sendingAccountId": DELEGATE, "source": "Boss@shop.example"}),
                all.to_vec(),
                Ok((OTHER_OWNER, "boss@shop.example", true)),
            ),
            (
                "an address of another domain than that of the tag does not count",
                json!({"sendingAccountId": DELEGATE, "source": "boss@shop.example", "tags": tagged("mail.shop.example")}),
                all.to_vec(),
                Ok((OTHER_OWNER, "mail.shop.example", true)),
            ),
            (
                "a domain includes its subdomains",
                json!({"sendingAccountId": DELEGATE, "tags": tagged("a.b.shop.example")}),
                all.to_vec(),
                Ok((OWNER, "shop.example", true)),
            ),
            (
                "a domain with the same suffix is another domain",
                json!({"sendingAccountId": DELEGATE, "tags": tagged("notshop.example")}),
                all.to_vec(),
                Err(UnidentifiedAccounts::NotRegistered),
            ),
            (
                "the source does not replace a tag that is not registered",
                json!({"sendingAccountId": DELEGATE, "source": "a@shop.example", "tags": tagged("victim.example")}),
                all.to_vec(),
                Err(UnidentifiedAccounts::NotRegistered),
            ),
            (
                "nothing registered",
                json!({"sendingAccountId": DELEGATE, "source": "a@shop.example"}),
                vec![],
                Err(UnidentifiedAccounts::NotRegistered),
            ),
            (
                "without a domain",
                json!({"sendingAccountId": DELEGATE, "source": "postmaster"}),
                all.to_vec(),
                Err(UnidentifiedAccounts::NoDomain),
            ),
            (
                "two owners are registered for the domain",
                json!({"sendingAccountId": DELEGATE, "source": "a@shop.example"}),
                vec![("shop.example", OWNER), ("shop.example", OTHER_OWNER)],
                Err(UnidentifiedAccounts::SeveralOwners),
            ),
            (
                "the same owner is registered twice",
                json!({"sendingAccountId": DELEGATE, "source": "a@shop.example"}),
                vec![("shop.example", OWNER), ("shop.example", OWNER)],
                Ok((OWNER, "shop.example", true)),
            ),
        ];
        for (name, fields, known, expected) in cases {
            let found = identify(&mail(fields), &registered(&known));
            let found = found.as_ref().map(|ownership| {
                (
                    ownership.owner.as_str(),
                    ownership.identity.as_str(),
                    ownership.delegated(),
                )
            });
            assert_eq!(found, expected.as_ref().copied(), "{name}");
        }
    }
}
