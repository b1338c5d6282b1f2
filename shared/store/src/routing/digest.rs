//! Digests: the items for a mail address are collected for a window and then sent in one mail.
//!
//! An item belongs to the window that is open when it is written. When the window has ended, an invocation claims the digest,
//! sends it, and marks it as sent. The claim lets only one of several concurrent invocations send it. When an invocation stops
//! before it has marked the digest, another one sends it after the claim has expired. A digest that the mail service rejects is
//! marked as rejected: it is not due any more, and can be claimed again when an operator has corrected the cause.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;

use crate::claim_token::ClaimToken;
use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{Item, n, s, stamp, text, time};

/// The digest of an address and a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DigestKey {
    /// The normalised address.
    pub address: String,
    /// The start of the window.
    pub window: Timestamp,
}

/// The result of claiming a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestClaim {
    /// The caller sends the digest.
    Claimed,
    /// Another invocation has claimed the digest and may still send it.
    InProgress,
    /// The digest is sent.
    Sent,
    /// The digest does not exist, or it has expired.
    Missing,
}

impl DigestKey {
    fn pk(&self) -> String {
        format!("DIGEST#{}", self.address)
    }
}

impl Store {
    /// Opens a digest, so that it is sent when its window has ended. Returns `false` when it is claimed, sent or rejected
    /// already: an item would not be in the mail.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn open_digest(&self, digest: &DigestKey, expires_at: Timestamp) -> Result<bool, StoreError> {
        let window = stamp(digest.window);
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Item::from([
                ("pk".to_owned(), s(digest.pk())),
                ("sk".to_owned(), s(&window)),
                ("listKey".to_owned(), s("DIGESTS")),
                ("listSort".to_owned(), s(format!("{window}#{}", digest.address))),
                ("expiresAt".to_owned(), n(expires_at.as_second())),
            ])))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match self.conditional("PutItem", result)? {
            Conditional::Written(_) => true,
            Conditional::ConditionFailed(row) => row.is_some_and(|row| is_open(&row)),
        })
    }

    /// Adds an item to a digest. An item with the same id is replaced.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn add_digest_item(
        &self,
        digest: &DigestKey,
        id: &str,
        item: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.put(Item::from([
            ("pk".to_owned(), s(digest.pk())),
            ("sk".to_owned(), s(format!("{}#{id}", stamp(digest.window)))),
            ("item".to_owned(), s(item)),
            ("expiresAt".to_owned(), n(expires_at.as_second())),
        ]))
        .await
    }

    /// Returns the digests that are not sent and whose windows started at `until` or before.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn due_digests(&self, until: Timestamp) -> Result<Vec<DigestKey>, StoreError> {
        let listed = self.listed("DIGESTS", &format!("{}#~", stamp(until))).await?;
        let read = |row: &Item| {
            Some(DigestKey {
                address: text(row, "pk")?.strip_prefix("DIGEST#")?.to_owned(),
                window: time(row, "sk")?,
            })
        };
        Ok(listed.iter().filter_map(read).collect())
    }

    /// Claims a digest for sending. A claim that was made before `expired_before` has expired. A claim whose response was lost
    /// is recognised when the SDK repeats the request.
    ///
    /// # Errors
    /// When DynamoDB fails. The claim may have been written; then it expires.
    pub async fn claim_digest(
        &self,
        digest: &DigestKey,
        now: Timestamp,
        expired_before: Timestamp,
    ) -> Result<DigestClaim, StoreError> {
        let token = ClaimToken::unique();
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&digest.pk(), &stamp(digest.window))))
            .update_expression("SET claimedAt = :now, claimToken = :token")
            .condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(sentAt) \
                 AND (attribute_not_exists(claimedAt) OR claimedAt < :expired_before)",
            )
            .expression_attribute_values(":now", s(stamp(now)))
            .expression_attribute_values(":expired_before", s(stamp(expired_before)))
            .expression_attribute_values(":token", token.value())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match self.conditional("UpdateItem", result)? {
            Conditional::Written(_) => DigestClaim::Claimed,
            Conditional::ConditionFailed(None) => DigestClaim::Missing,
            Conditional::ConditionFailed(Some(row)) if row.contains_key("sentAt") => DigestClaim::Sent,
            Conditional::ConditionFailed(Some(row)) if token.is_in(&row) => DigestClaim::Claimed,
            Conditional::ConditionFailed(Some(_)) => DigestClaim::InProgress,
        })
    }

    /// Calls `each` for every item of a digest. Reads page by page, because a digest can be larger than the memory.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn digest_items(&self, digest: &DigestKey, mut each: impl FnMut(&str)) -> Result<(), StoreError> {
        let window = stamp(digest.window);
        let mut rows = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :window)")
            .expression_attribute_values(":pk", s(digest.pk()))
            .expression_attribute_values(":window", s(format!("{window}#")))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| self.failed("Query", error))?;
            each(text(&row, "item").unwrap_or_default());
        }
        Ok(())
    }

    /// Marks a digest as sent and removes it from the list of due digests. A digest that has expired needs no mark.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn mark_digest_sent(&self, digest: &DigestKey, now: Timestamp) -> Result<(), StoreError> {
        self.close_digest(digest, "SET sentAt = :now REMOVE listKey, listSort", now)
            .await
    }

    /// Marks a digest as rejected, removes it from the list of due digests and ends its claim, so that it can be claimed again.
    /// A digest that has expired needs no mark.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn mark_digest_rejected(&self, digest: &DigestKey, now: Timestamp) -> Result<(), StoreError> {
        let expression = "SET rejectedAt = :now REMOVE listKey, listSort, claimedAt, claimToken";
        self.close_digest(digest, expression, now).await
    }

    async fn close_digest(
        &self,
        digest: &DigestKey,
        expression: &'static str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&digest.pk(), &stamp(digest.window))))
            .update_expression(expression)
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", s(stamp(now)))
            .send()
            .await;
        self.took_place("UpdateItem", result).map(drop)
    }
}

/// Whether an item that is added to the digest is in its mail.
fn is_open(row: &Item) -> bool {
    !["claimedAt", "sentAt", "rejectedAt"]
        .iter()
        .any(|name| row.contains_key(*name))
}
