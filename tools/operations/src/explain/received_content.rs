//! The mails and notifications that the inbound function sends.

use inbound::decide::{Action, ActionKind, MailboxDecision};
use inbound::mail::Limits;
use inbound::mail::forward::{ForwardMark, Rewrite, rewrite};
use inbound::mail::report::{self, Arrival};
use notification_model::{EmailAddress, Receipt, Received};

/// Returns what an action sends: the rewritten mail of a forward, or the notifications made from a report. For a mail that
/// cannot be rewritten or read, returns the reason.
pub(super) fn sent_content(
    mail: &[u8],
    received: &Received,
    mailbox: Option<&MailboxDecision>,
    action: &Action,
    limits: &Limits,
) -> Vec<String> {
    match (&action.kind, mailbox) {
        (ActionKind::Forward { to, from, mark }, Some(mailbox)) => {
            vec![forwarded_mail(mail, received, mailbox, (to, from, *mark), limits)]
        }
        (ActionKind::PublishReport, _) => notifications(mail, received, limits),
        _ => Vec::new(),
    }
}

fn forwarded_mail(
    mail: &[u8],
    received: &Received,
    decision: &MailboxDecision,
    (to, from, mark): (&EmailAddress, &EmailAddress, ForwardMark),
    limits: &Limits,
) -> String {
    let mailbox = decision.mailbox.as_ref().map(ToString::to_string).unwrap_or_default();
    // The loop header of a catch-all mailbox names the recipient.
    let recipient = received.receipt.recipients.first().map(EmailAddress::key);
    let parameters = Rewrite {
        mailbox: if mailbox == "*" {
            recipient.unwrap_or(&mailbox)
        } else {
            &mailbox
        },
        from,
        to: std::slice::from_ref(to),
        recipients: &decision.recipients,
        mark,
        verdicts: &verdicts_text(&received.receipt),
        message_id: &received.mail.message_id,
        at: received.mail.timestamp,
    };
    match rewrite(mail, &parameters, limits) {
        Ok(forward) => String::from_utf8_lossy(&forward.to_vec()).into_owned(),
        Err(error) => format!("only a notice is sent: {error}"),
    }
}

fn notifications(mail: &[u8], received: &Received, limits: &Limits) -> Vec<String> {
    match report::read(mail, limits) {
        Ok(report) => report.notifications(&Arrival {
            message_id: &received.mail.message_id,
            at: received.mail.timestamp,
        }),
        Err(error) => vec![format!("no notification is published: {error}")],
    }
}

fn verdicts_text(receipt: &Receipt) -> String {
    let verdicts = [
        ("spam", &receipt.spam_verdict),
        ("virus", &receipt.virus_verdict),
        ("spf", &receipt.spf_verdict),
        ("dkim", &receipt.dkim_verdict),
        ("dmarc", &receipt.dmarc_verdict),
    ];
    let verdicts: Vec<String> = verdicts
        .iter()
        .filter_map(|(name, verdict)| Some(format!("{name}={}", verdict.as_ref()?.status)))
        .collect();
    verdicts.join("; ")
}
