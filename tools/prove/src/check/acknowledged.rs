//! The state while some messages are dead letters: at least what was acknowledged, at most what was published.

use serde_json::Value;

use super::counts::{expected_counts, stored_counts};
use super::received::Received;
use super::stored::{StoredState, of_series};
use crate::aws::ReceivedMessage;
use crate::journal::Journal;
use crate::model::{Expected, expect};
use crate::scenario::Scenario;

/// Every acknowledged message took effect, and nothing took effect that was not published.
///
/// # Errors
/// What is missing or excessive.
pub fn check_acknowledged(
    scenario: &Scenario,
    items: &[Value],
    received: &[ReceivedMessage],
    journal: &Journal,
) -> Result<(), String> {
    let stored = StoredState::read(items);
    let maximum = expect(scenario, &scenario.all_reports(), &scenario.decisions);
    let minimum = expect(
        scenario,
        &scenario.reports(&journal.acknowledged_by_feedback),
        &scenario.decisions,
    );
    check_entries(&stored, &minimum, &maximum)?;
    check_counts(&stored, &minimum, &maximum)?;

    let minimum = expect(scenario, &scenario.reports(&journal.acknowledged_by_router), &[]);
    let mut received = Received::read(scenario, &stored, received);
    received.add_dead_letters(scenario, &journal.dead_deliveries);
    check_targets(&received, &minimum, &maximum)
}

fn check_entries(stored: &StoredState, minimum: &Expected, maximum: &Expected) -> Result<(), String> {
    for ((address, scope, source), wanted) in &minimum.entries {
        let entries = stored.entries.get(address);
        let Some(entry) = entries.and_then(|entries| entries.get(&(scope.clone(), source.clone()))) else {
            return Err(format!(
                "acknowledged, but the table has no entry {scope}|{source} of {address}: {wanted:?}"
            ));
        };
        if (entry.at, &entry.id) < (wanted.at, &wanted.id) {
            return Err(format!(
                "an older event replaced a newer one in {scope}|{source} of {address}: {entry:?}, expected {wanted:?}"
            ));
        }
    }
    for (address, entries) in &stored.entries {
        for (scope, source) in entries.keys().filter(|(_, source)| !of_series(source)) {
            let key = (address.clone(), scope.clone(), source.clone());
            if !maximum.entries.contains_key(&key) {
                return Err(format!(
                    "no published event causes the entry {scope}|{source} of {address}"
                ));
            }
        }
    }
    Ok(())
}

fn check_counts(stored: &StoredState, minimum: &Expected, maximum: &Expected) -> Result<(), String> {
    let (found, minimum, maximum) = (
        stored_counts(stored),
        expected_counts(minimum),
        expected_counts(maximum),
    );
    for key in found.keys().chain(minimum.keys()) {
        let [found, minimum, maximum] =
            [&found, &minimum, &maximum].map(|counts| counts.get(key).copied().unwrap_or_default());
        if !(minimum..=maximum).contains(&found) {
            return Err(format!(
                "{key:?}: {found} counted, {minimum} acknowledged, {maximum} published"
            ));
        }
    }
    Ok(())
}

fn check_targets(received: &Received, minimum: &Expected, maximum: &Expected) -> Result<(), String> {
    for (target, events) in &minimum.received {
        let found = received.by_target.get(target);
        for index in events.keys() {
            if !found.is_some_and(|found| found.contains_key(index)) {
                return Err(format!("acknowledged, but {target} did not receive event {index}"));
            }
        }
    }
    for (target, events) in &received.by_target {
        let allowed = maximum.received.get(target);
        for index in events.keys() {
            if !allowed.is_some_and(|allowed| allowed.contains_key(index)) {
                return Err(format!("{target} received event {index}, which no route allows"));
            }
        }
    }
    if !minimum.unrouted.is_subset(&received.unrouted) || !received.unrouted.is_subset(&maximum.unrouted) {
        return Err(format!(
            "unrouted {:?}, at least {:?}, at most {:?}",
            received.unrouted, minimum.unrouted, maximum.unrouted
        ));
    }
    Ok(())
}
