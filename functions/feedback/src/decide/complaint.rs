//! Decides what to do about a complaint.

use std::collections::BTreeMap;

use notification_model::{Complaint, ComplaintFeedbackType, ComplaintSubType, EmailAddress};
use store::{EventKind, SuppressionEntry, SuppressionSource};

use super::context::{Context, Evidence, acknowledge, bounded};
use crate::action::Action;
use crate::policy::SuppressionPeriod;

pub(super) fn decide(context: &Context, complaint: &Complaint) -> Vec<Action> {
    let reported = complaint.complained_recipients.iter();
    let reported: Vec<_> = reported.map(|recipient| recipient.email_address.clone()).collect();
    let mailed: Vec<_> = reported.iter().filter(|it| context.is_mailed(it)).cloned().collect();
    let recipients = match (mailed.as_slice(), context.mailed.as_slice()) {
        // The message was forwarded.
        ([], [only]) => vec![only.clone()],
        ([], _) => return decide_not_mailed(context, complaint, &reported),
        _ => mailed,
    };
    let Some(first) = recipients.iter().min_by_key(|address| address.key()) else {
        return acknowledge("the complaint names no recipient");
    };
    let affected = Affected {
        context,
        recipients: &recipients,
        evidence: context.evidence(evidence_of(complaint)),
    };
    if let Some(sub_type) = complaint
        .complaint_sub_type
        .as_ref()
        .filter(|it| is_suppression_list(it))
    {
        let reason = format!("SES did not send, because of an earlier complaint: {sub_type}");
        let period = context.policy.ses_list;
        return affected.record("suppressed-by-ses", SuppressionSource::SesList, true, period, &reason);
    }
    match &complaint.complaint_feedback_type {
        // Another recipient's complaint may be the one that still holds.
        Some(ComplaintFeedbackType::NotSpam) if recipients.len() > 1 => {
            let reason = format!(
                "reported as not spam{}: it is unknown whose complaint this withdraws",
                one_of(&recipients)
            );
            affected.append_history("not-spam", &reason)
        }
        Some(ComplaintFeedbackType::NotSpam) => {
            let reason = "reported as not spam: withdraws a complaint, never a bounce";
            let period = SuppressionPeriod::Permanent;
            affected.record("not-spam", SuppressionSource::Complaint, false, period, reason)
        }
        // An authentication failure report (RFC 6591) is about the sender's DNS records.
        Some(ComplaintFeedbackType::AuthFailure) => affected.append_history(
            "auth-failure",
            "an authentication failure report: about the sender's SPF, DKIM or DMARC, not about the recipient",
        ),
        feedback_type => {
            let report = match feedback_type {
                Some(feedback_type) => format!("reported as {}", bounded(feedback_type.to_string())),
                None => "reported without a feedback type".to_owned(),
            };
            let reason = format!("complaint, {report}{}", one_of(&recipients));
            let period = context.policy.complaint;
            let mut actions = affected.record("complaint", SuppressionSource::Complaint, true, period, &reason);
            // One complaint, however many recipients the report names.
            actions.extend(context.count_event(EventKind::Complaint, first, false));
            actions
        }
    }
}

/// The complaint names no recipient of the message. With several recipients, it is unknown whose it is. It is counted once,
/// because AWS counts it.
fn decide_not_mailed(context: &Context, complaint: &Complaint, reported: &[EmailAddress]) -> Vec<Action> {
    let affected = Affected {
        context,
        recipients: reported,
        evidence: context.evidence(evidence_of(complaint)),
    };
    let reason = "the complaint names no recipient of the message, so it has no effect on an address";
    let mut actions = affected.append_history("not-mailed-complaint", reason);
    let is_suppressed = complaint.complaint_sub_type.as_ref().is_some_and(is_suppression_list);
    let is_counted = !is_suppressed
        && !matches!(
            complaint.complaint_feedback_type,
            Some(ComplaintFeedbackType::NotSpam | ComplaintFeedbackType::AuthFailure)
        );
    if let Some(under) = context.mailed.first().filter(|_| is_counted) {
        actions.extend(context.count_event(EventKind::Complaint, under, true));
    }
    if actions.is_empty() {
        return acknowledge("the complaint names no recipient");
    }
    actions
}

/// The recipients that a complaint affects, and the evidence from the complaint.
struct Affected<'a> {
    context: &'a Context<'a>,
    recipients: &'a [EmailAddress],
    evidence: BTreeMap<String, String>,
}

impl Affected<'_> {
    fn append_history(&self, kind: &str, reason: &str) -> Vec<Action> {
        let recipients = self.recipients.iter();
        recipients
            .map(|address| {
                self.context
                    .append_history(kind, address, reason, self.evidence.clone())
            })
            .collect()
    }

    fn record(
        &self,
        kind: &str,
        source: SuppressionSource,
        blocked: bool,
        period: SuppressionPeriod,
        reason: &str,
    ) -> Vec<Action> {
        let until = period.end(self.context.at);
        let record = |address: &EmailAddress| {
            let entry = SuppressionEntry {
                blocked,
                ..self.context.entry(address, until, reason, self.evidence.clone())
            };
            let scope = self.context.scope.clone();
            self.context
                .record_suppression(kind, address, scope, source.clone(), entry)
        };
        self.recipients.iter().map(record).collect()
    }
}

fn evidence_of(complaint: &Complaint) -> Evidence {
    let feedback_type = complaint.complaint_feedback_type.as_ref();
    let sub_type = complaint.complaint_sub_type.as_ref();
    Evidence::from([
        ("complaintFeedbackType", feedback_type.map(ToString::to_string)),
        ("complaintSubType", sub_type.map(ToString::to_string)),
        ("userAgent", complaint.user_agent.clone()),
        ("feedbackId", complaint.feedback_id.clone()),
    ])
}

/// SES lists every recipient that may have complained: all recipients of the message at the provider that sent the report
/// (<https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#complained-recipients>).
fn one_of(recipients: &[EmailAddress]) -> String {
    match recipients.len() {
        0 | 1 => String::new(),
        several => format!(" (one of {several} recipients at the complaining provider)"),
    }
}

fn is_suppression_list(sub_type: &ComplaintSubType) -> bool {
    matches!(
        sub_type,
        ComplaintSubType::OnAccountSuppressionList | ComplaintSubType::OnTenantSuppressionList
    )
}
