//! Caps: how much mail a mailbox, a domain or the whole stack may cause within an hour or a day.
//!
//! A counter is a set of hashes, one for each mail that it counted, so that counting a mail again has no effect, and so that
//! concurrent invocations never exceed the limit: the condition is part of the write. A counter with a high limit consists of
//! several rows, each with a part of the limit, so that no row is large and no partition is hot.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::client::{Store, StoreError, key};
use crate::item::{hash, hour, n};

/// The maximum number of hashes in a row. A row of this size costs two write units.
const MAX_ROW_HASHES: usize = 128;
/// How many rows of a counter are tried for a mail. Fewer than all, so that a mail that is stopped costs few requests; a
/// counter therefore stops some mails when it is nearly full.
const MAX_TRIED_ROWS: usize = 3;

/// The maximum number of mails that a counter counts in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendCap {
    /// What is counted, for example `forwards#mailbox#sales@shop.example`.
    pub counter: String,
    /// The period, in UTC.
    pub period: CapPeriod,
    /// The maximum number in a period.
    pub limit: usize,
}

/// The period of a cap, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CapPeriod {
    /// One minute.
    Minute,
    /// One hour.
    Hour,
    /// One day.
    Day,
}

impl CapPeriod {
    /// The sort key of a period, and the seconds until DynamoDB may delete its rows.
    fn sort_key(self, at: Timestamp) -> (String, i64) {
        match self {
            Self::Minute => (at.strftime("%Y-%m-%dT%H:%M").to_string(), 3600),
            Self::Hour => (hour(at), 2 * 3600),
            Self::Day => (at.strftime("%Y-%m-%d").to_string(), 2 * 86_400),
        }
    }
}

impl SendCap {
    /// The rows that can hold a mail, each with its limit, in the order in which they are tried. The same for every attempt.
    fn rows(&self, id: &str) -> Vec<(usize, usize)> {
        let rows = self.limit.div_ceil(MAX_ROW_HASHES).max(1);
        // The first rows hold the remainder.
        let limit = |row: usize| self.limit / rows + usize::from(row < self.limit % rows);
        let count = u64::try_from(rows).unwrap_or(u64::MAX);
        let mut tried: Vec<(usize, usize)> = Vec::new();
        for attempt in ["0", "1", "2", "3", "4", "5"] {
            let row = usize::try_from(hash(&[id, attempt]) % count).unwrap_or_default();
            if tried.len() < MAX_TRIED_ROWS && tried.iter().all(|(known, _)| *known != row) {
                tried.push((row, limit(row)));
            }
        }
        tried
    }
}

impl Store {
    /// Counts a mail in the period of `at`. Returns `false` if the counter has reached its limit. Counting the same `id` again
    /// has no effect and returns the same. One to three write requests.
    ///
    /// # Errors
    /// If DynamoDB fails. The mail may have been counted.
    pub async fn count_against_cap(&self, cap: &SendCap, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let (sk, kept_seconds) = cap.period.sort_key(at);
        let hashed = Blob::new(hash(&[id]).to_be_bytes());
        for (row, limit) in cap.rows(id) {
            let update = self.client.update_item().table_name(&self.table);
            let response = update
                .set_key(Some(key(&format!("CAP#{}#{row}", cap.counter), &sk)))
                .update_expression("ADD ids :ids SET expiresAt = :expires")
                .condition_expression(
                    "(attribute_not_exists(ids) AND :limit > :zero) OR size(ids) < :limit OR contains(ids, :id)",
                )
                .expression_attribute_values(":ids", AttributeValue::Bs(vec![hashed.clone()]))
                .expression_attribute_values(":id", AttributeValue::B(hashed.clone()))
                .expression_attribute_values(":limit", n(limit))
                .expression_attribute_values(":zero", n(0))
                .expression_attribute_values(":expires", n(at.as_second().saturating_add(kept_seconds)))
                .send()
                .await;
            if self.took_place("UpdateItem", response)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::{CapPeriod, SendCap};

    #[test]
    fn the_rows_of_a_counter_share_its_limit_and_a_mail_always_has_the_same() {
        for limit in [1, 5, 127, 128, 129, 1000, 10_000] {
            let cap = SendCap {
                counter: "forwards#day".to_owned(),
                period: CapPeriod::Day,
                limit,
            };
            let mut limits = std::collections::BTreeMap::new();
            for id in 0..20_000 {
                let id = id.to_string();
                assert_eq!(cap.rows(&id), cap.rows(&id));
                limits.extend(cap.rows(&id));
            }
            assert_eq!(limits.values().sum::<usize>(), limit, "{limit}");
            assert!(limits.values().all(|of_row| (1..=128).contains(of_row)), "{limits:?}");
        }
    }
}
