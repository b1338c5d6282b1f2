//! What the inbound function does with a mail.

use std::collections::BTreeMap;

use inbound::decide::{
    Action, ActionKind, Facts, HeaderFacts, MailboxDecision, decide, event_header_facts, read_header_facts,
};
use inbound::settings::Settings;
use notification_model::Received;
use store::{Mailbox, MailboxKey, NotifyTarget, VerdictAction};

use super::outcome::Outcome;
use super::received_content::sent_content;

/// What the function knows beside the event.
#[derive(Debug)]
pub struct InboundContext {
    settings: Settings,
    /// None without a file or table to read them from.
    mailboxes: Option<BTreeMap<MailboxKey, Mailbox>>,
    mail: Option<Vec<u8>>,
    show_sent: bool,
}

impl InboundContext {
    /// Creates the context with the settings of environment variables such as `POSTROOM_BOUNCE_SENDER`.
    ///
    /// # Errors
    /// If a variable has an invalid value.
    pub fn from_environment(mailboxes: Option<BTreeMap<MailboxKey, Mailbox>>) -> anyhow::Result<Self> {
        let settings = Settings::from_env(|name| match name {
            // Required by the function, but not used here.
            "TABLE_NAME" | "INBOUND_QUEUE_URL" => Some("none".to_owned()),
            // Always set in a stack.
            "FEEDBACK_TOPIC_ARN" => {
                Some(std::env::var(format!("POSTROOM_{name}")).unwrap_or_else(|_| "none".to_owned()))
            }
            _ => std::env::var(format!("POSTROOM_{name}")).ok(),
        })?;
        Ok(Self {
            settings,
            mailboxes,
            mail: None,
            show_sent: false,
        })
    }

    /// Adds the mail, whose header is used. With `show_sent`, outcomes have the content that is sent.
    #[must_use]
    pub fn with_mail(self, mail: Vec<u8>, show_sent: bool) -> Self {
        Self {
            mail: Some(mail),
            show_sent,
            ..self
        }
    }

    pub(super) fn outcomes(&self, received: &Received) -> Vec<Outcome> {
        let head = match &self.mail {
            Some(mail) => read_header_facts(mail, true, received, &self.settings.limits),
            None => event_header_facts(received, &self.settings.limits),
        };
        let facts = Facts {
            mailboxes: self.mailboxes.clone().unwrap_or_default(),
            size: self.mail.as_ref().and_then(|mail| u64::try_from(mail.len()).ok()),
            location: None,
            suppressed: BTreeMap::new(),
            suppressed_targets: BTreeMap::new(),
            answers: BTreeMap::new(),
            // The time of arrival, because a mail can be bounced only within a day.
            now: received.mail.timestamp,
            header: head,
        };
        let decision = decide(received, &facts, &self.settings.policy);
        let disposition = decision.disposition.as_str();
        // The reasons begin with the disposition, which the description has.
        let prefix = format!("{disposition}: ");
        let reasons = decision.reasons.iter();
        let reasons: Vec<&str> = reasons
            .map(|reason| reason.strip_prefix(&prefix).unwrap_or(reason))
            .collect();
        let description = format!("return {disposition} to SES");
        let mut outcomes = vec![Outcome::new(None, "disposition", description, Some(reasons.join("; ")))];
        outcomes.extend(self.missing_facts(&facts.header));
        for mailbox in &decision.mailboxes {
            outcomes.push(verdict_outcome(mailbox));
            let subject = mailbox_text(mailbox);
            let actions = mailbox.actions.iter();
            outcomes.extend(actions.map(|action| Outcome {
                content: self.content(received, Some(mailbox), action),
                ..action_outcome(Some(subject.clone()), action)
            }));
        }
        outcomes.extend(decision.actions.iter().map(|action| Outcome {
            content: self.content(received, None, action),
            ..action_outcome(None, action)
        }));
        outcomes
    }

    fn content(&self, received: &Received, mailbox: Option<&MailboxDecision>, action: &Action) -> Vec<String> {
        match &self.mail {
            Some(mail) if self.show_sent => sent_content(mail, received, mailbox, action, &self.settings.limits),
            _ => Vec::new(),
        }
    }

    /// What the function reads from elsewhere and this command was not given.
    fn missing_facts(&self, head: &HeaderFacts) -> Option<Outcome> {
        let mut missing = Vec::new();
        if self.mailboxes.is_none() {
            missing.push("no mailboxes: use --config or --table");
        }
        if matches!(head, HeaderFacts::Unknown) {
            missing.push("no complete header in the event: use --mail");
        }
        (!missing.is_empty()).then(|| Outcome::new(None, "note", missing.join("; "), None))
    }
}

fn mailbox_text(decision: &MailboxDecision) -> String {
    match &decision.mailbox {
        Some(key) => format!("mailbox {key}"),
        None => "no mailbox".to_owned(),
    }
}

fn verdict_outcome(decision: &MailboxDecision) -> Outcome {
    let recipients: Vec<&str> = decision.recipients.iter().map(|address| address.as_str()).collect();
    let action = decision.evaluation.action;
    let effect = match action {
        VerdictAction::Continue => "run the actions",
        VerdictAction::Tag => "run the actions, and mark the mail",
        VerdictAction::StopRule => "stop this receipt rule",
        VerdictAction::StopRuleSet => "stop all receipt rules",
        VerdictAction::Bounce => "bounce if the sender is authenticated, else stop all receipt rules",
    };
    let verdicts = match decision.evaluation.reasons.as_slice() {
        [] => "all verdicts are PASS".to_owned(),
        reasons => reasons.join("; "),
    };
    Outcome::new(
        Some(mailbox_text(decision)),
        action.as_str(),
        format!("mail for {}: {effect}", recipients.join(", ")),
        Some(verdicts),
    )
}

fn action_outcome(subject: Option<String>, action: &Action) -> Outcome {
    let description = match &action.kind {
        ActionKind::Index => "add to the index".to_owned(),
        ActionKind::Forward { to, from, .. } => format!("forward to {to}, from {from}"),
        ActionKind::NotifyOwner(notice) => format!("notify the owner {} about {}", notice.owner, notice.to),
        ActionKind::Unsubscribe { candidates } => match candidates.len() {
            1 => "unsubscribe the recipient of the token, if it is valid".to_owned(),
            count => format!("unsubscribe the recipient of the first valid one of {count} tokens"),
        },
        ActionKind::AutoReply {
            to, from, every_days, ..
        } => format!("reply to {to}, from {from}, unless it replied within {every_days} days"),
        ActionKind::Bounce {
            recipient,
            to,
            status_code,
            ..
        } => format!("bounce to {to} for {recipient}, with {status_code}"),
        ActionKind::Notify { target, .. } => match target {
            NotifyTarget::Topic(arn) => format!("notify topic {arn}"),
            NotifyTarget::Queue(url) => format!("notify queue {url}"),
        },
        ActionKind::PublishReport => "publish the report to the feedback topic".to_owned(),
        ActionKind::Skip { action: "drop" } => "drop the mail".to_owned(),
        ActionKind::Skip { action } => format!("no {action}"),
    };
    let name = match &action.kind {
        ActionKind::Skip { action: "drop" } => "drop",
        ActionKind::Skip { .. } => "skip",
        what => what.name(),
    };
    Outcome::new(subject, name, description, Some(action.reason.clone()))
}
