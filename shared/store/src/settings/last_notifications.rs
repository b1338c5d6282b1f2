//! When each identity and configuration set last reported, by type.
//!
//! One row for each resource, with one attribute for each channel and type. The times are rounded down to five minutes, so
//! that a process writes an attribute at most once in five minutes, and so that the row is the same whatever the order in
//! which the notifications of these minutes are handled.

use std::collections::BTreeMap;

use jiff::Timestamp;
use notification_model::Channel;

use super::ses_resource::SesResource;
use crate::client::{Store, StoreError, key};
use crate::item::{Item, hash, s, stamp, text};

/// Length of the interval in which a process writes an attribute once.
const INTERVAL_SECONDS: i64 = 300;

const SK: &str = "NOTIFICATIONS";

/// The list of all rows. Its entries are written once for each resource, because the keys of a row never change.
const LIST: &str = "SEEN";

/// A notification of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenNotification {
    /// The identity or configuration set.
    pub resource: SesResource,
    /// Whether the topic of an identity or an event destination reported it.
    pub channel: Channel,
    /// The type, for example `Bounce`.
    pub event_type: String,
    /// When SES published it.
    pub at: Timestamp,
}

/// When a resource last reported, by type. The times are up to five minutes early.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastNotifications {
    /// Notifications through the topics of an identity.
    pub notifications: BTreeMap<String, Timestamp>,
    /// Events through event destinations of configuration sets.
    pub events: BTreeMap<String, Timestamp>,
}

impl LastNotifications {
    /// Returns when a type was last reported through either channel.
    #[must_use]
    pub fn last(&self, event_type: &str) -> Option<Timestamp> {
        self.notifications
            .get(event_type)
            .max(self.events.get(event_type))
            .copied()
    }

    /// Returns when anything was last reported.
    #[must_use]
    pub fn last_of_any_type(&self) -> Option<Timestamp> {
        self.notifications.values().chain(self.events.values()).max().copied()
    }

    fn read(row: &Item) -> Self {
        let of_channel = |channel: Channel| {
            let prefix = prefix(channel);
            let times = row.keys().filter_map(|name| {
                let event_type = name.strip_prefix(prefix)?;
                Some((event_type.to_owned(), text(row, name)?.parse().ok()?))
            });
            times.collect()
        };
        Self {
            notifications: of_channel(Channel::Identity),
            events: of_channel(Channel::ConfigurationSet),
        }
    }
}

impl Store {
    /// Records that a resource reported. At most one write request in five minutes for each resource, channel and type; an
    /// older notification changes nothing.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn record_seen(&self, seen: &SeenNotification) -> Result<(), StoreError> {
        let interval = seen.at.as_second().div_euclid(INTERVAL_SECONDS);
        let attribute = format!("{}{}", prefix(seen.channel), seen.event_type);
        let resource = seen.resource.to_string();
        let cached = hash(&[&resource, &attribute]);
        if self.seen_cache.has(cached, interval) {
            return Ok(());
        }
        let at = Timestamp::from_second(interval * INTERVAL_SECONDS).unwrap_or(seen.at);
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&pk(&resource), SK)))
            .update_expression("SET #type = :at, listKey = :list, listSort = :resource")
            .condition_expression("attribute_not_exists(#type) OR #type < :at")
            .expression_attribute_names("#type", attribute)
            .expression_attribute_values(":at", s(stamp(at)))
            .expression_attribute_values(":list", s(LIST))
            .expression_attribute_values(":resource", s(resource))
            .send()
            .await;
        self.took_place("UpdateItem", result)?;
        // After the write, so that a failed write is repeated.
        self.seen_cache.insert(cached, interval);
        Ok(())
    }

    /// Returns when these resources last reported. One that never did is absent. One request for 100 resources.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn last_notifications(
        &self,
        resources: &[SesResource],
    ) -> Result<BTreeMap<SesResource, LastNotifications>, StoreError> {
        let pks: Vec<String> = resources.iter().map(|resource| pk(&resource.to_string())).collect();
        let rows = self.get_rows(&pks, SK).await?;
        let found = resources.iter().zip(&pks);
        Ok(found
            .filter_map(|(resource, pk)| Some((resource.clone(), LastNotifications::read(rows.get(pk)?))))
            .collect())
    }

    /// Returns when each resource that ever reported did so last. Reads the index, which is eventually consistent.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn all_last_notifications(&self) -> Result<BTreeMap<SesResource, LastNotifications>, StoreError> {
        let rows = self.listed_under(LIST, None).await?;
        let resources = rows.iter().filter_map(|row| text(row, "listSort")?.parse().ok());
        self.last_notifications(&resources.collect::<Vec<_>>()).await
    }
}

fn pk(resource: &str) -> String {
    format!("SEEN#{resource}")
}

fn prefix(channel: Channel) -> &'static str {
    match channel {
        Channel::Identity => "notification:",
        Channel::ConfigurationSet => "event:",
    }
}
