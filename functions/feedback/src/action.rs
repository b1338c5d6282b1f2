//! The actions that a decision results in.

use jiff::Timestamp;
use notification_model::EmailAddress;
use store::{
    BounceSeries, DeliveredMessage, EventKind, HistoryEntry, Scope, Sender, SenderEvent, SendingStream, SeriesBounce,
    SuppressionEntry, SuppressionSource,
};

/// One action. Actions may run more than once and in any order, with the same result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write a suppression entry and its history entry. An entry that does not suppress records an opt-in or the
    /// withdrawal of a complaint.
    RecordSuppression {
        /// The recipient.
        address: EmailAddress,
        /// For whom the entry holds.
        scope: Scope,
        /// What caused it.
        source: SuppressionSource,
        /// The suppression entry.
        entry: SuppressionEntry,
        /// The history entry that explains it.
        history: HistoryEntry,
    },
    /// Add a bounce to a series of the recipient and evaluate the series.
    AddBounce {
        /// The recipient.
        address: EmailAddress,
        /// The scope of the series.
        scope: Scope,
        /// The series.
        series: BounceSeries,
        /// The bounce.
        bounce: SeriesBounce,
        /// The history entry.
        history: HistoryEntry,
    },
    /// Write a history entry only.
    AppendHistory {
        /// The recipient.
        address: EmailAddress,
        /// The history entry.
        history: HistoryEntry,
    },
    /// Record a delivery, which voids the bounces of each series before it unless its own message bounces later.
    RecordDelivery {
        /// The recipient.
        address: EmailAddress,
        /// The scope of the series.
        scope: Scope,
        /// The message and when it was delivered.
        delivered: DeliveredMessage,
    },
    /// Count a bounce or complaint once, in a row of its own.
    CountEvent(SenderEvent),
    /// Count the bounce of an automatic reply of the inbound function, for its recipient and the recipient's domain.
    CountBouncedAnswer {
        /// The recipient of the reply.
        address: EmailAddress,
        /// The SES message id of the reply.
        message_id: String,
        /// When it bounced.
        at: Timestamp,
    },
    /// Count a frequent event together with those of the whole batch.
    CountInBatch {
        /// The sender.
        sender: Sender,
        /// The sending stream.
        stream: SendingStream,
        /// The kind of event.
        kind: EventKind,
        /// When the event happened.
        at: Timestamp,
        /// The SES message id.
        message_id: String,
        /// The normalised recipient. Empty for a message without recipients.
        recipient: String,
    },
    /// Do nothing but acknowledge the record.
    Acknowledge {
        /// Why nothing needs to be done.
        reason: String,
    },
}

impl Action {
    /// Whether the action is done once for the whole batch instead of for each record.
    #[must_use]
    pub fn is_deferred(&self) -> bool {
        matches!(self, Self::CountInBatch { .. } | Self::RecordDelivery { .. })
    }
}
