//! The row of a recipient: its suppression entries, series of bounces and newest deliveries.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use notification_model::EmailAddress;

use super::bounce_series::{BounceSeries, SeriesBounce};
use super::delivered::DeliveredMessage;
use super::entry::SuppressionEntry;
use super::scope::{Scope, SuppressionSource};
use crate::client::{Store, StoreError, key};
use crate::item::{Item, s, stamp, time};

/// The row of a recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipient {
    /// When the row was created. Deliveries after this time are recorded in the row.
    pub created_at: Option<Timestamp>,
    /// The suppression entries by scope and source, whether active or not.
    pub entries: BTreeMap<(Scope, SuppressionSource), SuppressionEntry>,
    /// The bounces of each series, in ascending order. Some may no longer count: see [`counted`](Self::counted).
    pub bounces: BTreeMap<(Scope, BounceSeries), Vec<SeriesBounce>>,
    /// The newest known deliveries, in ascending order.
    pub delivered: BTreeMap<Scope, Vec<DeliveredMessage>>,
    /// When an operator last asked to publish the state of the row again.
    pub republished_at: Option<Timestamp>,
}

impl Recipient {
    pub(super) fn read(item: &Item) -> Self {
        let mut recipient = Self {
            created_at: time(item, "createdAt"),
            republished_at: time(item, "republishedAt"),
            ..Self::default()
        };
        for (name, value) in item {
            let Some((scope, kind)) = name.rsplit_once('|') else {
                continue;
            };
            let Ok(scope) = scope.parse::<Scope>() else { continue };
            match (kind, value) {
                ("delivered", AttributeValue::Ss(set)) => {
                    let mut delivered: Vec<_> = set.iter().filter_map(|it| DeliveredMessage::read(it)).collect();
                    delivered.sort_unstable();
                    recipient.delivered.insert(scope, delivered);
                }
                (series, AttributeValue::Ss(set)) => {
                    let Some(series) = BounceSeries::read(series) else {
                        continue;
                    };
                    let mut bounces: Vec<_> = set.iter().filter_map(|member| SeriesBounce::read(member)).collect();
                    bounces.sort();
                    recipient.bounces.insert((scope, series), bounces);
                }
                (source, AttributeValue::M(map)) => {
                    recipient.entries.extend(
                        SuppressionSource::read(source)
                            .zip(SuppressionEntry::read(map))
                            .map(|(source, entry)| ((scope, source), entry)),
                    );
                }
                _ => {}
            }
        }
        recipient
    }

    /// Returns the bounces of a series, in ascending order, whether they count or not.
    #[must_use]
    pub fn series(&self, scope: &Scope, series: BounceSeries) -> &[SeriesBounce] {
        let bounces = self.bounces.get(&(scope.clone(), series));
        bounces.map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the bounces of a series that count, in ascending order: those that no later delivery and no release voids.
    #[must_use]
    pub fn counted(&self, scope: &Scope, series: BounceSeries) -> Vec<SeriesBounce> {
        let delivered_at = self.delivered_at(scope);
        let released = self.after_release(scope, series);
        let counted = released.filter(|bounce| delivered_at.is_none_or(|at| bounce.at >= at));
        counted.cloned().collect()
    }

    /// Returns the time of the newest delivery in the row that [holds](Self::holds).
    #[must_use]
    pub fn delivered_at(&self, scope: &Scope) -> Option<Timestamp> {
        let delivered = self.delivered.get(scope)?.iter();
        delivered.filter(|it| self.holds(scope, it)).map(|it| it.at).max()
    }

    /// Whether a delivery shows that the recipient receives mail: its own message did not bounce afterwards. Some servers
    /// accept every message and return it later.
    #[must_use]
    pub fn holds(&self, scope: &Scope, delivered: &DeliveredMessage) -> bool {
        let mut bounces = BounceSeries::ALL.into_iter().flat_map(|it| self.series(scope, it));
        !bounces.any(|bounce| bounce.at >= delivered.at && delivered.is_of(&bounce.message_id))
    }

    /// Returns the bounces of a series after the last release of the scope.
    pub(super) fn after_release(&self, scope: &Scope, series: BounceSeries) -> impl Iterator<Item = &SeriesBounce> {
        let release = self.entries.get(&(scope.clone(), SuppressionSource::Released));
        let released_at = release.map(|release| release.at);
        let bounces = self.series(scope, series).iter();
        bounces.filter(move |bounce| released_at.is_none_or(|at| bounce.at > at))
    }
}

impl Store {
    /// Returns the row of an address.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn recipient(&self, address: &EmailAddress) -> Result<Option<Recipient>, StoreError> {
        let get = self.client.get_item().table_name(&self.table);
        let output = get
            .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.failed("GetItem", error))?;
        Ok(output.item.as_ref().map(Recipient::read))
    }

    /// Returns the rows of many addresses by normalised address. Each request reads 100 addresses. An address without a row
    /// is not in the result.
    ///
    /// # Errors
    /// If DynamoDB fails or repeatedly leaves keys unprocessed.
    pub async fn recipients(&self, addresses: &[EmailAddress]) -> Result<HashMap<String, Recipient>, StoreError> {
        let pks: Vec<String> = addresses.iter().map(recipient_pk).collect();
        let rows = self.get_rows(&pks, RECIPIENT_SK).await?;
        Ok(rows
            .iter()
            .filter_map(|(pk, item)| Some((pk.strip_prefix("RECIPIENT#")?.to_owned(), Recipient::read(item))))
            .collect())
    }

    /// Writes the suppression entry of a scope and source, unless the row has the same or a newer one. Returns whether the
    /// row changed; `false` also if an earlier attempt of the same call changed it and its response was lost. One write request,
    /// without a read.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn record_suppression(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        source: &SuppressionSource,
        entry: &SuppressionEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let outcome = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
            .update_expression("SET #entry = :entry, createdAt = if_not_exists(createdAt, :now)")
            .condition_expression("attribute_not_exists(#entry) OR #entry.version < :version")
            .expression_attribute_names("#entry", format!("{scope}|{source}"))
            .expression_attribute_values(":entry", AttributeValue::M(entry.write()))
            .expression_attribute_values(":version", s(entry.version()))
            .expression_attribute_values(":now", s(stamp(now)))
            .send()
            .await;
        self.took_place("UpdateItem", outcome)
    }
}

/// The sort key of a recipient's row.
pub(super) const RECIPIENT_SK: &str = "SUPPRESSION";

/// The partition key of a recipient's row and history.
pub(super) fn recipient_pk(address: &EmailAddress) -> String {
    format!("RECIPIENT#{}", address.key())
}
