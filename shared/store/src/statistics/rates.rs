//! Reads the event counts of a sender, and lists the senders.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::bucket::{bucket, list_key};
use super::counts::EventCounts;
use super::sender::{Sender, SendingStream};
use super::unique_events::UniqueEvents;
use crate::client::{Store, StoreError};
use crate::item::{s, text};

/// The event counts of a sender over the last hour and the last 24 hours, to the full ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRates {
    /// The sender.
    pub sender: Sender,
    /// The last hour.
    pub hour: EventCounts,
    /// The last 24 hours.
    pub day: EventCounts,
    /// The last 24 hours by sending stream.
    pub day_by_stream: BTreeMap<SendingStream, EventCounts>,
}

impl Store {
    /// Returns the event counts of a sender over the last hour and the last 24 hours.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn sender_rates(&self, sender: &Sender, now: Timestamp) -> Result<SenderRates, StoreError> {
        let day_ago = now - SignedDuration::from_hours(24);
        let hour_ago = bucket(now - SignedDuration::from_hours(1));
        let rows = self
            .rows_between(&sender.pk(), &bucket(day_ago), &format!("{}~", bucket(now)))
            .await?;
        let mut hour = UniqueEvents::default();
        let mut day = UniqueEvents::default();
        for row in &rows {
            day.add(row);
            if text(row, "sk").is_some_and(|sk| sk >= hour_ago.as_str()) {
                hour.add(row);
            }
        }
        let day_by_stream = day.by_stream();
        Ok(SenderRates {
            sender: sender.clone(),
            hour: hour.total(),
            day: day.total(),
            day_by_stream,
        })
    }

    /// Returns the senders of the last 24 hours.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn senders(&self, now: Timestamp) -> Result<Vec<Sender>, StoreError> {
        let mut found = BTreeSet::new();
        for hours in 0..=24 {
            let list_key = list_key(now - SignedDuration::from_hours(hours));
            let mut last: Option<String> = None;
            // Index entries are sorted by sender, so a query with a limit of 1 finds the next sender.
            loop {
                let from = last.as_deref().unwrap_or("SENDER#");
                let output = self
                    .client
                    .query()
                    .table_name(&self.table)
                    .index_name("listing")
                    .key_condition_expression("listKey = :hour AND listSort > :from")
                    .expression_attribute_values(":hour", s(&list_key))
                    .expression_attribute_values(":from", s(from))
                    .limit(1)
                    .send()
                    .await
                    .map_err(|error| self.failed("Query", error))?;
                let next = output.items().first().and_then(|row| text(row, "listSort"));
                let Some(next) = next else { break };
                found.extend(Sender::read(next));
                last = Some(next.to_owned());
            }
        }
        Ok(found.into_iter().collect())
    }
}
