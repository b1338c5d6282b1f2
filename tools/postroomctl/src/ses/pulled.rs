//! Settings of SES as `postroom.toml`. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use ses_settings::{
    Actual, Context, Delegate, Field, NotificationType, Object, Reading, Value, check_destination, check_policy,
};

use crate::config::ses_wire::{
    ConfigurationSet, Delegate as WireDelegate, EventDestination, Identity, OriginalHeaders, Topics,
};
use crate::config::{NONE, OWN_TOPIC};

/// One entry of the file. Each is serialized alone, because it may have comments in front of it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<[&'a Identity; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set: Option<[&'a ConfigurationSet; 1]>,
}

/// The configuration of what was read. What cannot be written is a comment that says why. Identities with equal settings
/// share an entry.
pub(crate) fn pulled_text(actual: &Actual, context: &Context) -> Result<String, toml::ser::Error> {
    let mut text = format!("# SES of account {} in {}\n", context.account, context.region);
    let mut identities: BTreeMap<String, (Vec<String>, Identity)> = BTreeMap::new();
    for (object, reading) in actual.iter().filter(|(_, reading)| !reading.is_missing()) {
        match object {
            Object::Identity(name) => {
                let (comments, entry) = identity(name, reading, context);
                let key = toml::to_string(&entry)?;
                let key = if comments.is_empty() {
                    key
                } else {
                    format!("{key}{name}")
                };
                let shared = identities.entry(key).or_insert((comments, entry));
                shared.1.names.push(name.clone());
            }
            Object::ConfigurationSet(name) => {
                let (comments, entry) = configuration_set(name, reading, context);
                let file = File {
                    identity: None,
                    configuration_set: Some([&entry]),
                };
                push_entry(&mut text, &comments, &toml::to_string(&file)?);
            }
            Object::Topic(_) => {}
        }
    }
    let mut identities: Vec<_> = identities.into_values().collect();
    identities.sort_by(|(_, one), (_, other)| one.names.cmp(&other.names));
    for (comments, entry) in &identities {
        let file = File {
            identity: Some([entry]),
            configuration_set: None,
        };
        push_entry(&mut text, comments, &toml::to_string(&file)?);
    }
    Ok(text)
}

fn push_entry(text: &mut String, comments: &[String], entry: &str) {
    text.push('\n');
    for comment in comments {
        text.push_str("# ");
        text.push_str(&comment.replace(|c: char| c.is_control(), " "));
        text.push('\n');
    }
    text.push_str(entry);
}

/// Without the name, so that equal settings are equal entries.
fn identity(name: &str, reading: &Reading, context: &Context) -> (Vec<String>, Identity) {
    use NotificationType::{Bounce, Complaint, Delivery};
    let mut comments = Vec::new();
    let topic = |kind| Some(choice(&reading.get(&Field::Topic(kind))?, context));
    let headers = |kind| flag(reading, &Field::OriginalHeaders(kind));
    let topics = Topics {
        bounce: topic(Bounce),
        complaint: topic(Complaint),
        delivery: topic(Delivery),
    };
    let mut feedback_forwarding = flag(reading, &Field::FeedbackForwarding);
    if name.starts_with("arn:") {
        // Legacy cross-account notifications have topics and original headers only.
        feedback_forwarding = None;
    }
    let has_topic = |kind| matches!(reading.get(&Field::Topic(kind)), Some(Value::Text(_)));
    if feedback_forwarding == Some(false) && !(has_topic(Bounce) && has_topic(Complaint)) {
        feedback_forwarding = None;
        comments.push(format!(
            "{name}: feedback forwarding is off without topics for bounce and complaint, so only event destinations report"
        ));
    }
    let mut entry = Identity {
        names: Vec::new(),
        feedback_forwarding,
        configuration_set: reading
            .get(&Field::DefaultConfigurationSet)
            .map(|value| value.text().unwrap_or(NONE).to_owned()),
        topics: Some(topics).filter(|topics| *topics != Topics::default()),
        original_headers: Some(OriginalHeaders {
            bounce: headers(Bounce),
            complaint: headers(Complaint),
            delivery: headers(Delivery),
        })
        .filter(|headers| *headers != OriginalHeaders::default()),
        ..Identity::default()
    };
    let arn = context.identity_arn(name);
    for (field, value) in reading.fields() {
        let (Field::Policy(policy), Value::Document(document)) = (field, value) else {
            continue;
        };
        if let Err(expected) = check_policy(document, &arn) {
            comments.push(format!("{name}: the policy {policy} is left out: {expected}"));
        } else if let Some(delegate) = Delegate::of_policy(policy, document, &arn) {
            entry.delegate.push(delegate_entry(delegate));
        } else {
            entry.policies.insert(policy.clone(), document.to_string());
        }
    }
    (comments, entry)
}

fn delegate_entry(delegate: Delegate) -> WireDelegate {
    let is_default = delegate.actions == Delegate::DEFAULT_ACTIONS.into();
    WireDelegate {
        name: delegate.name,
        account: delegate.account.to_string(),
        actions: (!is_default).then(|| {
            delegate
                .actions
                .iter()
                .map(|action| action.as_str().to_owned())
                .collect()
        }),
        from: delegate.from,
        recipients: delegate.recipients,
        display_names: delegate.display_names,
    }
}

fn configuration_set(name: &str, reading: &Reading, context: &Context) -> (Vec<String>, ConfigurationSet) {
    let mut comments = Vec::new();
    let mut entry = ConfigurationSet {
        name: name.to_owned(),
        reputation_metrics: flag(reading, &Field::ReputationMetrics),
        sending: flag(reading, &Field::Sending),
        suppressed_reasons: match reading.get(&Field::SuppressedReasons) {
            Some(Value::Names(names)) => Some(names),
            _ => None,
        },
        ..ConfigurationSet::default()
    };
    for (field, value) in reading.fields() {
        let (Field::EventDestination(destination), Value::Destination(settings)) = (field, value) else {
            continue;
        };
        if let Err(expected) = check_destination(settings, context) {
            comments.push(format!(
                "{name}: the event destination {destination} ({}) is left out: {expected}",
                settings.target
            ));
            continue;
        }
        let settings = EventDestination {
            target: choice(&Value::Text(settings.target.clone()), context),
            events: settings.events.clone(),
            role: settings.role.clone(),
            enabled: settings.enabled,
        };
        entry.event_destinations.insert(destination.clone(), settings);
    }
    (comments, entry)
}

fn flag(reading: &Reading, field: &Field) -> Option<bool> {
    match reading.get(field) {
        Some(Value::Flag(on)) => Some(on),
        _ => None,
    }
}

fn choice(value: &Value, context: &Context) -> String {
    match value.text() {
        None => NONE.to_owned(),
        Some(arn) if context.own_topic.as_deref() == Some(arn) => OWN_TOPIC.to_owned(),
        Some(arn) => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use ses_settings::{
        Actual, Context, Delegate, EventDestination, Field, Fields, NotificationType, Object, Part, Reading,
        SendAction, Value, check, difference,
    };

    use super::pulled_text;
    use crate::config::read_text;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:postroom";
    const OTHER: &str = "arn:aws:sns:eu-west-1:444455556666:their-topic";

    fn context() -> Context {
        Context {
            partition: "aws".to_owned(),
            region: "eu-west-1".to_owned(),
            account: "111122223333".parse().unwrap(),
            own_topic: Some(TOPIC.to_owned()),
        }
    }

    /// The settings of identity number `index`: every combination of some of them.
    fn notifications(index: usize) -> Fields {
        let topic = |choice: usize| match choice % 3 {
            0 => Value::Absent,
            1 => Value::Text(TOPIC.to_owned()),
            _ => Value::Text(OTHER.to_owned()),
        };
        let topics = [topic(index), topic(index / 3), topic(index / 9)];
        let has_both = topics.iter().take(2).all(|topic| *topic != Value::Absent);
        let mut fields = Fields::from([(
            Field::FeedbackForwarding,
            Value::Flag(!has_both || index.is_multiple_of(2)),
        )]);
        for (kind, topic) in NotificationType::ALL.into_iter().zip(topics) {
            let headers = topic != Value::Absent && index.is_multiple_of(5);
            fields.insert(Field::OriginalHeaders(kind), Value::Flag(headers));
            fields.insert(Field::Topic(kind), topic);
        }
        fields
    }

    fn policies(identity: &str, index: usize) -> Fields {
        let arn = context().identity_arn(identity);
        let delegate = Delegate {
            name: "agency".to_owned(),
            account: "222233334444".parse().unwrap(),
            actions: BTreeSet::from([SendAction::SendEmail]),
            from: BTreeSet::from([format!("news@{identity}")]),
            recipients: BTreeSet::new(),
            display_names: BTreeSet::from(["Shop \"1\" \u{e9}*".to_owned()]),
        };
        let own = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:root"},
            "Action": ["ses:SendEmail"], "Resource": arn,
        }]});
        let set = match index % 2 {
            0 => Value::Absent,
            _ => Value::Text("campaign".to_owned()),
        };
        let mut fields = Fields::from([(Field::DefaultConfigurationSet, set)]);
        if index.is_multiple_of(3) {
            fields.insert(
                Field::Policy(delegate.policy_name()),
                Value::document(&delegate.policy(&arn)),
            );
        }
        if index.is_multiple_of(4) {
            fields.insert(Field::Policy("theirs".to_owned()), Value::document(&own));
        }
        fields
    }

    fn account_with_identities(count: usize) -> Actual {
        let mut actual = Actual::default();
        for index in 0..count {
            let name = match index % 10 {
                0 => format!("Sales+{index}@shop{index}.example"),
                _ => format!("shop{index}.example"),
            };
            let object = Object::Identity(name.clone());
            actual.add(
                object.clone(),
                Reading::of_part(Part::Notifications, notifications(index)),
            );
            actual.add(object, Reading::of_part(Part::EmailIdentity, policies(&name, index)));
        }
        let destination = |target: &str, enabled| {
            Value::Destination(EventDestination {
                enabled,
                events: ["BOUNCE", "DELIVERY_DELAY"].map(str::to_owned).into(),
                target: target.to_owned(),
                role: None,
            })
        };
        let set = Object::ConfigurationSet("campaign".to_owned());
        let fields = [
            (Field::Exists, Value::Flag(true)),
            (Field::ReputationMetrics, Value::Flag(true)),
            (Field::Sending, Value::Flag(false)),
            (Field::SuppressedReasons, Value::Names(["BOUNCE".to_owned()].into())),
        ];
        actual.add(set.clone(), Reading::of_part(Part::ConfigurationSet, fields.into()));
        let destinations = [
            ("postroom-feedback", destination(TOPIC, true)),
            (
                "bus",
                destination("arn:aws:events:eu-west-1:111122223333:event-bus/default", false),
            ),
        ];
        let destinations = destinations.map(|(name, value)| (Field::EventDestination(name.to_owned()), value));
        actual.add(set, Reading::of_part(Part::EventDestinations, destinations.into()));
        actual
    }

    #[test]
    fn a_plan_with_what_was_pulled_is_empty() {
        let actual = account_with_identities(300);
        let text = pulled_text(&actual, &context()).unwrap();
        let entries = read_text(&text).ses;
        let desired = entries.desired(&BTreeSet::new(), &context()).unwrap();
        assert_eq!(desired.len(), 301);
        assert_eq!(check(&desired, &context()), []);
        assert_eq!(difference(&desired, &actual), []);
        // It also names everything, so that a change of anything is a difference.
        for (object, reading) in actual.iter() {
            let named: Vec<&Field> = desired[object].keys().collect();
            let read: Vec<&Field> = reading.fields().keys().collect();
            assert_eq!(named, read, "{object}");
        }
    }

    #[test]
    fn what_cannot_be_configured_is_a_comment_with_the_reason() {
        let mut actual = Actual::default();
        let shop = Object::Identity("shop.example".to_owned());
        let off = Fields::from([(Field::FeedbackForwarding, Value::Flag(false))]);
        actual.add(shop.clone(), Reading::of_part(Part::Notifications, off));
        let foreign = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "ses:SendEmail", "Resource": "*",
        }]});
        let policy = Fields::from([(Field::Policy("open\nup".to_owned()), Value::document(&foreign))]);
        actual.add(shop, Reading::of_part(Part::EmailIdentity, policy));
        let set = Object::ConfigurationSet("campaign".to_owned());
        let destination = EventDestination {
            enabled: true,
            events: ["BOUNCE".to_owned()].into(),
            target: "cloudwatch".to_owned(),
            role: None,
        };
        let destination = Fields::from([(
            Field::EventDestination("metrics".to_owned()),
            Value::Destination(destination),
        )]);
        actual.add(set, Reading::of_part(Part::EventDestinations, destination));
        insta::assert_snapshot!(pulled_text(&actual, &context()).unwrap(), @r#"
        # SES of account 111122223333 in eu-west-1

        # campaign: the event destination metrics (cloudwatch) is left out: expected the ARN of an SNS topic, of the event bus default, or of a Firehose delivery stream
        [[configuration-set]]
        name = "campaign"

        # shop.example: feedback forwarding is off without topics for bounce and complaint, so only event destinations report
        # shop.example: the policy open up is left out: expected exactly one Resource, arn:aws:ses:eu-west-1:111122223333:identity/shop.example
        [[identity]]
        names = ["shop.example"]
        configuration-set = "none"

        [identity.topics]
        bounce = "none"
        complaint = "none"
        delivery = "none"
        "#);
    }
}
