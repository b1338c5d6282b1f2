//! Proof that SES can publish to a topic and that the message arrives: the message that SES publishes itself when a topic is
//! set. One row for each topic, identity and type, and one for the event destinations of a topic, whose message names nothing.

use jiff::Timestamp;
use notification_model::Identity;

use crate::client::{Store, StoreError, key};
use crate::item::{Item, s, stamp, text, time};

/// SES published its own message to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicProof {
    /// The topic. With raw message delivery of an event destination's message, the ARN of the queue.
    pub topic_arn: String,
    /// What was set.
    pub subject: ProofSubject,
    /// When SES published it.
    pub at: Timestamp,
}

/// What the message is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProofSubject {
    /// The topic of an identity was set: `AmazonSnsSubscriptionSucceeded`.
    Notification {
        /// The identity. The message does not name its account.
        identity: Identity,
        /// `Bounce`, `Complaint` or `Delivery`.
        notification_type: String,
    },
    /// An event destination was created or changed: `Successfully validated SNS topic ...`. The message does not name the
    /// configuration set.
    EventDestination,
}

impl ProofSubject {
    fn sk(&self) -> String {
        match self {
            Self::Notification {
                identity,
                notification_type,
            } => format!("identity/{identity}#{notification_type}"),
            Self::EventDestination => EVENT_DESTINATION.to_owned(),
        }
    }

    fn read(sk: &str) -> Option<Self> {
        if sk == EVENT_DESTINATION {
            return Some(Self::EventDestination);
        }
        let (identity, notification_type) = sk.strip_prefix("identity/")?.rsplit_once('#')?;
        Some(Self::Notification {
            identity: identity.into(),
            notification_type: notification_type.to_owned(),
        })
    }
}

const EVENT_DESTINATION: &str = "event-destination";
/// Greater than every sort key of an identity: `0` follows `/`.
const AFTER_IDENTITIES: &str = "identity0";

impl Store {
    /// Records a proof. One write request; an older proof changes nothing.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn record_topic_proof(&self, proof: &TopicProof) -> Result<(), StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&pk(&proof.topic_arn), &proof.subject.sk())))
            .update_expression("SET provenAt = :at")
            .condition_expression("attribute_not_exists(provenAt) OR provenAt < :at")
            .expression_attribute_values(":at", s(stamp(proof.at)))
            .send()
            .await;
        self.took_place("UpdateItem", result)?;
        Ok(())
    }

    /// Returns the last proof of each identity and type, and of event destinations, for a topic.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn topic_proofs(&self, topic_arn: &str) -> Result<Vec<TopicProof>, StoreError> {
        let rows = self
            .rows_between(&pk(topic_arn), EVENT_DESTINATION, AFTER_IDENTITIES)
            .await?;
        Ok(rows.iter().filter_map(|row| read(topic_arn, row)).collect())
    }

    /// Returns when SES last proved a topic for a subject.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn topic_proven_at(
        &self,
        topic_arn: &str,
        subject: &ProofSubject,
    ) -> Result<Option<Timestamp>, StoreError> {
        let sk = subject.sk();
        let rows = self.rows_between(&pk(topic_arn), &sk, &sk).await?;
        Ok(rows.first().and_then(|row| time(row, "provenAt")))
    }
}

fn pk(topic_arn: &str) -> String {
    format!("PROOF#{topic_arn}")
}

fn read(topic_arn: &str, row: &Item) -> Option<TopicProof> {
    Some(TopicProof {
        topic_arn: topic_arn.to_owned(),
        subject: ProofSubject::read(text(row, "sk")?)?,
        at: time(row, "provenAt")?,
    })
}
