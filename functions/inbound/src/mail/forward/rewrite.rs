//! The parameters of a forward.

use jiff::Timestamp;
use notification_model::EmailAddress;

/// Where a forward shows that DMARC fails with a policy that forbids the mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardMark {
    /// Nowhere.
    #[default]
    None,
    /// In the display name of `From`.
    Name,
    /// At the beginning of `Subject`.
    Subject,
}

/// The parameters of a forward.
#[derive(Debug, Clone, Copy)]
pub struct Rewrite<'a> {
    /// The value of the loop header field: an address or a domain. Not `*`, because the catch-all mailbox of another
    /// Postroom stack has the same key, and a forward to it is not a loop.
    pub mailbox: &'a str,
    /// The verified address that sends the forward.
    pub from: &'a EmailAddress,
    /// The addresses of `Resent-To`. Pass the same addresses to SES as `Destination`: SES then ignores `To` and `Cc`, which
    /// keep the original recipients.
    pub to: &'a [EmailAddress],
    /// The envelope recipients of the mailbox, for `X-Original-To`. A `Bcc` recipient is in no other field.
    pub recipients: &'a [EmailAddress],
    /// Where the forward shows that DMARC fails.
    pub mark: ForwardMark,
    /// SES's verdicts for `X-Postroom-Verdicts`, for example `spam=PASS; virus=PASS; spf=GRAY`.
    pub verdicts: &'a str,
    /// SES's id of the mail. It becomes part of `Resent-Message-ID`.
    pub message_id: &'a str,
    /// The time of the forward, for `Resent-Date`.
    pub at: Timestamp,
}
