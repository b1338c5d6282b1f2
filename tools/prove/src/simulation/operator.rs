//! What operators write into the table: routes, registered identities, suppressions and releases.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::EmailAddress;
use store::{
    HistoryEntry, Redaction, RegisteredIdentity, Route, RouteFilter, RouteKey, SenderMatch, Store, SuppressionEntry,
    SuppressionSource,
};

use crate::scenario::{ManualDecision, Scenario, ScenarioRoute};

/// Writes routes and registered identities.
pub(super) async fn write_configuration(store: &Store, scenario: &Scenario) {
    let mut routes_by_key: BTreeMap<RouteKey, Vec<Route>> = BTreeMap::new();
    for (number, route) in scenario.routes.iter().enumerate() {
        let route = to_route(number, route);
        let key = RouteKey::new(route.senders.clone()).expect("an owner or an account");
        routes_by_key.entry(key).or_default().push(route);
    }
    for (key, routes) in routes_by_key {
        store
            .put_routes(&key, &routes)
            .await
            .expect("no faults during configuration");
    }
    for (account, owners) in &scenario.registered_identities {
        let identities: Vec<RegisteredIdentity> = owners
            .iter()
            .map(|(domain, owner)| RegisteredIdentity {
                identity: (*domain).into(),
                owner: owner.parse().expect("an account"),
            })
            .collect();
        let account = account.parse().expect("an account");
        store
            .register_identities(&account, &identities)
            .await
            .expect("no faults during configuration");
    }
}

fn to_route(number: usize, route: &ScenarioRoute) -> Route {
    let owned = |values: &BTreeSet<&str>| values.iter().map(|value| (*value).to_owned()).collect();
    Route {
        name: format!("route-{number}"),
        senders: SenderMatch {
            owner: route.owner.map(|owner| owner.parse().expect("an account")),
            account: route.account.map(|account| account.parse().expect("an account")),
            identity: route.identity.as_deref().map(Into::into),
        },
        filter: RouteFilter {
            configuration_sets: owned(&route.configuration_sets),
            tenants: owned(&route.tenants),
            events: owned(&route.events),
        },
        target: route.target.parse().expect("a target"),
        redaction: if route.unredacted {
            Redaction::None
        } else {
            Redaction::Standard
        },
    }
}

/// Suppresses or releases an address, as `postroomctl suppression` does: history first.
pub(super) async fn decide(store: &Store, decision: &ManualDecision) {
    let address = EmailAddress::parse(decision.address).expect("an address");
    let entry = SuppressionEntry {
        at: decision.decided_at,
        id: decision.id(),
        blocked: decision.suppress,
        until: None,
        reason: "manual decision".to_owned(),
        address: decision.address.to_owned(),
        evidence: BTreeMap::new(),
    };
    let history = HistoryEntry {
        at: entry.at,
        id: entry.id.clone(),
        kind: "manual".to_owned(),
        reason: entry.reason.clone(),
        scope: decision.scope.parse().expect("a scope"),
        suppresses: entry.blocked,
        evidence: BTreeMap::new(),
        expires_at: None,
    };
    let source = if decision.suppress {
        SuppressionSource::Manual
    } else {
        SuppressionSource::Released
    };
    store
        .append_history(&address, &history)
        .await
        .expect("no faults during a manual decision");
    store
        .record_suppression(&address, &history.scope, &source, &entry, entry.at)
        .await
        .expect("no faults during a manual decision");
}
