//! The expected state after a set of reports and manual decisions.

use std::collections::BTreeSet;

use super::feedback::FeedbackModel;
use super::routing::receiving_targets;
use super::state::{EntryState, Expected};
use super::streak::suppressing_series;
use crate::scenario::{ManualDecision, Report, Scenario};

/// The state after these reports and decisions.
#[must_use]
pub fn expect(scenario: &Scenario, reports: &BTreeSet<Report>, decisions: &[ManualDecision]) -> Expected {
    let mut model = FeedbackModel::new();
    for (index, channel) in reports {
        model.apply(&scenario.events[*index], *channel);
    }
    for decision in decisions {
        decide(&mut model, decision);
    }
    let FeedbackModel {
        mut expected,
        series,
        deliveries,
        history,
        ..
    } = model;
    for (address, message_id, scope, _) in history {
        *expected.history.entry((address, message_id, scope)).or_default() += 1;
    }
    expected.series = suppressing_series(&series, &deliveries, &expected.entries);
    route(&mut expected, scenario, reports);
    expected
}

fn decide(model: &mut FeedbackModel, decision: &ManualDecision) {
    let source = if decision.suppress { "manual" } else { "released" };
    let entry = EntryState {
        at: decision.decided_at,
        id: decision.id(),
        blocked: decision.suppress,
        until: None,
    };
    model
        .expected
        .write_if_newer(decision.address, &decision.scope, source, entry);
    model.history.insert((
        decision.address.to_owned(),
        decision.id(),
        decision.scope.clone(),
        source.to_owned(),
    ));
}

fn route(expected: &mut Expected, scenario: &Scenario, reports: &BTreeSet<Report>) {
    for (index, channel) in reports {
        let event = &scenario.events[*index];
        let targets = receiving_targets(event, *channel, &scenario.routes, &scenario.registered_identities);
        if targets.is_empty() {
            expected.unrouted.insert((*index, *channel));
        }
        for (target, unredacted) in targets {
            let events = expected.received.entry(target).or_default();
            *events.entry(*index).or_default() |= unredacted;
        }
    }
}
