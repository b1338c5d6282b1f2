//! A cache of the routes and registered identities that notifications need. It also caches that a key has no routes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use moka::sync::Cache;
use notification_model::{AccountId, Mail};
use store::{RegisteredIdentity, Route, RouteKey, Store, StoreError};

use crate::alert::Alert;
use crate::decide::Facts;
use crate::decide_alert::route_keys;
use crate::ownership::{identify, needs_registration};
use crate::settings::Settings;

/// A cache of routes and registered identities.
#[derive(Debug, Clone)]
pub(super) struct RoutingTable {
    store: Store,
    concurrency: usize,
    routes: Cache<RouteKey, Arc<[Route]>>,
    identities: Cache<AccountId, Arc<[RegisteredIdentity]>>,
}

impl RoutingTable {
    pub(super) fn new(store: Store, settings: &Settings) -> Self {
        let time_to_live = settings.route_cache;
        Self {
            store,
            concurrency: settings.concurrency,
            routes: Cache::builder()
                .max_capacity(settings.route_cache_keys)
                .time_to_live(time_to_live)
                .build(),
            identities: Cache::builder()
                .max_capacity(settings.route_cache_keys)
                .time_to_live(time_to_live)
                .build(),
        }
    }

    /// Returns the facts of each message, in order. For the whole batch they take one request to DynamoDB, one more when a
    /// message has no `sourceArn`, and none when everything is cached.
    ///
    /// # Errors
    /// For each message whose rows cannot be read.
    pub(super) async fn facts(&self, mails: &[&Mail]) -> Vec<Result<Facts, StoreError>> {
        // An error is returned again below, for the messages it concerns only.
        let _ = self.fill_cache(mails).await;
        stream::iter(mails.iter().copied())
            .map(|mail| self.facts_of(mail))
            .buffered(self.concurrency)
            .collect()
            .await
    }

    /// Returns the routes that can match an alert.
    ///
    /// # Errors
    /// When DynamoDB fails or a row cannot be read.
    pub(super) async fn routes_for_alert(&self, alert: &Alert) -> Result<Vec<Route>, StoreError> {
        let routes = self.routes(route_keys(alert).into_iter().collect()).await?;
        Ok(routes.values().flat_map(|routes| routes.iter().cloned()).collect())
    }

    async fn fill_cache(&self, mails: &[&Mail]) -> Result<(), StoreError> {
        let accounts: BTreeSet<AccountId> = mails
            .iter()
            .filter_map(|mail| needs_registration(mail).cloned())
            .collect();
        let registered = self.identities(accounts).await?;
        let ownership = mails.iter().filter_map(|mail| {
            let identities = needs_registration(mail).and_then(|account| registered.get(account));
            identify(mail, identities.map_or(&[], |identities| identities.as_ref())).ok()
        });
        let keys: BTreeSet<RouteKey> = ownership.flat_map(|ownership| ownership.route_keys()).collect();
        self.routes(keys).await?;
        Ok(())
    }

    async fn facts_of(&self, mail: &Mail) -> Result<Facts, StoreError> {
        let account = needs_registration(mail);
        let registered = self.identities(account.into_iter().cloned().collect()).await?;
        let identities = account.and_then(|account| registered.get(account));
        let ownership = identify(mail, identities.map_or(&[], |identities| identities.as_ref()));
        let keys = ownership
            .as_ref()
            .map(|ownership| ownership.route_keys())
            .unwrap_or_default();
        let routes = self.routes(keys.into_iter().collect()).await?;
        Ok(Facts {
            ownership,
            routes: routes.values().flat_map(|routes| routes.iter().cloned()).collect(),
        })
    }

    async fn routes(&self, keys: BTreeSet<RouteKey>) -> Result<HashMap<RouteKey, Arc<[Route]>>, StoreError> {
        let (mut found, missing) = cached(&self.routes, keys);
        if !missing.is_empty() {
            let mut read: BTreeMap<RouteKey, Vec<Route>> = self.store.routes_for(&missing).await?;
            for key in missing {
                let routes: Arc<[Route]> = read.remove(&key).unwrap_or_default().into();
                self.routes.insert(key.clone(), routes.clone());
                found.insert(key, routes);
            }
        }
        Ok(found)
    }

    async fn identities(
        &self,
        accounts: BTreeSet<AccountId>,
    ) -> Result<HashMap<AccountId, Arc<[RegisteredIdentity]>>, StoreError> {
        let (mut found, missing) = cached(&self.identities, accounts);
        if !missing.is_empty() {
            let mut read = self.store.registered_identities(&missing).await?;
            for account in missing {
                let identities: Arc<[RegisteredIdentity]> = read.remove(&account).unwrap_or_default().into();
                self.identities.insert(account.clone(), identities.clone());
                found.insert(account, identities);
            }
        }
        Ok(found)
    }
}

/// Returns the cached values of these keys, and the keys without one.
fn cached<K, V>(cache: &Cache<K, Arc<[V]>>, keys: BTreeSet<K>) -> (HashMap<K, Arc<[V]>>, Vec<K>)
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    Arc<[V]>: Clone + Send + Sync + 'static,
{
    let mut found = HashMap::new();
    let mut missing = Vec::new();
    for key in keys {
        match cache.get(&key) {
            Some(value) => {
                found.insert(key, value);
            }
            None => missing.push(key),
        }
    }
    (found, missing)
}
