//! The series of bounces of a recipient in a scope: bounces, the deliveries that void them, and the entry that results.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use notification_model::EmailAddress;

use super::bounce_series::{BounceSeries, SeriesBounce, select_kept};
use super::delivered::{DeliveredMessage, newest_of};
use super::entry::SuppressionEntry;
use super::recipient::{RECIPIENT_SK, Recipient, recipient_pk};
use super::scope::Scope;
use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{s, stamp};

/// Whether the outcome of a series was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesWrite {
    /// The row has the outcome.
    Written,
    /// The row changed in the meantime. The writer of that change evaluates the series again.
    Overtaken,
}

/// What the row of a recipient has after a series was evaluated.
struct Settled<'a> {
    scope: &'a Scope,
    series: BounceSeries,
    outcome: Option<&'a SuppressionEntry>,
    kept: Vec<SeriesBounce>,
}

impl Store {
    /// Adds a bounce to a series of a scope and returns the updated row. Adding it again changes nothing.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn add_bounce(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        series: BounceSeries,
        bounce: &SeriesBounce,
        now: Timestamp,
    ) -> Result<Recipient, StoreError> {
        let output = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
            .update_expression("ADD #series :bounce SET createdAt = if_not_exists(createdAt, :now)")
            .expression_attribute_names("#series", format!("{scope}|{}", series.as_str()))
            .expression_attribute_values(":bounce", AttributeValue::Ss(vec![bounce.write()]))
            .expression_attribute_values(":now", s(stamp(now)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| self.failed("UpdateItem", error))?;
        Ok(output.attributes.as_ref().map(Recipient::read).unwrap_or_default())
    }

    /// Records deliveries in an existing row, of which it keeps the newest. Sends no request if the row, as the caller read
    /// it, has them. Returns the current row, or `None` if there is no row.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn record_deliveries(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        delivered: &[DeliveredMessage],
        mut row: Recipient,
    ) -> Result<Option<Recipient>, StoreError> {
        loop {
            let known = row.delivered.get(scope).map(Vec::as_slice).unwrap_or_default();
            let all = newest_of(known, delivered);
            // The row has them, possibly because the SDK repeated a request without a response.
            if all == known {
                return Ok(Some(row));
            }
            let mut update = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
                .update_expression("SET #delivered = :all")
                .expression_attribute_names("#delivered", format!("{scope}|delivered"))
                .expression_attribute_values(":all", set_of(&all, DeliveredMessage::write))
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            update = if known.is_empty() {
                update.condition_expression("attribute_exists(pk) AND attribute_not_exists(#delivered)")
            } else {
                update
                    .condition_expression("attribute_exists(pk) AND #delivered = :known")
                    .expression_attribute_values(":known", set_of(known, DeliveredMessage::write))
            };
            match self.conditional("UpdateItem", update.send().await)? {
                Conditional::Written(output) => return Ok(output.attributes.as_ref().map(Recipient::read)),
                Conditional::ConditionFailed(None) => return Ok(None),
                Conditional::ConditionFailed(Some(changed)) => row = Recipient::read(&changed),
            }
        }
    }

    /// Writes the entry that results from a series (`None` removes it) and removes bounces that are no longer needed.
    ///
    /// `evaluated` is the row from which the caller computed `outcome`. The write takes place only if the bounces and
    /// deliveries of the row are still the same.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn settle_series(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        series: BounceSeries,
        evaluated: &Recipient,
        outcome: Option<&SuppressionEntry>,
    ) -> Result<SeriesWrite, StoreError> {
        let settled = Settled {
            scope,
            series,
            outcome,
            kept: evaluated.kept(scope, series),
        };
        let mut set = Vec::new();
        let mut remove = Vec::new();
        let mut conditions = vec!["attribute_exists(pk)".to_owned()];
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
            .expression_attribute_names("#entry", format!("{scope}|{}", series.source()));
        match outcome {
            Some(entry) => {
                set.push("#entry = :entry".to_owned());
                update = update.expression_attribute_values(":entry", AttributeValue::M(entry.write()));
            }
            None => remove.push("#entry".to_owned()),
        }
        let delivered = evaluated.delivered.get(scope).map(Vec::as_slice).unwrap_or_default();
        let known = [
            ("delivered", members(delivered, DeliveredMessage::write)),
            (
                "soft",
                members(evaluated.series(scope, BounceSeries::Soft), SeriesBounce::write),
            ),
            (
                "unconfirmed",
                members(evaluated.series(scope, BounceSeries::Unconfirmed), SeriesBounce::write),
            ),
        ];
        for (name, members) in known {
            update = update.expression_attribute_names(format!("#{name}"), format!("{scope}|{name}"));
            if members.is_empty() {
                conditions.push(format!("attribute_not_exists(#{name})"));
            } else {
                conditions.push(format!("#{name} = :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), AttributeValue::Ss(members));
            }
        }
        let name = series.as_str();
        if settled.kept.is_empty() {
            remove.push(format!("#{name}"));
        } else if settled.kept != evaluated.series(scope, series) {
            set.push(format!("#{name} = :kept"));
            update = update.expression_attribute_values(":kept", set_of(&settled.kept, SeriesBounce::write));
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
            Conditional::Written(_) => SeriesWrite::Written,
            // The same write, repeated by the SDK because the first response was lost.
            Conditional::ConditionFailed(Some(row)) if settled.is_in(&Recipient::read(&row)) => SeriesWrite::Written,
            Conditional::ConditionFailed(_) => SeriesWrite::Overtaken,
        })
    }
}

impl Settled<'_> {
    fn is_in(&self, row: &Recipient) -> bool {
        let entry = row.entries.get(&(self.scope.clone(), self.series.source()));
        entry == self.outcome && row.series(self.scope, self.series) == self.kept
    }
}

impl Recipient {
    /// Whether the row has more bounces of a series than are needed.
    #[must_use]
    pub fn has_surplus(&self, scope: &Scope, series: BounceSeries) -> bool {
        self.series(scope, series).len() != self.kept(scope, series).len()
    }

    /// Returns the bounces of a series to keep. A bounce that a delivery voids counts again if the message of that delivery
    /// bounces later, so only a release removes bounces, and their number.
    fn kept(&self, scope: &Scope, series: BounceSeries) -> Vec<SeriesBounce> {
        let after_release: Vec<_> = self.after_release(scope, series).cloned().collect();
        let delivered = self.delivered.get(scope).map(Vec::as_slice).unwrap_or_default();
        select_kept(&after_release, self.counted(scope, series), delivered)
    }
}

fn members<T>(values: &[T], write: impl Fn(&T) -> String) -> Vec<String> {
    values.iter().map(write).collect()
}

fn set_of<T>(values: &[T], write: impl Fn(&T) -> String) -> AttributeValue {
    AttributeValue::Ss(members(values, write))
}
