//! The routing table as far as it is needed, remembered for a short while. That a key has no routes is remembered too.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use moka::sync::Cache;
use notification_model::{AccountId, Mail};
use store::{RegisteredIdentity, Route, RouteKey, Store, StoreError};

use crate::decide::Facts;
use crate::effects::Effects;
use crate::ownership::{identify, needs_registration};
use crate::settings::Settings;

#[derive(Debug, Clone)]
pub(super) struct RoutingTable {
    store: Store,
    routes: Cache<RouteKey, Arc<[Route]>>,
    identities: Cache<AccountId, Arc<[RegisteredIdentity]>>,
}

impl Effects {
    /// What has to be known to decide about these messages. Cold, the whole batch costs one request (and one more if a
    /// message lacks `sourceArn`), warm none.
    pub async fn facts(&self, mails: &[&Mail]) -> Vec<Result<Facts, StoreError>> {
        // If this fails, or one row is spoilt, it shows again below, to those it concerns and to nobody else.
        let _ = self.routing.read_for(mails).await;
        stream::iter(mails.iter().copied())
            .map(|mail| self.routing.facts(mail))
            .buffered(self.settings.concurrency)
            .collect()
            .await
    }
}

impl RoutingTable {
    pub(super) fn new(store: Store, settings: &Settings) -> Self {
        let life = settings.route_cache;
        Self {
            store,
            routes: Cache::builder()
                .max_capacity(settings.route_cache_keys)
                .time_to_live(life)
                .build(),
            identities: Cache::builder()
                .max_capacity(settings.route_cache_keys)
                .time_to_live(life)
                .build(),
        }
    }

    async fn read_for(&self, mails: &[&Mail]) -> Result<(), StoreError> {
        let accounts: BTreeSet<AccountId> = mails
            .iter()
            .filter_map(|mail| needs_registration(mail).cloned())
            .collect();
        let registered = self.identities(accounts).await?;
        let ownership = mails.iter().filter_map(|mail| {
            let known = needs_registration(mail).and_then(|account| registered.get(account));
            identify(mail, known.map_or(&[], |known| known.as_ref())).ok()
        });
        let keys: BTreeSet<RouteKey> = ownership.flat_map(|ownership| ownership.route_keys()).collect();
        self.routes(keys).await?;
        Ok(())
    }

    async fn facts(&self, mail: &Mail) -> Result<Facts, StoreError> {
        let account = needs_registration(mail);
        let registered = self.identities(account.into_iter().cloned().collect()).await?;
        let known = account.and_then(|account| registered.get(account));
        let ownership = identify(mail, known.map_or(&[], |known| known.as_ref()));
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

    pub(super) async fn routes(&self, keys: BTreeSet<RouteKey>) -> Result<HashMap<RouteKey, Arc<[Route]>>, StoreError> {
        let (mut found, unknown) = remembered(&self.routes, keys);
        if !unknown.is_empty() {
            let mut read: BTreeMap<RouteKey, Vec<Route>> = self.store.routes_for(&unknown).await?;
            for key in unknown {
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
        let (mut found, unknown) = remembered(&self.identities, accounts);
        if !unknown.is_empty() {
            let mut read = self.store.registered_identities(&unknown).await?;
            for account in unknown {
                let identities: Arc<[RegisteredIdentity]> = read.remove(&account).unwrap_or_default().into();
                self.identities.insert(account.clone(), identities.clone());
                found.insert(account, identities);
            }
        }
        Ok(found)
    }
}

/// What the cache knows of these keys, and the keys it does not know.
fn remembered<K, V>(cache: &Cache<K, Arc<[V]>>, keys: BTreeSet<K>) -> (HashMap<K, Arc<[V]>>, Vec<K>)
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    Arc<[V]>: Clone + Send + Sync + 'static,
{
    let mut found = HashMap::new();
    let mut unknown = Vec::new();
    for key in keys {
        match cache.get(&key) {
            Some(value) => {
                found.insert(key, value);
            }
            None => unknown.push(key),
        }
    }
    (found, unknown)
}
