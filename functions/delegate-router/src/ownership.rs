//! Whose notification it is: who owns the identity, and who sent. Pure.
//!
//! SES vouches for `sourceArn` and `sendingAccountId`. Where `sourceArn` is missing, the domain a message claims to come
//! from is only the sender's word, so it may pick among the identities registered for the sending account and reach no
//! further.

use notification_model::{AccountId, Identity, Mail, normalise_domain};
use store::{RegisteredIdentity, RouteKey};

/// The ownership of a notification, and what narrows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The identity owner.
    pub owner: AccountId,
    /// The sending account: the owner, or a delegate sender.
    pub account: AccountId,
    /// The identity the message was sent from.
    pub identity: Identity,
    /// The configuration set; part of the sender's choice, so it narrows and never grants.
    pub configuration_set: Option<String>,
    /// The tenant; likewise.
    pub tenant: Option<String>,
}

/// Why it cannot be told whose notification it is. Then it is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnidentifiedAccounts {
    /// Nothing to trust at all.
    #[error("no sendingAccountId")]
    NoSendingAccount,
    /// No `sourceArn`, and the rest names no domain.
    #[error("no sourceArn, and neither ses:from-domain nor source names a domain")]
    NoDomain,
    /// No `sourceArn`, and the domain is not one of the account's.
    #[error("no sourceArn, and the message's domain is not registered for the sending account")]
    NotRegistered,
    /// No `sourceArn`, and the domain is registered for the account with more than one owner.
    #[error("no sourceArn, and several owners are registered for the message's domain")]
    SeveralOwners,
}

impl Ownership {
    /// Whether another account than the identity's owner sent.
    #[must_use]
    pub fn delegated(&self) -> bool {
        self.owner != self.account
    }

    /// Where the routes of these ownership can be, from the most to the least specific.
    #[must_use]
    pub fn route_keys(&self) -> Vec<RouteKey> {
        RouteKey::candidates(&self.owner, &self.account, &self.identity)
    }
}

/// The account whose registered identities [`identify`] needs to know; `None` when it can do without.
#[must_use]
pub fn needs_registration(mail: &Mail) -> Option<&AccountId> {
    match mail.source_arn {
        Some(_) => None,
        None => mail.sending_account_id.as_ref(),
    }
}

/// The ownership of a message. `registered` are the identities of its sending account.
///
/// # Errors
/// When it cannot be told.
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

/// The registered identity that SES must have used: as in SES, the address itself goes before its domain, and a domain
/// before the domain above it. `ses:from-domain` is SES's reading of the message, so `source` only counts without it.
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
    let closeness = |identity: &Identity| match identity {
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
    let closest = registered.iter().filter_map(|one| closeness(&one.identity)).max();
    let mut found = registered
        .iter()
        .filter(|one| closest.is_some() && closeness(&one.identity) == closest);
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

    /// `IDENTITY@OWNER` in short: what is registered for the delegate.
    fn registered(list: &[(&str, &str)]) -> Vec<RegisteredIdentity> {
        let one = |(identity, owner): &(&str, &str)| RegisteredIdentity {
            identity: (*identity).into(),
            owner: owner.parse().unwrap(),
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn the_parties_are_told_or_not() {
        let arn = |name: &str| format!("arn:aws:ses:us-east-1:{OWNER}:identity/{name}");
        let tagged = |domain: &str| json!({"ses:from-domain": [domain]});
        let all = [
            ("shop.example", OWNER),
            ("mail.shop.example", OTHER_OWNER),
            ("boss@shop.example", OTHER_OWNER),
        ];
        let cases = [
            (
                "the ARN and the account say it all",
                json!({"sourceArn": arn("shop.example"), "sendingAccountId": DELEGATE}),
                vec![],
                Ok((OWNER, "shop.example", true)),
            ),
            (
                "an owner that sends by itself",
                json!({"sourceArn": arn("News@Shop.Example"), "sendingAccountId": OWNER}),
                vec![],
                Ok((OWNER, "news@shop.example", false)),
            ),
            (
                "the ARN goes before what the sender says and what is registered",
                json!({"sourceArn": arn("shop.example"), "sendingAccountId": DELEGATE, "source": "x@other.example",
                       "tags": tagged("other.example")}),
                vec![("other.example", OTHER_OWNER)],
                Ok((OWNER, "shop.example", true)),
            ),
            (
                "no account",
                json!({"sourceArn": arn("shop.example")}),
                vec![],
                Err(UnidentifiedAccounts::NoSendingAccount),
            ),
            (
                "the tag picks among the registered",
                json!({"sendingAccountId": DELEGATE, "tags": tagged("Shop.Example")}),
                all.to_vec(),
                Ok((OWNER, "shop.example", true)),
            ),
            (
                "without a tag the source does",
                json!({"sendingAccountId": DELEGATE, "source": "\"Shop <evil@other.example>\" <a@mail.shop.example>"}),
                all.to_vec(),
                Ok((OTHER_OWNER, "mail.shop.example", true)),
            ),
            (
                "an address goes before its domain",
                json!({"sendingAccountId": DELEGATE, "source": "Boss@shop.example"}),
                all.to_vec(),
                Ok((OTHER_OWNER, "boss@shop.example", true)),
            ),
            (
                "an address of another domain than the tag's does not count",
                json!({"sendingAccountId": DELEGATE, "source": "boss@shop.example", "tags": tagged("mail.shop.example")}),
                all.to_vec(),
                Ok((OTHER_OWNER, "mail.shop.example", true)),
            ),
            (
                "a domain covers those below it",
                json!({"sendingAccountId": DELEGATE, "tags": tagged("a.b.shop.example")}),
                all.to_vec(),
                Ok((OWNER, "shop.example", true)),
            ),
            (
                "a domain that only ends alike is another",
                json!({"sendingAccountId": DELEGATE, "tags": tagged("notshop.example")}),
                all.to_vec(),
                Err(UnidentifiedAccounts::NotRegistered),
            ),
            (
                "a tag that is not registered is not overruled by the source",
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
                "no domain anywhere",
                json!({"sendingAccountId": DELEGATE, "source": "postmaster"}),
                all.to_vec(),
                Err(UnidentifiedAccounts::NoDomain),
            ),
            (
                "two owners verified the domain",
                json!({"sendingAccountId": DELEGATE, "source": "a@shop.example"}),
                vec![("shop.example", OWNER), ("shop.example", OTHER_OWNER)],
                Err(UnidentifiedAccounts::SeveralOwners),
            ),
            (
                "registered twice is not two owners",
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
