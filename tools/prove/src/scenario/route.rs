//! Routes of the router.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::participants::{ACCOUNTS, CONFIGURATION_SETS, DOMAINS, OWNERS, TARGETS, TENANTS};
use super::random::{chance, choose, choose_some};

/// A route.
#[derive(Debug, Clone)]
pub struct ScenarioRoute {
    /// The identity owner; any if `None`.
    pub owner: Option<&'static str>,
    /// The sending account; any if `None`.
    pub account: Option<&'static str>,
    /// A domain or an address.
    pub identity: Option<String>,
    /// Configuration sets; any if empty.
    pub configuration_sets: BTreeSet<&'static str>,
    /// Tenants; any if empty.
    pub tenants: BTreeSet<&'static str>,
    /// Event types; any if empty.
    pub events: BTreeSet<&'static str>,
    /// One of [`TARGETS`].
    pub target: &'static str,
    /// Whether the target receives the unredacted notification.
    pub unredacted: bool,
}

impl ScenarioRoute {
    pub(super) fn random(rng: &mut Rng) -> Self {
        let owner = chance(rng, 80).then(|| choose(rng, &OWNERS));
        let account = (owner.is_none() || rng.bool()).then(|| choose(rng, &ACCOUNTS));
        let identity = (owner.is_some() && chance(rng, 40)).then(|| {
            let domain = choose(rng, &DOMAINS);
            if chance(rng, 30) {
                format!("news@{domain}")
            } else {
                domain.to_owned()
            }
        });
        Self {
            owner,
            account,
            identity,
            configuration_sets: random_filter(rng, &CONFIGURATION_SETS),
            tenants: random_filter(rng, &TENANTS),
            events: random_filter(rng, &["Bounce", "Complaint", "Delivery", "Send"]),
            target: choose(rng, &TARGETS),
            unredacted: rng.bool(),
        }
    }
}

fn random_filter(rng: &mut Rng, values: &[&'static str]) -> BTreeSet<&'static str> {
    if chance(rng, 70) {
        BTreeSet::new()
    } else {
        choose_some(rng, values).into_iter().collect()
    }
}
