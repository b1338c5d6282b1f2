//! The state after every readable message was handled.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::Value;

use super::compare::same;
use super::counts::{expected_counts, stored_counts};
use super::received::check_received;
use super::stored::{StoredState, of_series};
use crate::aws::ReceivedMessage;
use crate::model::{Entries, Expected, blocking_entries, expect};
use crate::scenario::Scenario;

/// Table and targets are exactly as the model expects.
///
/// # Errors
/// The difference.
pub fn check_complete(scenario: &Scenario, items: &[Value], received: &[ReceivedMessage]) -> Result<(), String> {
    let expected = expect(scenario, &scenario.all_reports(), &scenario.decisions);
    let stored = StoredState::read(items);
    check_entries(&stored, &expected)?;
    check_blocking(scenario, &stored, &expected)?;
    same("statistics", &stored_counts(&stored), &expected_counts(&expected))?;
    if let Some((sender, hour)) = stored.listed.iter().find_map(|(key, listed)| (!listed).then_some(key)) {
        return Err(format!("{sender} has statistics of {hour} and is not listed there"));
    }
    same("history", &stored.history, &expected.history)?;
    check_received(scenario, &stored, received, &expected)
}

/// The entries that do not result from series. Those may remain after a release; [`check_blocking`] compares their effect.
fn check_entries(stored: &StoredState, expected: &Expected) -> Result<(), String> {
    let mut found = stored.entries.clone();
    for entries in found.values_mut() {
        entries.retain(|(_, source), _| !of_series(source));
    }
    found.retain(|_, entries| !entries.is_empty());
    same("suppression entries", &found, &expected_entries(expected))
}

fn expected_entries(expected: &Expected) -> BTreeMap<String, Entries> {
    let mut wanted: BTreeMap<String, Entries> = BTreeMap::new();
    for ((address, scope, source), entry) in &expected.entries {
        let entries = wanted.entry(address.clone()).or_default();
        entries.insert((scope.clone(), source.clone()), entry.clone());
    }
    wanted
}

/// The same entries block, now and at each time at which an entry ends.
fn check_blocking(scenario: &Scenario, stored: &StoredState, expected: &Expected) -> Result<(), String> {
    let mut wanted = expected_entries(expected);
    for ((address, scope, source), entry) in &expected.series {
        let entries = wanted.entry(address.clone()).or_default();
        entries.insert((scope.clone(), source.clone()), entry.clone());
    }
    let no_entries = Entries::new();
    for address in stored.entries.keys().chain(wanted.keys()).collect::<BTreeSet<_>>() {
        let found = stored.entries.get(address).unwrap_or(&no_entries);
        let wanted = wanted.get(address).unwrap_or(&no_entries);
        let both = || found.iter().chain(wanted);
        let scopes: BTreeSet<String> = both().map(|((scope, _), _)| scope.clone()).collect();
        let scopes: Vec<String> = scopes.into_iter().collect();
        let ends = both()
            .filter_map(|(_, entry)| entry.until)
            .flat_map(|until| [until - SignedDuration::from_secs(1), until]);
        for now in ends.chain([scenario.end]) {
            for topic in [None, Some("readers/weekly"), Some("readers/daily")] {
                same(
                    &format!("entries that block {address} at {now} for topic {topic:?}"),
                    &blocking_entries(found, &scopes, topic, now),
                    &blocking_entries(wanted, &scopes, topic, now),
                )?;
            }
        }
    }
    Ok(())
}
