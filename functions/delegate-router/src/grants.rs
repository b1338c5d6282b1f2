//! The routes that grant a notification or alert to their targets. Pure.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use notification_model::EmailAddress;
use store::{Redaction, Route, RouteKey, SenderMatch, Target};

/// Returns the routes about these keys, the most specific first; among equally specific routes, the redacted ones first.
///
/// The routes were read by key and are compared again here, so that a wrong read of the table cannot disclose a notification
/// to another account.
pub(crate) fn granted<'a>(keys: &[RouteKey], routes: &'a [Route]) -> Vec<&'a Route> {
    let rank = |route: &Route| keys.iter().position(|key| *key.sender_match() == route.senders);
    let mut granted: Vec<(usize, &Route)> = routes.iter().filter_map(|route| Some((rank(route)?, route))).collect();
    granted.sort_by_key(|(rank, route)| (*rank, Reverse(route.redaction), &route.name));
    granted.into_iter().map(|(_, route)| route).collect()
}

/// Returns the first route of each target.
pub(crate) fn first_per_target(routes: Vec<&Route>) -> impl Iterator<Item = &Route> {
    let mut seen = BTreeSet::new();
    routes
        .into_iter()
        .filter(move |route| seen.insert(target_key(&route.target)))
}

/// The key of a target. Two spellings of a mail address have the same key.
pub(crate) fn target_key(target: &Target) -> String {
    match target {
        Target::Email(address) => EmailAddress::parse(address)
            .map_or_else(|| target.to_string(), |address| format!("email:{}", address.key())),
        Target::Topic(_) | Target::Queue(_) | Target::Bus(_) => target.to_string(),
    }
}

/// Describes what a route grants, for the reason of a delivery.
pub(crate) fn describe_grant(route: &Route) -> String {
    let SenderMatch {
        owner,
        account,
        identity,
    } = &route.senders;
    let senders: Vec<String> = [
        owner.as_ref().map(|owner| format!("owner {owner}")),
        account.as_ref().map(|account| format!("sending account {account}")),
        identity.as_ref().map(|identity| format!("identity {identity}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let content = match route.redaction {
        Redaction::None => "unredacted notifications",
        Redaction::Standard => "redacted notifications",
    };
    format!("route {} delivers {content} of {}", route.name, senders.join(", "))
}
