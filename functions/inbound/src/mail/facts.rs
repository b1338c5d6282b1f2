//! The facts of a header that a decision needs: who wrote the mail, to whom, and what it is.

use std::fmt;

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::addresses::parse_mailboxes;
use super::authentication_results::ses_dkim_domains;
use super::automation::find_signs;
use super::date::parse_date;
use super::message_ids::{own_message_id, references};
use super::report_kind::report_kind;
use super::{Author, AutomaticAction, AutomationSign, Field, HeaderBlock, Limits, ReportKind};

/// The facts of a header. `Debug` shows no content, so that it can be logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MailFacts {
    /// The mailboxes of all `From` fields.
    pub from: Vec<Author>,
    /// The addresses of `Reply-To`, else of `From`: where a person's reply goes.
    pub reply_to: Vec<EmailAddress>,
    /// The addresses of all `To` and `Cc` fields.
    pub named: Vec<EmailAddress>,
    /// Whether a part of `To` or `Cc` cannot be read, so that [`named`](Self::named) is incomplete.
    pub lost_recipients: bool,
    /// Whether a field occurs more than once that RFC 5322 allows once, so that two programs can read different values.
    pub has_repeated_field: bool,
    /// The domains whose DKIM signature passes, from the `Authentication-Results` field of SES.
    pub ses_dkim_domains: Vec<String>,
    /// The return path. An automatic reply goes only there (RFC 3834 section 4). `None` if null or unknown.
    pub return_path: Option<EmailAddress>,
    /// `Subject`, decoded.
    pub subject: Option<String>,
    /// `Message-ID` with its angle brackets.
    pub message_id: Option<String>,
    /// The message ids of `References`, else of `In-Reply-To`, with angle brackets, oldest first.
    pub references: Vec<String>,
    /// `Date`, if it can be parsed.
    pub date: Option<Timestamp>,
    /// The signs that the mail is automatic or in a loop.
    pub signs: Vec<AutomationSign>,
    /// The number of `Received` fields.
    pub received_fields: usize,
    /// The kind of report, if the mail is one.
    pub report: Option<ReportKind>,
}

impl MailFacts {
    /// Reads the facts of a header. `envelope_from` is SES's `mail.source`; `""` and `"<>"` are the null return path. If it
    /// is `None`, the first `Return-Path` field is used, which SES writes.
    #[must_use]
    pub fn read(header: &HeaderBlock<'_>, envelope_from: Option<&str>, limits: &Limits) -> Self {
        let from = mailboxes(header, "From");
        let mut reply_to = addresses(mailboxes(header, "Reply-To"));
        if reply_to.is_empty() {
            reply_to = addresses(from.clone());
        }
        let (named, lost_recipients) = recipients(header);
        let envelope = match envelope_from {
            Some(text) => Some(text.to_owned()),
            None => header.get("Return-Path").map(Field::unfolded),
        };
        let return_path = envelope.as_deref().and_then(EmailAddress::parse);
        let is_null_return_path = envelope.is_some_and(|text| matches!(text.trim(), "" | "<>"));
        let report = report_kind(header);
        Self {
            signs: find_signs(header, &from, return_path.as_ref(), is_null_return_path, report, limits),
            reply_to,
            named,
            lost_recipients,
            has_repeated_field: has_repeated_field(header),
            ses_dkim_domains: ses_dkim_domains(header),
            subject: header.text("Subject"),
            message_id: own_message_id(header),
            references: references(header),
            date: header.get("Date").and_then(|field| parse_date(&field.unfolded())),
            received_fields: header.all("Received").count(),
            from,
            return_path,
            report,
        }
    }

    /// The first sign that forbids an action of the mailbox with this key. `own_addresses` are the recipients and the
    /// addresses that the mailbox sends from.
    #[must_use]
    pub fn forbidding_sign(
        &self,
        action: AutomaticAction,
        mailbox: &str,
        own_addresses: &[&EmailAddress],
    ) -> Option<AutomationSign> {
        if action != AutomaticAction::Forward && own_addresses.iter().any(|own| self.is_from(own)) {
            return Some(AutomationSign::FromMailboxItself);
        }
        self.signs.iter().find(|sign| sign.forbids(action, mailbox)).cloned()
    }

    /// The address of the first author that has one.
    #[must_use]
    pub fn author_address(&self) -> Option<&EmailAddress> {
        self.from.iter().find_map(|author| author.address.as_ref())
    }

    /// Whether an address is an author or the return path.
    #[must_use]
    pub fn is_from(&self, address: &EmailAddress) -> bool {
        let authors = self.from.iter().filter_map(|author| author.address.as_ref());
        authors
            .chain(&self.return_path)
            .any(|sender| sender.key() == address.key())
    }
}

impl fmt::Debug for MailFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailFacts")
            .field("authors", &self.from.len())
            .field("signs", &self.signs)
            .field("received_fields", &self.received_fields)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

/// The mailboxes of all fields of a name.
fn mailboxes(header: &HeaderBlock<'_>, name: &str) -> Vec<Author> {
    header
        .all(name)
        .flat_map(|field| parse_mailboxes(&field.unfolded()).0)
        .map(Author::from)
        .collect()
}

/// Fields that RFC 5322 section 3.6 and RFC 2045 allow once.
const ONCE: [&str; 15] = [
    "Bcc",
    "Cc",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "From",
    "In-Reply-To",
    "Message-ID",
    "MIME-Version",
    "References",
    "Reply-To",
    "Return-Path",
    "Sender",
    "Subject",
    "To",
];

fn has_repeated_field(header: &HeaderBlock<'_>) -> bool {
    ONCE.iter().any(|name| header.all(name).nth(1).is_some())
}

/// The addresses of `To` and `Cc`, and whether a part of them cannot be read. `undisclosed-recipients:;` is such a part.
fn recipients(header: &HeaderBlock<'_>) -> (Vec<EmailAddress>, bool) {
    let (mut recipients, mut is_lost) = (Vec::new(), false);
    for field in header.all("To").chain(header.all("Cc")) {
        let (mailboxes, lost) = parse_mailboxes(&field.unfolded());
        let count = mailboxes.len();
        let found = addresses(mailboxes.into_iter().map(Author::from).collect());
        is_lost |= lost || found.len() < count || field.is_unreadable();
        recipients.extend(found);
    }
    (recipients, is_lost)
}

fn addresses(mailboxes: Vec<Author>) -> Vec<EmailAddress> {
    mailboxes.into_iter().filter_map(|mailbox| mailbox.address).collect()
}
