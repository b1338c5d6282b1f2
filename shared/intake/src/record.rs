//! A record: one message, and how it came.

use std::fmt;

use jiff::Timestamp;

/// One message as it arrived.
///
/// `Debug` shows the size of the payload, never the payload: it holds addresses, and `{record:?}` ends up in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// What the sender calls the record: the SQS message id, else the SNS message id, the EventBridge event id or the
    /// SES message id. Not unique in a batch, since SQS delivers at least once.
    pub id: String,
    /// Whether SES speaks, or SNS about the subscription.
    pub kind: RecordKind,
    /// What SES wrote, without envelope and otherwise untouched: mostly JSON, but set-up messages are plain text, and a
    /// trailing newline is legal. An EventBridge `detail` and a receipt rule's `ses` object are JSON serialised again.
    pub payload: String,
    /// How it came.
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

/// Who speaks in a record.
///
/// The confirmations are set-up messages: SNS queues them when a subscription is made or removed by someone else than
/// the queue's owner. Their payload is the whole envelope, because the token in it is the message. A handler
/// acknowledges and logs them; confirming stays with a person, since anyone may try to subscribe a queue to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// A message of SES.
    Notification,
    /// A topic wants to deliver here and waits for confirmation.
    SubscriptionConfirmation,
    /// A topic no longer delivers here.
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

/// How a record came.
///
/// `topic_arn` of a direct SNS record is stated by Lambda; behind SQS it is stated by the body, so it deserves as
/// much trust as the queue's policy gives to those who may send to it. `queue_arn` is always stated by Lambda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The way it took.
    pub via: Via,
    /// The SNS topic; none with raw delivery.
    pub topic_arn: Option<String>,
    /// The SQS queue.
    pub queue_arn: Option<String>,
    /// The id SNS gave the message, the same in every queue that got a copy; none with raw delivery.
    pub sns_message_id: Option<String>,
    /// How often SQS delivered it, this time included.
    pub receive_count: Option<u32>,
    /// When SNS received it; none if unreadable too, because nothing may depend on it.
    pub sns_timestamp: Option<Timestamp>,
}

impl Provenance {
    /// A provenance of which only the way is known.
    #[must_use]
    pub fn new(via: Via) -> Self {
        Self {
            via,
            topic_arn: None,
            queue_arn: None,
            sns_message_id: None,
            receive_count: None,
            sns_timestamp: None,
        }
    }
}

/// The way a record took from SES to the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Via {
    /// SNS invoked the function.
    Sns,
    /// SQS, and the body is an SNS envelope.
    SqsFromSns,
    /// SQS, and the body is an EventBridge event: a rule with a queue as its target.
    SqsFromEventBridge,
    /// SQS, and the body is the message: SNS with raw delivery, or anyone else who may send to the queue.
    SqsRaw,
    /// EventBridge invoked the function. Any `source` is accepted; the rule's pattern decides.
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
