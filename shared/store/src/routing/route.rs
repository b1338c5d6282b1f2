//! The routing table.
//!
//! All routes about the same senders share a row, so the rows of all routes that can match a notification are known without a
//! query ([`RouteKey::candidates`]).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;

use super::sender_match::{RouteKey, SenderMatch};
use super::target::Target;
use crate::client::{Store, StoreError};
use crate::item::{Item, s, text};

/// A route: which notifications are delivered to which target, and how much of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    /// The name in `postroom.toml`.
    pub name: String,
    /// The senders. SES determines them, so they grant access to notifications.
    pub senders: SenderMatch,
    /// Selects among the notifications of the senders. A sender can influence what it selects by, so it never grants access.
    pub filter: RouteFilter,
    /// Where the notifications are delivered to.
    pub target: Target,
    /// Which parts of the notifications are removed.
    pub redaction: Redaction,
}

/// Selects notifications. An empty set selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteFilter {
    /// Names of configuration sets.
    pub configuration_sets: BTreeSet<String>,
    /// Names of tenants.
    pub tenants: BTreeSet<String>,
    /// Event types in the spelling of SES, such as `Bounce` or `Rendering Failure`.
    pub events: BTreeSet<String>,
}

/// Which parts of a notification are removed before its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Redaction {
    /// None: the target receives the text of SES.
    None,
    /// Headers, recipients that the event does not concern, tags except those of SES, IP addresses and IAM identities.
    Standard,
}

impl Store {
    /// Returns the routes under these keys. A key without routes is absent. One request for 100 keys.
    ///
    /// # Errors
    /// When DynamoDB fails, or when a row has a route that this version cannot read. Without that route a target would miss
    /// notifications and no error would show it.
    pub async fn routes_for(&self, keys: &[RouteKey]) -> Result<BTreeMap<RouteKey, Vec<Route>>, StoreError> {
        let pks: Vec<String> = keys.iter().map(RouteKey::pk).collect();
        let rows = self.get_rows(&pks, "TARGETS").await?;
        let mut found = BTreeMap::new();
        for key in keys {
            let Some(row) = rows.get(&key.pk()) else { continue };
            let routes = read_routes(key, row).map_err(|error| {
                self.broken(
                    "BatchGetItem",
                    format!("routes of {}: {error}", key.without_local_part()),
                )
            })?;
            found.insert(key.clone(), routes);
        }
        Ok(found)
    }

    /// Replaces the routes of a key. Without routes the row is deleted.
    ///
    /// # Errors
    /// When DynamoDB fails, or when a route is about other senders than the key.
    pub async fn put_routes(&self, key: &RouteKey, routes: &[Route]) -> Result<(), StoreError> {
        if let Some(stray) = routes.iter().find(|route| route.senders != *key.sender_match()) {
            return Err(self.broken(
                "PutItem",
                format!(
                    "route {} is about other senders than {}",
                    stray.name,
                    key.without_local_part()
                ),
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

    /// Deletes the routes of a key.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn delete_routes(&self, key: &RouteKey) -> Result<(), StoreError> {
        self.delete(&key.pk(), "TARGETS").await
    }

    /// Returns all routes. Reads the index, which is eventually consistent.
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

/// The senders are the key of the row, so they are not written again.
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
    for (name, values) in conditions {
        if !values.is_empty() {
            map.insert(name.to_owned(), AttributeValue::Ss(values.iter().cloned().collect()));
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
            .map_err(|error| format!("route {}: {error}", index + 1))
    });
    read.collect()
}

fn read_route(key: &RouteKey, map: &Item) -> Result<Route, &'static str> {
    // An unreadable condition is an error, because the route would select more without it.
    let strings = |name: &str| match map.get(name) {
        None => Ok(BTreeSet::new()),
        Some(AttributeValue::Ss(values)) => Ok(values.iter().cloned().collect()),
        Some(_) => Err("expected conditions to be sets of strings"),
    };
    Ok(Route {
        name: text(map, "name").ok_or("expected a name")?.to_owned(),
        senders: key.sender_match().clone(),
        filter: RouteFilter {
            configuration_sets: strings("configurationSets")?,
            tenants: strings("tenants")?,
            events: strings("events")?,
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
