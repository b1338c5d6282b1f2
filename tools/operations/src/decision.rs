//! Manual decisions about a recipient: suppress or release.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use serde_json::json;
use store::{HistoryEntry, Recipient, Scope, Store, StoreError, SuppressionEntry, SuppressionSource};

use crate::operator::operator_name;
use crate::recipient::active_suppressions;

/// A decision about a recipient in one or more scopes.
#[derive(Debug)]
pub struct Decision<'a> {
    /// The recipient.
    pub address: &'a EmailAddress,
    /// The scopes in which the decision holds. None: there was nothing to release.
    pub scopes: Vec<Scope>,
    /// The entry that is written in each scope.
    pub entry: SuppressionEntry,
}

/// The entry of a decision by the operator at a time.
fn manual_entry(
    address: &EmailAddress,
    at: Timestamp,
    is_suppression: bool,
    until: Option<Timestamp>,
    reason: &str,
) -> SuppressionEntry {
    let operator = operator_name();
    let verb = if is_suppression { "suppressed" } else { "released" };
    SuppressionEntry {
        at,
        id: format!("manual-{}", at.as_microsecond()),
        blocked: is_suppression,
        until,
        reason: format!("{verb} by {operator}: {reason}"),
        address: address.as_str().to_owned(),
        evidence: BTreeMap::from([("by".to_owned(), operator)]),
    }
}

impl<'a> Decision<'a> {
    /// Suppresses a recipient in one scope, until a time or permanently.
    #[must_use]
    pub fn suppress(
        address: &'a EmailAddress,
        scope: Scope,
        until: Option<Timestamp>,
        reason: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            address,
            scopes: vec![scope],
            entry: manual_entry(address, now, true, until, reason),
        }
    }

    /// Releases a recipient in one scope, or in every scope in which it is suppressed.
    #[must_use]
    pub fn release(
        address: &'a EmailAddress,
        recipient: &Recipient,
        scope: Option<&Scope>,
        reason: &str,
        now: Timestamp,
    ) -> Self {
        let scopes: BTreeSet<Scope> = match scope {
            Some(scope) => BTreeSet::from([scope.clone()]),
            None => active_suppressions(recipient, now)
                .into_iter()
                .map(|suppression| suppression.scope)
                .collect(),
        };
        let at = release_time(recipient, &scopes, now);
        Self {
            address,
            scopes: scopes.into_iter().collect(),
            entry: manual_entry(address, at, false, None, reason),
        }
    }

    /// Writes the decision and its history.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let (source, kind) = if self.entry.blocked {
            (SuppressionSource::Manual, "manual-suppress")
        } else {
            (SuppressionSource::Released, "manual-release")
        };
        for scope in &self.scopes {
            let history = HistoryEntry {
                at: self.entry.at,
                id: self.entry.id.clone(),
                kind: kind.to_owned(),
                reason: self.entry.reason.clone(),
                scope: scope.clone(),
                suppresses: self.entry.blocked,
                evidence: self.entry.evidence.clone(),
                expires_at: self.entry.until,
            };
            // First, so that every decision has an explanation, even when the second write fails.
            store.append_history(self.address, &history).await?;
            store
                .record_suppression(self.address, scope, &source, &self.entry, self.entry.at)
                .await?;
        }
        Ok(())
    }

    /// The decision as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let scopes: Vec<String> = self.scopes.iter().map(ToString::to_string).collect();
        let entry = &self.entry;
        json!({
            "address": self.address.key(), "action": if entry.blocked { "suppress" } else { "release" },
            "scopes": scopes, "at": entry.at.to_string(), "until": entry.until.map(|until| until.to_string()),
            "reason": entry.reason,
        })
    }
}

/// Now, or just after the newest entry of the scopes. A release must be newer than what it releases, and the clock that
/// wrote an entry may be ahead of this one.
fn release_time(recipient: &Recipient, scopes: &BTreeSet<Scope>, now: Timestamp) -> Timestamp {
    let newest = recipient
        .entries
        .iter()
        .filter(|((scope, _), _)| scopes.contains(scope))
        .map(|(_, entry)| entry.at)
        .max();
    newest.map_or(now, |newest| now.max(newest + SignedDuration::from_millis(1)))
}
