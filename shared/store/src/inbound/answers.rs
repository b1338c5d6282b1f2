//! How many automatic replies and bounces an address or domain got, and how many of them bounced, by day.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use crate::client::{Store, StoreError, key};
use crate::item::{Item, hash, n};

/// The number of days whose counts matter, today included.
const DAYS: i32 = 7;
/// A row counts at most this many answers. More do not change whether a domain's answers bounce.
const MAX_COUNTED: usize = 500;
const SK: &str = "COUNT";

/// The answers to an address or domain within the last seven days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnswerCounts {
    /// Answers that were sent.
    pub sent: usize,
    /// Answers that bounced.
    pub bounced: usize,
}

/// What happened to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerEvent {
    /// It is about to be sent.
    Sent,
    /// It bounced.
    Bounced,
}

impl Store {
    /// Counts an answer for an address or domain on the day of `at`. Counting the same `id` again has no effect. One write
    /// request.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn count_answer(
        &self,
        event: AnswerEvent,
        address_or_domain: &str,
        id: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let name = match event {
            AnswerEvent::Sent => "sent",
            AnswerEvent::Bounced => "bounced",
        };
        let hashed = Blob::new(hash(&[id]).to_be_bytes());
        let kept = SignedDuration::from_hours(24 * i64::from(DAYS + 1));
        let expires_at = at.checked_add(kept).unwrap_or(Timestamp::MAX);
        let update = self.client.update_item().table_name(&self.table);
        let response = update
            .set_key(Some(key(&pk(address_or_domain, at), SK)))
            .update_expression("ADD #ids :ids SET expiresAt = :expires")
            .condition_expression("attribute_not_exists(#ids) OR size(#ids) < :limit")
            .expression_attribute_names("#ids", name)
            .expression_attribute_values(":ids", AttributeValue::Bs(vec![hashed]))
            .expression_attribute_values(":limit", n(MAX_COUNTED))
            .expression_attribute_values(":expires", n(expires_at.as_second()))
            .send()
            .await;
        self.took_place("UpdateItem", response).map(drop)
    }

    /// The answers to addresses and domains on the day of `now` and the six days before. One read request for 14 of them.
    ///
    /// # Errors
    /// If DynamoDB fails or leaves keys unprocessed.
    pub async fn answer_counts(
        &self,
        addresses_and_domains: &[&str],
        now: Timestamp,
    ) -> Result<BTreeMap<String, AnswerCounts>, StoreError> {
        let days: Vec<Timestamp> = (0..DAYS)
            .filter_map(|day| now.checked_sub(SignedDuration::from_hours(24 * i64::from(day))).ok())
            .collect();
        let pks_of = |name: &str| -> Vec<String> { days.iter().map(|day| pk(name, *day)).collect() };
        let pks: Vec<String> = addresses_and_domains.iter().flat_map(|name| pks_of(name)).collect();
        let rows = self.get_rows(&pks, SK).await?;
        let size = |row: &Item, name: &str| {
            let set = row.get(name).and_then(|value| value.as_bs().ok());
            set.map_or(0, Vec::len)
        };
        let count = |name: &&str| {
            let mut counts = AnswerCounts::default();
            for row in pks_of(name).iter().filter_map(|pk| rows.get(pk)) {
                counts.sent += size(row, "sent");
                counts.bounced += size(row, "bounced");
            }
            ((*name).to_owned(), counts)
        };
        Ok(addresses_and_domains.iter().map(count).collect())
    }
}

fn pk(address_or_domain: &str, day: Timestamp) -> String {
    format!("ANSWERS#{address_or_domain}#{}", day.strftime("%Y-%m-%d"))
}
