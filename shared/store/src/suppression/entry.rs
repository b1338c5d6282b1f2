//! A suppression entry: the newest decision of one source about a recipient in one scope.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::item::{Item, epoch, n, s, stamp, text, time};

/// The newest decision of one source in one scope, whether it is active, expired or a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionEntry {
    /// When the event behind the decision happened.
    pub at: Timestamp,
    /// The SES message id, or the id of a manual decision. Orders events that happened at the same time.
    pub id: String,
    /// Whether the entry suppresses. `false` records a release, so that an older event cannot undo it.
    pub blocked: bool,
    /// When the suppression ends. `None`: never.
    pub until: Option<Timestamp>,
    /// The reason, for people.
    pub reason: String,
    /// The address as the event spells it.
    pub address: String,
    /// Fields of the event: `bounceType`, `bounceSubType`, `status`, `diagnostic`, `feedbackId`, ...
    pub evidence: BTreeMap<String, String>,
}

impl SuppressionEntry {
    /// Orders the entries of one source: the entry with the greater version is newer.
    pub(super) fn version(&self) -> String {
        format!("{}#{}", stamp(self.at), self.id)
    }

    pub(super) fn write(&self) -> Item {
        let evidence = self
            .evidence
            .iter()
            .map(|(name, value)| (name.clone(), s(value)))
            .collect();
        let mut item = Item::from([
            ("version".to_owned(), s(self.version())),
            ("at".to_owned(), s(stamp(self.at))),
            ("id".to_owned(), s(&self.id)),
            ("blocked".to_owned(), AttributeValue::Bool(self.blocked)),
            ("reason".to_owned(), s(&self.reason)),
            ("address".to_owned(), s(&self.address)),
            ("evidence".to_owned(), AttributeValue::M(evidence)),
        ]);
        if let Some(until) = self.until {
            item.insert("until".to_owned(), n(until.as_second()));
        }
        item
    }

    pub(super) fn read(item: &Item) -> Option<Self> {
        let evidence = item
            .get("evidence")
            .and_then(|value| value.as_m().ok())
            .cloned()
            .unwrap_or_default();
        Some(Self {
            at: time(item, "at")?,
            id: text(item, "id")?.to_owned(),
            blocked: *item.get("blocked")?.as_bool().ok()?,
            until: epoch(item, "until"),
            reason: text(item, "reason")?.to_owned(),
            address: text(item, "address")?.to_owned(),
            evidence: evidence
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_s().ok()?.clone())))
                .collect(),
        })
    }
}
