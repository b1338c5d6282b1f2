//! Who hears of what: routes, by the parties of a notification.

use std::collections::BTreeSet;

use notification_model::{AccountId, Identity};

/// One entry of the routing table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    /// Its name in `postroom.toml`, for people and for the reason given.
    pub name: String,
    /// Whose notifications. What a sender cannot influence.
    pub parties: PartyMatch,
    /// Narrows the match by what the sender may influence; never widens it.
    pub only: Narrowing,
    /// Who hears.
    pub target: Target,
    /// What they may see.
    pub view: View,
}

/// The parties a route is about; at least one of `owner` and `account` is set. `None` matches anyone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartyMatch {
    /// The identity owner.
    pub owner: Option<AccountId>,
    /// The sending account.
    pub account: Option<AccountId>,
    /// The identity, or the domain of the identities; needs `owner`.
    pub identity: Option<Identity>,
}

/// Conditions on a notification's own words; an empty set is no condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Narrowing {
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
pub enum View {
    /// All of it, as SES sent it.
    Full,
    /// What happened and to whom; no headers, no other recipients, no tags but SES's own, no IP addresses or callers.
    Redacted,
}
