//! Decides what one mailbox does with a mail.

use jiff::{SignedDuration, Timestamp};
use notification_model::{DmarcPolicy, EmailAddress};
use store::{
    ForwardSettings, IndexedMail, IndexedSubject, KeptSubject, Mailbox, MailboxAction, MailboxKey, OwnerTarget,
    QuarantineMark, VerdictAction, WhenSuppressed,
};

use super::backscatter::{auto_reply_target, bounce_target, own_addresses};
use super::context::Context;
use super::decision::{Action, ActionKind, MailboxDecision, OwnerNotice};
use super::facts::HeaderFacts;
use super::loop_header::loop_header_names;
use super::recipients::Share;
use super::summary::verdict_texts;
use super::trusted_forwarder::mailbox_rules;
use crate::mail::forward::ForwardMark;
use crate::mail::{AutomaticAction, AutomationSign};
use crate::verdict::{VerdictEvaluation, evaluate_verdicts, failed};

/// Decides what a mailbox does with the mail. The summaries of notifications stay empty: they contain the disposition, which
/// depends on all mailboxes.
pub(super) fn decide_mailbox(context: &Context<'_>, share: Share<'_>) -> MailboxDecision {
    let Share { mailbox, recipients } = share;
    let (rules, trust) = mailbox_rules(context.received, context.header(), mailbox);
    let mut evaluation = evaluate_verdicts(&context.received.receipt, &rules);
    evaluation.reasons.extend(trust);
    let mut decision = MailboxDecision {
        mailbox: mailbox.map(|mailbox| mailbox.key.clone()),
        row: index_row(context, mailbox, &recipients, &evaluation),
        recipients,
        evaluation,
        suppressed_targets: 0,
        actions: Vec::new(),
    };
    let stops = decision.evaluation.stops();
    if decision.evaluation.action == VerdictAction::Bounce {
        let actions = verdict_bounce(context, &decision);
        decision.actions.extend(actions);
    }
    if let Some(mailbox) = mailbox {
        for action in &mailbox.actions {
            if stops && !is_taken_despite_stop(action, &decision.evaluation) {
                continue;
            }
            let actions = mailbox_action(context, action, mailbox, &mut decision);
            decision.actions.extend(actions);
            if matches!(action, MailboxAction::Drop { .. }) {
                break;
            }
        }
    }
    let skipped = decision.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::Skip { action: name } => Some(format!("{name}: {}", action.reason)),
        _ => None,
    });
    let skipped: Vec<String> = skipped.collect();
    if stops || !skipped.is_empty() {
        decision.row.reasons.extend(skipped);
        decision.ensure_indexed();
    }
    decision
}

/// Whether an action is taken on a mail that the verdicts stop. Spam stays in the index, and a valid unsubscribe token counts
/// whatever the rest of the mail contains.
fn is_taken_despite_stop(action: &MailboxAction, evaluation: &VerdictEvaluation) -> bool {
    match action {
        MailboxAction::Store { .. } => true,
        MailboxAction::Unsubscribe => !evaluation.virus,
        _ => false,
    }
}

fn mailbox_action(
    context: &Context<'_>,
    action: &MailboxAction,
    mailbox: &Mailbox,
    decision: &mut MailboxDecision,
) -> Vec<Action> {
    match action {
        MailboxAction::Store { subject, days } => {
            let text = context.subject();
            decision.row.subject = text.and_then(|text| IndexedSubject::of(&text, *subject));
            decision.row.expires_at = index_expiry(context, *days);
            vec![Action::new(ActionKind::Index, "the mailbox stores")]
        }
        MailboxAction::Forward { to, from, settings } => to
            .iter()
            .flat_map(|to| forward_target(context, mailbox, decision, to, from, *settings))
            .collect(),
        MailboxAction::Unsubscribe => vec![unsubscribe(context, &decision.recipients)],
        MailboxAction::AutoReply {
            from,
            subject,
            text,
            every_days,
        } => vec![match auto_reply_target(context, mailbox, &decision.recipients) {
            Ok(target) => {
                let reason = target.reason("the mailbox replies");
                let kind = ActionKind::AutoReply {
                    to: target.address,
                    from: from.clone(),
                    subject: subject.clone(),
                    text: text.clone(),
                    every_days: *every_days,
                };
                Action::new(kind, reason)
            }
            Err(reason) => Action::skip("auto-reply", format!("not sent: {reason}")),
        }],
        MailboxAction::Bounce {
            sender,
            message,
            status_code,
        } => {
            let own_addresses = own_addresses(mailbox, &decision.recipients);
            match bounce_target(context, &mailbox.key.to_string(), &own_addresses) {
                Ok(target) => {
                    let reason = target.reason("the mailbox bounces");
                    bounces(
                        &decision.recipients,
                        &target.address,
                        sender,
                        message,
                        status_code,
                        &reason,
                    )
                }
                Err(reason) => vec![Action::skip("bounce", format!("not sent: {reason}"))],
            }
        }
        MailboxAction::Notify { target, content } => vec![Action::new(
            ActionKind::Notify {
                target: target.clone(),
                summary: String::new(),
                content: *content,
            },
            "the mailbox notifies",
        )],
        MailboxAction::Drop { reason } => vec![Action::skip("drop", reason.clone())],
    }
}

/// The forward to one target, and the notice to the owner if the target is suppressed.
fn forward_target(
    context: &Context<'_>,
    mailbox: &Mailbox,
    decision: &mut MailboxDecision,
    to: &EmailAddress,
    from: &EmailAddress,
    settings: ForwardSettings,
) -> Vec<Action> {
    let key = (mailbox.key.clone(), to.key().to_owned());
    let Some(suppression) = context.facts.suppressed_targets.get(&key) else {
        return vec![forward(context, mailbox, &decision.recipients, to, from, settings)];
    };
    decision.suppressed_targets += 1;
    let reason = &suppression.reason;
    let goes_on = !suppression.is_dead && settings.when_suppressed == WhenSuppressed::Continue;
    let mut action = if goes_on {
        forward(context, mailbox, &decision.recipients, to, from, settings)
    } else {
        let reason = format!(
            "not sent: the target is suppressed: {reason}; after postroomctl suppression release, postroomctl mail \
             send-again sends it"
        );
        Action::skip("forward", reason)
    };
    if goes_on {
        action.reason = format!("{}, although the target is suppressed: {reason}", action.reason);
        decision.row.reasons.insert(format!("forward: {}", action.reason));
    }
    let mut actions = vec![action];
    // A target that is suppressed cannot be told about itself.
    let owner = mailbox.owner.as_ref().filter(|owner| match owner {
        OwnerTarget::Email(owner) => owner.key() != to.key(),
        OwnerTarget::Notify(_) => true,
    });
    actions.extend(owner.map(|owner| {
        let notice = OwnerNotice {
            owner: owner.clone(),
            to: to.clone(),
            from: from.clone(),
            suppression: suppression.clone(),
            goes_on,
        };
        let reason = "a forward target is suppressed, and the mailbox has an owner";
        Action::new(ActionKind::NotifyOwner(Box::new(notice)), reason)
    }));
    actions
}

/// Where a forward shows that DMARC fails with a policy that forbids the mail.
fn forward_mark(context: &Context<'_>, settings: ForwardSettings) -> ForwardMark {
    let receipt = &context.received.receipt;
    let is_forbidden = failed(&receipt.dmarc_verdict)
        && matches!(
            receipt.dmarc_policy,
            Some(DmarcPolicy::Quarantine | DmarcPolicy::Reject)
        );
    match settings.quarantine_mark {
        QuarantineMark::Name if is_forbidden => ForwardMark::Name,
        QuarantineMark::Subject if is_forbidden => ForwardMark::Subject,
        _ => ForwardMark::None,
    }
}

fn forward(
    context: &Context<'_>,
    mailbox: &Mailbox,
    recipients: &[EmailAddress],
    to: &EmailAddress,
    from: &EmailAddress,
    settings: ForwardSettings,
) -> Action {
    let reason = match &context.facts.header {
        HeaderFacts::Unknown => "the mailbox forwards, unless the header has a sign of a loop".to_owned(),
        // A mail with an unreadable header cannot be rewritten.
        HeaderFacts::Unreadable(problem) => format!("the mailbox forwards a notice: {problem}"),
        HeaderFacts::Read(header) => {
            let mut names = loop_header_names(&mailbox.key, recipients).into_iter();
            if let Some(sign) = names.find_map(|name| header.forbidding_sign(AutomaticAction::Forward, &name, &[])) {
                return Action::skip("forward", format!("not sent: the mail is in a loop: {sign}"));
            }
            // A forward that bounces returns to this address. Forwarding the bounce to the same target would not end.
            let is_report =
                |sign: &AutomationSign| matches!(sign, AutomationSign::NullReturnPath | AutomationSign::Report(_));
            let is_to_sender = recipients.iter().any(|recipient| recipient.key() == from.key());
            if is_to_sender && header.signs.iter().any(is_report) {
                let reason = "not sent: the mail is a report to the address that forwards";
                return Action::skip("forward", reason);
            }
            "the mailbox forwards".to_owned()
        }
    };
    let kind = ActionKind::Forward {
        to: to.clone(),
        from: from.clone(),
        mark: forward_mark(context, settings),
    };
    Action::new(kind, reason)
}

fn unsubscribe(context: &Context<'_>, recipients: &[EmailAddress]) -> Action {
    let subject = context.subject();
    let mut candidates: Vec<String> = recipients
        .iter()
        .flat_map(|recipient| unsubscribe_token::find(recipient, subject.as_deref()))
        .collect();
    candidates.dedup();
    if candidates.is_empty() {
        let reason = "neither the address nor the subject has a token, and the From field can be forged";
        return Action::skip("unsubscribe", reason);
    }
    let reason = "the mailbox unsubscribes the address of a valid token";
    Action::new(ActionKind::Unsubscribe { candidates }, reason)
}

/// The bounces of a mail whose verdict action is `bounce`.
fn verdict_bounce(context: &Context<'_>, decision: &MailboxDecision) -> Vec<Action> {
    let Some(sender) = &context.policy.bounce_sender else {
        let reason = "not sent, the rule set stops instead: BOUNCE_SENDER is not set";
        return vec![Action::skip("bounce", reason)];
    };
    let mailbox = decision.row.mailbox.to_string();
    let own_addresses: Vec<&EmailAddress> = decision.recipients.iter().chain([sender]).collect();
    match bounce_target(context, &mailbox, &own_addresses) {
        Err(reason) => {
            let reason = format!("not sent, the rule set stops instead: {reason}");
            vec![Action::skip("bounce", reason)]
        }
        Ok(target) => {
            let message = "The domain in the From header does not allow this message (DMARC).";
            let reason = target.reason("the verdict action is bounce");
            bounces(&decision.recipients, &target.address, sender, message, "5.7.1", &reason)
        }
    }
}

/// One bounce for each recipient.
fn bounces(
    recipients: &[EmailAddress],
    to: &EmailAddress,
    sender: &EmailAddress,
    message: &str,
    status_code: &str,
    reason: &str,
) -> Vec<Action> {
    let bounce = |recipient: &EmailAddress| {
        let kind = ActionKind::Bounce {
            recipient: recipient.clone(),
            to: to.clone(),
            sender: sender.clone(),
            message: message.to_owned(),
            status_code: status_code.to_owned(),
        };
        Action::new(kind, reason)
    };
    recipients.iter().map(bounce).collect()
}

/// The index entry without a subject. Mail for recipients without a mailbox is indexed under their domain.
fn index_row(
    context: &Context<'_>,
    mailbox: Option<&Mailbox>,
    recipients: &[EmailAddress],
    evaluation: &VerdictEvaluation,
) -> IndexedMail {
    let mail = &context.received.mail;
    let key_of_domain = || {
        let domain = recipients.first().and_then(EmailAddress::domain);
        domain.map_or(MailboxKey::CatchAll, |domain| MailboxKey::Domain(domain.to_owned()))
    };
    let author = context.header().and_then(|header| header.author_address());
    let from = author.map(|author| author.as_str().to_owned());
    IndexedMail {
        mailbox: mailbox.map_or_else(key_of_domain, |mailbox| mailbox.key.clone()),
        message_id: mail.message_id.clone(),
        at: mail.timestamp,
        recipients: recipients.iter().map(|recipient| recipient.key().to_owned()).collect(),
        from: from.or_else(|| Some(mail.source_address()?.as_str().to_owned())),
        return_path: mail.source_address().map(|address| address.as_str().to_owned()),
        subject: IndexedSubject::of("", KeptSubject::None),
        verdicts: verdict_texts(&context.received.receipt),
        size: context.facts.size,
        location: context.facts.location.clone(),
        verdict_action: evaluation.action,
        reasons: evaluation.reasons.iter().cloned().collect(),
        expires_at: index_expiry(context, None),
    }
}

fn index_expiry(context: &Context<'_>, days: Option<u32>) -> Timestamp {
    let days = i64::from(days.unwrap_or(context.policy.index_days));
    let received_at = context.received.mail.timestamp;
    let expiry = received_at.checked_add(SignedDuration::from_hours(24 * days));
    expiry.unwrap_or(Timestamp::MAX)
}
