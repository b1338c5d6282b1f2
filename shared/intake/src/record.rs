//! A record: one message and the services that it passed through.

use std::fmt;

use jiff::Timestamp;

/// One message.
///
/// `Debug` shows the size of the payload instead of the payload, which contains addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The SQS message id, or else the SNS message id, the EventBridge event id or the SES message id. Not unique in a batch,
    /// because SQS delivers a message at least once.
    pub id: String,
    /// Whether the message is from SES, or from SNS about a subscription.
    pub kind: RecordKind,
    /// The message of SES without its envelope: JSON, or plain text for set-up messages. A trailing newline is possible. An
    /// EventBridge `detail` and the `ses` object of a receipt rule are serialised again; other payloads are unchanged. An
    /// EventBridge event of the source `aws.ses` that is not about a mail is complete, because its type is not in its `detail`.
    pub payload: String,
    /// The services that the message passed through.
    pub provenance: Provenance,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("payload_bytes", &self.payload.len())
            .field("provenance", &self.provenance)
            .finish()
    }
}

/// The kind of a record.
///
/// SNS sends a confirmation when an account other than the queue's owner creates or deletes a subscription. The payload is
/// the whole envelope, because it contains the token. A handler logs and acknowledges a confirmation. An operator confirms
/// the subscription, because everyone can try to subscribe a queue to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// A message of SES.
    Notification,
    /// A topic waits for the confirmation of a subscription.
    SubscriptionConfirmation,
    /// A subscription was deleted.
    UnsubscribeConfirmation,
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notification => "notification",
            Self::SubscriptionConfirmation => "subscription_confirmation",
            Self::UnsubscribeConfirmation => "unsubscribe_confirmation",
        })
    }
}

/// The services that a record passed through.
///
/// Lambda sets `queue_arn`, and `topic_arn` of a record directly from SNS. Behind SQS, `topic_arn` is part of the body and is
/// as trustworthy as the senders that the queue policy allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The way from SES to the function.
    pub via: Via,
    /// The SNS topic. `None` with raw message delivery.
    pub topic_arn: Option<String>,
    /// The SQS queue.
    pub queue_arn: Option<String>,
    /// The SNS message id, which is the same in every subscribed queue. `None` with raw message delivery.
    pub sns_message_id: Option<String>,
    /// How often SQS has delivered the message, including this delivery.
    pub receive_count: Option<u32>,
    /// When AWS received the message: the `time` of an EventBridge event, else the `Timestamp` of an SNS message, else the
    /// `SentTimestamp` of an SQS message (raw message delivery). The same in every retry. `None` if absent or unreadable.
    pub published_at: Option<Timestamp>,
}

impl Provenance {
    /// Creates a provenance with only the way.
    #[must_use]
    pub fn new(via: Via) -> Self {
        Self {
            via,
            topic_arn: None,
            queue_arn: None,
            sns_message_id: None,
            receive_count: None,
            published_at: None,
        }
    }
}

/// The way a record took from SES to the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Via {
    /// SNS invoked the function. The SNS message may be an EventBridge event.
    Sns,
    /// SQS, and the body is an SNS envelope. The SNS message may be an EventBridge event.
    SqsFromSns,
    /// SQS, and the body is an EventBridge event: a rule with a queue as its target.
    SqsFromEventBridge,
    /// SQS, and the body is the message: SNS with raw message delivery, or another sender that the queue policy allows.
    SqsRaw,
    /// EventBridge invoked the function. Every `source` is accepted, because the pattern of the rule selects the events.
    EventBridge,
    /// The Lambda action of a receipt rule.
    ReceiptRule,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sns => "sns",
            Self::SqsFromSns => "sqs_from_sns",
            Self::SqsFromEventBridge => "sqs_from_event_bridge",
            Self::SqsRaw => "sqs_raw",
            Self::EventBridge => "event_bridge",
            Self::ReceiptRule => "receipt_rule",
        })
    }
}
