//! Decides who receives an alert. Pure.
//!
//! The accounts of an alert are the identity owner and the sending account of its sender. A route that grants their
//! notifications grants their alerts. An alert is about all mail of a sender, so a route that is limited to configuration
//! sets or tenants does not match: the alert would disclose the figures of the others. A route that lists events matches
//! when `Alert` is among them.

use std::collections::BTreeMap;

use notification_model::{AccountId, Identity};
use serde_json::json;
use store::{Route, RouteFilter, RouteKey, SenderMatch};

use crate::action::{Action, Unrouted, UnroutedReason};
use crate::alert::{ALERT, ALERT_ID, Alert};
use crate::delivery::Delivery;
use crate::grants::{describe_grant, first_per_target, granted, target_key};
use crate::idempotency::alert_key;

/// Returns the keys of the routes that can match an alert, from the most to the least specific. Empty when the sending
/// account is unknown. When only the owner is unknown, SES has confirmed nothing but the sending account.
#[must_use]
pub fn route_keys(alert: &Alert) -> Vec<RouteKey> {
    let Ok(account) = alert.account.parse::<AccountId>() else {
        return Vec::new();
    };
    if let Ok(owner) = alert.owner.parse::<AccountId>() {
        return RouteKey::candidates(&owner, &account, &Identity::from(alert.identity.as_str()));
    }
    let only_account = SenderMatch {
        owner: None,
        account: Some(account),
        identity: None,
    };
    RouteKey::new(only_account).into_iter().collect()
}

/// Returns one delivery for every target of every matching route, or one message to the `unrouted` topic.
#[must_use]
pub fn decide_alert(alert: &Alert, routes: &[Route]) -> Vec<Action> {
    match matching_routes(alert, routes) {
        Ok(routes) => first_per_target(routes)
            .map(|route| Action::Deliver(delivery(alert, route)))
            .collect(),
        Err((reason, explanation)) => vec![Action::Unrouted(unrouted(alert, reason, explanation))],
    }
}

/// Returns the routes that match, or why none does.
fn matching_routes<'a>(alert: &Alert, routes: &'a [Route]) -> Result<Vec<&'a Route>, (UnroutedReason, &'static str)> {
    let keys = route_keys(alert);
    if keys.is_empty() {
        return Err((UnroutedReason::UnidentifiedAccounts, "its sending account is unknown"));
    }
    let mut routes = granted(&keys, routes);
    if routes.is_empty() {
        let explanation = "no route matches its owner, sending account and identity";
        return Err((UnroutedReason::NoRoute, explanation));
    }
    routes.retain(|route| matches_filter(&route.filter));
    if routes.is_empty() {
        let explanation = "the routes of its accounts select events without Alert, or configuration sets or tenants";
        return Err((UnroutedReason::NotWanted, explanation));
    }
    Ok(routes)
}

fn matches_filter(filter: &RouteFilter) -> bool {
    let selects_alerts = filter.events.iter().any(|event| event.eq_ignore_ascii_case(ALERT));
    filter.configuration_sets.is_empty() && filter.tenants.is_empty() && (filter.events.is_empty() || selects_alerts)
}

fn delivery(alert: &Alert, route: &Route) -> Delivery {
    let key = alert_key(alert, &target_key(&route.target));
    let mut attributes = attributes(alert);
    attributes.insert("route".to_owned(), route.name.clone());
    attributes.insert("idempotencyKey".to_owned(), key.clone());
    Delivery {
        target: route.target.clone(),
        key,
        reason: describe_grant(route),
        attributes,
        // An alert contains no header and no recipient, so there is nothing to redact.
        body: alert.body.clone(),
    }
}

fn unrouted(alert: &Alert, reason: UnroutedReason, explanation: &str) -> Unrouted {
    let mut attributes = attributes(alert);
    attributes.insert("reason".to_owned(), reason.as_str().to_owned());
    Unrouted {
        reason,
        explanation: explanation.to_owned(),
        attributes,
        body: alert.body.clone(),
    }
}

fn attributes(alert: &Alert) -> BTreeMap<String, String> {
    let values = [
        ("type", ALERT.to_owned()),
        ("alertType", alert.kind.clone()),
        (ALERT_ID, alert.id.clone()),
        ("owner", alert.owner.clone()),
        ("sendingAccount", alert.account.clone()),
        ("identity", alert.identity.clone()),
        ("delegated", json!(alert.owner != alert.account).to_string()),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}
