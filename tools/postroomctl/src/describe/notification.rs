//! Summaries of SES notifications.

use notification_model::{Event, Notification, Received};

pub(crate) fn notification_text(notification: &Notification) -> String {
    let mail = &notification.mail;
    let mut text = notification.event.name().to_owned();
    if let Event::Bounce(bounce) = &notification.event {
        text.push_str(&format!(" ({} / {})", bounce.bounce_type, bounce.bounce_sub_type));
    }
    if let Some(arn) = &mail.source_arn {
        text.push_str(&format!(", identity {} of {}", arn.identity(), arn.owner()));
    }
    if let (Some(account), Some(true)) = (&mail.sending_account_id, mail.is_delegated()) {
        text.push_str(&format!(", sent by delegate {account}"));
    }
    if let Some(tenant) = mail.tenant() {
        text.push_str(&format!(", tenant {tenant}"));
    }
    text
}

pub(crate) fn received_text(received: &Received) -> String {
    let receipt = &received.receipt;
    let verdicts = [
        ("spam", &receipt.spam_verdict),
        ("virus", &receipt.virus_verdict),
        ("spf", &receipt.spf_verdict),
        ("dkim", &receipt.dkim_verdict),
        ("dmarc", &receipt.dmarc_verdict),
    ];
    let verdicts: Vec<String> = verdicts
        .iter()
        .filter_map(|(name, verdict)| Some(format!("{name} {}", verdict.as_ref()?.status)))
        .collect();
    format!(
        "inbound mail for {} recipient(s): {}",
        receipt.recipients.len(),
        verdicts.join(", ")
    )
}
