//! Reads SES, sends alerts and repairs. The only part that awaits AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sns::types::MessageAttributeValue;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::LazyClient;
use ses_settings::{
    Actual, Facts, Field, Fields, NotificationType, Object, Part, Proof, Proofs, Reading, SesSettings, SettingsError,
    Value, plan,
};
use store::{AppliedSettings, Drift, ProofSubject, Store, StoreError};

use crate::alert::Alert;
use crate::differences::Expected;
use crate::settings::Settings;

/// How many reads of single objects a round makes: a third of what SES allows an account in 15 minutes.
pub const SINGLE_READS: usize = 300;

/// How long a repair waits for the message that SES publishes when a topic is set, and how often it looks.
const PROOF_WAIT: Duration = Duration::from_secs(30);
const PROOF_POLL: Duration = Duration::from_secs(2);

/// How far the clock of SES may be behind.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// The table, SES and the alarm topic.
#[derive(Debug, Clone)]
pub struct Effects {
    /// The table.
    pub store: Store,
    /// SES and SNS of the account.
    pub ses: SesSettings,
    /// For the alarm topic.
    pub sns: LazyClient<aws_sdk_sns::Client>,
    /// The settings of the function.
    pub settings: Settings,
}

/// What came of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// The topics are set again and proven, and forwarding is as applied.
    Done,
    /// The topics are set again; the message of SES has not arrived yet, so forwarding stays on until the next round.
    Unproven,
    /// Nothing was changed, for this reason.
    NotPossible(String),
}

impl Effects {
    /// The applied settings and the known drifts.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn rows(&self) -> Result<(Vec<AppliedSettings>, Vec<Drift>), StoreError> {
        Ok((self.store.applied_settings().await?, self.store.drifts().await?))
    }

    /// Reads the notification settings of all identities, and of the other parts as many as a round may, where the last round
    /// stopped. Returns what was read, and the objects of which a part was not, for example a topic of another account.
    ///
    /// # Errors
    /// When the notification settings cannot be read, when SES keeps throttling, or when DynamoDB fails.
    pub async fn read(&self, expected: &[Expected]) -> anyhow::Result<(Actual, Vec<(Object, SettingsError)>)> {
        let mut wanted: BTreeMap<Object, BTreeSet<Part>> = BTreeMap::new();
        let mut single: BTreeMap<&Object, BTreeSet<Part>> = BTreeMap::new();
        for one in expected {
            let (notifications, others): (BTreeSet<Part>, BTreeSet<Part>) =
                one.parts().into_iter().partition(|part| *part == Part::Notifications);
            if !notifications.is_empty() {
                wanted.insert(one.object.clone(), notifications);
            }
            if !others.is_empty() {
                single.insert(&one.object, others);
            }
        }
        let total: usize = single.values().map(BTreeSet::len).sum();
        let is_partial = total > SINGLE_READS;
        let cursor = if is_partial {
            self.store.guard_cursor().await?
        } else {
            None
        };
        let cursor: Option<Object> = cursor.and_then(|text| text.parse().ok());
        let start = single
            .keys()
            .position(|object| cursor.as_ref().is_some_and(|cursor| *object >= cursor));
        let in_order = single.iter().cycle().skip(start.unwrap_or_default()).take(single.len());
        let (mut reads, mut next, mut chosen) = (0, None, Vec::new());
        for (object, parts) in in_order {
            if reads + parts.len() > SINGLE_READS {
                next = Some(*object);
                break;
            }
            reads += parts.len();
            chosen.extend(parts.iter().map(|part| (*object, *part)));
        }
        let mut actual = self.ses.read(&wanted, |_, _| {}).await?;
        let mut failures = Vec::new();
        for (object, part) in chosen {
            match self.ses.read_part(object, part).await {
                Ok(reading) => actual.add(object.clone(), reading),
                Err(error) if error.is_throttled() => return Err(error.into()),
                Err(error) => failures.push((object.clone(), error)),
            }
        }
        // After the reads, so that a round that fails is made again.
        if let Some(next) = next {
            self.store.put_guard_cursor(&next.to_string()).await?;
        }
        Ok((actual, failures))
    }

    /// Sends an alert to the alarm topic, or logs it when there is none.
    ///
    /// # Errors
    /// When SNS fails.
    pub async fn notify(&self, alert: &Alert) -> anyhow::Result<()> {
        let Some(topic) = &self.settings.alarm_topic_arn else {
            tracing::warn!(alert = alert.id, "an alert has no target: there is no alarm topic");
            return Ok(());
        };
        let subject: String = alert
            .subject
            .chars()
            .filter(|c| matches!(c, ' '..='~'))
            .take(99)
            .collect();
        let mut request = self
            .sns
            .publish()
            .topic_arn(topic)
            .subject(subject)
            .message(&alert.text);
        for (name, value) in [("alertId", alert.id.as_str()), ("alertType", alert.kind.as_str())] {
            let value: String = value
                .chars()
                .map(|c| if c.is_ascii_graphic() { c } else { '_' })
                .collect();
            let value = MessageAttributeValue::builder().data_type("String").string_value(value);
            request = request.message_attributes(name, value.build()?);
        }
        request.send().await.context("Publish to the alarm topic")?;
        Ok(())
    }

    /// Why the topics of an identity cannot be set again; empty when nothing is known to be wrong.
    ///
    /// # Errors
    /// When SNS fails.
    pub async fn obstacles(&self, fields: &Fields) -> Result<Vec<String>, SettingsError> {
        let mut obstacles = Vec::new();
        for topic in topics(fields) {
            let of_topic = self.ses.topic_obstacles(topic, &self.settings.context).await?;
            obstacles.extend(of_topic.into_iter().map(|obstacle| format!("{topic}: {obstacle}")));
        }
        Ok(obstacles)
    }

    /// Sets the notification settings of an identity as they were applied, in the order of `postroomctl apply`: forwarding
    /// last, and only when SES's message of this repair has arrived. `started` is when the repair began.
    ///
    /// # Errors
    /// When a call fails. A later round continues.
    pub async fn repair(
        &self,
        object: &Object,
        fields: &Fields,
        reading: &Reading,
        started: Timestamp,
    ) -> anyhow::Result<Repair> {
        let desired = [(object.clone(), notification_fields(fields))].into();
        let mut actual = Actual::default();
        // Without the other parts: policies that these fields do not name are not to be removed.
        let found = Reading::of_part(Part::Notifications, notification_fields(reading.fields()));
        actual.add(object.clone(), found);
        let plan = plan(&desired, &actual, &Facts::default());
        let (last, first): (Vec<_>, Vec<_>) = plan.steps.into_iter().partition(|step| {
            step.change.field == Field::FeedbackForwarding && step.change.after == Value::Flag(false)
        });
        for result in self.ses.apply(&first, &Proofs::default(), |_, _| {}).await {
            if !result.outcome.is_done() {
                let field = &result.step.change.field;
                return Ok(Repair::NotPossible(format!("{field}: {:?}", result.outcome)));
            }
        }
        if last.is_empty() {
            return Ok(Repair::Done);
        }
        let proofs = self.wait_for_proofs(object, fields, started).await?;
        let results = self.ses.apply(&last, &proofs, |_, _| {}).await;
        Ok(if results.iter().all(|result| result.outcome.is_done()) {
            Repair::Done
        } else {
            Repair::Unproven
        })
    }

    async fn wait_for_proofs(&self, object: &Object, fields: &Fields, since: Timestamp) -> Result<Proofs, StoreError> {
        let end = tokio::time::Instant::now() + PROOF_WAIT;
        loop {
            let proofs = self.proofs(fields, since - CLOCK_SKEW).await?;
            let is_proven = [NotificationType::Bounce, NotificationType::Complaint]
                .into_iter()
                .filter_map(|kind| Some((kind, fields.get(&Field::Topic(kind))?.text()?)))
                .all(|(kind, topic)| proofs.contains(object.name(), kind, topic));
            if is_proven || tokio::time::Instant::now() >= end {
                return Ok(proofs);
            }
            tokio::time::sleep(PROOF_POLL).await;
        }
    }

    async fn proofs(&self, fields: &Fields, since: Timestamp) -> Result<Proofs, StoreError> {
        let mut proofs = BTreeSet::new();
        for topic in topics(fields) {
            for row in self.store.topic_proofs(topic).await? {
                let ProofSubject::Notification {
                    identity,
                    notification_type,
                } = row.subject
                else {
                    continue;
                };
                if let Some(kind) = NotificationType::parse(&notification_type).filter(|_| row.at >= since) {
                    proofs.insert(Proof {
                        identity,
                        kind,
                        topic: row.topic_arn,
                    });
                }
            }
        }
        Ok(Proofs::Received(proofs))
    }
}

/// The topics that fields name.
fn topics(fields: &Fields) -> BTreeSet<&str> {
    let topics = fields.iter().filter(|(field, _)| matches!(field, Field::Topic(_)));
    topics.filter_map(|(_, value)| value.text()).collect()
}

/// The fields that SES changes when it removes topics.
fn notification_fields(fields: &Fields) -> Fields {
    let notifications = fields.iter().filter(|(field, _)| field.part() == Part::Notifications);
    notifications
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}
