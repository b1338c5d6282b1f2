//! Claims: an action that cannot be undone is taken once.
//!
//! The function claims an action before it takes it, and marks the claim as done after. An unfinished claim expires, and the
//! action is taken again: a duplicate is rare and visible, a lost mail is neither.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;

use crate::claim_token::ClaimToken;
use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{Item, n, s, stamp, text};

/// An action that is taken once.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClaimKey {
    /// SES's id of the mail.
    pub message_id: String,
    /// The key of the mailbox, or `-` for an action of the mail.
    pub mailbox: String,
    /// The name of the action, such as `forward`.
    pub action: &'static str,
    /// The address, ARN or URL that the action is for, or `-`.
    pub target: String,
}

/// The result of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The caller takes the action, and then [finishes](Store::finish_claim) or [releases](Store::release_claim) the claim.
    Claimed,
    /// The action is done.
    AlreadyDone,
    /// Another invocation has claimed the action and may still take it.
    InProgress,
}

impl ClaimKey {
    fn key(&self) -> Item {
        key(
            &format!("CLAIM#{}", self.message_id),
            &format!("{}#{}#{}", self.mailbox, self.action, self.target),
        )
    }
}

impl Store {
    /// Claims an action. An unfinished claim that was made before `expired_before` has expired. One write request. A claim
    /// whose response was lost is recognised when the SDK repeats the request.
    ///
    /// # Errors
    /// If DynamoDB fails. The claim may have been written; then it expires.
    pub async fn claim(
        &self,
        claim: &ClaimKey,
        now: Timestamp,
        expired_before: Timestamp,
        expires_at: Timestamp,
    ) -> Result<ClaimOutcome, StoreError> {
        let token = ClaimToken::unique();
        let mut item = claim.key();
        item.insert(ClaimToken::ATTRIBUTE.to_owned(), token.value());
        item.insert("claimedAt".to_owned(), s(stamp(now)));
        item.insert("expiresAt".to_owned(), n(expires_at.as_second()));
        let response = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR (attribute_not_exists(doneAt) AND claimedAt < :expired)")
            .expression_attribute_values(":expired", s(stamp(expired_before)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match self.conditional("PutItem", response)? {
            Conditional::Written(_) => ClaimOutcome::Claimed,
            Conditional::ConditionFailed(Some(row)) if row.contains_key("doneAt") => ClaimOutcome::AlreadyDone,
            Conditional::ConditionFailed(Some(row)) if token.is_in(&row) => ClaimOutcome::Claimed,
            Conditional::ConditionFailed(_) => ClaimOutcome::InProgress,
        })
    }

    /// Marks a claimed action as done, so that it is not taken again. `outcome` is a text for the operator.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn finish_claim(&self, claim: &ClaimKey, now: Timestamp, outcome: &str) -> Result<(), StoreError> {
        let update = self.client.update_item().table_name(&self.table);
        update
            .set_key(Some(claim.key()))
            .update_expression("SET doneAt = :now, outcome = :outcome")
            .expression_attribute_values(":now", s(stamp(now)))
            .expression_attribute_values(":outcome", s(outcome))
            .send()
            .await
            .map_err(|error| self.failed("UpdateItem", error))?;
        Ok(())
    }

    /// Releases a claim, because the action certainly did not take place. `now` is that of [`claim`](Self::claim): a claim that
    /// expired and was claimed again is not released.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn release_claim(&self, claim: &ClaimKey, now: Timestamp) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let response = delete
            .set_key(Some(claim.key()))
            .condition_expression("claimedAt = :now AND attribute_not_exists(doneAt)")
            .expression_attribute_values(":now", s(stamp(now)))
            .send()
            .await;
        self.took_place("DeleteItem", response).map(drop)
    }

    /// The claims of a mail: `<mailbox>#<action>#<target>`, with the outcome if the action is done.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn claims(&self, message_id: &str) -> Result<BTreeMap<String, Option<String>>, StoreError> {
        let rows = self
            .rows_between(&format!("CLAIM#{message_id}"), " ", "\u{10ffff}")
            .await?;
        let read = |row: &Item| Some((text(row, "sk")?.to_owned(), text(row, "outcome").map(str::to_owned)));
        Ok(rows.iter().filter_map(read).collect())
    }
}
