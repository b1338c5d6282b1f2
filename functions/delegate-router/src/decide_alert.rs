//! Decides who receives an alert. Pure.
//!
//! The accounts of an alert are the identity owner and the sending account of its sender. A route that grants their
//! notifications grants their alerts. An alert is about all mail of a sender, so a route that is limited to configuration
//! sets or tenants does not match: the alert would disclose the figures of the others. A route that lists events matches
//! when `Alert` is among them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use notification_model::{AccountId, Identity};
use serde_json::json;
use siphasher::sip128::{Hasher128, SipHasher13};
use store::{Route, RouteFilter, RouteKey, SenderMatch};

use crate::alert::{ALERT, ALERT_ID, Alert};
use crate::decide::{Action, Unrouted, UnroutedReason, granted, reason, target_key};
use crate::delivery::Delivery;

/// The keys of the routes that can match an alert, from the most to the least specific. Empty when the sending account is
/// unknown. When only the owner is unknown, SES has confirmed nothing but the sending account.
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

/// One delivery for every target of every matching route, or one message to the `unrouted` topic.
#[must_use]
pub fn decide_alert(alert: &Alert, routes: &[Route]) -> Vec<Action> {
    let keys = route_keys(alert);
    if keys.is_empty() {
        let because = "it does not tell the sending account";
        return vec![unrouted(alert, UnroutedReason::UnidentifiedAccounts, because)];
    }
    let mut routes = granted(&keys, routes);
    if routes.is_empty() {
        let because = "no route is about its owner, sending account and identity";
        return vec![unrouted(alert, UnroutedReason::NoRoute, because)];
    }
    routes.retain(|route| wants(&route.filter));
    if routes.is_empty() {
        let because = "the routes about its ownership ask for events other than Alert, or for a part of the mail";
        return vec![unrouted(alert, UnroutedReason::NotWanted, because)];
    }
    let mut told = BTreeSet::new();
    routes
        .into_iter()
        .filter(|route| told.insert(target_key(&route.target)))
        .map(|route| Action::Deliver(deliver(alert, route)))
        .collect()
}

fn wants(only: &RouteFilter) -> bool {
    let listed = only.events.iter().any(|event| event.eq_ignore_ascii_case(ALERT));
    only.configuration_sets.is_empty() && only.tenants.is_empty() && (only.events.is_empty() || listed)
}

fn deliver(alert: &Alert, route: &Route) -> Delivery {
    let key = idempotency_key(alert, &target_key(&route.target));
    let mut attributes = attributes(alert);
    attributes.insert("route".to_owned(), route.name.clone());
    attributes.insert("idempotencyKey".to_owned(), key.clone());
    Delivery {
        target: route.target.clone(),
        key,
        reason: reason(route),
        attributes,
        // It holds no header and no recipient: every view shows all of it.
        body: alert.body.clone(),
    }
}

/// A hash, because the alert's id may be longer than what a FIFO queue takes.
fn idempotency_key(alert: &Alert, target_key: &str) -> String {
    let mut hasher = SipHasher13::new();
    for part in [alert.id.as_str(), target_key] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    let hash = hasher.finish128();
    format!("alert-{:016x}{:016x}", hash.h1, hash.h2)
}

fn attributes(alert: &Alert) -> BTreeMap<String, String> {
    let known = [
        ("type", ALERT.to_owned()),
        ("alertType", alert.kind.clone()),
        (ALERT_ID, alert.id.clone()),
        ("owner", alert.owner.clone()),
        ("sendingAccount", alert.account.clone()),
        ("identity", alert.identity.clone()),
        ("delegated", json!(alert.owner != alert.account).to_string()),
    ];
    known.map(|(name, value)| (name.to_owned(), value)).into()
}

fn unrouted(alert: &Alert, reason: UnroutedReason, because: &str) -> Action {
    let mut attributes = attributes(alert);
    attributes.insert("reason".to_owned(), reason.as_str().to_owned());
    Action::Unrouted(Unrouted {
        reason,
        because: because.to_owned(),
        attributes,
        body: alert.body.clone(),
    })
}
