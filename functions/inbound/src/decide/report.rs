//! Decides what happens to a bounce or complaint that arrives as mail.

use std::collections::BTreeSet;

use notification_model::EmailAddress;

use super::context::Context;
use super::decision::{Action, ActionKind};
use super::domain::is_domain_or_subdomain;
use crate::mail::{Author, MailFacts, ReportKind};
use crate::verdict::passed;

/// The action for a report; `None` if the mail is not a report, or if the function does not publish reports.
pub(super) fn decide_report(context: &Context<'_>, virus: bool) -> Option<Action> {
    let header = context.header()?;
    if !context.policy.publishes_reports || !matches!(header.report, Some(ReportKind::Delivery | ReportKind::Feedback))
    {
        return None;
    }
    if virus {
        return Some(Action::skip("report", "report: not published: the mail has a virus"));
    }
    Some(if !is_trusted(context, header) {
        let reason = "report: not published: the sender is not in a trusted domain that DMARC confirms";
        Action::skip("report", reason)
    } else if header.lost_recipients || header.has_repeated_field || !has_recipients_of_event(context, header) {
        let reason = "report: not published: the header is ambiguous: a recipient cannot be read, a field is repeated, or \
                      SES read other recipients";
        Action::skip("report", reason)
    } else if !names_only_recipients(context, header) {
        let reason = "report: not published: the header names an address that is not a recipient of this mail";
        Action::skip("report", reason)
    } else {
        Action::new(ActionKind::PublishReport, "a report from a trusted domain")
    })
}

/// Whether the author is in a trusted domain that DMARC confirms. A trusted reporter can suppress any address. DMARC PASS is
/// the only verdict about `From`; SPF and DKIM alone are about domains that the sender chooses.
fn is_trusted(context: &Context<'_>, header: &MailFacts) -> bool {
    let [author] = header.from.as_slice() else { return false };
    let domain = author.address.as_ref().and_then(EmailAddress::domain);
    let is_trusted_domain = |domain: &str| {
        let mut reporters = context.policy.trusted_reporters.iter();
        reporters.any(|reporter| is_domain_or_subdomain(domain, reporter))
    };
    passed(&context.received.receipt.dmarc_verdict)
        && domain.is_some_and(is_trusted_domain)
        && is_author_of_event(context, author)
}

/// Whether SES read the same author. The verdict is about the `From` that SES read, and a header can be written so that two
/// programs read two different ones.
fn is_author_of_event(context: &Context<'_>, author: &Author) -> bool {
    let Some(headers) = &context.received.mail.common_headers else {
        return true;
    };
    let mut from = headers.from.iter().flat_map(|from| EmailAddress::parse_list(from));
    let first = from.next();
    let is_same = |address: &EmailAddress| {
        let author = author.address.as_ref();
        author.is_some_and(|author| author.key() == address.key())
    };
    first.as_ref().is_some_and(is_same) && from.next().is_none()
}

/// Whether SES read the same recipients in `To` and `Cc`.
fn has_recipients_of_event(context: &Context<'_>, header: &MailFacts) -> bool {
    let Some(headers) = &context.received.mail.common_headers else {
        return true;
    };
    let lists = headers.to.iter().chain(&headers.cc);
    let of_event: Vec<EmailAddress> = lists.flat_map(|list| EmailAddress::parse_list(list)).collect();
    let keys = |addresses: &[EmailAddress]| -> BTreeSet<String> {
        addresses.iter().map(|address| address.key().to_owned()).collect()
    };
    keys(&of_event) == keys(&header.named)
}

/// Whether `To` and `Cc` name recipients of this mail only. SES also signs the reports that it sends to other customers, who
/// choose what such a report is about and can send it on.
fn names_only_recipients(context: &Context<'_>, header: &MailFacts) -> bool {
    let recipients = &context.received.receipt.recipients;
    let is_recipient = |named: &EmailAddress| recipients.iter().any(|recipient| recipient.key() == named.key());
    !header.named.is_empty() && header.named.iter().all(is_recipient)
}
