//! Checks of the desired settings that need no call. Pure.

use std::collections::BTreeSet;

use notification_model::AccountId;
use serde_json::Value as Json;

use crate::context::Context;
use crate::field::{Field, NotificationType, Object};
use crate::plan::PlanProblem;
use crate::policy::{SendAction, as_list, policy_text};
use crate::settings::Desired;
use crate::value::{EventDestination, Fields, Value};

/// The maximum size of a policy in bytes.
pub const MAX_POLICY_BYTES: usize = 4096;
/// The maximum number of policies of an identity.
pub const MAX_POLICIES: usize = 20;
/// The maximum number of event destinations of a configuration set.
pub const MAX_EVENT_DESTINATIONS: usize = 10;

/// Checks desired settings before the first call. Each problem names the object, and the field in its message.
///
/// See the [policy anatomy](https://docs.aws.amazon.com/ses/latest/dg/policy-anatomy.html) and the
/// [quotas](https://docs.aws.amazon.com/ses/latest/dg/quotas.html) of SES.
#[must_use]
pub fn check(desired: &Desired, context: &Context) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    for (object, fields) in desired {
        let mut messages: Vec<String> = Vec::new();
        for (field, value) in fields {
            if let Err(message) = check_field(object, field, value, context) {
                messages.push(format!("{field}: {message}"));
            }
        }
        messages.extend(check_together(object, fields));
        problems.extend(messages.into_iter().map(|message| PlanProblem {
            object: object.clone(),
            message,
        }));
    }
    problems
}

fn check_field(object: &Object, field: &Field, value: &Value, context: &Context) -> Result<(), String> {
    match (field, value) {
        (Field::Topic(_), Value::Text(arn)) => check_topic(arn, &context.region),
        (Field::Policy(name), Value::Document(policy)) => {
            check_name("policy", name)?;
            check_policy(policy, &context.identity_arn(object.name()))
        }
        (Field::EventDestination(name), Value::Destination(destination)) => {
            check_name("event destination", name)?;
            check_destination(destination, context)
        }
        (Field::Exists, _) => check_name("configuration set", object.name()),
        (Field::DefaultConfigurationSet, Value::Text(name)) => check_name("configuration set", name),
        (Field::SuppressedReasons, Value::Names(names)) => check_reasons(names),
        (Field::Statement, _) => check_topic(object.name(), &context.region),
        _ => Ok(()),
    }
}

/// The fields of an object that need each other or exclude each other.
fn check_together(object: &Object, fields: &Fields) -> Vec<String> {
    let mut messages = Vec::new();
    let topic = |kind: NotificationType| fields.get(&Field::Topic(kind));
    for kind in NotificationType::ALL {
        let wants_headers = fields.get(&Field::OriginalHeaders(kind)) == Some(&Value::Flag(true));
        if wants_headers && topic(kind) == Some(&Value::Absent) {
            messages.push(format!(
                "original-headers.{0} needs a topic, but topics.{0} is none",
                kind.key()
            ));
        }
    }
    let is_off = fields.get(&Field::FeedbackForwarding) == Some(&Value::Flag(false));
    for kind in [NotificationType::Bounce, NotificationType::Complaint] {
        if is_off && topic(kind) == Some(&Value::Absent) {
            let kind = kind.key();
            messages.push(format!(
                "feedback-forwarding = false needs topics for bounce and complaint, but topics.{kind} is none"
            ));
        }
    }
    if object.is_legacy() {
        let allowed = |field: &&Field| matches!(field, Field::Topic(_) | Field::OriginalHeaders(_));
        for field in fields.keys().filter(|field| !allowed(field)) {
            messages.push(format!(
                "{field}: only topics and original headers of another account's identity can be set"
            ));
        }
    }
    let count = |is_counted: fn(&Field) -> bool| {
        let counted = fields
            .iter()
            .filter(|(field, value)| is_counted(field) && **value != Value::Absent);
        counted.count()
    };
    let policies = count(|field| matches!(field, Field::Policy(_)));
    if policies > MAX_POLICIES {
        messages.push(format!(
            "{policies} policies; SES allows {MAX_POLICIES} for an identity"
        ));
    }
    let destinations = count(|field| matches!(field, Field::EventDestination(_)));
    if destinations > MAX_EVENT_DESTINATIONS {
        messages.push(format!(
            "{destinations} event destinations; SES allows {MAX_EVENT_DESTINATIONS} for a configuration set"
        ));
    }
    messages
}

/// Checks the name of a policy, an event destination or a configuration set: 1 to 64 letters, digits, `_` and `-`.
///
/// # Errors
/// The text says what is expected.
pub fn check_name(what: &str, name: &str) -> Result<(), String> {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=64).contains(&name.len()) && name.chars().all(is_valid) {
        Ok(())
    } else {
        Err(format!(
            "expected the name of a {what}: 1 to 64 letters, digits, _ and -"
        ))
    }
}

/// Checks the ARN of a topic to which SES can publish: a standard topic in the Region of SES.
///
/// # Errors
/// The text says what is expected.
pub fn check_topic(arn: &str, region: &str) -> Result<(), String> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition, "sns", topic_region, account, name] = parts.as_slice() else {
        return Err("expected the ARN of an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)".to_owned());
    };
    if partition.is_empty() || account.parse::<AccountId>().is_err() || name.is_empty() {
        return Err("expected the ARN of an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)".to_owned());
    }
    if name.ends_with(".fifo") {
        return Err("expected a standard topic: SES cannot publish to a FIFO topic".to_owned());
    }
    if *topic_region != region {
        return Err(format!(
            "expected a topic in {region}, the Region of SES, not in {topic_region}"
        ));
    }
    Ok(())
}

/// Checks a sending authorization policy for an identity: its size, principals, actions and the one resource.
///
/// # Errors
/// The text says what is expected.
pub fn check_policy(policy: &Json, identity_arn: &str) -> Result<(), String> {
    let size = policy_text(policy).len();
    if size > MAX_POLICY_BYTES {
        return Err(format!(
            "the policy has {size} bytes; SES allows {MAX_POLICY_BYTES}: split it into several"
        ));
    }
    let statements = as_list(policy.get("Statement"));
    if statements.is_empty() {
        return Err("expected at least one statement".to_owned());
    }
    for statement in statements {
        check_statement(statement, identity_arn)?;
    }
    Ok(())
}

fn check_statement(statement: &Json, identity_arn: &str) -> Result<(), String> {
    let effect = statement.get("Effect").and_then(Json::as_str);
    if !matches!(effect, Some("Allow" | "Deny")) {
        return Err("expected a statement with the effect Allow or Deny".to_owned());
    }
    let resources = as_list(statement.get("Resource"));
    if resources.len() != 1 || resources.first().and_then(|one| one.as_str()) != Some(identity_arn) {
        return Err(format!("expected exactly one Resource, {identity_arn}"));
    }
    let principals = statement.get("Principal");
    let named = as_list(principals.and_then(|principal| principal.get("AWS")));
    if effect == Some("Allow") {
        if named.is_empty() {
            return Err("expected a principal: {\"AWS\": \"an account id or an ARN of IAM\"}".to_owned());
        }
        if let Some(wrong) = named.iter().find(|principal| !is_principal(principal)) {
            return Err(format!(
                "expected a 12-digit account id or an ARN of IAM as principal, not {wrong}"
            ));
        }
    }
    let actions = as_list(statement.get("Action"));
    let is_action = |action: &&Json| {
        let name = action.as_str().unwrap_or_default();
        name.parse::<SendAction>().is_ok() || name.contains('*')
    };
    match actions.iter().find(|action| !is_action(action)) {
        None if !actions.is_empty() => Ok(()),
        wrong => Err(format!(
            "expected the actions SendEmail, SendRawEmail, SendTemplatedEmail or SendBulkTemplatedEmail of ses{}",
            wrong.map(|wrong| format!(", not {wrong}")).unwrap_or_default()
        )),
    }
}

fn is_principal(principal: &Json) -> bool {
    let Some(text) = principal.as_str() else { return false };
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let account = match parts.as_slice() {
        ["arn", _, "iam" | "sts", "", account, _] => account,
        _ => text,
    };
    account.parse::<AccountId>().is_ok()
}

/// Checks an event destination: the kind and Region of its target, its role, and its events.
///
/// # Errors
/// The text says what is expected.
pub fn check_destination(destination: &EventDestination, context: &Context) -> Result<(), String> {
    let EventDestination {
        events, target, role, ..
    } = destination;
    let is_type = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if events.is_empty() || !events.iter().all(is_type) {
        return Err("expected event types such as BOUNCE and DELIVERY_DELAY".to_owned());
    }
    let parts: Vec<&str> = target.splitn(6, ':').collect();
    let (service, region, resource) = match parts.as_slice() {
        ["arn", _, service, region, _, resource] => (*service, *region, *resource),
        _ => ("", "", ""),
    };
    let is_stream = service == "firehose" && resource.starts_with("deliverystream/");
    match service {
        "sns" => check_topic(target, &context.region)?,
        "events" if resource == "event-bus/default" => {}
        "events" => return Err("expected the event bus default: SES publishes to no other".to_owned()),
        "firehose" if is_stream => {}
        _ => {
            return Err(
                "expected the ARN of an SNS topic, of the event bus default, or of a Firehose delivery stream"
                    .to_owned(),
            );
        }
    }
    if region != context.region {
        return Err(format!(
            "expected a target in {}, the Region of SES, not in {region}",
            context.region
        ));
    }
    match role {
        Some(role) if is_stream && !role.contains(":role/") => {
            Err("expected the ARN of an IAM role (arn:aws:iam::ACCOUNT:role/NAME)".to_owned())
        }
        Some(_) if !is_stream => Err("expected a role only for a delivery stream".to_owned()),
        None if is_stream => Err("a delivery stream needs a role that SES uses".to_owned()),
        _ => Ok(()),
    }
}

/// Checks the reasons for which a suppression list applies.
///
/// # Errors
/// The text says what is expected.
pub fn check_reasons(names: &BTreeSet<String>) -> Result<(), String> {
    if names.iter().all(|name| matches!(name.as_str(), "BOUNCE" | "COMPLAINT")) {
        Ok(())
    } else {
        Err("expected BOUNCE, COMPLAINT, both or none".to_owned())
    }
}
