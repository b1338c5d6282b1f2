//! The row of a recipient: its suppression entries, soft bounces and newest deliveries.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use notification_model::EmailAddress;

use super::entry::SuppressionEntry;
use super::scope::{Scope, SuppressionSource};
use super::soft_bounce::{SoftBounce, select_kept};
use crate::client::{Store, StoreError, key};
use crate::item::{Item, s, stamp, time};

/// The row of a recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipient {
    /// When the row was created. Deliveries after this time are recorded in the row.
    pub created_at: Option<Timestamp>,
    /// The suppression entries by scope and source, whether active or not.
    pub entries: BTreeMap<(Scope, SuppressionSource), SuppressionEntry>,
    /// The soft bounces since the last delivery, in ascending order.
    pub soft_bounces: BTreeMap<Scope, Vec<SoftBounce>>,
    /// The newest known delivery.
    pub delivered_at: BTreeMap<Scope, Timestamp>,
}

impl Recipient {
    pub(super) fn read(item: &Item) -> Self {
        let mut recipient = Self {
            created_at: time(item, "createdAt"),
            ..Self::default()
        };
        for (name, value) in item {
            let Some((scope, kind)) = name.rsplit_once('|') else {
                continue;
            };
            let Ok(scope) = scope.parse::<Scope>() else { continue };
            match (kind, value) {
                ("soft", AttributeValue::Ss(set)) => {
                    let mut bounces: Vec<_> = set.iter().filter_map(|member| SoftBounce::read(member)).collect();
                    bounces.sort();
                    recipient.soft_bounces.insert(scope, bounces);
                }
                ("delivered", AttributeValue::S(at)) => {
                    recipient.delivered_at.extend(at.parse().ok().map(|at| (scope, at)));
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

    /// Returns the soft bounces of a scope that no delivery and no release has voided, in ascending order. Of more than
    /// 100, a selection.
    #[must_use]
    pub fn live_soft_bounces(&self, scope: &Scope) -> Vec<SoftBounce> {
        let delivered_at = self.delivered_at.get(scope);
        let released_at = self
            .entries
            .get(&(scope.clone(), SuppressionSource::Released))
            .map(|release| release.at);
        let bounces = self.soft_bounces.get(scope).map(Vec::as_slice).unwrap_or_default();
        let live = bounces.iter().filter(|bounce| {
            delivered_at.is_none_or(|at| bounce.at >= *at) && released_at.is_none_or(|at| bounce.at > at)
        });
        select_kept(live.cloned().collect())
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
    /// row changed. One write request, without a read.
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
