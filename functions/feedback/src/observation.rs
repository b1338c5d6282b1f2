//! What a record shows about SES's settings: that an identity or configuration set reports, and that SES can publish to a
//! topic. Pure.

use intake::Provenance;
use jiff::Timestamp;
use notification_model::{Channel, Notification, Setup, TopicSubscribed};
use store::{ProofSubject, SeenNotification, SesResource, TopicProof};

/// One thing that a record shows. Recording it twice, or an older one later, changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A resource reported an event of a type.
    Seen(SeenNotification),
    /// SES could publish its own message to a topic, and the message arrived.
    Proof(TopicProof),
}

/// Returns the identity that a notification is about, if SES names it, and the configuration set that published it.
#[must_use]
pub fn of_notification(notification: &Notification, at: Timestamp) -> Vec<Observation> {
    let mail = &notification.mail;
    let identity = mail.source_arn.as_ref().map(|arn| SesResource::Identity {
        owner: arn.owner().clone(),
        identity: arn.identity().clone(),
    });
    let configuration_set = match (notification.channel, &mail.sending_account_id, mail.configuration_set()) {
        (Channel::ConfigurationSet, Some(account), Some(name)) => Some(SesResource::ConfigurationSet {
            account: account.clone(),
            name: name.to_owned(),
        }),
        _ => None,
    };
    let seen = |resource| {
        Observation::Seen(SeenNotification {
            resource,
            channel: notification.channel,
            event_type: notification.event.type_name().to_owned(),
            at,
        })
    };
    identity.into_iter().chain(configuration_set).map(seen).collect()
}

/// Returns what a test message of SES proves. The topic is that of the SNS envelope; with raw message delivery, the one that
/// the message names, or else the queue. `None` if the message names neither topic nor identity.
#[must_use]
pub fn of_topic_test(test: &Setup, provenance: &Provenance, at: Timestamp) -> Option<Observation> {
    let (named_topic, subject) = match test {
        Setup::SubscriptionSucceeded { message } => {
            let subscribed = TopicSubscribed::parse(message.as_deref()?)?;
            let subject = ProofSubject::Notification {
                identity: subscribed.identity.into(),
                notification_type: subscribed.notification_type.to_owned(),
            };
            (Some(subscribed.topic_arn), subject)
        }
        Setup::TopicValidated => (None, ProofSubject::EventDestination),
        Setup::InboundProbe | Setup::ServiceEvent(_) => return None,
    };
    let of_envelope = provenance.topic_arn.as_deref();
    let topic_arn = of_envelope.or(named_topic).or(provenance.queue_arn.as_deref())?;
    Some(Observation::Proof(TopicProof {
        topic_arn: topic_arn.to_owned(),
        subject,
        at,
    }))
}
