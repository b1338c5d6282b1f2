//! Manual decisions about a recipient: suppress or release.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use notification_model::EmailAddress;
use serde_json::json;
use store::{ActiveSuppression, HistoryEntry, Recipient, Scope, Store, SuppressionEntry, SuppressionSource};

use crate::aws_error::AwsError;
use crate::operator::operator_name;

/// A decision about a recipient in one or more scopes.
pub(super) struct Decision<'a> {
    pub(super) address: &'a EmailAddress,
    pub(super) scopes: Vec<Scope>,
    pub(super) entry: SuppressionEntry,
}

/// The entry of a decision by the operator at a time.
pub(super) fn manual_entry(
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

pub(super) async fn read_recipient(store: &Store, address: &EmailAddress) -> Result<Recipient, AwsError> {
    Ok(store.recipient(address).await?.unwrap_or_default())
}

/// The suppressions of a recipient in every scope.
pub(super) fn active_suppressions(recipient: &Recipient, now: Timestamp) -> Vec<ActiveSuppression> {
    let scopes: BTreeSet<&Scope> = recipient.entries.keys().map(|(scope, _)| scope).collect();
    scopes
        .into_iter()
        .flat_map(|scope| recipient.active_in(scope, now))
        .collect()
}

impl Decision<'_> {
    pub(super) async fn write(&self, store: &Store) -> Result<(), AwsError> {
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

    pub(super) fn json(&self) -> serde_json::Value {
        let scopes: Vec<String> = self.scopes.iter().map(ToString::to_string).collect();
        let entry = &self.entry;
        json!({
            "address": self.address.key(), "action": if entry.blocked { "suppress" } else { "release" },
            "scopes": scopes, "at": entry.at.to_string(), "until": entry.until.map(|until| until.to_string()),
            "reason": entry.reason,
        })
    }
}
