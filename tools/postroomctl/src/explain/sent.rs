//! What the feedback function does with a notification about sent mail.

use feedback::decide::{Action, Facts, decide};
use feedback::policy::Policy;
use jiff::Timestamp;
use notification_model::{EmailAddress, Notification};
use store::{EventKind, HistoryEntry, Scope, SuppressionEntry, SuppressionSource};

use super::outcome::Outcome;
use crate::describe::scope_text;

pub(super) fn sent_outcomes(notification: &Notification, published_at: Timestamp, policy: &Policy) -> Vec<Outcome> {
    decide(notification, &Facts { published_at }, policy)
        .iter()
        .map(|action| outcome(action, policy))
        .collect()
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
        Action::AddSoftBounce {
            address,
            scope,
            history,
            ..
        } => soft_bounce_outcome(address, scope, history, policy),
        Action::AppendHistory { address, history } => Outcome {
            scope: Some(history.scope.to_string()),
            ..Outcome::new(
                Some(address.as_str().to_owned()),
                "record",
                "record in the history, without another effect",
                Some(history.reason.clone()),
            )
        },
        Action::RecordDelivery { address, scope, .. } => Outcome {
            scope: Some(scope.to_string()),
            ..Outcome::new(
                Some(address.as_str().to_owned()),
                "delivered",
                format!("end a streak of soft bounces, {}", scope_text(scope)),
                Some("the recipient's server accepted the message".to_owned()),
            )
        },
        Action::CountEvent(event) => count_outcome(event.recipient.as_ref().map(EmailAddress::as_str), event.kind),
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
        ..Outcome::new(
            Some(address.as_str().to_owned()),
            action,
            description,
            Some(entry.reason.clone()),
        )
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
        ..Outcome::new(
            Some(address.as_str().to_owned()),
            "soft-bounce",
            description,
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
    Outcome::new(recipient.map(str::to_owned), "count", description, None)
}
