//! Summaries of SES notifications.

use notification_model::{Event, Notification, Received, ServiceEvent, Setup};

/// What SES reports about sent mail, in one line.
#[must_use]
pub fn notification_text(notification: &Notification) -> String {
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

/// What SES reports about received mail, in one line.
#[must_use]
pub fn received_text(received: &Received) -> String {
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

/// What SES says about its own setup, in one line.
#[must_use]
pub fn setup_text(setup: &Setup) -> String {
    match setup {
        Setup::TopicValidated => "SES setup message: topic validated".to_owned(),
        Setup::SubscriptionSucceeded { .. } => "SES setup message: topic subscribed".to_owned(),
        Setup::InboundProbe => "SES setup message: receipt rule created".to_owned(),
        Setup::ServiceEvent(event) => service_event_text(event),
    }
}

fn service_event_text(event: &ServiceEvent) -> String {
    let mut text = match &event.detail_type {
        Some(detail_type) => format!("SES event {detail_type}"),
        None => "SES event that is not about a mail".to_owned(),
    };
    if !event.resources.is_empty() {
        text.push_str(&format!(", {}", event.resources.join(", ")));
    }
    if let Some(description) = &event.description {
        text.push_str(&format!(": {description}"));
    }
    text
}
