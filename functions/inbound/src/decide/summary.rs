//! What `notify` tells a machine of a mail: everything but the mail.

use std::collections::BTreeMap;

use notification_model::{Receipt, Verdict};
use serde_json::{Value, json};

use super::{About, HeadFacts, MailboxDecision, What};
use crate::mail::ReportKind;
use crate::verdict::Disposition;

/// The version of the summary, its field `version`. Fields may be added to it, and a reader ignores those it does not
/// know; whatever breaks a reader makes a new version.
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
///   "tags": ["dkim GRAY"], "automatic": ["its precedence is bulk"], "report": null,
///   "sizeBytes": 4711, "location": {"bucket": "mail", "key": "inbound/o3vr..."},
///   "disposition": "CONTINUE", "treatment": "tag", "reasons": ["dkim GRAY: tag, the default"]
/// }
/// ```
///
/// Everything the sender writes (`from`, `replyTo`, `subject`, `headerMessageId`, `date`) is the sender's word; `verdicts`
/// and `recipients` are SES's.
pub const SUMMARY_VERSION: u32 = 1;

/// More than these are left out: a topic takes 256 KB, and the sender decides how many there are.
const AUTHORS: usize = 50;

impl About<'_> {
    /// Fills in the summaries, once the disposition is known.
    pub(super) fn notify(&self, decision: &mut MailboxDecision, disposition: Disposition) {
        let text = self.summary(decision, disposition).to_string();
        // What XML lacks SQS and SNS refuse, and JSON has it only within strings.
        let text = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
        for action in &mut decision.actions {
            if let What::Notify { summary, .. } = &mut action.what {
                summary.clone_from(&text);
            }
        }
    }

    fn summary(&self, decision: &MailboxDecision, disposition: Disposition) -> Value {
        let mail = &self.received.mail;
        let head = match &self.facts.head {
            HeadFacts::Read(head) => Some(head),
            _ => None,
        };
        let authors = head.map(|head| {
            let from = head.from.iter().take(AUTHORS);
            let shown = from.map(|author| {
                json!({"name": author.name, "address": author.address.as_ref().map(|address| address.as_str())})
            });
            shown.collect::<Vec<_>>()
        });
        let reply_to = head.map(|head| {
            let addresses = head.reply_to.iter().take(AUTHORS).map(|address| address.as_str());
            addresses.collect::<Vec<_>>()
        });
        let signs = head.map(|head| head.signs.iter().map(ToString::to_string).collect::<Vec<_>>());
        let report = head.and_then(|head| head.report).map(|kind| match kind {
            ReportKind::Delivery => "delivery",
            ReportKind::Feedback => "feedback",
            ReportKind::Other => "other",
        });
        let row = &decision.row;
        json!({
            "version": SUMMARY_VERSION,
            "type": "MailReceived",
            "messageId": mail.message_id,
            "timestamp": mail.timestamp,
            "mailbox": row.mailbox.to_string(),
            "recipients": decision.recipients.iter().map(|one| one.as_str()).collect::<Vec<_>>(),
            "envelopeFrom": mail.source_address().map(|address| address.as_str().to_owned()),
            "from": authors,
            "replyTo": reply_to,
            "subject": self.subject(),
            "headerMessageId": head.and_then(|head| head.message_id.as_deref()),
            "date": head.and_then(|head| head.date),
            "verdicts": row.verdicts,
            "tags": decision.evaluation.tags,
            "automatic": signs,
            "report": report,
            "sizeBytes": row.size,
            "location": row.location.as_ref().map(|at| json!({"bucket": at.bucket, "key": at.key})),
            "disposition": disposition,
            "action": row.action.as_str(),
            "reasons": row.reasons,
        })
    }
}

/// SES's words by check.
pub(super) fn verdicts(receipt: &Receipt) -> BTreeMap<String, String> {
    let checks = [
        ("spam", &receipt.spam_verdict),
        ("virus", &receipt.virus_verdict),
        ("spf", &receipt.spf_verdict),
        ("dkim", &receipt.dkim_verdict),
        ("dmarc", &receipt.dmarc_verdict),
    ];
    let word = |verdict: &Verdict| verdict.status.as_str().to_owned();
    let mut words: BTreeMap<String, String> = checks
        .into_iter()
        .filter_map(|(name, verdict)| Some((name.to_owned(), word(verdict.as_ref()?))))
        .collect();
    let policy = receipt.dmarc_policy.as_ref();
    words.extend(policy.map(|policy| ("dmarcPolicy".to_owned(), policy.as_str().to_owned())));
    words
}
