//! What the functions would do with a payload, and why. The same code decides here and in the functions.

mod arriving;

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use feedback::decide::{Action, Facts, decide};
use feedback::policy::Policy;
use intake::{BadRecord, Batch, Record, RecordKind};
use jiff::Timestamp;
use notification_model::{Event, Notification, Received, SesMessage, Setup};
use serde::Serialize;
use serde_json::{Value, json};
use store::{EventKind, SuppressionSource};

use self::arriving::Arriving;
use crate::Output;
use crate::cli::ExplainArgs;
use crate::suppression::scope_words;

/// One record of the payload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    record: String,
    via: Option<String>,
    what: String,
    message_id: Option<String>,
    /// Set when the function would refuse the record: it ends in the dead-letter queue.
    error: Option<String>,
    outcomes: Vec<OneOutcome>,
}

/// What would be done for one recipient, or for the message (no recipient).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneOutcome {
    recipient: Option<String>,
    action: &'static str,
    scope: Option<String>,
    until: Option<String>,
    says: String,
    reason: Option<String>,
}

pub(crate) async fn run(args: &ExplainArgs) -> anyhow::Result<Output> {
    let policy = Policy::from_env(|name| std::env::var(format!("POSTROOM_{name}")).ok())?;
    let arriving = Arriving::new(args).await?;
    let text = read(&args.file)?;
    let batch = batch_of(&text).with_context(|| args.file.display().to_string())?;
    let explained: Vec<Explained> = batch
        .records()
        .iter()
        .map(|record| explain(record, &policy, &arriving))
        .collect();
    let refused = explained.iter().any(|one| one.error.is_some());
    let text = if args.json {
        format!("{:#}\n", json!(explained))
    } else {
        as_text(&explained)?
    };
    Ok(Output { text, yes: !refused })
}

pub(crate) fn read(file: &Path) -> anyhow::Result<String> {
    let bytes = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .context("standard input")?;
        bytes
    } else {
        std::fs::read(file).with_context(|| file.display().to_string())?
    };
    String::from_utf8(bytes).with_context(|| format!("{}: not UTF-8", file.display()))
}

/// A whole Lambda event is taken as it is; anything smaller is read as a queue would hand it over, which knows the SNS
/// envelope, the EventBridge event and the bare SES JSON.
pub(crate) fn batch_of(text: &str) -> anyhow::Result<Batch> {
    if text.trim().is_empty() {
        bail!("empty: expected an SNS message, a Lambda event or an SES JSON");
    }
    let parsed = serde_json::from_str::<Value>(text);
    if let Ok(event) = &parsed
        && (event.get("Records").is_some() || event.get("detail-type").is_some())
    {
        return Ok(Batch::from_event(event)?);
    }
    let bodies = parsed.map_or_else(|_| vec![text.trim().to_owned()], |value| bodies_of(&value));
    let record = |(index, body): (usize, &String)| json!({"eventSource": "aws:sqs", "messageId": format!("message {}", index + 1), "body": body});
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    Ok(Batch::from_event(&json!({"Records": records}))?)
}

/// The messages in whatever people copy: the answer of `aws sqs receive-message` or one message of it, a record of a
/// Lambda event, a body with its quotes, or the message itself.
fn bodies_of(value: &Value) -> Vec<String> {
    if let Some(messages) = value.get("Messages").and_then(Value::as_array) {
        return messages.iter().flat_map(bodies_of).collect();
    }
    let inner = ["Body", "body", "Sns", "ses"]
        .iter()
        .find_map(|name| value.get(name))
        .unwrap_or(value);
    // The SNS record of a Lambda event has no `Type` beside its message to tell it from a message.
    let inner = if value.get("Sns").is_some() {
        inner.get("Message").unwrap_or(inner)
    } else {
        inner
    };
    vec![inner.as_str().map_or_else(|| inner.to_string(), str::to_owned)]
}

fn explain(record: &Result<Record, BadRecord>, policy: &Policy, arriving: &Arriving) -> Explained {
    let record = match record {
        Ok(record) => record,
        Err(bad) => {
            return Explained {
                record: bad.id.clone(),
                via: None,
                what: "unreadable envelope".to_owned(),
                message_id: None,
                error: Some(bad.error.to_string()),
                outcomes: Vec::new(),
            };
        }
    };
    let explained = |what: String, message_id: Option<String>, outcomes: Vec<OneOutcome>| Explained {
        record: record.id.clone(),
        via: Some(record.provenance.via.to_string()),
        what,
        message_id,
        error: None,
        outcomes,
    };
    if record.kind != RecordKind::Notification {
        return explained(
            format!("SNS set-up message ({})", record.kind),
            None,
            vec![nothing(
                "SNS asks for the subscription to be confirmed, or tells of its end: a matter for people",
            )],
        );
    }
    match notification_model::parse(&record.payload) {
        Err(error) => Explained {
            error: Some(error.to_string()),
            ..explained("not understood".to_owned(), None, vec![])
        },
        Ok(SesMessage::Setup(setup)) => {
            let what = match setup {
                Setup::TopicValidated => "SES set-up message: topic validated",
                Setup::SubscriptionSucceeded { .. } => "SES set-up message: topic subscribed",
                Setup::InboundProbe => "SES set-up message: receipt rule made",
            };
            explained(what.to_owned(), None, vec![nothing("SES tells that it was set up")])
        }
        Ok(SesMessage::Received(received)) => {
            let message_id = Some(received.mail.message_id.clone());
            let outcomes = arriving.outcomes(&received);
            explained(received_words(&received), message_id, outcomes)
        }
        Ok(SesMessage::Notification(notification)) => {
            let published_at = record.provenance.sns_timestamp.unwrap_or_else(Timestamp::now);
            let outcomes = outcomes(&decide(&notification, &Facts { published_at }, policy), policy);
            explained(
                notification_words(&notification),
                Some(notification.mail.message_id.clone()),
                outcomes,
            )
        }
    }
}

pub(crate) fn notification_words(notification: &Notification) -> String {
    let mail = &notification.mail;
    let mut words = notification.event.name().to_owned();
    if let Event::Bounce(bounce) = &notification.event {
        write!(words, " ({} / {})", bounce.bounce_type, bounce.bounce_sub_type).unwrap_or_default();
    }
    if let Some(arn) = &mail.source_arn {
        write!(words, ", identity {} of {}", arn.identity(), arn.owner()).unwrap_or_default();
    }
    if let (Some(account), Some(true)) = (&mail.sending_account_id, mail.is_delegated()) {
        write!(words, ", sent by delegate {account}").unwrap_or_default();
    }
    if let Some(tenant) = mail.tenant() {
        write!(words, ", tenant {tenant}").unwrap_or_default();
    }
    words
}

pub(crate) fn received_words(received: &Received) -> String {
    let receipt = &received.receipt;
    let verdicts = [
        ("spam", &receipt.spam_verdict),
        ("virus", &receipt.virus_verdict),
        ("spf", &receipt.spf_verdict),
        ("dkim", &receipt.dkim_verdict),
        ("dmarc", &receipt.dmarc_verdict),
    ];
    let known = verdicts
        .iter()
        .filter_map(|(name, verdict)| Some(format!("{name} {}", verdict.as_ref()?.status)));
    let known: Vec<String> = known.collect();
    format!(
        "received mail for {} recipient(s): {}",
        receipt.recipients.len(),
        known.join(", ")
    )
}

fn outcomes(actions: &[Action], policy: &Policy) -> Vec<OneOutcome> {
    actions.iter().filter_map(|action| outcome(action, policy)).collect()
}

fn outcome(action: &Action, policy: &Policy) -> Option<OneOutcome> {
    Some(match action {
        Action::RecordSuppression {
            address,
            scope,
            source,
            entry,
            ..
        } => {
            let until = entry
                .until
                .map_or_else(|| "for good".to_owned(), |until| format!("until {}", day(until)));
            let says = match (entry.blocked, source) {
                (true, SuppressionSource::List(list)) => format!("note that the recipient left contact list {list}"),
                (true, SuppressionSource::Topic(topic)) => format!("note that the recipient left topic {topic}"),
                (false, SuppressionSource::List(_) | SuppressionSource::Topic(_)) => {
                    "note that the recipient wants this mail".to_owned()
                }
                (true, _) => format!("suppress {until}, {}", scope_words(scope)),
                (false, _) => format!("lift the complaint, {}", scope_words(scope)),
            };
            OneOutcome {
                recipient: Some(address.as_str().to_owned()),
                action: match (source, entry.blocked) {
                    (SuppressionSource::List(_) | SuppressionSource::Topic(_), true) => "opt-out",
                    (SuppressionSource::List(_) | SuppressionSource::Topic(_), false) => "opt-in",
                    (_, true) => "suppress",
                    (_, false) => "lift",
                },
                scope: Some(scope.to_string()),
                until: entry.until.map(|until| until.to_string()),
                says,
                reason: Some(entry.reason.clone()),
            }
        }
        Action::AddSoftBounce {
            address,
            scope,
            history,
            ..
        } => OneOutcome {
            recipient: Some(address.as_str().to_owned()),
            action: "soft-bounce",
            scope: Some(scope.to_string()),
            until: None,
            says: format!(
                "add to the streak {}: suppressed after {} messages in a row over at least {} h",
                scope_words(scope),
                policy.streak.messages,
                policy.streak.span.as_hours()
            ),
            reason: Some(history.reason.clone()),
        },
        Action::AppendHistory { address, history } => OneOutcome {
            recipient: Some(address.as_str().to_owned()),
            action: "note",
            scope: Some(history.scope.to_string()),
            until: None,
            says: "note in the history, change nothing".to_owned(),
            reason: Some(history.reason.clone()),
        },
        Action::RecordDelivery { address, scope, .. } => OneOutcome {
            recipient: Some(address.as_str().to_owned()),
            action: "delivered",
            scope: Some(scope.to_string()),
            until: None,
            says: format!("end a streak of soft bounces, {}", scope_words(scope)),
            reason: Some("the recipient's server accepted the message".to_owned()),
        },
        Action::CountEvent(event) => counted(
            event.recipient.as_ref().map(|one| one.as_str()),
            count_words(event.kind),
        ),
        Action::CountInBatch { kind, recipient, .. } => counted(
            Some(recipient.as_str()).filter(|text| !text.is_empty()),
            count_words(*kind),
        ),
        Action::Acknowledge { reason } => nothing(reason),
    })
}

fn count_words(count: EventKind) -> &'static str {
    match count {
        EventKind::Hard => "hard bounce",
        EventKind::Soft => "soft bounce",
        EventKind::RenderingFailure => "rendering failure",
        EventKind::Delay => "delivery delay",
        EventKind::Send | EventKind::Delivery | EventKind::Complaint | EventKind::Reject => count.as_str(),
    }
}

fn counted(recipient: Option<&str>, what: &str) -> OneOutcome {
    OneOutcome {
        recipient: recipient.map(str::to_owned),
        action: "count",
        scope: None,
        until: None,
        says: format!("counts as one {what} of the sender"),
        reason: None,
    }
}

fn nothing(reason: &str) -> OneOutcome {
    OneOutcome {
        recipient: None,
        action: "acknowledge",
        scope: None,
        until: None,
        says: "nothing to do".to_owned(),
        reason: Some(reason.to_owned()),
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn as_text(explained: &[Explained]) -> anyhow::Result<String> {
    let mut text = String::new();
    for (index, one) in explained.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        writeln!(text, "{}", one.what)?;
        let message = one
            .message_id
            .as_ref()
            .map(|id| format!(", message {id}"))
            .unwrap_or_default();
        let via = one.via.as_ref().map(|via| format!(" via {via}")).unwrap_or_default();
        writeln!(text, "  record {}{via}{message}", one.record)?;
        if let Some(error) = &one.error {
            writeln!(text, "  refused, ends in the dead-letter queue: {error}")?;
        }
        for outcome in &one.outcomes {
            writeln!(
                text,
                "  {}: {}",
                outcome.recipient.as_deref().unwrap_or("the message"),
                outcome.says
            )?;
            if let Some(reason) = &outcome.reason {
                writeln!(text, "      because: {reason}")?;
            }
        }
    }
    if explained.is_empty() {
        writeln!(text, "an event without records: nothing to do")?;
    }
    Ok(text)
}
