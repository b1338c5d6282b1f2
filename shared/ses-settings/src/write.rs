//! Writes one setting. Every request to SES is paced.

use aws_sdk_ses::types::NotificationType as SesNotificationType;
use aws_sdk_sesv2::types::{
    EventBridgeDestination, EventDestinationDefinition, EventType, KinesisFirehoseDestination, SnsDestination,
    SuppressionListReason,
};
use serde_json::{Value as Json, json};

use crate::client::SesSettings;
use crate::error::SettingsError;
use crate::field::{Field, NotificationType, TOPIC_STATEMENT_SID};
use crate::policy::{as_list, policy_text};
use crate::settings::Change;
use crate::value::{EventDestination, Value};

impl SesSettings {
    /// Writes the new value of a change, without a look at the old one.
    pub(crate) async fn write(&self, change: &Change) -> Result<(), SettingsError> {
        let name = change.object.name();
        match (&change.field, &change.after) {
            (Field::Topic(kind), after) => self.set_topic(name, *kind, after.text()).await,
            (Field::OriginalHeaders(kind), Value::Flag(on)) => self.set_headers(name, *kind, *on).await,
            (Field::FeedbackForwarding, Value::Flag(on)) => self.set_forwarding(name, *on).await,
            (Field::DefaultConfigurationSet, after) => self.set_default_set(name, after.text()).await,
            (Field::Policy(policy), Value::Document(document)) => {
                let exists = change.before != Value::Absent;
                self.put_policy(name, policy, &policy_text(document), exists).await
            }
            (Field::Policy(policy), Value::Absent) => self.delete_policy(name, policy).await,
            (Field::EventDestination(destination), Value::Destination(value)) => {
                let exists = change.before != Value::Absent;
                self.put_destination(name, destination, value, exists).await
            }
            (Field::EventDestination(destination), Value::Absent) => self.delete_destination(name, destination).await,
            (Field::Exists, Value::Flag(true)) => self.create_configuration_set(name).await,
            (Field::ReputationMetrics, Value::Flag(on)) => self.set_reputation_metrics(name, *on).await,
            (Field::Sending, Value::Flag(on)) => self.set_sending(name, *on).await,
            (Field::SuppressedReasons, Value::Names(reasons)) => {
                self.set_suppressed_reasons(name, reasons.iter().map(String::as_str))
                    .await
            }
            (Field::Statement, Value::Document(statement)) => self.put_topic_statement(name, Some(statement)).await,
            (Field::Statement, Value::Absent) => self.put_topic_statement(name, None).await,
            (Field::Subscription(subscription), Value::Flag(true)) => self.subscribe(name, subscription).await,
            (field, after) => Err(SettingsError::unusable(
                "write",
                format!("{field} cannot be set to {after}"),
            )),
        }
    }

    async fn set_topic(
        &self,
        identity: &str,
        kind: NotificationType,
        topic: Option<&str>,
    ) -> Result<(), SettingsError> {
        let request = self
            .v1
            .set_identity_notification_topic()
            .identity(identity)
            .notification_type(SesNotificationType::from(kind.as_str()))
            .set_sns_topic(topic.map(str::to_owned));
        let send = || request.clone().send();
        self.call("SetIdentityNotificationTopic", send).await.map(drop)
    }

    async fn set_headers(&self, identity: &str, kind: NotificationType, on: bool) -> Result<(), SettingsError> {
        let request = self
            .v1
            .set_identity_headers_in_notifications_enabled()
            .identity(identity)
            .notification_type(SesNotificationType::from(kind.as_str()))
            .enabled(on);
        let send = || request.clone().send();
        self.call("SetIdentityHeadersInNotificationsEnabled", send)
            .await
            .map(drop)
    }

    /// With the API v1, which checks that both topics are set. The v2 operation does not.
    async fn set_forwarding(&self, identity: &str, on: bool) -> Result<(), SettingsError> {
        let request = self
            .v1
            .set_identity_feedback_forwarding_enabled()
            .identity(identity)
            .forwarding_enabled(on);
        let send = || request.clone().send();
        self.call("SetIdentityFeedbackForwardingEnabled", send).await.map(drop)
    }

    async fn set_default_set(&self, identity: &str, set: Option<&str>) -> Result<(), SettingsError> {
        let request = self
            .v2
            .put_email_identity_configuration_set_attributes()
            .email_identity(identity)
            .set_configuration_set_name(set.map(str::to_owned));
        let send = || request.clone().send();
        self.call("PutEmailIdentityConfigurationSetAttributes", send)
            .await
            .map(drop)
    }

    async fn put_policy(&self, identity: &str, name: &str, text: &str, exists: bool) -> Result<(), SettingsError> {
        if exists {
            let request = self.v2.update_email_identity_policy();
            let request = request.email_identity(identity).policy_name(name).policy(text);
            let send = || request.clone().send();
            return self.call("UpdateEmailIdentityPolicy", send).await.map(drop);
        }
        let request = self.v2.create_email_identity_policy();
        let request = request.email_identity(identity).policy_name(name).policy(text);
        let send = || request.clone().send();
        self.call("CreateEmailIdentityPolicy", send).await.map(drop)
    }

    async fn delete_policy(&self, identity: &str, name: &str) -> Result<(), SettingsError> {
        let request = self.v2.delete_email_identity_policy();
        let request = request.email_identity(identity).policy_name(name);
        let send = || request.clone().send();
        self.call("DeleteEmailIdentityPolicy", send).await.map(drop)
    }

    async fn create_configuration_set(&self, name: &str) -> Result<(), SettingsError> {
        let request = self.v2.create_configuration_set().configuration_set_name(name);
        let send = || request.clone().send();
        self.call("CreateConfigurationSet", send).await.map(drop)
    }

    async fn set_reputation_metrics(&self, name: &str, on: bool) -> Result<(), SettingsError> {
        let request = self.v2.put_configuration_set_reputation_options();
        let request = request.configuration_set_name(name).reputation_metrics_enabled(on);
        let send = || request.clone().send();
        self.call("PutConfigurationSetReputationOptions", send).await.map(drop)
    }

    async fn set_sending(&self, name: &str, on: bool) -> Result<(), SettingsError> {
        let request = self.v2.put_configuration_set_sending_options();
        let request = request.configuration_set_name(name).sending_enabled(on);
        let send = || request.clone().send();
        self.call("PutConfigurationSetSendingOptions", send).await.map(drop)
    }

    /// The request replaces all suppression options, so the others are read first and written with it.
    async fn set_suppressed_reasons(
        &self,
        name: &str,
        reasons: impl Iterator<Item = &str>,
    ) -> Result<(), SettingsError> {
        let read = self.v2.get_configuration_set().configuration_set_name(name);
        let current = self
            .call("GetConfigurationSet", || read.clone().send())
            .await?
            .suppression_options;
        let (scope, validation) = current.map_or((None, None), |options| {
            (options.suppression_scope, options.validation_options)
        });
        let request = self
            .v2
            .put_configuration_set_suppression_options()
            .configuration_set_name(name)
            .set_suppressed_reasons(Some(reasons.map(SuppressionListReason::from).collect()))
            .set_suppression_scope(scope)
            .set_validation_options(validation);
        let send = || request.clone().send();
        self.call("PutConfigurationSetSuppressionOptions", send).await.map(drop)
    }

    async fn put_destination(
        &self,
        set: &str,
        name: &str,
        value: &EventDestination,
        exists: bool,
    ) -> Result<(), SettingsError> {
        let definition = definition(value)?;
        if exists {
            let request = self.v2.update_configuration_set_event_destination();
            let request = request.configuration_set_name(set).event_destination_name(name);
            let request = request.event_destination(definition);
            let send = || request.clone().send();
            return self
                .call("UpdateConfigurationSetEventDestination", send)
                .await
                .map(drop);
        }
        let request = self.v2.create_configuration_set_event_destination();
        let request = request.configuration_set_name(set).event_destination_name(name);
        let request = request.event_destination(definition);
        let send = || request.clone().send();
        self.call("CreateConfigurationSetEventDestination", send)
            .await
            .map(drop)
    }

    async fn delete_destination(&self, set: &str, name: &str) -> Result<(), SettingsError> {
        let request = self.v2.delete_configuration_set_event_destination();
        let request = request.configuration_set_name(set).event_destination_name(name);
        let send = || request.clone().send();
        self.call("DeleteConfigurationSetEventDestination", send)
            .await
            .map(drop)
    }

    /// Replaces, adds or removes the own statement of a topic's policy. Other statements stay.
    async fn put_topic_statement(&self, arn: &str, statement: Option<&Json>) -> Result<(), SettingsError> {
        let mut policy = match self.topic_policy(arn).await? {
            Some(policy) if policy.is_object() => policy,
            _ => json!({"Version": "2012-10-17", "Statement": []}),
        };
        let is_own = |one: &Json| one.get("Sid").and_then(Json::as_str) == Some(TOPIC_STATEMENT_SID);
        let mut statements: Vec<Json> = as_list(policy.get("Statement"))
            .into_iter()
            .filter(|one| !is_own(one))
            .cloned()
            .collect();
        statements.extend(statement.cloned());
        if let Some(members) = policy.as_object_mut() {
            members.insert("Statement".to_owned(), Json::Array(statements));
        }
        let request = self.sns.set_topic_attributes().topic_arn(arn).attribute_name("Policy");
        let result = request.attribute_value(policy.to_string()).send().await;
        result.map_err(|error| SettingsError::of_sdk("SetTopicAttributes", &error))?;
        Ok(())
    }

    /// `PROTOCOL ENDPOINT`. SNS returns the existing subscription when there is one.
    async fn subscribe(&self, arn: &str, subscription: &str) -> Result<(), SettingsError> {
        let (protocol, endpoint) = subscription.split_once(' ').unwrap_or((subscription, ""));
        let request = self
            .sns
            .subscribe()
            .topic_arn(arn)
            .protocol(protocol)
            .endpoint(endpoint);
        let result = request.return_subscription_arn(true).send().await;
        result.map_err(|error| SettingsError::of_sdk("Subscribe", &error))?;
        Ok(())
    }
}

/// The definition of an event destination for SES.
fn definition(value: &EventDestination) -> Result<EventDestinationDefinition, SettingsError> {
    let unusable = |error: &dyn std::error::Error| SettingsError::unusable("write", error.to_string());
    let definition = EventDestinationDefinition::builder()
        .enabled(value.enabled)
        .set_matching_event_types(Some(
            value.events.iter().map(|kind| EventType::from(kind.as_str())).collect(),
        ));
    let service = value.target.split(':').nth(2).unwrap_or_default();
    Ok(match service {
        "sns" => {
            let sns = SnsDestination::builder().topic_arn(&value.target).build();
            definition.sns_destination(sns.map_err(|error| unusable(&error))?)
        }
        "events" => {
            let bus = EventBridgeDestination::builder().event_bus_arn(&value.target).build();
            definition.event_bridge_destination(bus.map_err(|error| unusable(&error))?)
        }
        "firehose" => {
            let stream = KinesisFirehoseDestination::builder()
                .delivery_stream_arn(&value.target)
                .iam_role_arn(value.role.as_deref().unwrap_or_default())
                .build();
            definition.kinesis_firehose_destination(stream.map_err(|error| unusable(&error))?)
        }
        _ => {
            let text = format!("{} is no topic, event bus or delivery stream", value.target);
            return Err(SettingsError::unusable("write", text));
        }
    }
    .build())
}
