//! Decides what to do about a bounce.

use notification_model::{Bounce, BounceSubType, BounceType, BouncedRecipient, DsnAction, EmailAddress, StatusCode};
use std::collections::BTreeMap;
use store::{EventKind, Scope, SoftBounce, SuppressionSource};

use super::context::{Context, Evidence};
use crate::action::Action;
use crate::classification::{self, BounceClassification, BounceKind, classify};

pub(super) fn decide(context: &Context, bounce: &Bounce) -> Vec<Action> {
    let recipients = bounce.bounced_recipients.iter();
    recipients
        .flat_map(|recipient| decide_recipient(context, bounce, recipient))
        .collect()
}

fn decide_recipient(context: &Context, bounce: &Bounce, recipient: &BouncedRecipient) -> Vec<Action> {
    let classification = classify(&classification::Evidence::of(bounce, recipient));
    let reported = &recipient.email_address;
    let affected = context.affected_recipient(reported);
    let evidence = context.evidence(evidence_of(bounce, recipient, &classification, affected.as_ref()));
    let mut actions = match affected {
        Some(address) => apply_classification(context, bounce, &address, &classification, evidence),
        None => {
            let kind = format!("not-mailed-{}", classification.kind.as_str());
            let reason = "the message was not sent to this address, so the report has no effect on it";
            vec![context.append_history(&kind, reported, reason, evidence)]
        }
    };
    let kind = event_kind(bounce, recipient, &classification);
    actions.extend(kind.map(|kind| context.count_event(kind, reported)));
    actions
}

fn evidence_of(
    bounce: &Bounce,
    recipient: &BouncedRecipient,
    classification: &BounceClassification,
    affected: Option<&EmailAddress>,
) -> Evidence {
    let reported = &recipient.email_address;
    let is_forwarded = affected.is_some_and(|affected| affected.key() != reported.key());
    let diagnostic = recipient.diagnostic_code.clone().filter(|text| !text.is_empty());
    Evidence::from([
        ("bounceType", Some(bounce.bounce_type.to_string())),
        ("bounceSubType", Some(bounce.bounce_sub_type.to_string())),
        ("action", recipient.action.as_ref().map(ToString::to_string)),
        ("status", recipient.status.map(|status| status.to_string())),
        ("diagnostic", diagnostic),
        ("bounceReason", Some(classification.reason.to_string())),
        ("feedbackId", bounce.feedback_id.clone()),
        ("finalRecipient", is_forwarded.then(|| reported.as_str().to_owned())),
    ])
}

fn apply_classification(
    context: &Context,
    bounce: &Bounce,
    address: &EmailAddress,
    classification: &BounceClassification,
    evidence: BTreeMap<String, String>,
) -> Vec<Action> {
    let because = format!("{}: {}", classification.reason, classification.because);
    let kind = classification.kind.as_str();
    let scope = Scope::of(context.mail);
    let action = match classification.kind {
        BounceKind::Hard => {
            let reason = format!("hard bounce, {because}");
            let until = context.policy.hard_bounce.end(context.at);
            let entry = context.entry(address, until, &reason, evidence);
            context.record_suppression(kind, address, Scope::Global, SuppressionSource::Bounce, entry)
        }
        BounceKind::Soft | BounceKind::Undetermined => Action::AddSoftBounce {
            address: address.clone(),
            scope: scope.clone(),
            bounce: SoftBounce {
                at: context.at,
                message_id: context.mail.message_id.clone(),
            },
            history: context.history(kind, &format!("soft bounce, {because}"), scope, evidence),
        },
        // The recipient unsubscribed from a contact list. SES's suppression list is not involved.
        BounceKind::SuppressedBySes if bounce.bounce_sub_type == BounceSubType::UnsubscribedRecipient => {
            context.append_history(kind, address, &format!("not sent, {because}"), evidence)
        }
        BounceKind::SuppressedBySes => {
            let reason = format!("SES did not send, {because}");
            let until = context.policy.ses_list.end(context.at);
            let entry = context.entry(address, until, &reason, evidence);
            context.record_suppression(kind, address, scope, SuppressionSource::SesList, entry)
        }
        BounceKind::SenderFault => {
            let reason = format!("the sender's or the message's fault, {because}");
            context.append_history(kind, address, &reason, evidence)
        }
        BounceKind::AutoReply => {
            context.append_history(kind, address, &format!("an automatic reply, {because}"), evidence)
        }
    };
    vec![action]
}

/// Returns how a bounce counts in the statistics of the sender.
///
/// AWS's bounce rate contains every Permanent bounce of a message that SES tried to deliver, including those that are not
/// the recipient's fault, so this one does too. A message that SES did not try to deliver and an automatic reply do not
/// count.
fn event_kind(
    bounce: &Bounce,
    recipient: &BouncedRecipient,
    classification: &BounceClassification,
) -> Option<EventKind> {
    let is_final =
        !recipient.status.is_some_and(StatusCode::is_transient) && recipient.action != Some(DsnAction::Delayed);
    match classification.kind {
        BounceKind::SuppressedBySes | BounceKind::AutoReply => None,
        BounceKind::Hard => Some(EventKind::Hard),
        _ if bounce.bounce_type == BounceType::Permanent && is_final => Some(EventKind::Hard),
        BounceKind::Soft | BounceKind::SenderFault | BounceKind::Undetermined => Some(EventKind::Soft),
    }
}
