//! Mail that Postroom writes itself: automatic answers, and notices in place of a forward.
//!
//! Both are `text/plain` in UTF-8 and say that they are automatic (RFC 3834), so that no other machine answers them.

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::MailFacts;

/// An automatic answer.
#[derive(Clone, Copy)]
pub struct AutoReply<'a> {
    /// The verified address that answers.
    pub from: &'a EmailAddress,
    /// Whom: the return path, nobody else ([`MailFacts::return_path`]).
    pub to: &'a EmailAddress,
    /// The subject; without one `Auto: ` and the mail's own.
    pub subject: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// The mail that is answered.
    pub about: &'a MailFacts,
    /// When.
    pub at: Timestamp,
}

/// What is said in place of a forward.
#[derive(Clone, Copy)]
pub struct Notice<'a> {
    /// The verified address the forward would have been sent from.
    pub from: &'a EmailAddress,
    /// Whom the forward would have gone to.
    pub to: &'a [EmailAddress],
    /// The mailbox, for the reader and the loop header.
    pub mailbox: &'a str,
    /// Who wrote the mail, as the header or SES says it.
    pub sender: &'a str,
    /// The mail's subject.
    pub subject: &'a str,
    /// The mail's size in octets, when known.
    pub size: Option<u64>,
    /// Where the mail is: `s3://bucket/key`.
    pub location: Option<&'a str>,
    /// Why it was not forwarded, in words: `it is larger than SES sends`.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// An automatic answer, RFC 3834: `Auto-Submitted: auto-replied`, threaded, to the return path only.
#[must_use]
pub fn auto_reply(reply: &AutoReply<'_>) -> Vec<u8> {
    let _ = reply;
    Vec::new()
}

/// A notice that a mail was not forwarded: who, what, how large, where it is and why.
#[must_use]
pub fn notice(notice: &Notice<'_>) -> Vec<u8> {
    let _ = notice;
    Vec::new()
}
