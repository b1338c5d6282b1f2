//! Writes what the records of a batch show about SES's settings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use notification_model::Channel;
use store::{ProofSubject, SeenNotification, SesResource, Store, TopicProof};

use super::DeferredFailure;
use crate::observation::Observation;

type SeenKey = (SesResource, Channel, String);
type ProofKey = (String, ProofSubject);
/// The newest time, and the records that it is from.
type Newest<K> = BTreeMap<K, (Timestamp, BTreeSet<usize>)>;

/// Writes each resource, channel and type, and each topic and subject, once with its newest time. Returns the records that
/// failed.
pub(super) async fn record(store: &Store, observations: &[(usize, Observation)]) -> Vec<DeferredFailure> {
    let (mut seen, mut proofs): (Newest<SeenKey>, Newest<ProofKey>) = Default::default();
    for (index, observation) in observations {
        match observation {
            Observation::Seen(one) => {
                let key = (one.resource.clone(), one.channel, one.event_type.clone());
                add(&mut seen, key, one.at, *index);
            }
            Observation::Proof(one) => add(
                &mut proofs,
                (one.topic_arn.clone(), one.subject.clone()),
                one.at,
                *index,
            ),
        }
    }
    let mut failures = Vec::new();
    for ((resource, channel, event_type), (at, records)) in seen {
        let seen = SeenNotification {
            resource,
            channel,
            event_type,
            at,
        };
        if let Err(error) = store.record_seen(&seen).await {
            failures.push((records, error));
        }
    }
    for ((topic_arn, subject), (at, records)) in proofs {
        let proof = TopicProof { topic_arn, subject, at };
        if let Err(error) = store.record_topic_proof(&proof).await {
            failures.push((records, error));
        }
    }
    failures
}

fn add<K: Ord>(newest: &mut Newest<K>, key: K, at: Timestamp, index: usize) {
    let (last, records) = newest.entry(key).or_insert_with(|| (at, BTreeSet::new()));
    *last = at.max(*last);
    records.insert(index);
}
