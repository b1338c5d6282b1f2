//! The streak of a recipient in a scope: soft bounces, the delivery that ends it, and the entry that results.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use notification_model::EmailAddress;

use super::entry::SuppressionEntry;
use super::recipient::{RECIPIENT_SK, Recipient, recipient_pk};
use super::scope::{Scope, SuppressionSource};
use super::soft_bounce::SoftBounce;
use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{s, stamp};

/// Whether the outcome of a streak was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreakWrite {
    /// The row has the outcome.
    Written,
    /// The row changed in the meantime. The writer of that change evaluates the streak again.
    Overtaken,
}

impl Store {
    /// Adds a soft bounce to the streak of a scope and returns the updated row. Adding it again changes nothing.
    ///
    /// # Errors
    /// If DynamoDB fails.
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
            .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
            .update_expression("ADD #soft :bounce SET createdAt = if_not_exists(createdAt, :now)")
            .expression_attribute_names("#soft", format!("{scope}|soft"))
            .expression_attribute_values(":bounce", AttributeValue::Ss(vec![bounce.write()]))
            .expression_attribute_values(":now", s(stamp(now)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| self.failed("UpdateItem", error))?;
        Ok(output.attributes.as_ref().map(Recipient::read).unwrap_or_default())
    }

    /// Records a delivery in an existing row, unless the row has the same or a newer one. Returns the current row, or `None`
    /// if there is no row. The row may already have this delivery, because the SDK repeats a request without a response.
    ///
    /// # Errors
    /// If DynamoDB fails.
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
            .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
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

    /// Writes the streak entry of a scope (`None` removes it) and removes soft bounces that no longer count.
    ///
    /// `evaluated` is the row from which the caller computed `outcome`. The write takes place only if the soft bounces and
    /// the delivery of the row are still the same.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn settle_streak(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        evaluated: &Recipient,
        outcome: Option<&SuppressionEntry>,
    ) -> Result<StreakWrite, StoreError> {
        let mut set = Vec::new();
        let mut remove = Vec::new();
        let mut conditions = vec!["attribute_exists(pk)".to_owned()];
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
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
        let known = evaluated.soft_bounces.get(scope).map(Vec::as_slice).unwrap_or_default();
        let kept = evaluated.live_soft_bounces(scope);
        if known.is_empty() {
            conditions.push("attribute_not_exists(#soft)".to_owned());
        } else {
            conditions.push("#soft = :known".to_owned());
            update = update.expression_attribute_values(
                ":known",
                AttributeValue::Ss(known.iter().map(SoftBounce::write).collect()),
            );
            if kept.is_empty() {
                remove.push("#soft");
            } else {
                set.push("#soft = :kept");
                let kept = kept.iter().map(SoftBounce::write).collect();
                update = update.expression_attribute_values(":kept", AttributeValue::Ss(kept));
            }
        }
        match evaluated.delivered_at.get(scope) {
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
            // The same write, repeated by the SDK because the first response was lost.
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
