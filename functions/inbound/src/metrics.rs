//! The metrics of the function in CloudWatch.
//!
//! | metric | dimensions | counts |
//! |---|---|---|
//! | `Mails` | `VerdictAction` | mails, once for each mailbox that they are for |
//! | `DailyCapReached` | | actions that a cap per stack and day stopped |
//! | `Dispositions` | `Disposition` | dispositions |
//! | `DomainCapReached` | | actions that a cap per return-path domain and hour stopped |
//! | `Actions` | `Kind`, `Outcome` | actions by outcome, see below |
//! | `ForwardLoops` | | mails that are not forwarded because they are in a loop |
//! | `InvalidTokens` | `Reason` | unsubscribe mails without a valid token: `malformed`, `invalid-mac`, `invalid-payload` |
//! | `MailboxCapReached` | | actions that a cap per mailbox and hour stopped |
//! | `SuppressedForwardTargets` | | forwards to a suppressed target, whether forwarding goes on or not |
//! | `TimeBudgetExceeded` | | records unfinished at the end of the time budget |
//! | `RecordFailures` | `Kind` | unfinished records, by the kind of failure |
//! | `HandedOver` | | unfinished records that the inbound queue accepted |
//! | `HandOverFailures` | | unfinished records that the inbound queue did not accept |
//! | `NotificationAge` | | milliseconds between the receipt by SES and the decision |
//!
//! The outcomes of an action:
//!
//! | outcome | meaning |
//! |---|---|
//! | `done` | this invocation took the action |
//! | `already-done` | an earlier invocation took the action |
//! | `notice-sent` | a notice was sent instead of a forward |
//! | `skipped` | the decision was not to take the action |
//! | `rejected` | the action is not allowed: a limit, an invalid token, an unreadable report |
//! | `capped` | a cap stops the action; an operator can have it taken later |
//! | `in-progress` | another invocation has claimed the action; it is retried |
//! | `failed` | the action failed; it is retried |
//! | `completion-not-recorded` | the action is done, but the table did not record it; counted besides the outcome |

use intake::{Outcomes, RecordFailure};
use lambda_kit::Metrics;
use notification_model::Received;
use store::MailboxAction;

use crate::decide::{Decision, Facts, HeaderFacts, loop_header_names};
use crate::effects::{LogEntry, OutcomeLog};
use crate::mail::AutomaticAction;
use crate::record_error::RecordError;
use crate::verdict::Disposition;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/Inbound";

/// Every metric with its dimensions. A test compares the table with the metrics that the function emits.
pub const METRICS: &[(&str, &[&str])] = &[
    ("Actions", &["Kind", "Outcome"]),
    ("DailyCapReached", &[]),
    ("Dispositions", &["Disposition"]),
    ("DomainCapReached", &[]),
    ("ForwardLoops", &[]),
    ("HandOverFailures", &[]),
    ("HandedOver", &[]),
    ("InvalidTokens", &["Reason"]),
    ("MailboxCapReached", &[]),
    ("Mails", &["VerdictAction"]),
    ("NotificationAge", &[]),
    ("RecordFailures", &["Kind"]),
    ("SuppressedForwardTargets", &[]),
    ("TimeBudgetExceeded", &[]),
];

pub(crate) fn count_decision(metrics: &mut Metrics, received: &Received, facts: &Facts, decision: &Decision) {
    metrics.age(received.mail.timestamp, facts.now);
    metrics.count(
        "Dispositions",
        vec![("Disposition", decision.disposition.as_str().to_owned())],
    );
    for mailbox in &decision.mailboxes {
        let action = mailbox.evaluation.action.as_str().to_owned();
        metrics.count("Mails", vec![("VerdictAction", action)]);
        for _ in 0..mailbox.suppressed_targets {
            metrics.count("SuppressedForwardTargets", vec![]);
        }
    }
    if is_in_loop(facts, decision) {
        metrics.count("ForwardLoops", vec![]);
    }
}

/// Counts the outcomes of actions, and the invalid tokens.
pub(crate) fn count_actions(metrics: &mut Metrics, outcome_log: OutcomeLog) {
    for entry in outcome_log.into_entries() {
        match entry {
            LogEntry::Action { name, outcome } => metrics.count(
                "Actions",
                vec![("Kind", name.to_owned()), ("Outcome", outcome.to_owned())],
            ),
            LogEntry::CapReached { metric } => metrics.count(metric, vec![]),
            LogEntry::InvalidToken { reason } => {
                metrics.count("InvalidTokens", vec![("Reason", reason.to_owned())]);
            }
        }
    }
}

pub(crate) fn count_failures(metrics: &mut Metrics, outcomes: &Outcomes<Disposition>) {
    for (_, failure) in outcomes.failures() {
        let kind = match failure {
            RecordFailure::Handler(error) => error.downcast_ref().map_or(failure.kind(), RecordError::kind),
            _ => failure.kind(),
        };
        metrics.count("RecordFailures", vec![("Kind", kind.to_owned())]);
    }
}

/// Whether a sign of a loop forbids a forward of any mailbox.
fn is_in_loop(facts: &Facts, decision: &Decision) -> bool {
    let HeaderFacts::Read(header) = &facts.header else {
        return false;
    };
    let names = decision.mailboxes.iter().filter_map(|decision| {
        let mailbox = facts.mailboxes.get(decision.mailbox.as_ref()?)?;
        let forwards = |action: &MailboxAction| matches!(action, MailboxAction::Forward { .. });
        (!decision.evaluation.stops() && mailbox.actions.iter().any(forwards))
            .then(|| loop_header_names(&mailbox.key, &decision.recipients))
    });
    let forward = AutomaticAction::Forward;
    names
        .flatten()
        .any(|name| header.forbidding_sign(forward, &name, &[]).is_some())
}
