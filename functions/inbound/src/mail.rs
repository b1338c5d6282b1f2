//! The mail itself: what its header says, how it is forwarded, what it reports. Bytes in, bytes out; no I/O, no clock.
//!
//! The header block is scanned by our own code ([`Head`]), because a forward keeps bytes and a general parser does not.
//! Nothing here walks the MIME tree of a mail: a forward needs only the header block, and a report only the parts of one
//! `multipart/report`. So a million parts, or parts nested a million deep, cost no more than the bytes they are made of.
//!
//! # What forbids what
//!
//! An answer is an auto-reply, a bounce is SES `SendBounce`. A newsletter may be forwarded, a loop may not.
//!
//! | sign ([`LoopSign`]) | answer | bounce | forward |
//! |---|---|---|---|
//! | `Auto-Submitted` other than `no` | no | no | yes |
//! | null return path (`<>`) | no | no | yes |
//! | sender `MAILER-DAEMON`, `postmaster`, `mailer`, `bounce(s)` | no | no | yes |
//! | sender `noreply`, `owner-`, `-request`, ... | no | yes | yes |
//! | `Precedence: bulk`, `list` | no | yes | yes |
//! | `Precedence: junk`, `auto_reply` | no | no | yes |
//! | `List-*`, `Feedback-ID` | no | yes | yes |
//! | `X-Auto-Response-Suppress` | no | not if it names `All` or `NDR` | yes |
//! | `X-Autoreply`, `X-Autorespond`, ... | no | no | yes |
//! | `multipart/report`, a delivery or feedback report | no | no | yes |
//! | mail from the mailbox itself | no | no | yes |
//! | forwarded by another of our mailboxes | no | no | yes |
//! | forwarded by this mailbox before | no | no | **no** |
//! | forwarded too often, or too many `Received` | no | no | **no** |
//!
//! Why: an answer to automatic mail talks to a machine or to a list (RFC 3834 section 2), so every sign forbids it. A
//! bounce is meant for machines: a newsletter to an address that does not exist is what a bounce is for; only mail whose
//! bounce nobody reads, or that is one itself, must not be bounced. A forward shows a person the mail, whatever wrote it:
//! only what shows that it comes round again forbids it. Who can write a header can forbid only what happens to his own
//! mail, never cause anything.

pub mod compose;
mod facts;
pub mod forward;
mod head;
pub mod report;
mod text;

/// Whether SES sends to an address: not to a quoted local part, nor to one that is not ASCII.
#[must_use]
pub fn is_sendable(address: &notification_model::EmailAddress) -> bool {
    text::usable(address.as_str()).is_some()
}

pub use facts::{Author, AutomaticAction, LoopSign, MailFacts, ReportKind};
pub use head::{Field, Head, HeadError};

/// How much of a mail is looked at. Mail beyond a limit gets a deliberate error, never half a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The header block in octets. Real ones stay below 100 KB; SES stores up to 40 MB of anything.
    pub header_bytes: usize,
    /// Fields of the header block.
    pub header_fields: usize,
    /// Parts of a report that are looked at; a report has three.
    pub parts: usize,
    /// The largest report that is read, in octets. It may return the whole message it is about.
    pub report_bytes: usize,
    /// The largest mail that is forwarded, rewritten header included, in octets: SESv2 takes 40 MB.
    pub forward_bytes: usize,
    /// How often Postroom may have forwarded a mail before.
    pub own_hops: usize,
    /// How many `Received` fields a mail may have before it counts as a loop, as Postfix has it.
    pub received_hops: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 512 * 1024,
            header_fields: 1000,
            parts: 20,
            report_bytes: 10 * 1024 * 1024,
            forward_bytes: 40_000_000,
            own_hops: 4,
            received_hops: 50,
        }
    }
}
