//! The state of a row that an operator publishes again: every suppression that is in force, and what is not any more.

use std::collections::BTreeSet;

use jiff::Timestamp;
use store::{BounceSeries, Recipient, Scope, SuppressionEntry, SuppressionSource};

use super::notices::{Subject, effective, list_of, notice, suppressed};
use crate::notice::{Notice, State};
use crate::stream::RowChange;

pub(super) fn of(change: &RowChange, row: &Recipient) -> Vec<Notice> {
    let in_force = effective(row, change.at);
    let notices = subjects(row).into_iter().map(|subject| match in_force.get(&subject) {
        Some(suppression) => suppressed(change, &subject, suppression),
        None => not_in_force(change, &subject, row),
    });
    notices.collect()
}

/// Everything that the row had a suppression of, or may have had: a delivery removes the entry of a series of bounces.
fn subjects(row: &Recipient) -> BTreeSet<Subject> {
    let entries = row.entries.keys().map(|(scope, source)| (scope, list_of(source)));
    let series = row.bounces.keys().map(|(scope, _)| (scope, None));
    entries
        .chain(series)
        .filter(|(scope, _)| !matches!(scope, Scope::Forward(_)))
        .map(|(scope, list)| (scope.clone(), list))
        .collect()
}

fn not_in_force(change: &RowChange, subject: &Subject, row: &Recipient) -> Notice {
    let (scope, list) = subject;
    let of_subject = row.entries.iter().filter(|((of, source), _)| {
        of == scope && (list_of(source) == *list || *source == SuppressionSource::Released)
    });
    let newest = of_subject.max_by_key(|(_, entry)| end_of(entry));
    match newest {
        Some(((_, source), entry)) => Notice {
            source: source.to_string(),
            reason: entry.reason.clone(),
            since: end_of(entry),
            message_id: entry.id.clone(),
            ..notice(change, subject, State::Ended)
        },
        None => Notice {
            source: BounceSeries::Soft.source().to_string(),
            reason: "bounces without a suppression that is in force".to_owned(),
            ..notice(change, subject, State::Ended)
        },
    }
}

/// When an entry that is not in force ended the suppression: its end, or else its own time.
fn end_of(entry: &SuppressionEntry) -> Timestamp {
    entry.until.filter(|_| entry.blocked).unwrap_or(entry.at)
}
