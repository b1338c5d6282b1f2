//! Which topics are known to work: the feedback function records the message that SES publishes when a topic is set.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use ses_settings::{Change, Desired, Field, NotificationType, Object, Proof, Proofs, Step, Value};
use store::{ProofSubject, Store, TopicProof};

use crate::aws_error::AwsError;

/// How often the table is read while a proof is missing.
const POLL: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    /// Switch feedback forwarding off without waiting for SES's message through the topics. For topics that Postroom does
    /// not read.
    #[arg(long)]
    assume_proven: bool,
    /// How long to wait for SES's messages through the topics, before feedback forwarding is switched off.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    proof_wait: u64,
}

/// Whether a change is made only when the topics are known to work.
pub(super) fn needs_proof(change: &Change) -> bool {
    change.field == Field::FeedbackForwarding && change.after == Value::Flag(false)
}

/// The proofs of the topics for bounces and complaints that the configuration names.
pub(super) async fn received(store: &Store, desired: &Desired) -> Result<Proofs, AwsError> {
    let topics: BTreeSet<&str> = desired
        .values()
        .flatten()
        .filter(|(field, _)| matches!(field, Field::Topic(_)))
        .filter_map(|(_, value)| value.text())
        .collect();
    let mut proofs = BTreeSet::new();
    for topic in topics {
        proofs.extend(store.topic_proofs(topic).await?.into_iter().filter_map(proof));
    }
    Ok(Proofs::Received(proofs))
}

fn proof(row: TopicProof) -> Option<Proof> {
    match row.subject {
        ProofSubject::Notification {
            identity,
            notification_type,
        } => Some(Proof {
            identity,
            kind: NotificationType::parse(&notification_type)?,
            topic: row.topic_arn,
        }),
        ProofSubject::EventDestination => None,
    }
}

impl ProofArgs {
    /// Waits until the topics of all identities of these steps are proven, or the time is over.
    pub(super) async fn wait(&self, store: &Store, steps: &[Step], desired: &Desired) -> Result<Proofs, AwsError> {
        if self.assume_proven {
            return Ok(Proofs::Assumed);
        }
        let end = tokio::time::Instant::now() + Duration::from_secs(self.proof_wait);
        loop {
            let proofs = received(store, desired).await?;
            let is_proven = steps
                .iter()
                .all(|step| has_proofs(&step.change.object, desired, &proofs));
            if is_proven || tokio::time::Instant::now() >= end {
                return Ok(proofs);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Whether the topics that the configuration names for an object are proven. The step itself checks those that SES has.
fn has_proofs(object: &Object, desired: &Desired, proofs: &Proofs) -> bool {
    let fields = desired.get(object);
    let topic = |kind| fields?.get(&Field::Topic(kind))?.text();
    [NotificationType::Bounce, NotificationType::Complaint]
        .into_iter()
        .filter_map(|kind| Some((kind, topic(kind)?)))
        .all(|(kind, topic)| proofs.contains(object.name(), kind, topic))
}
