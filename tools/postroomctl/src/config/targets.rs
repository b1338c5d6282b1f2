//! Targets of routes and of the notify action.

use notification_model::{AccountId, EmailAddress};
use store::{NotifyTarget, Target};

/// The ARN of an SNS topic, SQS queue or EventBridge bus, or a mail address without a name.
pub(super) fn parse_target(text: &str) -> Option<Target> {
    if !text.starts_with("arn:") {
        let address = EmailAddress::parse(text)?;
        let domain = address.domain().filter(|domain| domain.contains('.'))?;
        let has_local_part = address.as_str().len() > domain.len() + 1;
        let is_plain = !address.as_str().contains(char::is_whitespace) && address.name().is_none();
        return (has_local_part && is_plain).then(|| Target::Email(address.as_str().to_owned()));
    }
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return None;
    };
    if partition.is_empty() || region.is_empty() || account.parse::<AccountId>().is_err() || resource.is_empty() {
        return None;
    }
    match *service {
        "sns" => Some(Target::Topic(text.to_owned())),
        "sqs" => Some(Target::Queue(text.to_owned())),
        "events" => resource
            .strip_prefix("event-bus/")
            .filter(|name| !name.is_empty())
            .map(|_| Target::Bus(text.to_owned())),
        _ => None,
    }
}

/// A mail address without a name.
pub(super) fn parse_address(text: &str) -> Option<EmailAddress> {
    match parse_target(text)? {
        Target::Email(_) => EmailAddress::parse(text),
        Target::Topic(_) | Target::Queue(_) | Target::Bus(_) => None,
    }
}

/// The ARN of a topic, or the ARN or URL of a queue. All mail has one message group in FIFO topics and queues.
pub(super) fn parse_notify_target(text: &str) -> Option<NotifyTarget> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return (text.split('/').count() >= 5).then(|| NotifyTarget::Queue(text.to_owned()));
    }
    match parse_target(text)? {
        Target::Topic(arn) => Some(NotifyTarget::Topic(arn)),
        Target::Queue(arn) => queue_url(&arn).map(NotifyTarget::Queue),
        Target::Bus(_) | Target::Email(_) => None,
    }
}

fn queue_url(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition, "sqs", region, account, name] = *parts.as_slice() else {
        return None;
    };
    let suffix = match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    Some(format!("https://sqs.{region}.{suffix}/{account}/{name}"))
}
