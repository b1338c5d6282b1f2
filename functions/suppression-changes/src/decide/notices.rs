//! The change notices of a row: which suppressions became effective or ended.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use store::{ActiveSuppression, Recipient, Scope, SuppressionSource, hash_id};

use crate::notice::{Notice, State, version};
use crate::stream::RowChange;

/// What a notice is about: the mail of a scope, or only that of a contact list or topic.
pub(super) type Subject = (Scope, Option<String>);

pub(super) fn of(change: &RowChange, old: &Recipient, new: &Recipient) -> Vec<Notice> {
    let before = effective(old, change.at);
    let after = effective(new, change.at);
    let subjects: BTreeSet<&Subject> = before.keys().chain(after.keys()).collect();
    let notices = subjects
        .into_iter()
        .filter_map(|subject| match (before.get(subject), after.get(subject)) {
            (before, Some(after)) if before != Some(after) => Some(suppressed(change, subject, after)),
            (Some(before), None) => Some(ended(change, subject, before)),
            _ => None,
        });
    notices.collect()
}

/// Returns the suppression of each subject that decides: the one that ends last, and of those the first.
pub(super) fn effective(row: &Recipient, at: Timestamp) -> BTreeMap<Subject, ActiveSuppression> {
    let scopes: BTreeSet<&Scope> = row.entries.keys().map(|(scope, _)| scope).collect();
    // The forwards of a mailbox are Postroom's own mail.
    let scopes = scopes.into_iter().filter(|scope| !matches!(scope, Scope::Forward(_)));
    let mut effective: BTreeMap<Subject, ActiveSuppression> = BTreeMap::new();
    for suppression in scopes.flat_map(|scope| row.active_in(scope, at)) {
        let subject = (suppression.scope.clone(), list_of(&suppression.source));
        match effective.get(&subject) {
            Some(known) if rank(known) >= rank(&suppression) => {}
            _ => {
                effective.insert(subject, suppression);
            }
        }
    }
    effective
}

fn rank(suppression: &ActiveSuppression) -> (bool, Option<Timestamp>, Reverse<Timestamp>) {
    let entry = &suppression.entry;
    (entry.until.is_none(), entry.until, Reverse(entry.at))
}

pub(super) fn list_of(source: &SuppressionSource) -> Option<String> {
    match source {
        SuppressionSource::List(name) | SuppressionSource::Topic(name) => Some(name.clone()),
        _ => None,
    }
}

pub(super) fn suppressed(change: &RowChange, subject: &Subject, suppression: &ActiveSuppression) -> Notice {
    let entry = &suppression.entry;
    Notice {
        source: suppression.source.to_string(),
        reason: entry.reason.clone(),
        since: entry.at,
        until: entry.until,
        message_id: entry.id.clone(),
        ..notice(change, subject, State::Suppressed)
    }
}

fn ended(change: &RowChange, subject: &Subject, before: &ActiveSuppression) -> Notice {
    let notice = Notice {
        source: before.source.to_string(),
        message_id: before.entry.id.clone(),
        ..notice(change, subject, State::Ended)
    };
    let Some(row) = &change.new else {
        return Notice {
            reason: "the row of the recipient was deleted".to_owned(),
            ..notice
        };
    };
    let entry_of = |source: &SuppressionSource| row.entries.get(&(subject.0.clone(), source.clone()));
    let release = entry_of(&SuppressionSource::Released).filter(|release| release.at >= before.entry.at);
    let (source, end) = match (release, entry_of(&before.source)) {
        (Some(release), _) => (&SuppressionSource::Released, Some(release)),
        (None, replacement) => (&before.source, replacement),
    };
    match end {
        Some(end) => Notice {
            source: source.to_string(),
            reason: end.reason.clone(),
            since: end.at,
            message_id: end.id.clone(),
            ..notice
        },
        None => Notice {
            reason: "a delivery voids the bounces before it".to_owned(),
            ..notice
        },
    }
}

/// Returns a notice without the fields that depend on the state.
pub(super) fn notice(change: &RowChange, subject: &Subject, state: State) -> Notice {
    let (scope, list) = subject;
    let id = hash_id(&[
        change.address.key(),
        &change.sequence_number,
        &scope.to_string(),
        list.as_deref().unwrap_or_default(),
    ]);
    Notice {
        id,
        version: version(change.at, &change.sequence_number),
        address: change.address.clone(),
        scope: scope.clone(),
        list: list.clone(),
        state,
        source: String::new(),
        reason: String::new(),
        since: change.at,
        until: None,
        message_id: String::new(),
    }
}
