//! What the inbound function would do with a mail, and why.

use std::collections::BTreeMap;

use anyhow::Context;
use inbound::decide::{
    Action, ActionKind, Facts, HeaderFacts, MailboxDecision, decide, event_header_facts, read_header_facts,
};
use inbound::settings::Settings;
use notification_model::Received;
use store::{Mailbox, MailboxKey, NotifyTarget, VerdictAction};

use super::OneOutcome;
use crate::cli::ExplainArgs;
use crate::config;
use crate::table::{AwsFailed, open_named};

/// What is known of mail beside SES's event.
pub(super) struct Arriving {
    settings: Settings,
    /// None when nobody said where the mailboxes are.
    mailboxes: Option<BTreeMap<MailboxKey, Mailbox>>,
    mail: Option<Vec<u8>>,
}

impl Arriving {
    pub(super) async fn new(args: &ExplainArgs) -> anyhow::Result<Self> {
        let settings = Settings::from_env(|name| match name {
            // Nothing is read or sent.
            "TABLE_NAME" | "INBOUND_QUEUE_URL" => Some("none".to_owned()),
            // The stack always publishes reports.
            "FEEDBACK_TOPIC_ARN" => {
                Some(std::env::var(format!("POSTROOM_{name}")).unwrap_or_else(|_| "none".to_owned()))
            }
            _ => std::env::var(format!("POSTROOM_{name}")).ok(),
        })?;
        let mailboxes = match (&args.config, &args.table) {
            (Some(file), _) => Some(config::read(file)?.mailboxes),
            (None, Some(table)) => Some(open_named(table).await.all_mailboxes().await.map_err(AwsFailed::from)?),
            (None, None) => None,
        };
        let mail = match &args.mail {
            Some(file) => Some(std::fs::read(file).with_context(|| file.display().to_string())?),
            None => None,
        };
        Ok(Self {
            settings,
            mailboxes,
            mail,
        })
    }

    pub(super) fn outcomes(&self, received: &Received) -> Vec<OneOutcome> {
        let head = match &self.mail {
            Some(mail) => read_header_facts(mail, true, received, &self.settings.limits),
            None => event_header_facts(received, &self.settings.limits),
        };
        let facts = Facts {
            mailboxes: self.mailboxes.clone().unwrap_or_default(),
            size: self.mail.as_ref().and_then(|mail| u64::try_from(mail.len()).ok()),
            location: None,
            suppressed: BTreeMap::new(),
            // As if it had just come: a mail can be bounced for a day.
            now: received.mail.timestamp,
            header: head,
        };
        let decision = decide(received, &facts, &self.settings.policy);
        let told = decision.disposition.as_str();
        let reasons = decision.reasons.iter().map(|reason| {
            // The disposition stands before it for the log.
            reason.strip_prefix(&format!("{told}: ")).unwrap_or(reason)
        });
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        let mut outcomes = vec![outcome(
            None,
            "disposition",
            format!("SES is told {told}"),
            Some(reasons),
        )];
        outcomes.extend(self.missing(&facts.header));
        for mailbox in &decision.mailboxes {
            outcomes.push(taken(mailbox));
            let whose = mailbox_words(mailbox);
            outcomes.extend(mailbox.actions.iter().map(|action| done(Some(whose.clone()), action)));
        }
        outcomes.extend(decision.actions.iter().map(|action| done(None, action)));
        outcomes
    }

    /// What the function would look up and nobody gave here.
    fn missing(&self, head: &HeaderFacts) -> Option<OneOutcome> {
        let mut missing = Vec::new();
        if self.mailboxes.is_none() {
            missing.push("--config or --table names the mailboxes; without, there is none");
        }
        if matches!(head, HeaderFacts::Unknown) {
            missing.push("--mail gives its header, which the event leaves out or cuts");
        }
        (!missing.is_empty()).then(|| outcome(None, "note", missing.join("; "), None))
    }
}

fn outcome(recipient: Option<String>, action: &'static str, says: String, reason: Option<String>) -> OneOutcome {
    OneOutcome {
        recipient,
        action,
        scope: None,
        until: None,
        says,
        reason,
    }
}

fn mailbox_words(decision: &MailboxDecision) -> String {
    match &decision.mailbox {
        Some(key) => format!("mailbox {key}"),
        None => "no mailbox".to_owned(),
    }
}

fn taken(decision: &MailboxDecision) -> OneOutcome {
    let recipients: Vec<&str> = decision.recipients.iter().map(|one| one.as_str()).collect();
    let action = match decision.evaluation.action {
        VerdictAction::Continue => "goes on",
        VerdictAction::Tag => "goes on, tagged",
        VerdictAction::StopRule => "stops for this rule",
        VerdictAction::StopRuleSet => "stops",
        VerdictAction::Bounce => "is sent back where that is safe, else stops",
    };
    let verdicts = match decision.evaluation.reasons.as_slice() {
        [] => "every verdict is PASS".to_owned(),
        reasons => reasons.join("; "),
    };
    let says = format!("mail for {} {action}", recipients.join(", "));
    outcome(
        Some(mailbox_words(decision)),
        decision.evaluation.action.as_str(),
        says,
        Some(verdicts),
    )
}

fn done(whose: Option<String>, action: &Action) -> OneOutcome {
    let says = match &action.kind {
        ActionKind::Index => "write it into the index".to_owned(),
        ActionKind::Forward { to, from } => format!("forward it to {to}, from {from}"),
        ActionKind::Unsubscribe { candidates } => match candidates.len() {
            1 => "unsubscribe whom its token names, if it is valid".to_owned(),
            several => format!("unsubscribe whom the first valid one of {several} tokens names"),
        },
        ActionKind::AutoReply {
            to, from, every_days, ..
        } => format!("answer {to}, from {from}, unless answered within {every_days} days"),
        ActionKind::Bounce {
            recipient,
            to,
            status_code,
            ..
        } => format!("send it back to {to} for {recipient}, with {status_code}"),
        ActionKind::Notify { target, .. } => match target {
            NotifyTarget::Topic(arn) => format!("tell topic {arn}"),
            NotifyTarget::Queue(url) => format!("tell queue {url}"),
        },
        ActionKind::PublishReport => "publish what it reports to the feedback topic".to_owned(),
        ActionKind::Skip { action: "drop" } => "drop it: nothing more is done".to_owned(),
        ActionKind::Skip { action } => format!("no {action}"),
    };
    let name = match &action.kind {
        ActionKind::Skip { action: "drop" } => "drop",
        ActionKind::Skip { .. } => "skip",
        what => what.name(),
    };
    outcome(whose, name, says, Some(action.reason.clone()))
}
