//! The entries of a configuration, and the settings of each object that they name. Pure.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::AccountId;

use crate::context::Context;
use crate::expand::{IdentityEntry, TopicChoice, expand, is_pattern, matches_name};
use crate::field::{Field, Object};
use crate::settings::Desired;
use crate::value::{EventDestination, Fields, Value};

/// The entries of a configuration. A kind of object without entries (`None`) is not configured: nothing of it is changed,
/// and what an earlier configuration created stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// Identities.
    pub identities: Option<Vec<IdentityEntry>>,
    /// Configuration sets, by name.
    pub configuration_sets: Option<BTreeMap<String, ConfigurationSetEntry>>,
    /// Topics to which SES publishes.
    pub topics: Option<Vec<TopicEntry>>,
}

/// The settings of a configuration set. It is created when it does not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigurationSetEntry {
    /// Whether reputation metrics are published, when it is named.
    pub reputation_metrics: Option<bool>,
    /// Whether the set may send, when it is named.
    pub sending: Option<bool>,
    /// The reasons (`BOUNCE`, `COMPLAINT`) for which the suppression list of SES applies, when they are named.
    pub suppressed_reasons: Option<BTreeSet<String>>,
    /// The event destinations, by name.
    pub event_destinations: BTreeMap<String, DestinationEntry>,
}

/// An event destination of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationEntry {
    /// Whether SES publishes to it.
    pub enabled: bool,
    /// The event types in the spelling of the API, for example `BOUNCE`.
    pub events: BTreeSet<String>,
    /// The topic of the stack, or the ARN of a topic, of the default event bus or of a delivery stream.
    pub target: TopicChoice,
    /// For a delivery stream, the role that SES uses.
    pub role: Option<String>,
}

/// The settings of a topic to which SES publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicEntry {
    /// The topic.
    pub topic: TopicChoice,
    /// The accounts whose identities and configuration sets may publish, when they are named. Empty removes the permission.
    pub accounts: Option<Vec<AccountId>>,
    /// Subscriptions as `PROTOCOL ENDPOINT`.
    pub subscriptions: BTreeSet<String>,
}

/// The configuration names the topic of the stack, which is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the topic of the stack is not known")]
pub struct UnknownOwnTopic;

impl Entries {
    /// Whether nothing is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identities.is_none() && self.configuration_sets.is_none() && self.topics.is_none()
    }

    /// Whether objects of the same kind as this one are configured.
    #[must_use]
    pub fn has_kind_of(&self, object: &Object) -> bool {
        match object {
            Object::Identity(_) => self.identities.is_some(),
            Object::ConfigurationSet(_) => self.configuration_sets.is_some(),
            Object::Topic(_) => self.topics.is_some(),
        }
    }

    /// Whether identities are named, so that the existing ones have to be listed: for patterns, and for their spelling.
    #[must_use]
    pub fn names_identities(&self) -> bool {
        self.identities.iter().flatten().any(|entry| !entry.names.is_empty())
    }

    /// The patterns that match none of the `existing` identities.
    #[must_use]
    pub fn unmatched_patterns(&self, existing: &BTreeSet<String>) -> Vec<&str> {
        let names = self.identities.iter().flatten().flat_map(|entry| &entry.names);
        let is_unmatched =
            |name: &&String| is_pattern(name) && !existing.iter().any(|identity| matches_name(name, identity));
        names.filter(is_unmatched).map(String::as_str).collect()
    }

    /// The settings of each object. Patterns match the `existing` identities.
    ///
    /// # Errors
    /// When the topic of the stack is named and `context` does not have it.
    pub fn desired(&self, existing: &BTreeSet<String>, context: &Context) -> Result<Desired, UnknownOwnTopic> {
        if context.own_topic.is_none() && self.names_own_topic() {
            return Err(UnknownOwnTopic);
        }
        let mut desired = expand(self.identities.as_deref().unwrap_or_default(), existing, context);
        for (name, entry) in self.configuration_sets.iter().flatten() {
            desired.insert(Object::ConfigurationSet(name.clone()), entry.fields(context));
        }
        for entry in self.topics.iter().flatten() {
            if let Some(Value::Text(arn)) = entry.topic.value(context) {
                let fields = entry.fields(&arn, context);
                desired.entry(Object::Topic(arn)).or_default().extend(fields);
            }
        }
        Ok(desired)
    }

    fn names_own_topic(&self) -> bool {
        let of_identities = self.identities.iter().flatten().flat_map(|entry| entry.topics.values());
        let sets = self.configuration_sets.iter().flat_map(BTreeMap::values);
        let of_sets = sets
            .flat_map(|entry| entry.event_destinations.values())
            .map(|destination| &destination.target);
        let of_topics = self.topics.iter().flatten().map(|entry| &entry.topic);
        of_identities
            .chain(of_sets)
            .chain(of_topics)
            .any(|topic| *topic == TopicChoice::Own)
    }
}

impl ConfigurationSetEntry {
    fn fields(&self, context: &Context) -> Fields {
        let mut fields = Fields::from([(Field::Exists, Value::Flag(true))]);
        if let Some(on) = self.reputation_metrics {
            fields.insert(Field::ReputationMetrics, Value::Flag(on));
        }
        if let Some(on) = self.sending {
            fields.insert(Field::Sending, Value::Flag(on));
        }
        if let Some(reasons) = &self.suppressed_reasons {
            fields.insert(Field::SuppressedReasons, Value::Names(reasons.clone()));
        }
        for (name, entry) in &self.event_destinations {
            let value = match entry.target.value(context) {
                Some(Value::Text(target)) => Value::Destination(EventDestination {
                    enabled: entry.enabled,
                    events: entry.events.clone(),
                    target,
                    role: entry.role.clone(),
                }),
                _ => Value::Absent,
            };
            fields.insert(Field::EventDestination(name.clone()), value);
        }
        fields
    }
}

impl TopicEntry {
    fn fields(&self, arn: &str, context: &Context) -> Fields {
        let mut fields = Fields::new();
        match self.accounts.as_deref() {
            None => {}
            Some([]) => {
                fields.insert(Field::Statement, Value::Absent);
            }
            Some(accounts) => {
                let statement = context.topic_statement(arn, accounts);
                fields.insert(Field::Statement, Value::document(&statement));
            }
        }
        let subscriptions = self.subscriptions.iter().cloned();
        fields.extend(subscriptions.map(|name| (Field::Subscription(name), Value::Flag(true))));
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfigurationSetEntry, DestinationEntry, Entries, TopicEntry, UnknownOwnTopic};
    use crate::context::Context;
    use crate::expand::{IdentityEntry, TopicChoice};
    use crate::field::{Field, Object};
    use crate::value::Value;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:postroom";

    fn context(own_topic: Option<&str>) -> Context {
        Context {
            partition: "aws".to_owned(),
            region: "eu-west-1".to_owned(),
            account: "111122223333".parse().unwrap(),
            own_topic: own_topic.map(str::to_owned),
        }
    }

    fn entries() -> Entries {
        let destination = DestinationEntry {
            enabled: true,
            events: ["BOUNCE".to_owned()].into(),
            target: TopicChoice::Own,
            role: None,
        };
        let set = ConfigurationSetEntry {
            sending: Some(true),
            event_destinations: [("postroom-feedback".to_owned(), destination)].into(),
            ..ConfigurationSetEntry::default()
        };
        Entries {
            identities: None,
            configuration_sets: Some([("campaign".to_owned(), set)].into()),
            topics: Some(vec![TopicEntry {
                topic: TopicChoice::Own,
                accounts: Some(Vec::new()),
                subscriptions: ["sqs arn:aws:sqs:eu-west-1:111122223333:q".to_owned()].into(),
            }]),
        }
    }

    #[test]
    fn only_what_is_named_becomes_a_setting() {
        let desired = entries().desired(&[].into(), &context(Some(TOPIC))).unwrap();
        let set = &desired[&Object::ConfigurationSet("campaign".to_owned())];
        let names: Vec<String> = set.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["exists", "event-destination.postroom-feedback", "sending"]);
        let topic = &desired[&Object::Topic(TOPIC.to_owned())];
        assert_eq!(topic[&Field::Statement], Value::Absent);
        assert_eq!(topic.len(), 2);
        assert_eq!(desired.len(), 2);
    }

    #[test]
    fn patterns_without_a_match_are_named() {
        let entry = IdentityEntry {
            names: ["*.shop.example", "shop.example", "*@Shop.Example", "*.example.org"]
                .map(str::to_owned)
                .into(),
            ..IdentityEntry::default()
        };
        let entries = Entries {
            identities: Some(vec![entry]),
            ..Entries::default()
        };
        let existing = ["mail.shop.example".to_owned(), "jane@shop.example".to_owned()].into();
        assert_eq!(entries.unmatched_patterns(&existing), ["*.example.org"]);
        assert!(entries.names_identities() && !Entries::default().names_identities());
    }

    #[test]
    fn the_topic_of_the_stack_must_be_known_where_it_is_named() {
        let unknown = context(None);
        assert_eq!(entries().desired(&[].into(), &unknown), Err(UnknownOwnTopic));
        assert!(Entries::default().desired(&[].into(), &unknown).unwrap().is_empty());
    }
}
