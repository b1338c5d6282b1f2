//! The section `[[route]]`.

use std::collections::BTreeSet;

use store::{Redaction, Route, RouteFilter, RouteKey};

use super::accounts::Accounts;
use super::report::Report;
use super::sender_match::{WrittenSenders, check_sender_match};
use super::suggestion::closest;
use super::targets::parse_target;
use super::wire;

const EXPECTED_TARGET: &str = "expected the ARN of an SNS topic, SQS queue or EventBridge bus, or a mail address";

/// The events that SES publishes today, and Postroom's reputation alerts. Other events are valid, unless their spelling is
/// close to one of these.
const KNOWN_EVENTS: [&str; 11] = [
    "Bounce",
    "Complaint",
    "Delivery",
    "Send",
    "Reject",
    "Open",
    "Click",
    "Rendering Failure",
    "DeliveryDelay",
    "Subscription",
    "Alert",
];

pub(super) fn check_routes(written: &[wire::Route], accounts: &Accounts, report: &mut Report) -> Vec<Route> {
    let mut names = BTreeSet::new();
    let mut routes = Vec::new();
    for (index, route) in written.iter().enumerate() {
        let path = format!("route[{}]", index + 1);
        if !names.insert(&route.name) {
            report.problem(&format!("{path}.name"), "duplicate name: another route has it");
        }
        routes.extend(check_route(&path, route, accounts, report));
    }
    routes
}

fn check_route(path: &str, route: &wire::Route, accounts: &Accounts, report: &mut Report) -> Option<Route> {
    if route.name.trim().is_empty() {
        report.problem(&format!("{path}.name"), "expected a name");
    }
    let written = WrittenSenders {
        owner: route.owner.as_deref(),
        account: route.account.as_deref(),
        identity: route.identity.as_deref(),
    };
    let senders = check_sender_match(path, &written, accounts, report);
    if let Some(senders) = &senders
        && let Err(error) = RouteKey::new(senders.clone())
    {
        report.problem(&format!("{path}.owner"), error.to_string());
    }
    check_events(&format!("{path}.events"), &route.events, report);
    let target = report.parse(&format!("{path}.target"), &route.target, EXPECTED_TARGET, parse_target);
    Some(Route {
        name: route.name.clone(),
        senders: senders?,
        filter: RouteFilter {
            configuration_sets: route.configuration_sets.iter().cloned().collect(),
            tenants: route.tenants.iter().cloned().collect(),
            events: route.events.iter().cloned().collect(),
        },
        target: target?,
        redaction: match route.redaction {
            wire::Redaction::None => Redaction::None,
            wire::Redaction::Standard => Redaction::Standard,
        },
    })
}

fn check_events(path: &str, events: &[String], report: &mut Report) {
    let normalized = |text: &str| text.replace([' ', '-', '_'], "").to_ascii_lowercase();
    for (index, event) in events.iter().enumerate() {
        let is_known = KNOWN_EVENTS.iter().any(|known| normalized(known) == normalized(event));
        if let Some(known) = closest(event, KNOWN_EVENTS).filter(|_| !is_known) {
            report.problem(
                &format!("{path}[{}]", index + 1),
                format!("unknown event; did you mean {known}?"),
            );
        }
    }
}
