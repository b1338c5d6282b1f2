//! Decides what to do about a bounce.

use std::collections::BTreeMap;

use notification_model::{Bounce, BounceSubType, BounceType, BouncedRecipient, DsnAction, EmailAddress, StatusCode};
use store::{BounceSeries, EventKind, Scope, SentKind, SeriesBounce, SuppressionSource};

use super::confirmation::{Confirmation, confirmation, what_is_missing};
use super::context::{Context, Evidence};
use crate::action::Action;
use crate::classification::{self, BounceClassification, BounceKind, BounceReason, Certainty, classify};

/// A recipient of the report.
struct Reported<'a> {
    recipient: &'a BouncedRecipient,
    classification: BounceClassification,
    confirmation: Option<Confirmation>,
}

pub(super) fn decide(context: &Context, bounce: &Bounce) -> Vec<Action> {
    let reported = bounce.bounced_recipients.iter().map(|recipient| {
        let mut classification = classify(&classification::Evidence::of(bounce, recipient));
        if classification.kind == BounceKind::Hard && classification.reason == BounceReason::Undefined {
            classification.reason = BounceReason::OnHold;
        }
        Reported {
            recipient,
            classification,
            confirmation: confirmation(context, bounce, &classification),
        }
    });
    let (mailed, others): (Vec<_>, Vec<_>) =
        reported.partition(|reported| context.is_mailed(&reported.recipient.email_address));
    let mut actions: Vec<Action> = mailed
        .iter()
        .flat_map(|reported| decide_mailed(context, bounce, reported))
        .collect();
    let is_counted = actions.iter().any(|action| matches!(action, Action::CountEvent(_)));
    actions.extend(decide_others(context, bounce, &others, !mailed.is_empty(), is_counted));
    actions.extend(bounced_answer(context, &mailed, &others));
    actions
}

/// An automatic reply of the inbound function bounced: its recipient and, if that repeats, the domain get no more.
fn bounced_answer(context: &Context, mailed: &[Reported], others: &[Reported]) -> Option<Action> {
    let has_bounced = |reported: &Reported| reported.classification.kind != BounceKind::AutoReply;
    let is_answer = context.sent == Some(SentKind::Answer) && !context.is_mailed_report();
    let address = context.mailed.first()?;
    (is_answer && mailed.iter().chain(others).any(has_bounced)).then(|| Action::CountBouncedAnswer {
        address: address.clone(),
        message_id: context.mail.message_id.clone(),
        at: context.at,
    })
}

/// The report names an address that the message was sent to.
fn decide_mailed(context: &Context, bounce: &Bounce, reported: &Reported) -> Vec<Action> {
    let address = &reported.recipient.email_address;
    let mut actions = vec![apply(context, bounce, address, reported)];
    let kind = event_kind(context, bounce, reported);
    actions.extend(kind.and_then(|kind| context.count_event(kind, address, false)));
    actions
}

/// The report names addresses that the message was not sent to. A message to one recipient was forwarded to them, if the
/// report does not name that recipient too. With several recipients, it is unknown which of them.
///
/// They count as one bounce of the message at most, under an address that was mailed.
fn decide_others(
    context: &Context,
    bounce: &Bounce,
    others: &[Reported],
    names_mailed: bool,
    is_counted: bool,
) -> Vec<Action> {
    let mut actions = match (others, context.mailed.as_slice()) {
        ([], _) => return Vec::new(),
        ([weakest, ..], [alias]) if !names_mailed => vec![decide_alias(context, bounce, alias, weakest, others)],
        _ => others.iter().map(|other| note(context, bounce, other)).collect(),
    };
    if let Some(under) = context.mailed.first().filter(|_| !is_counted) {
        let kinds = others.iter().filter_map(|other| event_kind(context, bounce, other));
        // A hard bounce comes before a soft one.
        let kind = kinds.min();
        actions.extend(kind.and_then(|kind| context.count_event(kind, under, true)));
    }
    actions
}

/// The message was forwarded from `alias` to the reported addresses. If it failed for each of them, it failed for the alias.
fn decide_alias(
    context: &Context,
    bounce: &Bounce,
    alias: &EmailAddress,
    first: &Reported,
    others: &[Reported],
) -> Action {
    let is_hard = |other: &&Reported| other.classification.kind == BounceKind::Hard;
    let dead = others.iter().filter(is_hard).count();
    if dead > 0 && dead < others.len() {
        let reason = format!(
            "the message was forwarded to {} addresses, of which {dead} failed: the recipient still receives mail",
            others.len()
        );
        let evidence = context.evidence(evidence_of(bounce, first, Some(alias)));
        return context.append_history("forwarded", alias, &reason, evidence);
    }
    // The least sure of them decides.
    let weakest = others.iter().min_by_key(|other| other.classification.certainty);
    apply(context, bounce, alias, weakest.unwrap_or(first))
}

fn note(context: &Context, bounce: &Bounce, other: &Reported) -> Action {
    let reason = if context.mailed.is_empty() {
        "the notification does not say to whom the message was sent, so the report has no effect"
    } else {
        "the message was not sent to this address, so the report has no effect on it"
    };
    let kind = format!("not-mailed-{}", other.classification.kind.as_str());
    let evidence = context.evidence(evidence_of(bounce, other, None));
    context.append_history(&kind, &other.recipient.email_address, reason, evidence)
}

fn evidence_of(bounce: &Bounce, reported: &Reported, affected: Option<&EmailAddress>) -> Evidence {
    let Reported {
        recipient,
        classification,
        confirmation,
    } = reported;
    let final_recipient = &recipient.email_address;
    let is_forwarded = affected.is_some_and(|affected| affected.key() != final_recipient.key());
    let diagnostic = recipient.diagnostic_code.clone().filter(|text| !text.is_empty());
    let confirmed_by = confirmation.map(|confirmation| confirmation.as_str().to_owned());
    Evidence::from([
        ("bounceType", Some(bounce.bounce_type.to_string())),
        ("bounceSubType", Some(bounce.bounce_sub_type.to_string())),
        ("action", recipient.action.as_ref().map(ToString::to_string)),
        ("status", recipient.status.map(|status| status.to_string())),
        ("diagnostic", diagnostic),
        ("bounceReason", Some(classification.reason.to_string())),
        ("certainty", Some(classification.certainty.to_string())),
        ("because", Some(classification.because.to_string())),
        (
            "confirmedBy",
            confirmed_by.filter(|_| classification.kind == BounceKind::Hard),
        ),
        ("feedbackId", bounce.feedback_id.clone()),
        (
            "finalRecipient",
            is_forwarded.then(|| final_recipient.as_str().to_owned()),
        ),
    ])
}

fn apply(context: &Context, bounce: &Bounce, address: &EmailAddress, reported: &Reported) -> Action {
    let classification = &reported.classification;
    let evidence = context.evidence(evidence_of(bounce, reported, Some(address)));
    let because = format!("{}: {}", classification.reason, classification.because);
    let kind = classification.kind.as_str();
    match classification.kind {
        BounceKind::Hard => hard(context, address, reported, evidence),
        BounceKind::Soft | BounceKind::Undetermined => Action::AddBounce {
            address: address.clone(),
            scope: context.scope.clone(),
            series: BounceSeries::Soft,
            bounce: series_bounce(context, String::new()),
            history: context.history(
                kind,
                &format!("soft bounce, {because}"),
                context.scope.clone(),
                evidence,
            ),
        },
        // The recipient unsubscribed from a contact list. SES's suppression list is not involved.
        BounceKind::SuppressedBySes if bounce.bounce_sub_type == BounceSubType::UnsubscribedRecipient => {
            context.append_history(kind, address, &format!("not sent, {because}"), evidence)
        }
        BounceKind::SuppressedBySes => {
            let reason = format!("SES did not send, {because}");
            let until = context.policy.ses_list.end(context.at);
            let entry = context.entry(address, until, &reason, evidence);
            context.record_suppression(kind, address, context.scope.clone(), SuppressionSource::SesList, entry)
        }
        BounceKind::SenderFault => {
            let reason = format!("the sender's or the message's fault, {because}");
            context.append_history(kind, address, &reason, evidence)
        }
        BounceKind::AutoReply => {
            context.append_history(kind, address, &format!("an automatic reply, {because}"), evidence)
        }
    }
}

/// Positive evidence that SES itself confirms suppresses for every sender. Everything else is the claim of a report or an
/// assumption: it suppresses in the scope of the sender, the first times for a limited time.
fn hard(context: &Context, address: &EmailAddress, reported: &Reported, evidence: BTreeMap<String, String>) -> Action {
    let BounceClassification {
        reason,
        certainty,
        because,
        ..
    } = &reported.classification;
    let kind = BounceKind::Hard.as_str();
    let is_positive = *certainty > Certainty::Assumed;
    if let Some(confirmation) = reported.confirmation.filter(|_| is_positive) {
        let reason = format!(
            "hard bounce, {reason}: {because} ({certainty}, confirmed by {})",
            confirmation.as_str()
        );
        let until = context.policy.hard_bounce.end(context.at);
        let entry = context.entry(address, until, &reason, evidence);
        return context.record_suppression(kind, address, Scope::Global, SuppressionSource::Bounce, entry);
    }
    let missing = what_is_missing(*certainty, reported.confirmation).unwrap_or_default();
    let reason_text = format!("unconfirmed hard bounce, {reason}: {because} ({certainty}; {missing})");
    Action::AddBounce {
        address: address.clone(),
        scope: context.scope.clone(),
        series: BounceSeries::Unconfirmed,
        bounce: series_bounce(context, format!("{reason} ({certainty}; {missing})")),
        history: context.history(kind, &reason_text, context.scope.clone(), evidence),
    }
}

fn series_bounce(context: &Context, detail: String) -> SeriesBounce {
    SeriesBounce {
        at: context.at,
        message_id: context.mail.message_id.clone(),
        detail,
    }
}

/// Returns how a bounce counts in the statistics of the sender.
///
/// AWS's bounce rate contains every Permanent bounce of a message that SES tried to deliver, including those that are not
/// the recipient's fault, so this one does too. A message that SES did not try to deliver and an automatic reply do not
/// count. Neither does a forward that is refused as spam or for another fault of the message: its author is not the sender.
fn event_kind(context: &Context, bounce: &Bounce, reported: &Reported) -> Option<EventKind> {
    let recipient = reported.recipient;
    if context.sent == Some(SentKind::Forward) && reported.classification.kind == BounceKind::SenderFault {
        return None;
    }
    let is_final =
        !recipient.status.is_some_and(StatusCode::is_transient) && recipient.action != Some(DsnAction::Delayed);
    match reported.classification.kind {
        BounceKind::SuppressedBySes | BounceKind::AutoReply => None,
        BounceKind::Hard => Some(EventKind::Hard),
        _ if bounce.bounce_type == BounceType::Permanent && is_final => Some(EventKind::Hard),
        BounceKind::Soft | BounceKind::SenderFault | BounceKind::Undetermined => Some(EventKind::Soft),
    }
}
