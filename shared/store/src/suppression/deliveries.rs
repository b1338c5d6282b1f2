//! The deliveries of each batch, kept for soft bounces that arrive late.
//!
//! A delivery voids the soft bounces before it. Most recipients never had a soft bounce and have no row, and a write for
//! each of their deliveries would be the largest cost of all. The deliveries of a batch are therefore one small row per
//! scope and hour. They are read only when a streak is about to suppress a recipient, to find a delivery that arrived
//! before the row of the recipient existed and is newer than the soft bounces.

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;

use super::delivered::DeliveredMessage;
use super::scope::Scope;
use crate::client::{Store, StoreError};
use crate::item::{Item, b, bytes, hash, hash_bytes, hour, n, s, text};

/// Length of one delivery in bytes: the hash of the recipient (8), the milliseconds since the full hour (4) and the hash of
/// the message (8).
const RECORD: usize = 20;

/// Maximum number of deliveries in a row: 240 KB of DynamoDB's limit of 400 KB.
const DELIVERIES_PER_ROW: usize = 12_000;

const HOUR_MILLIS: i64 = 3_600_000;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;

/// One partition holds the deliveries of a scope and day, so a search over several days needs one query a day.
fn pk(scope: &Scope, hour: &str) -> String {
    format!("DELIVERED#{scope}#{}", hour.split('T').next().unwrap_or(hour))
}

/// Returns the start of the hour that a sort key names.
fn hour_of(sk: &str) -> Option<Timestamp> {
    format!("{}:00:00Z", sk.split('#').next()?).parse().ok()
}

/// The deliveries of one batch in one scope and hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredBatch {
    scope: Scope,
    hour: String,
    records: Vec<[u8; RECORD]>,
}

impl DeliveredBatch {
    /// Creates an empty batch for deliveries of the scope in the hour of `at`.
    #[must_use]
    pub fn new(scope: Scope, at: Timestamp) -> Self {
        Self {
            scope,
            hour: hour(at),
            records: Vec::new(),
        }
    }

    /// Whether a delivery belongs to this batch.
    #[must_use]
    pub fn accepts(&self, scope: &Scope, at: Timestamp) -> bool {
        self.scope == *scope && self.hour == hour(at)
    }

    /// Adds a delivery.
    pub fn add(&mut self, address: &EmailAddress, delivered: DeliveredMessage) {
        let within = u32::try_from(delivered.at.as_millisecond().rem_euclid(HOUR_MILLIS)).unwrap_or_default();
        let (recipient, within) = (hash(&[address.key()]).to_be_bytes(), within.to_be_bytes());
        let bytes = recipient
            .into_iter()
            .chain(within)
            .chain(delivered.message.to_be_bytes());
        let mut record = [0; RECORD];
        for (target, byte) in record.iter_mut().zip(bytes) {
            *target = byte;
        }
        self.records.push(record);
    }
}

impl Store {
    /// Writes the deliveries of a batch. One request for up to 12,000.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_deliveries(&self, batch: &DeliveredBatch, expires_at: Timestamp) -> Result<(), StoreError> {
        let mut records = batch.records.clone();
        records.sort_unstable();
        records.dedup();
        for chunk in records.chunks(DELIVERIES_PER_ROW) {
            let packed = chunk.concat();
            let name = hash_bytes(&packed);
            self.put(Item::from([
                ("pk".to_owned(), s(pk(&batch.scope, &batch.hour))),
                ("sk".to_owned(), s(format!("{}#{name:016x}", batch.hour))),
                ("records".to_owned(), b(packed)),
                ("expiresAt".to_owned(), n(expires_at.as_second())),
            ]))
            .await?;
        }
        Ok(())
    }

    /// Returns the newest delivery to an address in a scope after `from` and up to `to` that `holds`, from the batches. One
    /// query for each day.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn newest_delivery(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        (from, to): (Timestamp, Timestamp),
        holds: impl Fn(&DeliveredMessage) -> bool,
    ) -> Result<Option<DeliveredMessage>, StoreError> {
        let wanted = hash(&[address.key()]).to_be_bytes();
        let mut newest = None;
        let (first, last) = (hour(from), format!("{}~", hour(to)));
        let mut start = from.as_millisecond().div_euclid(DAY_MILLIS) * DAY_MILLIS;
        while start <= to.as_millisecond() {
            let Ok(begin) = Timestamp::from_millisecond(start) else {
                break;
            };
            for row in self.rows_between(&pk(scope, &hour(begin)), &first, &last).await? {
                let found = deliveries_to(&wanted, &row);
                let in_time = found.into_iter().filter(|it| it.at > from && it.at <= to && holds(it));
                newest = newest.max(in_time.max());
            }
            start += DAY_MILLIS;
        }
        Ok(newest)
    }
}

/// Returns the deliveries of a row to the recipient with this hash.
fn deliveries_to(recipient: &[u8; 8], row: &Item) -> Vec<DeliveredMessage> {
    let Some(begin) = text(row, "sk").and_then(hour_of) else {
        return Vec::new();
    };
    let delivered = |record: &[u8; RECORD]| {
        let (hash, rest) = record.split_first_chunk::<8>()?;
        let (within, message) = rest.split_first_chunk::<4>()?;
        (hash == recipient).then_some(())?;
        Some(DeliveredMessage {
            at: begin + SignedDuration::from_millis(u32::from_be_bytes(*within).into()),
            message: u64::from_be_bytes(message.try_into().ok()?),
        })
    };
    bytes(row, "records")
        .as_chunks()
        .0
        .iter()
        .filter_map(delivered)
        .collect()
}
