//! Reads the header of a mail, from the SES event or from the mail itself.

use notification_model::Received;

use super::facts::HeaderFacts;
use crate::mail::{HeaderBlock, Limits, MailFacts};

/// The header in the SES event; [`HeaderFacts::Unknown`] if the event has no headers or truncated ones.
#[must_use]
pub fn event_header_facts(received: &Received, limits: &Limits) -> HeaderFacts {
    let mail = &received.mail;
    if mail.headers.is_empty() || mail.headers_truncated == Some(true) {
        return HeaderFacts::Unknown;
    }
    let mut block = Vec::new();
    for header in &mail.headers {
        let value = header.value.replace(['\r', '\n'], " ");
        block.extend_from_slice(format!("{}: {value}\r\n", header.name).as_bytes());
    }
    block.extend_from_slice(b"\r\n");
    read_header_facts(&block, true, received, limits)
}

/// The header of a mail. `whole` is false if `mail` is only the beginning of it.
#[must_use]
pub fn read_header_facts(mail: &[u8], whole: bool, received: &Received, limits: &Limits) -> HeaderFacts {
    let header = match whole {
        true => HeaderBlock::parse(mail, limits),
        false => HeaderBlock::parse_beginning(mail, limits),
    };
    match header {
        Ok(header) => HeaderFacts::Read(Box::new(MailFacts::read(
            &header,
            received.mail.source.as_deref(),
            limits,
        ))),
        Err(error) => HeaderFacts::Unreadable(error.to_string()),
    }
}
