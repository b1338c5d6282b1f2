//! Writes the events of senders so that each event counts once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::bucket::{bucket, list_key};
use super::counts::EventKind;
use super::sender::{Sender, SendingStream};
use crate::client::{Store, StoreError, key};
use crate::item::{Item, b, hash, n, s};

/// One bounce or complaint. An event that is reported by several topics is one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderEvent {
    /// The sender.
    pub sender: Sender,
    /// Configuration set and tenant.
    pub stream: SendingStream,
    /// `Hard`, `Soft` or `Complaint`.
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// The SES message id.
    pub message_id: String,
    /// The recipient. `None` counts the message once.
    pub recipient: Option<EmailAddress>,
    /// Whether only a report says so that names no recipient of the message. Such an event is no part of the volume, unless
    /// another report of the same event is.
    pub is_claim: bool,
}

/// The frequent events of one batch of notifications for one sender, sending stream and ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderBatch {
    sender: Sender,
    stream: SendingStream,
    at: Timestamp,
    ids: BTreeMap<EventKind, BTreeSet<u64>>,
}

/// The end of the sort key of a claim. The event and a claim of it have a row each, and count once.
pub(super) const CLAIM: &str = "#claim";

/// Maximum number of ids in a row. An id has 8 bytes, so a row has 320 KB of DynamoDB's limit of 400 KB.
const IDS_PER_ROW: usize = 40_000;

impl SenderBatch {
    /// Creates an empty batch for the ten minutes that contain `at`.
    #[must_use]
    pub fn new(sender: Sender, stream: SendingStream, at: Timestamp) -> Self {
        Self {
            sender,
            stream,
            at,
            ids: BTreeMap::new(),
        }
    }

    /// Whether an event belongs to this batch.
    #[must_use]
    pub fn accepts(&self, sender: &Sender, stream: &SendingStream, at: Timestamp) -> bool {
        self.sender == *sender && self.stream == *stream && bucket(self.at) == bucket(at)
    }

    /// Adds one recipient of a message. Adding it again changes nothing.
    pub fn add(&mut self, kind: EventKind, message_id: &str, recipient: &str) {
        self.ids.entry(kind).or_default().insert(hash(&[message_id, recipient]));
    }
}

impl Store {
    /// Counts a bounce or complaint once, however often it is called. One write request.
    ///
    /// The row gets an entry in the index `listing` only if this process has not yet listed a row of the same sender and
    /// hour, because an index entry costs as much as the row.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn count_event(&self, event: &SenderEvent, expires_at: Timestamp) -> Result<(), StoreError> {
        let recipient = event.recipient.as_ref().map_or("", EmailAddress::key);
        let id = hash(&[recipient]);
        let sk = format!(
            "{}#{}#{}#{id:016x}{}",
            bucket(event.at),
            event.kind.as_str(),
            event.message_id,
            if event.is_claim { CLAIM } else { "" },
        );
        let pk = event.sender.pk();
        let mut expression = "SET expiresAt = :expiresAt".to_owned();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&pk, &sk)))
            .expression_attribute_values(":expiresAt", n(expires_at.as_second()));
        let list_key = list_key(event.at);
        let listing = hash(&[&list_key, &pk]);
        let is_new_listing = !self.listing_cache.contains(listing);
        if is_new_listing {
            expression.push_str(", listKey = :listKey, listSort = :listSort");
            update = update
                .expression_attribute_values(":listKey", s(list_key))
                .expression_attribute_values(":listSort", s(pk));
        }
        // A notification of the identity has neither, and must not erase those of the configuration set's event.
        let stream = [
            ("configurationSet", &event.stream.configuration_set),
            ("tenant", &event.stream.tenant),
        ];
        for (name, value) in stream {
            if let Some(value) = value {
                expression.push_str(&format!(", {name} = :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), s(value));
            }
        }
        update
            .update_expression(expression)
            .send()
            .await
            .map_err(|error| self.failed("UpdateItem", error))?;
        if is_new_listing {
            // After the write, so that a failed write does not hide the sender.
            self.listing_cache.insert(listing);
        }
        Ok(())
    }

    /// Counts the sends, deliveries, rejects, rendering failures and delays of a batch. One write request for up to 40,000.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn count_batch(&self, batch: &SenderBatch, expires_at: Timestamp) -> Result<(), StoreError> {
        let all: Vec<(EventKind, u64)> = batch
            .ids
            .iter()
            .flat_map(|(kind, ids)| ids.iter().map(|id| (*kind, *id)))
            .collect();
        for chunk in all.chunks(IDS_PER_ROW) {
            let mut packed: BTreeMap<EventKind, Vec<u8>> = BTreeMap::new();
            let mut name = hash(&[&format!("{:?}", batch.stream)]);
            for (kind, id) in chunk {
                packed.entry(*kind).or_default().extend(id.to_be_bytes());
                name = name.rotate_left(5) ^ id ^ hash(&[kind.as_str()]);
            }
            let mut item = Item::from([
                ("pk".to_owned(), s(batch.sender.pk())),
                ("sk".to_owned(), s(format!("{}#batch#{name:016x}", bucket(batch.at)))),
                ("listKey".to_owned(), s(list_key(batch.at))),
                ("listSort".to_owned(), s(batch.sender.pk())),
                ("expiresAt".to_owned(), n(expires_at.as_second())),
            ]);
            item.extend(packed.into_iter().map(|(kind, ids)| (kind.as_str().to_owned(), b(ids))));
            item.extend(
                batch
                    .stream
                    .configuration_set
                    .as_ref()
                    .map(|name| ("configurationSet".to_owned(), s(name))),
            );
            item.extend(batch.stream.tenant.as_ref().map(|name| ("tenant".to_owned(), s(name))));
            self.put(item).await?;
        }
        Ok(())
    }
}
