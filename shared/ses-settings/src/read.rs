//! Reads settings. Every request to SES is paced.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ses::types::IdentityNotificationAttributes;
use aws_sdk_sesv2::types::EventDestination as SesEventDestination;
use serde_json::Value as Json;

use crate::client::SesSettings;
use crate::error::SettingsError;
use crate::field::{Field, NotificationType, Object, Part, TOPIC_STATEMENT_SID};
use crate::policy::as_list;
use crate::settings::{Actual, Reading};
use crate::value::{EventDestination, Fields, Value};

/// The maximum number of identities in a `GetIdentityNotificationAttributes` request.
pub const IDENTITIES_PER_CALL: usize = 100;

/// The maximum number of names in a page of a list.
const PAGE_SIZE: i32 = 1000;

impl SesSettings {
    /// The names of all identities of the account and Region. One call for 1,000 identities.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn identities(&self) -> Result<BTreeSet<String>, SettingsError> {
        let mut names = BTreeSet::new();
        let mut token = None;
        loop {
            let request = self.v2.list_email_identities().page_size(PAGE_SIZE);
            let output = self
                .call("ListEmailIdentities", || {
                    request.clone().set_next_token(token.clone()).send()
                })
                .await?;
            let identities = output.email_identities.unwrap_or_default();
            names.extend(identities.into_iter().filter_map(|identity| identity.identity_name));
            token = output.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    /// The names of all configuration sets of the account and Region. One call for 1,000 sets.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn configuration_sets(&self) -> Result<BTreeSet<String>, SettingsError> {
        let mut names = BTreeSet::new();
        let mut token = None;
        loop {
            let request = self.v2.list_configuration_sets().page_size(PAGE_SIZE);
            let output = self
                .call("ListConfigurationSets", || {
                    request.clone().set_next_token(token.clone()).send()
                })
                .await?;
            names.extend(output.configuration_sets.unwrap_or_default());
            token = output.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    /// Reads parts of objects. Identities are read in groups of [`IDENTITIES_PER_CALL`] for their notification settings, and
    /// one by one for policies and the default configuration set. `progress` receives the number of requests that are done
    /// and their total.
    ///
    /// # Errors
    /// When a call fails for another reason than that the object does not exist.
    pub async fn read(
        &self,
        wanted: &BTreeMap<Object, BTreeSet<Part>>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Actual, SettingsError> {
        let mut actual = Actual::default();
        let in_groups: Vec<&Object> = wanted
            .iter()
            .filter(|(_, parts)| parts.contains(&Part::Notifications))
            .map(|(object, _)| object)
            .collect();
        let singly: Vec<(&Object, Part)> = wanted
            .iter()
            .flat_map(|(object, parts)| parts.iter().map(move |part| (object, *part)))
            .filter(|(_, part)| *part != Part::Notifications)
            .collect();
        let groups: Vec<&[&Object]> = in_groups.chunks(IDENTITIES_PER_CALL).collect();
        let total = groups.len() + singly.len();
        let mut done = 0;
        for group in groups {
            let names: Vec<String> = group.iter().map(|object| object.name().to_owned()).collect();
            let mut found = self.notification_settings(&names).await?;
            for object in group {
                let reading = found.remove(object.name()).unwrap_or_else(Reading::missing);
                actual.add((*object).clone(), reading);
            }
            done += 1;
            progress(done, total);
        }
        for (object, part) in singly {
            // An object that is missing in one part is missing in all.
            if !actual.get(object).is_some_and(Reading::is_missing) {
                let reading = self.read_part(object, part).await?;
                actual.add(object.clone(), reading);
            }
            done += 1;
            progress(done, total);
        }
        Ok(actual)
    }

    /// Reads one part of an object.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_part(&self, object: &Object, part: Part) -> Result<Reading, SettingsError> {
        let name = object.name();
        let result = match part {
            Part::Notifications => {
                let mut found = self.notification_settings(&[name.to_owned()]).await?;
                return Ok(found.remove(name).unwrap_or_else(Reading::missing));
            }
            Part::EmailIdentity => self.email_identity(name).await,
            Part::ConfigurationSet => self.configuration_set(name).await,
            Part::EventDestinations => self.event_destinations(name).await,
            Part::TopicPolicy => self.topic_statement(name).await,
            Part::Subscriptions => self.subscriptions(name).await,
        };
        match result {
            Ok(fields) => Ok(Reading::of_part(part, fields)),
            Err(error) if error.is_not_found() => Ok(Reading::missing()),
            Err(error) => Err(error),
        }
    }

    /// The topics, original headers and feedback forwarding of up to [`IDENTITIES_PER_CALL`] identities, by name. Names that
    /// SES does not know are absent, and ARNs without legacy settings too.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn notification_settings(&self, names: &[String]) -> Result<BTreeMap<String, Reading>, SettingsError> {
        let request = self
            .v1
            .get_identity_notification_attributes()
            .set_identities(Some(names.to_vec()));
        let output = self
            .call("GetIdentityNotificationAttributes", || request.clone().send())
            .await?;
        let found = output.notification_attributes.into_iter();
        Ok(found
            .filter(|(name, attributes)| !name.starts_with("arn:") || has_topic(attributes))
            .map(|(name, attributes)| (name, Reading::of_part(Part::Notifications, notifications(&attributes))))
            .collect())
    }

    async fn email_identity(&self, name: &str) -> Result<Fields, SettingsError> {
        let request = self.v2.get_email_identity().email_identity(name);
        let output = self.call("GetEmailIdentity", || request.clone().send()).await?;
        let configuration_set = output.configuration_set_name.filter(|name| !name.is_empty());
        let mut fields = Fields::from([(
            Field::DefaultConfigurationSet,
            configuration_set.map_or(Value::Absent, Value::Text),
        )]);
        for (policy, text) in output.policies.unwrap_or_default() {
            let document: Json = serde_json::from_str(&text).map_err(|error| {
                let cause = format!("policy {policy} of {name} is not valid JSON: {error}");
                SettingsError::unusable("GetEmailIdentity", cause)
            })?;
            fields.insert(Field::Policy(policy), Value::document(&document));
        }
        Ok(fields)
    }

    async fn configuration_set(&self, name: &str) -> Result<Fields, SettingsError> {
        let request = self.v2.get_configuration_set().configuration_set_name(name);
        let output = self.call("GetConfigurationSet", || request.clone().send()).await?;
        let metrics = output
            .reputation_options
            .map(|options| options.reputation_metrics_enabled);
        let sending = output.sending_options.map(|options| options.sending_enabled);
        let reasons = output
            .suppression_options
            .and_then(|options| options.suppressed_reasons);
        let names = reasons.map(|reasons| reasons.iter().map(|reason| reason.as_str().to_owned()).collect());
        Ok(Fields::from([
            (Field::Exists, Value::Flag(true)),
            (Field::ReputationMetrics, Value::Flag(metrics.unwrap_or(false))),
            (Field::Sending, Value::Flag(sending.unwrap_or(true))),
            (Field::SuppressedReasons, names.map_or(Value::Absent, Value::Names)),
        ]))
    }

    async fn event_destinations(&self, name: &str) -> Result<Fields, SettingsError> {
        let request = self
            .v2
            .get_configuration_set_event_destinations()
            .configuration_set_name(name);
        let output = self
            .call("GetConfigurationSetEventDestinations", || request.clone().send())
            .await?;
        let destinations = output.event_destinations.unwrap_or_default();
        Ok(destinations
            .into_iter()
            .map(|destination| {
                let name = destination.name.clone();
                (
                    Field::EventDestination(name),
                    Value::Destination(event_destination(&destination)),
                )
            })
            .collect())
    }

    /// The policy of a topic as SNS returns it; `None` without a policy.
    pub(crate) async fn topic_policy(&self, arn: &str) -> Result<Option<Json>, SettingsError> {
        const OPERATION: &str = "GetTopicAttributes";
        let result = self.sns.get_topic_attributes().topic_arn(arn).send().await;
        let output = result.map_err(|error| SettingsError::of_sdk(OPERATION, &error))?;
        let text = output.attributes.and_then(|mut attributes| attributes.remove("Policy"));
        let policy = text.map(|text| serde_json::from_str(&text)).transpose();
        policy.map_err(|error| {
            SettingsError::unusable(OPERATION, format!("the policy of {arn} is not valid JSON: {error}"))
        })
    }

    async fn topic_statement(&self, arn: &str) -> Result<Fields, SettingsError> {
        let policy = self.topic_policy(arn).await?;
        let statements = as_list(policy.as_ref().and_then(|policy| policy.get("Statement")));
        let own = statements
            .into_iter()
            .find(|statement| statement.get("Sid").and_then(Json::as_str) == Some(TOPIC_STATEMENT_SID));
        Ok(own
            .map(|statement| (Field::Statement, Value::document(statement)))
            .into_iter()
            .collect())
    }

    async fn subscriptions(&self, arn: &str) -> Result<Fields, SettingsError> {
        let mut fields = Fields::new();
        let mut token = None;
        loop {
            let request = self.sns.list_subscriptions_by_topic().topic_arn(arn);
            let output = request.set_next_token(token).send().await;
            let output = output.map_err(|error| SettingsError::of_sdk("ListSubscriptionsByTopic", &error))?;
            for subscription in output.subscriptions.unwrap_or_default() {
                if let (Some(protocol), Some(endpoint)) = (subscription.protocol, subscription.endpoint) {
                    let field = Field::Subscription(format!("{protocol} {endpoint}"));
                    fields.insert(field, Value::Flag(true));
                }
            }
            token = output.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(fields);
            }
        }
    }
}

fn has_topic(attributes: &IdentityNotificationAttributes) -> bool {
    let topics = [
        &attributes.bounce_topic,
        &attributes.complaint_topic,
        &attributes.delivery_topic,
    ];
    topics.iter().any(|topic| !topic.is_empty())
}

fn notifications(attributes: &IdentityNotificationAttributes) -> Fields {
    use NotificationType::{Bounce, Complaint, Delivery};
    let topic = |arn: &str| match arn {
        "" => Value::Absent,
        arn => Value::Text(arn.to_owned()),
    };
    Fields::from([
        (Field::Topic(Bounce), topic(&attributes.bounce_topic)),
        (Field::Topic(Complaint), topic(&attributes.complaint_topic)),
        (Field::Topic(Delivery), topic(&attributes.delivery_topic)),
        (
            Field::OriginalHeaders(Bounce),
            Value::Flag(attributes.headers_in_bounce_notifications_enabled),
        ),
        (
            Field::OriginalHeaders(Complaint),
            Value::Flag(attributes.headers_in_complaint_notifications_enabled),
        ),
        (
            Field::OriginalHeaders(Delivery),
            Value::Flag(attributes.headers_in_delivery_notifications_enabled),
        ),
        (Field::FeedbackForwarding, Value::Flag(attributes.forwarding_enabled)),
    ])
}

/// An event destination of SES. The target of a destination for CloudWatch or Pinpoint, which the configuration cannot name,
/// is `cloudwatch` or `pinpoint`.
fn event_destination(destination: &SesEventDestination) -> EventDestination {
    let (target, role) = if let Some(sns) = &destination.sns_destination {
        (sns.topic_arn.clone(), None)
    } else if let Some(bus) = &destination.event_bridge_destination {
        (bus.event_bus_arn.clone(), None)
    } else if let Some(firehose) = &destination.kinesis_firehose_destination {
        (
            firehose.delivery_stream_arn.clone(),
            Some(firehose.iam_role_arn.clone()),
        )
    } else if destination.cloud_watch_destination.is_some() {
        ("cloudwatch".to_owned(), None)
    } else {
        ("pinpoint".to_owned(), None)
    };
    EventDestination {
        enabled: destination.enabled,
        events: destination
            .matching_event_types
            .iter()
            .map(|kind| kind.as_str().to_owned())
            .collect(),
        target,
        role,
    }
}
