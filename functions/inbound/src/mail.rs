//! Reads and writes mail: header facts, forwards, reports, auto-replies. Bytes in, bytes out; no I/O and no clock.
//!
//! The header block is split by our own parser ([`HeaderBlock`]), because a forward keeps the original bytes and a general
//! parser does not. Nothing here walks the MIME tree: a forward needs only the header block, and a report only the parts of
//! one `multipart/report`. The cost of a mail therefore grows with its size, not with the number or depth of its parts.
//!
//! # What each sign forbids
//!
//! "Auto-reply" is the mailbox action `auto-reply`, "bounce" is SES `SendBounce`, "forward" includes the notice that replaces
//! a forward.
//!
//! | sign ([`AutomationSign`]) | auto-reply | bounce | forward |
//! |---|---|---|---|
//! | `Auto-Submitted` other than `no` | no | no | yes |
//! | null return path (`<>`) | no | no | yes |
//! | sender `MAILER-DAEMON`, `postmaster`, `mailer`, ... | no | no | yes |
//! | sender `noreply`, `bounce(s)`, `owner-`, `-request`, ... | no | yes | yes |
//! | `Precedence: bulk`, `list` | no | yes | yes |
//! | `Precedence: junk`, `auto_reply` | no | no | yes |
//! | `List-*`, `Feedback-ID` | no | yes | yes |
//! | `X-Auto-Response-Suppress` | no | not if it names `All` or `NDR` | yes |
//! | `X-Autoreply`, `X-Autorespond`, ... | no | no | yes |
//! | `multipart/report`: a delivery or feedback report | no | no | yes |
//! | mail from the mailbox itself | no | no | yes |
//! | forwarded by another mailbox of this stack | no | no | yes |
//! | forwarded by this mailbox before | no | no | **no** |
//! | forwarded too often, or too many `Received` fields | no | no | **no** |
//!
//! Every sign forbids an auto-reply, because an auto-reply to automatic mail goes to a program or a list
//! ([RFC 3834 section 2](https://www.rfc-editor.org/rfc/rfc3834#section-2)). A bounce is read by programs, so bulk mail to an
//! unknown address is bounced; mail whose bounces are not read, and bounces themselves, are not. A forward is read by a
//! person, so only signs of a loop forbid it. A sender can write any header field, but a sign only ever prevents an action on
//! the sender's own mail.

mod addresses;
mod authentication_results;
mod automation;
mod charset;
pub mod compose;
mod date;
mod decode;
mod encode;
mod facts;
pub mod forward;
mod header_block;
mod limits;
mod message_ids;
mod parameters;
pub mod parsed;
pub mod report;
mod report_kind;

pub use addresses::{Author, is_sendable};
pub use automation::{AutomaticAction, AutomationSign};
pub use facts::MailFacts;
pub use header_block::{Field, HeaderBlock, HeaderError};
pub use limits::Limits;
pub use report_kind::ReportKind;
