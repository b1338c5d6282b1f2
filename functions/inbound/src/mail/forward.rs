//! Makes a forward: a new header block, and the original body byte for byte.
//!
//! SES signs mail that it sends and rejects mail with an invalid header, so the header block is written anew. A field that is
//! kept and valid keeps its bytes. The rules of SES are in
//! [Header fields](https://docs.aws.amazon.com/ses/latest/dg/header-fields.html).
//!
//! | field | in the forward | reason |
//! |---|---|---|
//! | `From` | the verified address with the name `Jane Doe (jane at shop.example)` | SES sends from verified addresses only. The name shows the author. It has `at`, because spam filters look for a name with an address that differs from the field's |
//! | `From` of mail that fails DMARC with the policy quarantine or reject | the name begins with `[DMARC failed]`; or the subject does, as the mailbox is set | the reader sees that `From` may be forged |
//! | `Reply-To` | that of the original, else its `From` | a reply goes to the author. SES rejects some addresses: a local part that is not ASCII, is quoted or has two dots. If it rejects all of them, the name in `From` says that replies do not arrive |
//! | `X-Original-To` | the envelope recipients | `To` does not name `Bcc` recipients. That of the original is dropped, as `Envelope-To` and similar fields: any sender can write them |
//! | `Original-From`, `Original-Message-ID`, `X-Postroom-Original-Date` | the original values | SES replaces `Message-ID` and `Date` |
//! | `References` | the original ids and the original `Message-ID` | a reply to the forward joins the author's thread (RFC 5322 section 3.6.4) |
//! | `To`, `Cc` | written anew from the original addresses | they show the original recipients, who get no mail. SES rejects an invalid address, so a field with one is copied to `X-Postroom-Original-To` or `-Cc` |
//! | `Resent-From`, `-To`, `-Date`, `-Message-ID` | those of the forward, above older ones | RFC 5322 section 3.6.6 |
//! | `X-Postroom-Forwarded` | the mailbox, above older ones | detects loops |
//! | `X-Postroom-Verdicts` | SES's verdicts | other `X-Postroom-*` fields are dropped, because any sender can write them |
//! | fields that SES accepts once only | the first | SES rejects duplicates |
//! | `Content-*`, `MIME-Version` | the first of each, with corrected parameters | the body is unchanged |
//! | `Date` | unchanged if valid, corrected if it can be parsed, else the time of the forward | a mail must have a date |
//! | `Message-ID`, `Return-Path`, `Sender`, `Errors-To`, `Bounces-To` | dropped | they name another sender; SES writes its own |
//! | `DKIM-Signature`, `ARC-*`, ... | dropped | they sign `From`, which changes; a broken signature is worse than none |
//! | `Authentication-Results`, `Received-SPF`, `X-Spam-*`, `X-MS-Exchange-Organization-*` | dropped | any sender can write them, and the next server trusts the forward |
//! | `X-SES-*`, `Feedback-ID` | dropped | they control SES: identity, configuration set, tenant, list |
//! | `Bcc`, `Resent-Bcc`, `Delivered-To` | dropped | hidden recipients; the next server takes `Delivered-To` for a loop |
//! | `Disposition-Notification-To`, `Return-Receipt-To`, ... | dropped | a receipt would disclose the forward target to the author |
//! | all other fields | kept | `Received`, `List-*`, `Subject`, ... |
//!
//! 8-bit text is read as UTF-8 or in the character set that the mail declares, and becomes encoded words (RFC 2047) or, in MIME
//! parameters, RFC 2231. In an unknown character set, the octets are kept with the charset `unknown-8bit` (RFC 1428). A MIME
//! parameter without a value is dropped, and one with spaces is quoted, because SES rejects them. A value whose encoded words decode to line
//! breaks is written anew without them.

mod field_rules;
mod header;
mod rewrite;

pub use self::rewrite::{ForwardMark, Rewrite};
use super::addresses::sendable_address;
use super::{HeaderBlock, HeaderError, Limits};

/// A forward. It borrows the body, so that a mail of 40 MB is copied only once, by [`to_vec`](Self::to_vec).
#[derive(Clone, PartialEq, Eq)]
pub struct Forward<'a> {
    /// The new header block, including the empty line.
    pub header: Vec<u8>,
    /// The original body.
    pub body: &'a [u8],
}

/// Why a mail cannot be made a forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// The header block cannot be read.
    #[error("the header block cannot be read: {0}")]
    Header(#[from] HeaderError),
    /// The forward is larger than SES accepts.
    #[error("the forward would have {size} octets, more than {limit}")]
    TooLarge {
        /// The size of the forward in octets.
        size: usize,
        /// [`Limits::forward_bytes`]
        limit: usize,
    },
    /// SES cannot send from the address: it has no domain, or a local part that is not ASCII.
    #[error("SES cannot send from the address that forwards")]
    InvalidSender,
}

impl Forward<'_> {
    /// The whole mail, for the raw content of the SES API v2.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        [&self.header, self.body].concat()
    }
}

/// Makes a forward.
///
/// # Errors
/// If the header block exceeds the limits, the forward is too large, or SES cannot send from `rewrite.from`.
pub fn rewrite<'a>(mail: &'a [u8], rewrite: &Rewrite<'_>, limits: &Limits) -> Result<Forward<'a>, ForwardError> {
    let original = HeaderBlock::parse(mail, limits)?;
    let sender = sendable_address(rewrite.from.as_str()).ok_or(ForwardError::InvalidSender)?;
    let header = header::write_header(&original, rewrite, &sender);
    let body = mail.get(original.body_offset()..).unwrap_or_default();
    let size = header.len() + body.len();
    if size > limits.forward_bytes {
        return Err(ForwardError::TooLarge {
            size,
            limit: limits.forward_bytes,
        });
    }
    Ok(Forward { header, body })
}
