//! Limits the mail that one sender can cause.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use notification_model::EmailAddress;

use super::mailbox_key::MailboxKey;
use crate::client::{Store, StoreError, key};
use crate::item::{hash, hour, n, s, stamp};

/// What is limited for each sender and hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SenderLimit {
    /// Forwards of mail from the sender.
    Forwards,
    /// Automatic replies and bounces to the sender.
    Replies,
}

impl Store {
    /// Whether a mailbox may reply to a sender: it has not replied to another mail of the sender since `since`. The result for
    /// the same mail does not change. If true, the reply is recorded.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn may_reply(
        &self,
        mailbox: &MailboxKey,
        sender: &EmailAddress,
        message_id: &str,
        at: Timestamp,
        since: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self.client.update_item().table_name(&self.table);
        let response = update
            .set_key(Some(key(&format!("REPLY#{mailbox}"), sender.key())))
            .update_expression("SET repliedAt = :at, messageId = :id, expiresAt = :expires")
            .condition_expression("attribute_not_exists(pk) OR repliedAt < :since OR messageId = :id")
            .expression_attribute_values(":at", s(stamp(at)))
            .expression_attribute_values(":since", s(stamp(since)))
            .expression_attribute_values(":id", s(message_id))
            .expression_attribute_values(":expires", n(expires_at.as_second()))
            .send()
            .await;
        self.took_place("UpdateItem", response)
    }

    /// Withdraws the record of [`may_reply`](Self::may_reply), because the reply to this mail is not sent.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn withdraw_reply(
        &self,
        mailbox: &MailboxKey,
        sender: &EmailAddress,
        message_id: &str,
    ) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let response = delete
            .set_key(Some(key(&format!("REPLY#{mailbox}"), sender.key())))
            .condition_expression("messageId = :id")
            .expression_attribute_values(":id", s(message_id))
            .send()
            .await;
        self.took_place("DeleteItem", response).map(drop)
    }

    /// Counts a mail for its sender in the hour of `at`. Returns `false` if the sender has reached the limit. Counting the same
    /// mail again has no effect.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn count_for_sender(
        &self,
        kind: SenderLimit,
        sender: &str,
        message_id: &str,
        at: Timestamp,
        limit: usize,
    ) -> Result<bool, StoreError> {
        let kind = match kind {
            SenderLimit::Forwards => "forwards",
            SenderLimit::Replies => "replies",
        };
        let id = Blob::new(hash(&[message_id]).to_be_bytes());
        let expires_at = at.as_second().saturating_add(2 * 3600);
        let update = self.client.update_item().table_name(&self.table);
        let response = update
            .set_key(Some(key(&format!("MAILER#{sender}"), &format!("{}#{kind}", hour(at)))))
            .update_expression("ADD ids :ids SET expiresAt = :expires")
            .condition_expression("attribute_not_exists(ids) OR size(ids) < :limit OR contains(ids, :id)")
            .expression_attribute_values(":ids", AttributeValue::Bs(vec![id.clone()]))
            .expression_attribute_values(":id", AttributeValue::B(id))
            .expression_attribute_values(":limit", n(limit))
            .expression_attribute_values(":expires", n(expires_at))
            .send()
            .await;
        self.took_place("UpdateItem", response)
    }
}
