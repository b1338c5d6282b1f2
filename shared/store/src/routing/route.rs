//! Who hears of what: routes, by the parties of a notification.
//!
//! All routes about the same parties share one row, so that every route a notification could match is among at most
//! seven keys ([`RouteKey::candidates`]): one BatchGetItem, and a row that is missing says something too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::{AccountId, Identity};

use crate::client::{Store, StoreError};
use crate::item::{Item, s, text};

/// One entry of the routing table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    /// Its name in `postroom.toml`, for people and for the reason given.
    pub name: String,
    /// Whose notifications. What a sender cannot influence.
    pub senders: SenderMatch,
    /// Narrows the match by what the sender may influence; never widens it.
    pub filter: RouteFilter,
    /// Who hears.
    pub target: Target,
    /// What they may see.
    pub redaction: Redaction,
}

/// The parties a route is about; at least one of `owner` and `account` is set. `None` matches anyone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderMatch {
    /// The identity owner.
    pub owner: Option<AccountId>,
    /// The sending account.
    pub account: Option<AccountId>,
    /// The identity, or the domain of the identities; needs `owner`.
    pub identity: Option<Identity>,
}

/// Conditions on a notification's own words; an empty set is no condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteFilter {
    /// Names of configuration sets.
    pub configuration_sets: BTreeSet<String>,
    /// Names of tenants.
    pub tenants: BTreeSet<String>,
    /// Event types as SES spells them: `Bounce`, `Rendering Failure`, ...
    pub events: BTreeSet<String>,
}

/// Where a notification is taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// An SNS topic, by ARN.
    Topic(String),
    /// An SQS queue, by ARN.
    Queue(String),
    /// An EventBridge bus, by ARN.
    Bus(String),
    /// A person, by address, in digests.
    Email(String),
}

/// What a target may see of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Redaction {
    /// The notification as SES sent it.
    None,
    /// What happened and to whom. No headers, no other recipients, no tags except SES's own, no IP addresses or callers.
    Standard,
}

/// The parties under which routes are kept. In text `OWNER#ACCOUNT#IDENTITY`, with `*` for anyone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteKey(SenderMatch);

/// These parties are nobody's to route by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSenderMatch {
    /// Everyone's notifications are nobody's business.
    #[error("expected an owner, a sending account, or both")]
    NoParty,
    /// An identity of any owner would let whoever verifies a name like it in.
    #[error("expected an owner beside the identity")]
    IdentityWithoutOwner,
}

impl RouteKey {
    /// The key of these senders.
    ///
    /// # Errors
    /// When they name neither owner nor account, or an identity without its owner.
    pub fn new(senders: SenderMatch) -> Result<Self, InvalidSenderMatch> {
        match (&senders.owner, &senders.account, &senders.identity) {
            (None, _, Some(_)) => Err(InvalidSenderMatch::IdentityWithoutOwner),
            (None, None, None) => Err(InvalidSenderMatch::NoParty),
            _ => Ok(Self(senders)),
        }
    }

    /// Every key under which routes for a notification can be, from the most to the least specific.
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

    fn pk(&self) -> String {
        format!("ROUTE#{self}")
    }

    /// The key without the local part of an address.
    fn for_log(&self) -> String {
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

impl fmt::Display for Target {
    /// `topic:ARN`, `queue:ARN`, `bus:ARN` or `email:ADDRESS`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, place) = match self {
            Self::Topic(arn) => ("topic", arn),
            Self::Queue(arn) => ("queue", arn),
            Self::Bus(arn) => ("bus", arn),
            Self::Email(address) => ("email", address),
        };
        write!(f, "{kind}:{place}")
    }
}

/// The text is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a target: topic:ARN, queue:ARN, bus:ARN or email:ADDRESS")]
pub struct InvalidTarget;

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        match text.split_once(':') {
            Some((_, "")) => Err(InvalidTarget),
            Some(("topic", arn)) => Ok(Self::Topic(arn.to_owned())),
            Some(("queue", arn)) => Ok(Self::Queue(arn.to_owned())),
            Some(("bus", arn)) => Ok(Self::Bus(arn.to_owned())),
            Some(("email", address)) => Ok(Self::Email(address.to_owned())),
            _ => Err(InvalidTarget),
        }
    }
}

impl Store {
    /// The routes under these keys; a key without routes is absent. One request for 100 keys.
    ///
    /// # Errors
    /// When DynamoDB fails, or when a row holds a route this version cannot read: leaving that route out would keep a
    /// notification from a party without anyone noticing.
    pub async fn routes_for(&self, keys: &[RouteKey]) -> Result<BTreeMap<RouteKey, Vec<Route>>, StoreError> {
        let pks: Vec<String> = keys.iter().map(RouteKey::pk).collect();
        let rows = self.get_rows(&pks, "TARGETS").await?;
        let mut found = BTreeMap::new();
        for key in keys {
            let Some(row) = rows.get(&key.pk()) else { continue };
            let routes = read_routes(key, row)
                .map_err(|problem| self.broken("BatchGetItem", format!("routes of {}: {problem}", key.for_log())))?;
            found.insert(key.clone(), routes);
        }
        Ok(found)
    }

    /// Replaces the routes of a key; none removes the row.
    ///
    /// # Errors
    /// When DynamoDB fails, or when a route is about other parties than the key.
    pub async fn put_routes(&self, key: &RouteKey, routes: &[Route]) -> Result<(), StoreError> {
        if let Some(stray) = routes.iter().find(|route| route.senders != key.0) {
            return Err(self.broken(
                "PutItem",
                format!("route {} is about other parties than {}", stray.name, key.for_log()),
            ));
        }
        if routes.is_empty() {
            return self.delete_routes(key).await;
        }
        self.put(Item::from([
            ("pk".to_owned(), s(key.pk())),
            ("sk".to_owned(), s("TARGETS")),
            (
                "routes".to_owned(),
                AttributeValue::L(routes.iter().map(write_route).collect()),
            ),
            ("listKey".to_owned(), s("ROUTES")),
            ("listSort".to_owned(), s(key.to_string())),
        ]))
        .await
    }

    /// Removes the routes of a key.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn delete_routes(&self, key: &RouteKey) -> Result<(), StoreError> {
        self.delete(&key.pk(), "TARGETS").await
    }

    /// The whole routing table, for people. Reads the index, which may be a second behind.
    ///
    /// # Errors
    /// As [`routes_for`](Self::routes_for).
    pub async fn all_routes(&self) -> Result<Vec<Route>, StoreError> {
        let listed = self.listed("ROUTES", "~").await?;
        let keys: Vec<RouteKey> = listed
            .iter()
            .filter_map(|row| text(row, "listSort")?.parse().ok())
            .collect();
        Ok(self.routes_for(&keys).await?.into_values().flatten().collect())
    }
}

/// The parties are the row's key, so a route cannot stand under parties it is not about.
fn write_route(route: &Route) -> AttributeValue {
    let redaction = match route.redaction {
        Redaction::None => "none",
        Redaction::Standard => "standard",
    };
    let mut map = Item::from([
        ("name".to_owned(), s(&route.name)),
        ("target".to_owned(), s(route.target.to_string())),
        ("redaction".to_owned(), s(redaction)),
    ]);
    let conditions = [
        ("configurationSets", &route.filter.configuration_sets),
        ("tenants", &route.filter.tenants),
        ("events", &route.filter.events),
    ];
    for (name, words) in conditions {
        if !words.is_empty() {
            map.insert(name.to_owned(), AttributeValue::Ss(words.iter().cloned().collect()));
        }
    }
    AttributeValue::M(map)
}

fn read_routes(key: &RouteKey, row: &Item) -> Result<Vec<Route>, String> {
    let routes = row
        .get("routes")
        .and_then(|value| value.as_l().ok())
        .ok_or("expected a list")?;
    let read = routes.iter().enumerate().map(|(index, value)| {
        let route = value.as_m().ok().ok_or("expected a map");
        route
            .and_then(|map| read_route(key, map))
            .map_err(|problem| format!("route {}: {problem}", index + 1))
    });
    read.collect()
}

fn read_route(key: &RouteKey, map: &Item) -> Result<Route, &'static str> {
    // A condition that could not be read must not widen the route by being left out.
    let words = |name: &str| match map.get(name) {
        None => Ok(BTreeSet::new()),
        Some(AttributeValue::Ss(words)) => Ok(words.iter().cloned().collect()),
        Some(_) => Err("expected conditions to be sets of strings"),
    };
    Ok(Route {
        name: text(map, "name").ok_or("expected a name")?.to_owned(),
        senders: key.0.clone(),
        filter: RouteFilter {
            configuration_sets: words("configurationSets")?,
            tenants: words("tenants")?,
            events: words("events")?,
        },
        target: text(map, "target")
            .and_then(|target| target.parse().ok())
            .ok_or("expected a target: topic:ARN, queue:ARN, bus:ARN or email:ADDRESS")?,
        redaction: match text(map, "redaction") {
            Some("none") => Redaction::None,
            Some("standard") => Redaction::Standard,
            _ => return Err("expected the redaction none or standard"),
        },
    })
}
