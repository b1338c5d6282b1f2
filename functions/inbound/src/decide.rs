//! Decides what happens to a mail. Pure: no clock, no environment, no AWS, no errors.
//!
//! Each mailbox evaluates the verdicts by its own rules and takes its own actions. SES expects one disposition for all
//! recipients. The disposition affects only later actions and rules of SES, never the actions here, so the **mildest** one
//! wins: a mailbox that stops a mail does not stop it for other recipients. A virus is the exception: the severest
//! disposition of a mailbox that stops the virus wins.

mod backscatter;
mod context;
mod decision;
mod disposition;
mod domain;
mod facts;
mod header_facts;
mod loop_header;
mod mailbox;
mod recipients;
mod report;
mod required_reads;
mod summary;
mod trusted_forwarder;

use notification_model::Received;

use self::context::Context;
use self::mailbox::decide_mailbox;
use self::recipients::shares;
use self::report::decide_report;
use self::summary::set_summaries;
use crate::settings::Policy;
use crate::verdict::Disposition;

pub use decision::{Action, ActionKind, Decision, MailboxDecision, OwnerNotice};
pub use disposition::disposition;
pub use facts::{Facts, HeaderFacts, SuppressedTarget};
pub use header_facts::{event_header_facts, read_header_facts};
pub(crate) use loop_header::loop_header_names;
pub use recipients::mailbox_keys;
pub use required_reads::{answered_addresses, forward_targets, needs_header};
pub use summary::SUMMARY_VERSION;

/// Decides what happens to a mail.
#[must_use]
pub fn decide(received: &Received, facts: &Facts, policy: &Policy) -> Decision {
    let context = Context {
        received,
        facts,
        policy,
    };
    let shares = shares(received, &facts.mailboxes);
    let mut mailboxes: Vec<MailboxDecision> = shares
        .into_iter()
        .map(|share| decide_mailbox(&context, share))
        .collect();
    let disposition = disposition(received, &facts.mailboxes, context.header());
    let has_virus = mailboxes.iter().any(|mailbox| mailbox.evaluation.virus);
    let reason = disposition_reason(disposition, &mailboxes, has_virus);
    let report = decide_report(&context, has_virus);
    for mailbox in &mut mailboxes {
        if let Some(Action {
            kind: ActionKind::Skip { .. },
            reason,
        }) = &report
        {
            mailbox.row.reasons.insert(reason.clone());
            if mailbox.mailbox.is_some() {
                mailbox.ensure_indexed();
            }
        }
        set_summaries(&context, mailbox, disposition);
    }
    Decision {
        disposition,
        mailboxes,
        actions: report.into_iter().collect(),
        reasons: vec![reason],
    }
}

fn disposition_reason(disposition: Disposition, mailboxes: &[MailboxDecision], has_virus: bool) -> String {
    match mailboxes {
        [] => format!("{disposition}: the event names no recipient, so the default rules apply"),
        [mailbox] => format!("{disposition}: {}", mailbox.disposition_reason()),
        several => {
            let count = several.len();
            let exception = if has_virus { ", except for a virus" } else { "" };
            format!("{disposition}: the mildest disposition of {count} mailboxes wins{exception}")
        }
    }
}
