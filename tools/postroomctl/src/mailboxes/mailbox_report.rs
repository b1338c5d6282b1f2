//! A mailbox as text and as JSON.

use serde_json::{Value, json};
use store::{Mailbox, MailboxAction, VerdictRules};

use crate::describe::{action_text, verdict_rules_json, verdict_rules_text};
use crate::text::Text;

pub(crate) fn write_mailbox(text: &mut Text, mailbox: &Mailbox) -> std::fmt::Result {
    writeln!(text, "{}", mailbox.key)?;
    for action in &mailbox.actions {
        writeln!(text, "  {}", action_text(action))?;
    }
    if mailbox.verdicts != VerdictRules::default() {
        writeln!(text, "  verdicts: {}", verdict_rules_text(&mailbox.verdicts))?;
    }
    Ok(())
}

pub(crate) fn mailbox_json(mailbox: &Mailbox) -> Value {
    let actions: Vec<Value> = mailbox.actions.iter().map(action_json).collect();
    json!({
        "address": mailbox.key.to_string(), "actions": actions, "verdicts": verdict_rules_json(&mailbox.verdicts),
    })
}

fn action_json(action: &MailboxAction) -> Value {
    let name = action.name();
    match action {
        MailboxAction::Store { subject, days } => {
            json!({"action": name, "keepSubject": subject.as_str(), "days": days})
        }
        MailboxAction::Forward { to, from, settings } => json!({
            "action": name, "to": to, "from": from, "whenSuppressed": settings.when_suppressed.as_str(),
            "quarantineMark": settings.quarantine_mark.as_str(),
        }),
        MailboxAction::Unsubscribe => json!({"action": name}),
        MailboxAction::AutoReply {
            from,
            subject,
            text,
            every_days,
        } => json!({"action": name, "from": from, "subject": subject, "text": text, "everyDays": every_days}),
        MailboxAction::Bounce {
            sender,
            message,
            status_code,
        } => json!({"action": name, "from": sender, "reason": message, "statusCode": status_code}),
        MailboxAction::Notify { target, content } => {
            json!({"action": name, "to": target.to_string(), "content": content.as_str()})
        }
        MailboxAction::Drop { reason } => json!({"action": name, "reason": reason}),
    }
}
