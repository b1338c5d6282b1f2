//! What the router does with a notification or an alert.

use std::collections::BTreeMap;

use crate::delivery::Delivery;

/// An action. It may run twice, and in any order with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Delivers to a target.
    Deliver(Delivery),
    /// Publishes to the `unrouted` topic.
    Unrouted(Unrouted),
}

/// A notification or alert that no target receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrouted {
    /// The reason, for metrics and filter policies.
    pub reason: UnroutedReason,
    /// The reason in a sentence.
    pub explanation: String,
    /// Message attributes, as of a delivery, as far as the accounts are known.
    pub attributes: BTreeMap<String, String>,
    /// The SES notification as received, or the alert in JSON.
    pub body: String,
}

/// Why no target receives a notification or alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnroutedReason {
    /// Its identity owner or sending account cannot be determined.
    UnidentifiedAccounts,
    /// No route matches its accounts.
    NoRoute,
    /// Routes match its accounts, but not its event, configuration set or tenant.
    NotWanted,
    /// It is about one of our digests, and only routes to mail addresses match.
    OwnNotification,
}

impl UnroutedReason {
    /// The name in metrics and message attributes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnidentifiedAccounts => "unidentified-accounts",
            Self::NoRoute => "no-route",
            Self::NotWanted => "not-wanted",
            Self::OwnNotification => "own-notification",
        }
    }
}
