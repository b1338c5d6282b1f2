//! The summary of a mail that `notify` sends.

use std::collections::BTreeMap;

use notification_model::{Receipt, Verdict};
use serde_json::{Value, json};

use super::context::Context;
use super::decision::{ActionKind, MailboxDecision};
use crate::mail::ReportKind;
use crate::verdict::Disposition;

/// The version of the summary, in its field `version`. New fields do not change the version, so a reader must ignore unknown
/// fields; any other change does.
///
/// ```json
/// {
///   "version": 1, "type": "MailReceived",
///   "messageId": "o3vr...", "timestamp": "2026-03-02T12:00:00Z",
///   "mailbox": "sales@shop.example", "recipients": ["sales+spring@shop.example"],
///   "envelopeFrom": "bounces@example.net", "from": [{"name": "Jane", "address": "jane@example.net"}],
///   "replyTo": ["jane@example.net"], "subject": "Order 7", "headerMessageId": "<7@example.net>",
///   "date": "2026-03-02T11:59:58Z",
///   "verdicts": {"spam": "PASS", "virus": "PASS", "spf": "PASS", "dkim": "GRAY", "dmarc": "FAIL", "dmarcPolicy": "none"},
///   "tags": ["dkim GRAY"], "automatic": ["the precedence is bulk"], "report": null,
///   "sizeBytes": 4711, "location": {"bucket": "mail", "key": "inbound/o3vr..."},
///   "disposition": "CONTINUE", "verdictAction": "tag", "reasons": ["dkim GRAY: tag (default)"]
/// }
/// ```
///
/// The sender of the mail writes `from`, `replyTo`, `subject`, `headerMessageId` and `date`; they are not verified. SES
/// provides `verdicts` and `recipients`.
pub const SUMMARY_VERSION: u32 = 1;

/// The maximum number of authors and reply addresses. SNS accepts messages of up to 256 KB, and the sender chooses the number.
const MAX_AUTHORS: usize = 50;

/// Sets the summaries of a mailbox's notifications.
pub(super) fn set_summaries(context: &Context<'_>, decision: &mut MailboxDecision, disposition: Disposition) {
    let text = summary(context, decision, disposition).to_string();
    // SQS and SNS reject characters that XML does not allow. In JSON they occur only within strings.
    let text = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    for action in &mut decision.actions {
        if let ActionKind::Notify { summary, .. } = &mut action.kind {
            summary.clone_from(&text);
        }
    }
}

/// SES's verdicts by check: `spam`, `virus`, `spf`, `dkim`, `dmarc`, and `dmarcPolicy`.
pub(super) fn verdict_texts(receipt: &Receipt) -> BTreeMap<String, String> {
    let checks = [
        ("spam", &receipt.spam_verdict),
        ("virus", &receipt.virus_verdict),
        ("spf", &receipt.spf_verdict),
        ("dkim", &receipt.dkim_verdict),
        ("dmarc", &receipt.dmarc_verdict),
    ];
    let status = |verdict: &Verdict| verdict.status.as_str().to_owned();
    let mut texts: BTreeMap<String, String> = checks
        .into_iter()
        .filter_map(|(name, verdict)| Some((name.to_owned(), status(verdict.as_ref()?))))
        .collect();
    let policy = receipt.dmarc_policy.as_ref();
    texts.extend(policy.map(|policy| ("dmarcPolicy".to_owned(), policy.as_str().to_owned())));
    texts
}

fn summary(context: &Context<'_>, decision: &MailboxDecision, disposition: Disposition) -> Value {
    let mail = &context.received.mail;
    let header = context.header();
    let authors = header.map(|header| {
        let authors = header.from.iter().take(MAX_AUTHORS).map(|author| {
            let address = author.address.as_ref().map(|address| address.as_str());
            json!({"name": author.name, "address": address})
        });
        authors.collect::<Vec<_>>()
    });
    let reply_to = header.map(|header| {
        let addresses = header.reply_to.iter().take(MAX_AUTHORS);
        addresses.map(|address| address.as_str()).collect::<Vec<_>>()
    });
    let signs = header.map(|header| header.signs.iter().map(ToString::to_string).collect::<Vec<_>>());
    let report = header.and_then(|header| header.report).map(|kind| match kind {
        ReportKind::Delivery => "delivery",
        ReportKind::Feedback => "feedback",
        ReportKind::Other => "other",
    });
    let recipients: Vec<&str> = decision.recipients.iter().map(|recipient| recipient.as_str()).collect();
    let row = &decision.row;
    let location = row.location.as_ref();
    json!({
        "version": SUMMARY_VERSION,
        "type": "MailReceived",
        "messageId": mail.message_id,
        "timestamp": mail.timestamp,
        "mailbox": row.mailbox.to_string(),
        "recipients": recipients,
        "envelopeFrom": mail.source_address().map(|address| address.as_str().to_owned()),
        "from": authors,
        "replyTo": reply_to,
        "subject": context.subject(),
        "headerMessageId": header.and_then(|header| header.message_id.as_deref()),
        "date": header.and_then(|header| header.date),
        "verdicts": row.verdicts,
        "tags": decision.evaluation.tags,
        "automatic": signs,
        "report": report,
        "sizeBytes": row.size,
        "location": location.map(|location| json!({"bucket": location.bucket, "key": location.key})),
        "disposition": disposition,
        "verdictAction": row.verdict_action.as_str(),
        "reasons": row.reasons,
    })
}
