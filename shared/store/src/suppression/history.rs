//! The history of a recipient, and the list of suppressed recipients of a scope.

use std::collections::BTreeMap;

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::recipient::recipient_pk;
use super::scope::Scope;
use crate::client::{Store, StoreError};
use crate::item::{Item, n, s, stamp, text, time};

/// One entry in the history of a recipient. Writing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When the event happened.
    pub at: Timestamp,
    /// The SES message id, or the id of a manual decision.
    pub id: String,
    /// What happened: `hard`, `soft`, `complaint`, `manual-release`, ...
    pub kind: String,
    /// What was done, and why, for people.
    pub reason: String,
    /// For whom the decision holds.
    pub scope: Scope,
    /// Whether the event suppressed the recipient. Such entries are also in the list of the scope.
    pub suppresses: bool,
    /// Fields of the event.
    pub evidence: BTreeMap<String, String>,
    /// When DynamoDB may delete the entry. `None`: never, because it explains a permanent suppression.
    pub expires_at: Option<Timestamp>,
}

/// A suppression in the list of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSuppression {
    /// When the recipient was suppressed.
    pub at: Timestamp,
    /// The normalised address.
    pub address: String,
}

impl HistoryEntry {
    fn write(&self, address: &EmailAddress) -> Item {
        let mut item = Item::from([
            ("pk".to_owned(), s(recipient_pk(address))),
            (
                "sk".to_owned(),
                s(format!(
                    "EVENT#{}#{}#{}#{}",
                    stamp(self.at),
                    self.id,
                    self.kind,
                    self.scope
                )),
            ),
            ("at".to_owned(), s(stamp(self.at))),
            ("id".to_owned(), s(&self.id)),
            ("kind".to_owned(), s(&self.kind)),
            ("reason".to_owned(), s(&self.reason)),
            ("scope".to_owned(), s(self.scope.to_string())),
        ]);
        for (name, value) in &self.evidence {
            item.insert(format!("evidence.{name}"), s(value));
        }
        if self.suppresses {
            item.insert("listKey".to_owned(), s(format!("SCOPE#{}", self.scope)));
            item.insert("listSort".to_owned(), s(stamp(self.at)));
        }
        if let Some(expires_at) = self.expires_at {
            item.insert("expiresAt".to_owned(), n(expires_at.as_second()));
        }
        item
    }

    fn read(item: &Item) -> Option<Self> {
        let evidence = item
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix("evidence.")?.to_owned(), value.as_s().ok()?.clone())));
        Some(Self {
            at: time(item, "at")?,
            id: text(item, "id")?.to_owned(),
            kind: text(item, "kind")?.to_owned(),
            reason: text(item, "reason")?.to_owned(),
            scope: text(item, "scope")?.parse().ok()?,
            suppresses: item.contains_key("listKey"),
            evidence: evidence.collect(),
            expires_at: crate::item::epoch(item, "expiresAt"),
        })
    }
}

impl Store {
    /// Writes a history entry. One write request.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn append_history(&self, address: &EmailAddress, entry: &HistoryEntry) -> Result<(), StoreError> {
        self.put(entry.write(address)).await
    }

    /// Returns the history of an address, oldest first.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn history(&self, address: &EmailAddress) -> Result<Vec<HistoryEntry>, StoreError> {
        let rows = self.rows_between(&recipient_pk(address), "EVENT#", "EVENT#~").await?;
        Ok(rows.iter().filter_map(HistoryEntry::read).collect())
    }

    /// Returns the suppressions that started in a scope between two times, oldest first, at most `limit`. A recipient that
    /// was suppressed more than once is listed each time. [`recipients`](Self::recipients) reads whether it still is.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn suppressed_between(
        &self,
        scope: &Scope,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<ListedSuppression>, StoreError> {
        let mut rows = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("listing")
            .key_condition_expression("listKey = :scope AND listSort BETWEEN :from AND :to")
            .expression_attribute_values(":scope", s(format!("SCOPE#{scope}")))
            .expression_attribute_values(":from", s(stamp(from)))
            .expression_attribute_values(":to", s(stamp(to)))
            .into_paginator()
            .items()
            .send();
        let mut listed = Vec::new();
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| self.failed("Query", error))?;
            if let (Some(pk), Some(at)) = (text(&row, "pk"), time(&row, "listSort")) {
                listed.push(ListedSuppression {
                    at,
                    address: pk.trim_start_matches("RECIPIENT#").to_owned(),
                });
            }
            if listed.len() == limit {
                break;
            }
        }
        Ok(listed)
    }
}
