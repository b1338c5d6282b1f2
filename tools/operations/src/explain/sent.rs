//! What the feedback function does with a notification about sent mail.

use feedback::classification::{BounceClassification, Evidence, classify};
use feedback::decide::{Action, Facts, decide};
use feedback::policy::Policy;
use jiff::Timestamp;
use notification_model::{EmailAddress, Event, Notification};
use store::{BounceSeries, EventKind, HistoryEntry, Scope, SuppressionEntry, SuppressionSource};

use super::outcome::Outcome;
use crate::suppression_text::scope_text;

pub(super) fn sent_outcomes(notification: &Notification, published_at: Timestamp, policy: &Policy) -> Vec<Outcome> {
    decide(notification, &Facts { published_at }, policy)
        .iter()
        .map(|action| classified(outcome(action, policy), action, notification))
        .collect()
}

/// Adds the kind of the event, and the classification of a bounce.
fn classified(outcome: Outcome, action: &Action, notification: &Notification) -> Outcome {
    let (Action::RecordSuppression { address, history, .. }
    | Action::AddBounce { address, history, .. }
    | Action::AppendHistory { address, history }) = action
    else {
        return outcome;
    };
    let outcome = Outcome {
        kind: Some(history.kind.clone()),
        ..outcome
    };
    // After forwarding, the report names another address than the one that the message was sent to.
    let reported = history
        .evidence
        .get("finalRecipient")
        .and_then(|text| EmailAddress::parse(text));
    match bounce_classification(notification, reported.as_ref().unwrap_or(address)) {
        None => outcome,
        Some(classification) => Outcome {
            kind: Some(classification.kind.to_string()),
            reason: Some(classification.reason.to_string()),
            certainty: Some(classification.certainty.to_string()),
            because: Some(classification.because.to_string()),
            ..outcome
        },
    }
}

fn bounce_classification(notification: &Notification, reported: &EmailAddress) -> Option<BounceClassification> {
    let Event::Bounce(bounce) = &notification.event else {
        return None;
    };
    let mut recipients = bounce.bounced_recipients.iter();
    let recipient = recipients.find(|recipient| recipient.email_address.key() == reported.key())?;
    Some(classify(&Evidence::of(bounce, recipient)))
}

fn outcome(action: &Action, policy: &Policy) -> Outcome {
    match action {
        Action::RecordSuppression {
            address,
            scope,
            source,
            entry,
            ..
        } => entry_outcome(address, scope, source, entry),
        Action::AddBounce {
            address,
            scope,
            series: BounceSeries::Soft,
            history,
            ..
        } => soft_bounce_outcome(address, scope, history, policy),
        Action::AddBounce {
            address,
            scope,
            series: BounceSeries::Unconfirmed,
            bounce,
            history,
        } => unconfirmed_bounce_outcome(address, scope, bounce.at, history, policy),
        Action::AppendHistory { address, history } => Outcome {
            scope: Some(history.scope.to_string()),
            ..Outcome::of_recipient(
                address.as_str(),
                "record",
                "record in the history, without another effect",
                Some(history.reason.clone()),
            )
        },
        Action::RecordDelivery { address, scope, .. } => Outcome {
            scope: Some(scope.to_string()),
            ..Outcome::of_recipient(
                address.as_str(),
                "delivered",
                format!("end a streak of soft bounces, {}", scope_text(scope)),
                Some("the recipient's server accepted the message".to_owned()),
            )
        },
        Action::CountEvent(event) => count_outcome(event.recipient.as_ref().map(EmailAddress::as_str), event.kind),
        Action::CountBouncedAnswer { address, .. } => {
            Outcome::of_recipient(address.as_str(), "count", "count one bounced automatic reply", None)
        }
        Action::CountInBatch { kind, recipient, .. } => {
            count_outcome(Some(recipient.as_str()).filter(|text| !text.is_empty()), *kind)
        }
        Action::Acknowledge { reason } => Outcome::nothing(reason),
    }
}

fn entry_outcome(
    address: &EmailAddress,
    scope: &Scope,
    source: &SuppressionSource,
    entry: &SuppressionEntry,
) -> Outcome {
    let period = entry.until.map_or_else(
        || "permanently".to_owned(),
        |until| format!("until {}", until.strftime("%Y-%m-%d")),
    );
    let (action, description) = match (entry.blocked, source) {
        (true, SuppressionSource::List(list)) => ("opt-out", format!("record an opt-out of contact list {list}")),
        (true, SuppressionSource::Topic(topic)) => ("opt-out", format!("record an opt-out of topic {topic}")),
        (false, SuppressionSource::List(list)) => ("opt-in", format!("record an opt-in to contact list {list}")),
        (false, SuppressionSource::Topic(topic)) => ("opt-in", format!("record an opt-in to topic {topic}")),
        (true, _) => ("suppress", format!("suppress {period}, {}", scope_text(scope))),
        (false, _) => (
            "release",
            format!("end the suppression by complaint, {}", scope_text(scope)),
        ),
    };
    Outcome {
        scope: Some(scope.to_string()),
        until: entry.until.map(|until| until.to_string()),
        ..Outcome::of_recipient(address.as_str(), action, description, Some(entry.reason.clone()))
    }
}

fn soft_bounce_outcome(address: &EmailAddress, scope: &Scope, history: &HistoryEntry, policy: &Policy) -> Outcome {
    let description = format!(
        "add a soft bounce to the streak {}: suppressed after {} messages in a row over at least {} h",
        scope_text(scope),
        policy.streak.messages,
        policy.streak.span.as_hours()
    );
    Outcome {
        scope: Some(scope.to_string()),
        ..Outcome::of_recipient(
            address.as_str(),
            "soft-bounce",
            description,
            Some(history.reason.clone()),
        )
    }
}

/// The first suppression lasts as long as the first period of the policy; each further one lasts longer.
fn unconfirmed_bounce_outcome(
    address: &EmailAddress,
    scope: &Scope,
    at: Timestamp,
    history: &HistoryEntry,
    policy: &Policy,
) -> Outcome {
    let first_end = policy.unconfirmed.periods.first().and_then(|period| period.end(at));
    let duration = first_end.map_or_else(
        || "permanently".to_owned(),
        |end| format!("at least until {}", end.strftime("%Y-%m-%d")),
    );
    Outcome {
        scope: Some(scope.to_string()),
        until: first_end.map(|end| end.to_string()),
        ..Outcome::of_recipient(
            address.as_str(),
            "suppress",
            format!("suppress {duration}, {}", scope_text(scope)),
            Some(history.reason.clone()),
        )
    }
}

fn count_outcome(recipient: Option<&str>, kind: EventKind) -> Outcome {
    let name = match kind {
        EventKind::Hard => "hard bounce",
        EventKind::Soft => "soft bounce",
        EventKind::RenderingFailure => "rendering failure",
        EventKind::Delay => "delivery delay",
        EventKind::Send | EventKind::Delivery | EventKind::Complaint | EventKind::Reject => kind.as_str(),
    };
    let description = format!("count one {name} of the sender");
    match recipient {
        Some(recipient) => Outcome::of_recipient(recipient, "count", description, None),
        None => Outcome::new(None, "count", description, None),
    }
}
