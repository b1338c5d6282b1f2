//! Decides who receives a notification. Pure: no clock, no environment, no AWS, and it cannot fail.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::Notification;
use serde_json::json;
use store::{Redaction, Route, RouteFilter, Target};

use crate::action::{Action, Unrouted, UnroutedReason};
use crate::delivery::Delivery;
use crate::digest::DigestItem;
use crate::grants::{describe_grant, first_per_target, granted, target_key};
use crate::idempotency::notification_key;
use crate::own_notification::OwnIdentity;
use crate::ownership::{Ownership, UnidentifiedAccounts};
use crate::received::Received;
use crate::redaction::redacted;

/// What a decision depends on besides the notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The accounts and the identity of the notification.
    pub ownership: Result<Ownership, UnidentifiedAccounts>,
    /// The routes under the keys of the ownership.
    pub routes: Vec<Route>,
}

/// Returns one delivery for every target of every matching route, or one message to the `unrouted` topic.
///
/// When several routes have the same target, the most specific one determines the redaction. Among equally specific ones
/// the notification is redacted if any of them redacts it.
#[must_use]
pub fn decide(received: &Received, facts: &Facts, own_identity: &OwnIdentity) -> Vec<Action> {
    match matching_routes(received, facts, own_identity) {
        Ok((ownership, routes)) => first_per_target(routes)
            .map(|route| Action::Deliver(delivery(received, ownership, route)))
            .collect(),
        Err((reason, explanation)) => {
            let ownership = facts.ownership.as_ref().ok();
            vec![Action::Unrouted(unrouted(received, ownership, reason, explanation))]
        }
    }
}

/// Returns the routes that match, or why none does.
fn matching_routes<'a>(
    received: &Received,
    facts: &'a Facts,
    own_identity: &OwnIdentity,
) -> Result<(&'a Ownership, Vec<&'a Route>), (UnroutedReason, String)> {
    let ownership = facts
        .ownership
        .as_ref()
        .map_err(|error| (UnroutedReason::UnidentifiedAccounts, error.to_string()))?;
    let mut routes = granted(&ownership.route_keys(), &facts.routes);
    if routes.is_empty() {
        let explanation = "no route matches its owner, sending account and identity";
        return Err((UnroutedReason::NoRoute, explanation.to_owned()));
    }
    routes.retain(|route| matches_filter(&route.filter, ownership, &received.notification));
    if routes.is_empty() {
        let explanation = "the routes of its accounts select other events, configuration sets or tenants";
        return Err((UnroutedReason::NotWanted, explanation.to_owned()));
    }
    // A digest that reports the bounce of a digest could bounce as well, and so on.
    if own_identity.sent(&received.notification.mail) {
        routes.retain(|route| !matches!(route.target, Target::Email(_)));
    }
    if routes.is_empty() {
        let explanation = "it is about a digest, and only routes to mail addresses match";
        return Err((UnroutedReason::OwnNotification, explanation.to_owned()));
    }
    Ok((ownership, routes))
}

fn matches_filter(filter: &RouteFilter, ownership: &Ownership, notification: &Notification) -> bool {
    let selects = |names: &BTreeSet<String>, name: Option<&str>| {
        names.is_empty() || name.is_some_and(|name| names.contains(name))
    };
    let normalised = |name: &str| name.replace([' ', '-', '_'], "").to_ascii_lowercase();
    let event = normalised(notification.event.name());
    selects(&filter.configuration_sets, ownership.configuration_set.as_deref())
        && selects(&filter.tenants, ownership.tenant.as_deref())
        && (filter.events.is_empty() || filter.events.iter().any(|selected| normalised(selected) == event))
}

fn delivery(received: &Received, ownership: &Ownership, route: &Route) -> Delivery {
    let key = notification_key(received, &target_key(&route.target));
    let mut attributes = attributes(&received.notification, Some(ownership));
    attributes.insert("route".to_owned(), route.name.clone());
    attributes.insert("idempotencyKey".to_owned(), key.clone());
    let body = match (&route.target, route.redaction) {
        (Target::Email(_), redaction) => DigestItem::new(&received.notification, ownership, redaction).to_text(),
        (_, Redaction::None) => received.payload.clone(),
        (_, Redaction::Standard) => redacted(&received.notification).to_string(),
    };
    Delivery {
        target: route.target.clone(),
        key,
        reason: describe_grant(route),
        attributes,
        body,
    }
}

fn unrouted(
    received: &Received,
    ownership: Option<&Ownership>,
    reason: UnroutedReason,
    explanation: String,
) -> Unrouted {
    let mut attributes = attributes(&received.notification, ownership);
    attributes.insert("reason".to_owned(), reason.as_str().to_owned());
    Unrouted {
        reason,
        explanation,
        attributes,
        body: received.payload.clone(),
    }
}

fn attributes(notification: &Notification, ownership: Option<&Ownership>) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::from([("type".to_owned(), notification.event.name().to_owned())]);
    let Some(ownership) = ownership else { return attributes };
    let values = [
        ("owner", Some(ownership.owner.to_string())),
        ("sendingAccount", Some(ownership.account.to_string())),
        ("identity", Some(ownership.identity.to_string())),
        ("configurationSet", ownership.configuration_set.clone()),
        ("tenant", ownership.tenant.clone()),
        ("delegated", Some(json!(ownership.delegated()).to_string())),
    ];
    let values = values
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    attributes.extend(values.filter(|(_, value)| !value.is_empty()));
    attributes
}
