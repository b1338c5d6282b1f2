//! What is to be told to a person, collected until it is worth a mail.
//!
//! Lines go into the window that is open when they are written. A digest is sent once its window has ended: claimed
//! first, so that two runs at a time send it once, and marked as sent last, so that a run that died is repeated by a
//! later one when the claim has run out.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;

use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{Item, n, s, stamp, text, time};

/// One person's digest of one window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DigestKey {
    /// The normalised address.
    pub address: String,
    /// When the window began.
    pub window: Timestamp,
}

impl DigestKey {
    fn pk(&self) -> String {
        format!("DIGEST#{}", self.address)
    }
}

impl Store {
    /// Makes sure that the digest will be sent. `false` when that has happened already, or is about to: a line for it
    /// would come too late.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn open_digest(&self, digest: &DigestKey, expires_at: Timestamp) -> Result<bool, StoreError> {
        let window = stamp(digest.window);
        let answer = self
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
        Ok(match self.conditional("PutItem", answer)? {
            Conditional::Written(_) => true,
            Conditional::ConditionFailed(row) => row.is_some_and(|row| !row.contains_key("claimedAt")),
        })
    }

    /// Adds a line to a digest; again with the same id it is the same line.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn add_digest_item(
        &self,
        digest: &DigestKey,
        id: &str,
        line: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.put(Item::from([
            ("pk".to_owned(), s(digest.pk())),
            ("sk".to_owned(), s(format!("{}#{id}", stamp(digest.window)))),
            ("line".to_owned(), s(line)),
            ("expiresAt".to_owned(), n(expires_at.as_second())),
        ]))
        .await
    }

    /// The digests that are not sent and whose windows began at `until` or before.
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

    /// Claims a digest for sending. `false` when it is sent, or claimed by another run since `lapsed`.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn claim_digest(
        &self,
        digest: &DigestKey,
        now: Timestamp,
        lapsed: Timestamp,
    ) -> Result<bool, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&digest.pk(), &stamp(digest.window))))
            .update_expression("SET claimedAt = :now")
            .condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(sentAt) \
                 AND (attribute_not_exists(claimedAt) OR claimedAt < :lapsed)",
            )
            .expression_attribute_values(":now", s(stamp(now)))
            .expression_attribute_values(":lapsed", s(stamp(lapsed)))
            .send()
            .await;
        self.took_place("UpdateItem", answer)
    }

    /// Hands every line of a digest to `each`, a page at a time: a bad day's digest need not fit into memory.
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
            each(text(&row, "line").unwrap_or_default());
        }
        Ok(())
    }

    /// Marks a digest as sent and takes it from the list of the due ones.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn mark_digest_sent(&self, digest: &DigestKey, now: Timestamp) -> Result<(), StoreError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&digest.pk(), &stamp(digest.window))))
            .update_expression("SET sentAt = :now REMOVE listKey, listSort")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", s(stamp(now)))
            .send()
            .await
            .map_err(|error| self.failed("UpdateItem", error))?;
        Ok(())
    }
}
