//! The sections `[[identity]]`, `[[configuration-set]]` and `[[topic]]`: settings of SES.
//!
//! What depends on the Region and the account, such as the Region of a topic, is checked by `ses_settings::check` when they
//! are known.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::AccountId;
use ses_settings::{
    ConfigurationSetEntry, Delegate, DestinationEntry, Entries, IdentityEntry, NotificationType, OWN_PREFIX,
    SendAction, TopicChoice, TopicEntry, check_name, check_reasons, is_pattern,
};

use super::accounts::{Accounts, parse_identity};
use super::report::Report;
use super::ses_wire as wire;
use super::wire::File;

/// How the topic of the stack is written.
pub(crate) const OWN_TOPIC: &str = "postroom";

/// How the absence of a topic or of a default configuration set is written.
pub(crate) const NONE: &str = "none";

pub(super) fn check_ses(file: &File, accounts: &Accounts, report: &mut Report) -> Entries {
    let identities = file.identity.as_ref().map(|entries| {
        let entries = entries.iter().enumerate();
        entries
            .map(|(index, entry)| check_identity(&format!("identity[{}]", index + 1), entry, accounts, report))
            .collect()
    });
    let configuration_sets = file
        .configuration_set
        .as_ref()
        .map(|entries| check_sets(entries, report));
    let topics = file.topic.as_ref().map(|entries| {
        let entries = entries.iter().enumerate();
        entries
            .filter_map(|(index, entry)| check_topic(&format!("topic[{}]", index + 1), entry, accounts, report))
            .collect()
    });
    Entries {
        identities,
        configuration_sets,
        topics,
    }
}

fn check_identity(path: &str, entry: &wire::Identity, accounts: &Accounts, report: &mut Report) -> IdentityEntry {
    if entry.names.is_empty() {
        report.problem(&format!("{path}.names"), "expected at least one name");
    }
    for (index, name) in entry.names.iter().enumerate() {
        let expected = "expected a domain, a mail address, a pattern with *, or the ARN of an identity";
        report.parse(&format!("{path}.names[{}]", index + 1), name, expected, parse_name);
    }
    let topics = entry.topics.clone().unwrap_or_default();
    let written = [
        (NotificationType::Bounce, topics.bounce),
        (NotificationType::Complaint, topics.complaint),
        (NotificationType::Delivery, topics.delivery),
    ];
    let mut choices = BTreeMap::new();
    for (kind, text) in written {
        let Some(text) = text else { continue };
        let choice = check_choice(&format!("{path}.topics.{}", kind.key()), &text, report);
        choices.extend(choice.map(|choice| (kind, choice)));
    }
    let headers = entry.original_headers.clone().unwrap_or_default();
    let original_headers = [
        (NotificationType::Bounce, headers.bounce),
        (NotificationType::Complaint, headers.complaint),
        (NotificationType::Delivery, headers.delivery),
    ];
    let configuration_set = entry.configuration_set.as_ref().map(|name| {
        if name == NONE {
            return None;
        }
        if let Err(expected) = check_name("configuration set", name) {
            report.problem(&format!("{path}.configuration-set"), format!("{expected}, or {NONE}"));
        }
        Some(name.clone())
    });
    let delegates = check_delegates(path, &entry.delegate, accounts, report);
    IdentityEntry {
        names: entry.names.clone(),
        topics: choices,
        original_headers: original_headers
            .into_iter()
            .filter_map(|(kind, on)| Some((kind, on?)))
            .collect(),
        feedback_forwarding: entry.feedback_forwarding,
        default_configuration_set: configuration_set,
        policies: check_policies(path, entry, &delegates, report),
        delegates,
    }
}

fn parse_name(text: &str) -> Option<()> {
    let is_plain = !text.is_empty() && !text.contains(char::is_whitespace);
    let is_arn = text.starts_with("arn:") && text.contains(":identity/");
    (is_plain && (is_arn || is_pattern(text) || parse_identity(text).is_some())).then_some(())
}

fn check_choice(path: &str, text: &str, report: &mut Report) -> Option<TopicChoice> {
    let expected =
        format!("expected \"{OWN_TOPIC}\" for the topic of the stack, the ARN of an SNS topic, or \"{NONE}\"");
    report.parse(path, text, &expected, |text| match text {
        OWN_TOPIC => Some(TopicChoice::Own),
        NONE => Some(TopicChoice::None),
        arn if arn.starts_with("arn:") => Some(TopicChoice::Arn(arn.to_owned())),
        _ => None,
    })
}

fn check_delegates(path: &str, written: &[wire::Delegate], accounts: &Accounts, report: &mut Report) -> Vec<Delegate> {
    let mut names = BTreeSet::new();
    let mut delegates = Vec::new();
    for (index, entry) in written.iter().enumerate() {
        let path = format!("{path}.delegate[{}]", index + 1);
        if let Err(expected) = check_name("policy", &format!("{OWN_PREFIX}{}", entry.name)) {
            report.problem(
                &format!("{path}.name"),
                format!("{expected}, {OWN_PREFIX} in front of it included"),
            );
        } else if !names.insert(&entry.name) {
            report.problem(
                &format!("{path}.name"),
                "duplicate name: another delegate of this entry has it",
            );
        }
        let account = accounts.resolve(&format!("{path}.account"), &entry.account, report);
        let actions = check_actions(&format!("{path}.actions"), entry.actions.as_ref(), report);
        delegates.extend(account.map(|account| Delegate {
            name: entry.name.clone(),
            account,
            actions,
            from: entry.from.clone(),
            recipients: entry.recipients.clone(),
            display_names: entry.display_names.clone(),
        }));
    }
    delegates
}

fn check_actions(path: &str, written: Option<&BTreeSet<String>>, report: &mut Report) -> BTreeSet<SendAction> {
    let Some(written) = written else {
        return Delegate::DEFAULT_ACTIONS.into();
    };
    if written.is_empty() {
        report.problem(path, "expected at least one action");
    }
    let mut actions = BTreeSet::new();
    for text in written {
        let expected = format!(
            "{text} is unknown: expected SendEmail, SendRawEmail, SendTemplatedEmail or SendBulkTemplatedEmail"
        );
        actions.extend(report.parse(path, text, &expected, |text| text.parse::<SendAction>().ok()));
    }
    actions
}

fn check_policies(
    path: &str,
    entry: &wire::Identity,
    delegates: &[Delegate],
    report: &mut Report,
) -> BTreeMap<String, serde_json::Value> {
    let mut policies = BTreeMap::new();
    for (name, text) in &entry.policies {
        let path = format!("{path}.policies.{name}");
        if let Err(expected) = check_name("policy", name) {
            report.problem(&path, expected);
        }
        if delegates.iter().any(|delegate| delegate.policy_name() == *name) {
            report.problem(&path, "duplicate name: a delegate of this entry has this policy");
        }
        match serde_json::from_str(text) {
            Ok(document) => {
                policies.insert(name.clone(), document);
            }
            Err(error) => report.problem(&path, format!("expected a policy in JSON: {error}")),
        }
    }
    policies
}

fn check_sets(written: &[wire::ConfigurationSet], report: &mut Report) -> BTreeMap<String, ConfigurationSetEntry> {
    let mut sets = BTreeMap::new();
    for (index, entry) in written.iter().enumerate() {
        let path = format!("configuration-set[{}]", index + 1);
        if let Err(expected) = check_name("configuration set", &entry.name) {
            report.problem(&format!("{path}.name"), expected);
        }
        if let Some(Err(expected)) = entry.suppressed_reasons.as_ref().map(check_reasons) {
            report.problem(&format!("{path}.suppressed-reasons"), expected);
        }
        let mut event_destinations = BTreeMap::new();
        for (name, destination) in &entry.event_destinations {
            let path = format!("{path}.event-destinations.{name}");
            event_destinations
                .extend(check_destination(&path, name, destination, report).map(|entry| (name.clone(), entry)));
        }
        let checked = ConfigurationSetEntry {
            reputation_metrics: entry.reputation_metrics,
            sending: entry.sending,
            suppressed_reasons: entry.suppressed_reasons.clone(),
            event_destinations,
        };
        if sets.insert(entry.name.clone(), checked).is_some() {
            report.problem(
                &format!("{path}.name"),
                "duplicate name: another [[configuration-set]] has it",
            );
        }
    }
    sets
}

fn check_destination(
    path: &str,
    name: &str,
    written: &wire::EventDestination,
    report: &mut Report,
) -> Option<DestinationEntry> {
    if let Err(expected) = check_name("event destination", name) {
        report.problem(path, expected);
    }
    if written.events.is_empty() {
        report.problem(&format!("{path}.events"), "expected at least one event type");
    }
    let expected = format!(
        "expected \"{OWN_TOPIC}\" for the topic of the stack, or the ARN of an SNS topic, of the event bus default or of a \
         Firehose delivery stream"
    );
    let target = report.parse(
        &format!("{path}.target"),
        &written.target,
        &expected,
        |text| match text {
            OWN_TOPIC => Some(TopicChoice::Own),
            arn if arn.starts_with("arn:") => Some(TopicChoice::Arn(arn.to_owned())),
            _ => None,
        },
    )?;
    Some(DestinationEntry {
        enabled: written.enabled,
        events: written.events.clone(),
        target,
        role: written.role.clone(),
    })
}

fn check_topic(path: &str, entry: &wire::Topic, accounts: &Accounts, report: &mut Report) -> Option<TopicEntry> {
    let topic = check_choice(&format!("{path}.topic"), &entry.topic, report)?;
    if topic == TopicChoice::None {
        report.problem(&format!("{path}.topic"), "expected a topic");
    }
    let allowed: Option<Vec<AccountId>> = entry.allow_ses.as_ref().map(|allowed| {
        let allowed = allowed.iter().enumerate();
        allowed
            .filter_map(|(index, text)| accounts.resolve(&format!("{path}.allow-ses[{}]", index + 1), text, report))
            .collect()
    });
    let mut subscriptions = BTreeSet::new();
    for arn in &entry.subscriptions {
        let expected = format!("{arn}: expected the ARN of an SQS queue or a Lambda function");
        let protocol = report.parse(&format!("{path}.subscriptions"), arn, &expected, protocol_of);
        subscriptions.extend(protocol.map(|protocol| format!("{protocol} {arn}")));
    }
    Some(TopicEntry {
        topic,
        accounts: allowed,
        subscriptions,
    })
}

/// The SNS protocol of the ARN of a queue or function.
fn protocol_of(arn: &str) -> Option<&'static str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "sqs", _, _, _] => Some("sqs"),
        ["arn", _, "lambda", _, _, _] => Some("lambda"),
        _ => None,
    }
}
