//! Where a token is in the mail that unsubscribes: in the tag of the address, or in the subject.

use notification_model::EmailAddress;

use crate::format::{MAX_CHARS, MIN_CHARS, VERSIONS};

/// The maximum length of a local part, [RFC 5321 section 4.5.3.1.1](https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.1).
const MAX_LOCAL_PART_OCTETS: usize = 64;

/// The texts of a mail that may be tokens: the tag of the recipient (`unsubscribe+TOKEN@example.com`), and the words of the
/// subject. [`Token::read`](crate::Token::read) verifies them.
#[must_use]
pub fn find(recipient: &EmailAddress, subject: Option<&str>) -> Vec<String> {
    let mut candidates = Vec::new();
    let tag = recipient
        .as_str()
        .rsplit_once('@')
        .and_then(|(local, _)| local.split_once('+'));
    candidates.extend(tag.map(|(_, tag)| tag.to_owned()));

    // A mail program may add words before the token, such as `Re:`.
    let subject: String = subject.unwrap_or_default().chars().take(MAX_CHARS * 2).collect();
    for word in subject.split(|c: char| !c.is_ascii_alphanumeric()) {
        candidates.push(word.to_owned());
    }
    // A mail server that folds a long subject leaves white space in the token.
    for version in VERSIONS {
        if let Some((_, rest)) = subject.split_once(version) {
            candidates.push(format!("{version}{}", rest.split_whitespace().collect::<String>()));
        }
    }
    candidates.retain(|text| text.starts_with(VERSIONS) && (MIN_CHARS..=MAX_CHARS).contains(&text.len()));
    candidates.dedup();
    candidates
}

/// The `mailto:` address for `List-Unsubscribe` ([RFC 6068](https://www.rfc-editor.org/rfc/rfc6068)). The token is the tag of
/// the mailbox if the local part has room for it, else it is in the subject.
#[must_use]
pub fn mailto(token: &str, mailbox: &EmailAddress) -> String {
    let (local, domain) = mailbox.key().rsplit_once('@').unwrap_or((mailbox.key(), ""));
    let tagged = local.len() + 1 + token.len() <= MAX_LOCAL_PART_OCTETS && !local.contains(['+', '"']);
    let local = percent_encode(local);
    if tagged {
        format!("mailto:{local}+{token}@{domain}?subject=unsubscribe")
    } else {
        format!("mailto:{local}@{domain}?subject=unsubscribe%20{token}")
    }
}

fn percent_encode(local: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+!$'*".contains(&byte);
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    local.bytes().map(encode).collect()
}
