//! Who hears of an alert of the watch. Pure.
//!
//! The ownership of an alert are the sender it is about, and what grants a route the one's notifications grants it the
//! alert. An alert is about all of a sender's mail, so a route that asks for some configuration sets or tenants only does
//! not get it: it would tell of the others. A route that lists events gets it when `Alert` is among them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use notification_model::{AccountId, Identity};
use reputation::Alert;
use serde_json::json;
use siphasher::sip128::{Hasher128, SipHasher13};
use store::{Route, RouteFilter, RouteKey, SenderMatch};

use crate::decide::{Action, Unrouted, UnroutedReason, granted, reason, target_key};
use crate::delivery::Delivery;

/// What an alert is called where events are listed.
pub const ALERT: &str = "Alert";

/// The attribute that only alerts have.
pub(crate) const ALERT_ID: &str = "alertId";

/// Where the routes for an alert can be, from the most to the least specific; nowhere when the sending account is not
/// known. Without an owner nothing but the sending account is vouched for.
#[must_use]
pub fn route_keys(alert: &Alert) -> Vec<RouteKey> {
    let Ok(account) = alert.sender.account.parse::<AccountId>() else {
        return Vec::new();
    };
    if let Ok(owner) = alert.sender.owner.parse::<AccountId>() {
        return RouteKey::candidates(&owner, &account, &Identity::from(alert.sender.identity.as_str()));
    }
    let only_account = SenderMatch {
        owner: None,
        account: Some(account),
        identity: None,
    };
    RouteKey::new(only_account).into_iter().collect()
}

/// Every target of every route that matches, once each, or the `unrouted` topic.
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
        body: alert.to_json().to_string(),
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
    let sender = &alert.sender;
    let known = [
        ("type", ALERT.to_owned()),
        ("alertType", alert.kind().to_owned()),
        (ALERT_ID, alert.id.clone()),
        ("owner", sender.owner.clone()),
        ("sendingAccount", sender.account.clone()),
        ("identity", sender.identity.clone()),
        ("delegated", json!(sender.owner != sender.account).to_string()),
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
        body: alert.to_json().to_string(),
    })
}
