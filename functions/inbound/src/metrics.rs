//! What inbound counts for CloudWatch.
//!
//! | metric | dimensions | counts |
//! |---|---|---|
//! | `Mails` | `VerdictAction` | mails, once for each mailbox they are for |
//! | `Dispositions` | `Disposition` | what SES was told |
//! | `Actions` | `Kind`, `Outcome` | `done`, `before` (by an earlier try), `notice`, `skipped`, `refused`, `busy`, `failed`, `unmarked` |
//! | `ForwardLoops` | | forwards that were not sent because the mail came round |
//! | `InvalidTokens` | `Reason` | unsubscribe tokens that are not valid: `shape`, `mac`, `content` |
//! | `TimeBudgetExceeded` | | records unfinished when the time budget ended |
//! | `RecordFailures` | `Kind` | records unfinished |
//! | `HandedOver`, `HandOverFailures` | | of these, what the inbound queue took, and what it did not |
//! | `NotificationAge` | | from SES's receipt to the decision |

use std::sync::PoisonError;

use intake::{Outcomes, RecordFailure};
use lambda_kit::Metrics;
use notification_model::Received;
use store::MailboxAction;

use crate::RecordError;
use crate::decide::{Decision, Facts, HeadFacts, loop_names};
use crate::effects::OutcomeLog;
use crate::mail::AutomaticAction;
use crate::verdict::Disposition;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/Inbound";

pub(crate) fn count_decision(metrics: &mut Metrics, received: &Received, facts: &Facts, decision: &Decision) {
    metrics.age(received.mail.timestamp, facts.now);
    metrics.count(
        "Dispositions",
        vec![("Disposition", decision.disposition.as_str().to_owned())],
    );
    for mailbox in &decision.mailboxes {
        let action = mailbox.evaluation.action.as_str().to_owned();
        metrics.count("Mails", vec![("VerdictAction", action)]);
    }
    if comes_round(facts, decision) {
        metrics.count("ForwardLoops", vec![]);
    }
}

fn comes_round(facts: &Facts, decision: &Decision) -> bool {
    let HeadFacts::Read(head) = &facts.head else {
        return false;
    };
    let forwarding = decision.mailboxes.iter().filter_map(|decided| {
        let mailbox = facts.mailboxes.get(decided.mailbox.as_ref()?)?;
        let forwards = |action: &MailboxAction| matches!(action, MailboxAction::Forward { .. });
        (!decided.evaluation.stops() && mailbox.actions.iter().any(forwards))
            .then(|| loop_names(&mailbox.key, &decided.recipients))
    });
    forwarding
        .flatten()
        .any(|key| head.forbidden(AutomaticAction::Forward, &key, &[]).is_some())
}

pub(crate) fn count_actions(metrics: &mut Metrics, outcome_log: OutcomeLog) {
    for (kind, word) in outcome_log.into_inner().unwrap_or_else(PoisonError::into_inner) {
        match word.strip_prefix("token-") {
            Some(reason) => metrics.count("InvalidTokens", vec![("Reason", reason.to_owned())]),
            None => metrics.count("Actions", vec![("Kind", kind.to_owned()), ("Outcome", word.to_owned())]),
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
