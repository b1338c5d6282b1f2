//! The recipient row: every decision about one address.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use notification_model::EmailAddress;

use super::scope::{Scope, SuppressionSource};
use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{Item, epoch, n, s, stamp, text, time};

pub(crate) const SUPPRESSION: &str = "SUPPRESSION";

/// Up to this many soft bounces of a scope are kept as they are. Of more, as an hourly alert to a full mailbox makes them,
/// the first [`FIRST_KEPT`] and then one a day are kept: enough to judge a streak to the day, and no way to fill a row.
const ALL_KEPT: usize = 100;

/// See [`ALL_KEPT`].
const FIRST_KEPT: usize = 20;

/// What a register holds: the newest decision of its origin, be it in force, expired or a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionEntry {
    /// When the event behind it happened.
    pub at: Timestamp,
    /// The SES message id, or the id of a person's decision. Breaks ties between events of one instant.
    pub id: String,
    /// Whether mail is refused. `false` records a release, so that an older event cannot undo it.
    pub blocked: bool,
    /// Until when; `None` is for good.
    pub until: Option<Timestamp>,
    /// Why, in words for people.
    pub reason: String,
    /// The address as the event spelled it.
    pub address: String,
    /// What the decision rests on: `bounceType`, `bounceSubType`, `status`, `diagnostic`, `feedbackId`, ...
    pub evidence: BTreeMap<String, String>,
}

impl SuppressionEntry {
    pub(crate) fn version(&self) -> String {
        format!("{}#{}", stamp(self.at), self.id)
    }

    pub(crate) fn write(&self) -> Item {
        let evidence = self
            .evidence
            .iter()
            .map(|(name, value)| (name.clone(), s(value)))
            .collect();
        let mut item = Item::from([
            ("version".to_owned(), s(self.version())),
            ("at".to_owned(), s(stamp(self.at))),
            ("id".to_owned(), s(&self.id)),
            ("blocked".to_owned(), AttributeValue::Bool(self.blocked)),
            ("reason".to_owned(), s(&self.reason)),
            ("address".to_owned(), s(&self.address)),
            ("evidence".to_owned(), AttributeValue::M(evidence)),
        ]);
        if let Some(until) = self.until {
            item.insert("until".to_owned(), n(until.as_second()));
        }
        item
    }

    pub(crate) fn read(item: &Item) -> Option<Self> {
        let evidence = item
            .get("evidence")
            .and_then(|value| value.as_m().ok())
            .cloned()
            .unwrap_or_default();
        Some(Self {
            at: time(item, "at")?,
            id: text(item, "id")?.to_owned(),
            blocked: *item.get("blocked")?.as_bool().ok()?,
            until: epoch(item, "until"),
            reason: text(item, "reason")?.to_owned(),
            address: text(item, "address")?.to_owned(),
            evidence: evidence
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_s().ok()?.clone())))
                .collect(),
        })
    }
}

/// One soft bounce of a streak.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SoftBounce {
    /// When.
    pub at: Timestamp,
    /// Of which message.
    pub message_id: String,
}

/// A recipient's row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipient {
    /// When the row came to be: every later delivery to the address is recorded in it.
    pub created_at: Option<Timestamp>,
    /// The decisions, by scope and origin, in force or not.
    pub entries: BTreeMap<(Scope, SuppressionSource), SuppressionEntry>,
    /// The soft bounces since the last delivery, in their order.
    pub soft_bounces: BTreeMap<Scope, Vec<SoftBounce>>,
    /// The newest delivery known.
    pub delivered_at: BTreeMap<Scope, Timestamp>,
}

impl Recipient {
    pub(crate) fn read(item: &Item) -> Self {
        let mut recipient = Self {
            created_at: time(item, "createdAt"),
            ..Self::default()
        };
        for (name, value) in item {
            let Some((scope, register)) = name.rsplit_once('|') else {
                continue;
            };
            let Ok(scope) = scope.parse::<Scope>() else { continue };
            match (register, value) {
                ("soft", AttributeValue::Ss(set)) => {
                    let mut bounces: Vec<_> = set.iter().filter_map(|member| read_soft(member)).collect();
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

    /// The soft bounces of a scope that neither a delivery nor a release has made void, in their order; of very many, a
    /// selection.
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
        selection(live.cloned().collect())
    }
}

fn selection(bounces: Vec<SoftBounce>) -> Vec<SoftBounce> {
    if bounces.len() <= ALL_KEPT {
        return bounces;
    }
    let mut days = std::collections::BTreeSet::new();
    let mut kept = Vec::new();
    for (index, bounce) in bounces.into_iter().enumerate() {
        let first_of_its_day = days.insert(bounce.at.as_second().div_euclid(86_400));
        if index < FIRST_KEPT || first_of_its_day {
            kept.push(bounce);
        }
    }
    kept
}

fn write_soft(bounce: &SoftBounce) -> String {
    format!("{}#{}", stamp(bounce.at), bounce.message_id)
}

fn read_soft(member: &str) -> Option<SoftBounce> {
    let (at, message_id) = member.split_once('#')?;
    Some(SoftBounce {
        at: at.parse().ok()?,
        message_id: message_id.to_owned(),
    })
}

pub(crate) fn recipient_pk(address: &EmailAddress) -> String {
    format!("RECIPIENT#{}", address.key())
}

/// Whether a streak's outcome was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreakWrite {
    /// The row now says so.
    Written,
    /// The row changed meanwhile; whoever changed it judges the streak anew.
    Overtaken,
}

impl Store {
    /// The row of an address.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn recipient(&self, address: &EmailAddress) -> Result<Option<Recipient>, StoreError> {
        let get = self.client.get_item().table_name(&self.table);
        let output = get
            .set_key(Some(key(&recipient_pk(address), SUPPRESSION)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.failed("GetItem", error))?;
        Ok(output.item.as_ref().map(Recipient::read))
    }

    /// The rows of many addresses, by normalised address; 100 a request. An address without a row is not in the answer.
    ///
    /// # Errors
    /// When DynamoDB fails or keeps leaving keys unprocessed.
    pub async fn recipients(&self, addresses: &[EmailAddress]) -> Result<HashMap<String, Recipient>, StoreError> {
        let pks: Vec<String> = addresses.iter().map(recipient_pk).collect();
        let rows = self.get_rows(&pks, SUPPRESSION).await?;
        Ok(rows
            .iter()
            .filter_map(|(pk, item)| Some((pk.strip_prefix("RECIPIENT#")?.to_owned(), Recipient::read(item))))
            .collect())
    }

    /// Writes a decision into its register, unless the register holds that event or a newer one. One write request, no
    /// read before it. `true` when the row changed.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn record(
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
            .set_key(Some(key(&recipient_pk(address), SUPPRESSION)))
            .update_expression("SET #register = :entry, createdAt = if_not_exists(createdAt, :now)")
            .condition_expression("attribute_not_exists(#register) OR #register.version < :version")
            .expression_attribute_names("#register", format!("{scope}|{source}"))
            .expression_attribute_values(":entry", AttributeValue::M(entry.write()))
            .expression_attribute_values(":version", s(entry.version()))
            .expression_attribute_values(":now", s(stamp(now)))
            .send()
            .await;
        self.took_place("UpdateItem", outcome)
    }

    /// Adds a soft bounce to a scope's streak; adding it again changes nothing. Answers with the row as it is now.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn add_soft_bounce(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        bounce: &SoftBounce,
        now: Timestamp,
    ) -> Result<Recipient, StoreError> {
        let output = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&recipient_pk(address), SUPPRESSION)))
            .update_expression("ADD #soft :bounce SET createdAt = if_not_exists(createdAt, :now)")
            .expression_attribute_names("#soft", format!("{scope}|soft"))
            .expression_attribute_values(":bounce", AttributeValue::Ss(vec![write_soft(bounce)]))
            .expression_attribute_values(":now", s(stamp(now)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| self.failed("UpdateItem", error))?;
        Ok(output.attributes.as_ref().map(Recipient::read).unwrap_or_default())
    }

    /// Notes a delivery in an existing row, unless it knows one as new. Answers with the row as it is now, or `None` when
    /// there is no row. The delivery that the row knows may be this one: a request whose answer got lost is repeated.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn record_delivery(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        at: Timestamp,
    ) -> Result<Option<Recipient>, StoreError> {
        let outcome = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&recipient_pk(address), SUPPRESSION)))
            .update_expression("SET #delivered = :at")
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(#delivered) OR #delivered < :at)")
            .expression_attribute_names("#delivered", format!("{scope}|delivered"))
            .expression_attribute_values(":at", s(stamp(at)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let row = match self.conditional("UpdateItem", outcome)? {
            Conditional::Written(output) => output.attributes,
            Conditional::ConditionFailed(row) => row,
        };
        Ok(row.as_ref().map(Recipient::read))
    }

    /// Writes what a scope's streak amounts to (`None`: nothing), if the row's streak is still the one judged, and drops
    /// soft bounces that no longer matter.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn settle_streak(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        judged: &Recipient,
        outcome: Option<&SuppressionEntry>,
    ) -> Result<StreakWrite, StoreError> {
        let mut set = Vec::new();
        let mut remove = Vec::new();
        let mut conditions = vec!["attribute_exists(pk)".to_owned()];
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&recipient_pk(address), SUPPRESSION)))
            .expression_attribute_names("#streak", format!("{scope}|{}", SuppressionSource::Streak))
            .expression_attribute_names("#soft", format!("{scope}|soft"))
            .expression_attribute_names("#delivered", format!("{scope}|delivered"));

        match outcome {
            Some(entry) => {
                set.push("#streak = :entry");
                update = update.expression_attribute_values(":entry", AttributeValue::M(entry.write()));
            }
            None => remove.push("#streak"),
        }
        let known = judged.soft_bounces.get(scope).map(Vec::as_slice).unwrap_or_default();
        let kept = judged.live_soft_bounces(scope);
        if known.is_empty() {
            conditions.push("attribute_not_exists(#soft)".to_owned());
        } else {
            conditions.push("#soft = :known".to_owned());
            update = update
                .expression_attribute_values(":known", AttributeValue::Ss(known.iter().map(write_soft).collect()));
            if kept.is_empty() {
                remove.push("#soft");
            } else {
                set.push("#soft = :kept");
                let kept = kept.iter().map(write_soft).collect();
                update = update.expression_attribute_values(":kept", AttributeValue::Ss(kept));
            }
        }
        match judged.delivered_at.get(scope) {
            Some(at) => {
                conditions.push("#delivered = :delivered".to_owned());
                update = update.expression_attribute_values(":delivered", s(stamp(*at)));
            }
            None => conditions.push("attribute_not_exists(#delivered)".to_owned()),
        }

        let mut expression = String::new();
        if !set.is_empty() {
            expression.push_str(&format!("SET {} ", set.join(", ")));
        }
        if !remove.is_empty() {
            expression.push_str(&format!("REMOVE {}", remove.join(", ")));
        }
        let sent = update
            .update_expression(expression)
            .condition_expression(conditions.join(" AND "))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match self.conditional("UpdateItem", sent)? {
            Conditional::Written(_) => StreakWrite::Written,
            // This very write, repeated because its answer got lost.
            Conditional::ConditionFailed(Some(row)) if is_settled(&Recipient::read(&row), scope, &kept, outcome) => {
                StreakWrite::Written
            }
            Conditional::ConditionFailed(_) => StreakWrite::Overtaken,
        })
    }
}

fn is_settled(row: &Recipient, scope: &Scope, kept: &[SoftBounce], outcome: Option<&SuppressionEntry>) -> bool {
    row.entries.get(&(scope.clone(), SuppressionSource::Streak)) == outcome
        && row.soft_bounces.get(scope).map(Vec::as_slice).unwrap_or_default() == kept
}
