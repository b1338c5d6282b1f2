//! The rows of the table that come from `postroom.toml`.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::AccountId;
use ses_settings::LargeRemoval;
use store::{
    Mailbox, MailboxKey, RegisteredIdentity, Route, RouteKey, SenderMatch, Store, StoreError, ThresholdTable,
    Thresholds,
};

use crate::config::Config;

/// One map for each kind of row, by key.
#[derive(Clone)]
pub(crate) struct TableRows {
    /// Only accounts with identities: others have no row.
    pub(crate) identities: BTreeMap<AccountId, Vec<RegisteredIdentity>>,
    pub(crate) routes: BTreeMap<RouteKey, Vec<Route>>,
    /// The general thresholds have no senders.
    pub(crate) thresholds: BTreeMap<Option<SenderMatch>, Thresholds>,
    pub(crate) mailboxes: BTreeMap<MailboxKey, Mailbox>,
}

impl TableRows {
    pub(crate) async fn read(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            identities: identity_rows(&store.all_registered_identities().await?),
            routes: route_rows(&store.all_routes().await?),
            thresholds: threshold_rows(&store.thresholds().await?),
            mailboxes: store.all_mailboxes().await?,
        })
    }

    /// The rows as a configuration.
    pub(crate) fn into_config(self) -> Config {
        let mut thresholds = self.thresholds;
        let default = thresholds.remove(&None);
        let overrides = thresholds
            .into_iter()
            .filter_map(|(senders, thresholds)| Some((senders?, thresholds)));
        Config {
            identities: self.identities,
            routes: self.routes.into_values().flatten().collect(),
            thresholds: ThresholdTable {
                default,
                overrides: overrides.collect(),
            },
            mailboxes: self.mailboxes,
            ..Config::default()
        }
    }

    /// The rows of the sections that the file has. Those of other sections stay as they are in `current`.
    pub(crate) fn of_config(config: &Config, current: &Self) -> Self {
        let sections = config.sections;
        let current = current.clone();
        Self {
            identities: if sections.accounts {
                identity_rows(&config.identities)
            } else {
                current.identities
            },
            routes: if sections.routes {
                route_rows(&config.routes)
            } else {
                current.routes
            },
            thresholds: if sections.thresholds {
                threshold_rows(&config.thresholds)
            } else {
                current.thresholds
            },
            mailboxes: if sections.mailboxes {
                config.mailboxes.clone()
            } else {
                current.mailboxes
            },
        }
    }

    /// The removals that need force, by kind of row.
    pub(crate) fn large_removals(&self, desired: &Self) -> Vec<LargeRemoval> {
        let counted = [
            (
                "accounts",
                removed(&self.identities, &desired.identities).len(),
                self.identities.len(),
            ),
            (
                "routes",
                removed(&self.routes, &desired.routes).len(),
                self.routes.len(),
            ),
            (
                "thresholds",
                removed(&self.thresholds, &desired.thresholds).len(),
                self.thresholds.len(),
            ),
            (
                "mailboxes",
                removed(&self.mailboxes, &desired.mailboxes).len(),
                self.mailboxes.len(),
            ),
        ];
        let check = |(kind, removed, existing)| LargeRemoval::check(kind, removed, existing);
        counted.into_iter().filter_map(check).collect()
    }

    /// Writes the rows that differ. Writes before it deletes, so that a route that moves to another row is never missing.
    /// After a failure, a second run continues where this one stopped.
    pub(crate) async fn change_to(&self, desired: &Self, store: &Store) -> Result<(), StoreError> {
        for (account, identities) in changed(&self.identities, &desired.identities) {
            store.register_identities(account, identities).await?;
        }
        for account in removed(&self.identities, &desired.identities) {
            store.register_identities(account, &[]).await?;
        }
        for (senders, thresholds) in changed(&self.thresholds, &desired.thresholds) {
            store.put_thresholds(senders.as_ref(), thresholds).await?;
        }
        for senders in removed(&self.thresholds, &desired.thresholds) {
            store.delete_thresholds(senders.as_ref()).await?;
        }
        for (key, routes) in changed(&self.routes, &desired.routes) {
            store.put_routes(key, routes).await?;
        }
        for key in removed(&self.routes, &desired.routes) {
            store.delete_routes(key).await?;
        }
        for (_, mailbox) in changed(&self.mailboxes, &desired.mailboxes) {
            store.put_mailbox(mailbox).await?;
        }
        for key in removed(&self.mailboxes, &desired.mailboxes) {
            store.delete_mailbox(key).await?;
        }
        Ok(())
    }
}

fn changed<'a, K: Ord, V: PartialEq>(current: &BTreeMap<K, V>, desired: &'a BTreeMap<K, V>) -> Vec<(&'a K, &'a V)> {
    desired
        .iter()
        .filter(|(key, value)| current.get(key) != Some(value))
        .collect()
}

fn removed<'a, K: Ord, V>(current: &'a BTreeMap<K, V>, desired: &BTreeMap<K, V>) -> Vec<&'a K> {
    current.keys().filter(|key| !desired.contains_key(key)).collect()
}

fn identity_rows(all: &BTreeMap<AccountId, Vec<RegisteredIdentity>>) -> BTreeMap<AccountId, Vec<RegisteredIdentity>> {
    let not_empty = all.iter().filter(|(_, identities)| !identities.is_empty());
    not_empty
        .map(|(account, identities)| {
            let sorted: BTreeSet<_> = identities.iter().cloned().collect();
            (account.clone(), sorted.into_iter().collect())
        })
        .collect()
}

fn threshold_rows(table: &ThresholdTable) -> BTreeMap<Option<SenderMatch>, Thresholds> {
    let overrides = table
        .overrides
        .iter()
        .map(|(senders, thresholds)| (Some(senders.clone()), thresholds.clone()));
    overrides
        .chain(table.default.clone().map(|thresholds| (None, thresholds)))
        .collect()
}

fn route_rows(routes: &[Route]) -> BTreeMap<RouteKey, Vec<Route>> {
    let mut rows: BTreeMap<RouteKey, Vec<Route>> = BTreeMap::new();
    for route in routes {
        if let Ok(key) = RouteKey::new(route.senders.clone()) {
            rows.entry(key).or_default().push(route.clone());
        }
    }
    rows.values_mut().for_each(|routes| routes.sort());
    rows
}
