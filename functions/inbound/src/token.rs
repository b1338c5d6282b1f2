//! Unsubscribe tokens: who wants no more of what, in a text that only a holder of the key can make.
//!
//! A token stands in the `List-Unsubscribe` header of a mail and comes back with the mail that unsubscribes, so that
//! no list of what was sent has to be kept, and nobody can unsubscribe somebody else. It never expires: a mail can be
//! read years later. It grants one thing, less mail, and a person's release takes it back.
//!
//! # Format
//!
//! In any language it is a dozen lines (`examples/unsubscribe_link.py`); `tests/data/unsubscribe-tokens.json` has known
//! answers.
//!
//! ```text
//! token   = "1" base32(payload mac)      RFC 4648 base32 in lower case, without padding
//! payload = scope NUL address [NUL list [NUL topic]]      UTF-8, NUL is one zero byte
//! scope   = "g"  for global, "t" tenant name, or "d" domain
//! mac     = the first 10 bytes of HMAC-SHA256(key, "postroom-unsubscribe:1:" payload)
//! key     = the secret's text as it is, without white space around it; at least 32 bytes
//! ```
//!
//! Base32, because mail servers may change the case of a local part. The version is a digit that base32 lacks, so that a
//! token's beginning is found among other words. 80 bits, because whoever guesses needs a mail for each guess, and a
//! token is to fit into a local part.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use notification_model::EmailAddress;
use sha2::Sha256;
use store::Scope;

const VERSION: char = '1';
const DOMAIN: &[u8] = b"postroom-unsubscribe:1:";
const MAC_BYTES: usize = 10;
/// The shortest: scope, NUL, an address of three characters, and the code.
const LEAST_CHARS: usize = 1 + ((5 + MAC_BYTES) * 8).div_ceil(5);
/// Longer than the longest address with the longest names of tenant, list and topic that SES takes.
const MOST_CHARS: usize = 1500;
/// A local part's limit, [RFC 5321 section 4.5.3.1.1](https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.1).
const LOCAL_PART_BYTES: usize = 64;

/// The secrets that tokens are made with: the first signs, all of them are believed.
#[derive(Clone)]
pub struct Keys(Vec<Vec<u8>>);

/// The text holds no usable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// Nothing in it.
    #[error("expected at least one key, one a line")]
    Missing,
    /// A key that could be guessed.
    #[error("expected keys of at least 32 characters; `openssl rand -hex 32` makes one")]
    TooShort,
    /// Secrets Manager's key-value form.
    #[error("expected a plain text, not JSON")]
    Json,
}

impl Keys {
    /// Reads keys, one a line. What is around a key is not part of it.
    ///
    /// # Errors
    /// When there is none, or one that is too short.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        if text.trim_start().starts_with('{') {
            return Err(InvalidKeys::Json);
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<Vec<u8>> = lines.map(|line| line.as_bytes().to_vec()).collect();
        if keys.is_empty() {
            return Err(InvalidKeys::Missing);
        }
        if keys.iter().any(|key| key.len() < 32) {
            return Err(InvalidKeys::TooShort);
        }
        Ok(Self(keys))
    }

    /// These keys, and older ones that are still believed.
    #[must_use]
    pub fn with_previous(mut self, previous: Self) -> Self {
        self.0.extend(previous.0);
        self
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key(s)", self.0.len())
    }
}

/// Who wants no more of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    scope: Scope,
    leaves: Leaves,
    address: EmailAddress,
}

/// What somebody wants no more of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Leaves {
    /// All mail of the scope.
    Everything,
    /// A whole contact list.
    List(String),
    /// One topic of a contact list.
    Topic {
        /// The list.
        list: String,
        /// The topic in it.
        topic: String,
    },
}

/// Why a text is no token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It does not look like one.
    #[error("not a token")]
    Shape,
    /// Made without a key that is known here, or changed since.
    #[error("a token made with another key, or changed")]
    Mac,
    /// Made with a known key, by somebody who does not keep to the format.
    #[error("a token with a valid code that cannot be read: {0}")]
    Content(&'static str),
}

impl Token {
    /// A token for this wish.
    ///
    /// # Errors
    /// When a name is empty or holds a control character.
    pub fn new(scope: Scope, leaves: Leaves, address: EmailAddress) -> Result<Self, TokenError> {
        let plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        let scope_is_plain = match &scope {
            Scope::Global => true,
            Scope::Tenant(name) | Scope::TenantOf(_, name) | Scope::Domain(name) => plain(name),
        };
        let leaves_is_plain = match &leaves {
            Leaves::Everything => true,
            Leaves::List(list) => plain(list),
            Leaves::Topic { list, topic } => plain(list) && plain(topic),
        };
        if !scope_is_plain {
            return Err(TokenError::Content("expected a scope with a plain name"));
        }
        if !leaves_is_plain {
            return Err(TokenError::Content("expected a list and a topic with plain names"));
        }
        if address.domain().is_none() || !plain(address.as_str()) {
            return Err(TokenError::Content("expected a mail address"));
        }
        Ok(Self { scope, leaves, address })
    }

    /// Where the wish holds.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What is no longer wanted.
    #[must_use]
    pub fn leaves(&self) -> &Leaves {
        &self.leaves
    }

    /// Whose wish it is: the recipient of the mail the token stood in.
    #[must_use]
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// The token's text, made with the first key.
    #[must_use]
    pub fn sign(&self, keys: &Keys) -> String {
        let scope = match &self.scope {
            Scope::Global => "g".to_owned(),
            Scope::Tenant(name) => format!("t{name}"),
            Scope::TenantOf(account, name) => format!("t{account}/{name}"),
            Scope::Domain(name) => format!("d{name}"),
        };
        let mut fields = vec![scope.as_str(), self.address.as_str()];
        match &self.leaves {
            Leaves::Everything => {}
            Leaves::List(list) => fields.push(list),
            Leaves::Topic { list, topic } => fields.extend([list.as_str(), topic.as_str()]),
        }
        let mut bytes = fields.join("\0").into_bytes();
        if let Some(mac) = keys.0.first().and_then(|key| mac(key, &bytes)) {
            let code = mac.finalize().into_bytes();
            bytes.extend(code.iter().take(MAC_BYTES));
        }
        format!("{VERSION}{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }

    /// Reads a token in any case, made with any of the keys.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str, keys: &Keys) -> Result<Self, TokenError> {
        let encoded = text.strip_prefix(VERSION).ok_or(TokenError::Shape)?;
        if !(LEAST_CHARS..=MOST_CHARS).contains(&text.len()) {
            return Err(TokenError::Shape);
        }
        let bytes = BASE32_NOPAD.decode(encoded.to_ascii_uppercase().as_bytes());
        let bytes = bytes.map_err(|_| TokenError::Shape)?;
        let payload_bytes = bytes.len().saturating_sub(MAC_BYTES);
        let (payload, code) = bytes.split_at_checked(payload_bytes).ok_or(TokenError::Shape)?;
        // The comparison takes the same time wherever the codes differ.
        let made_with = |key: &Vec<u8>| mac(key, payload).is_some_and(|mac| mac.verify_truncated_left(code).is_ok());
        if !keys.0.iter().any(made_with) {
            return Err(TokenError::Mac);
        }
        let payload = std::str::from_utf8(payload).map_err(|_| TokenError::Content("expected UTF-8"))?;
        Self::from_payload(payload)
    }

    fn from_payload(payload: &str) -> Result<Self, TokenError> {
        let fields: Vec<&str> = payload.split('\0').collect();
        let (scope, address, leaves) = match *fields.as_slice() {
            [scope, address] => (scope, address, Leaves::Everything),
            [scope, address, list] => (scope, address, Leaves::List(list.to_owned())),
            [scope, address, list, topic] => {
                let (list, topic) = (list.to_owned(), topic.to_owned());
                (scope, address, Leaves::Topic { list, topic })
            }
            _ => return Err(TokenError::Content("expected two to four fields")),
        };
        let scope = match (scope, scope.split_at_checked(1)) {
            ("g", _) => Some(Scope::Global),
            (_, Some(("t", name))) => Some(Scope::of_tenant(name)),
            // Normalised, so that the language a token was made in does not matter.
            (_, Some(("d", name))) => format!("domain:{name}").parse().ok(),
            _ => None,
        };
        let scope = scope.ok_or(TokenError::Content("expected a scope: g, tNAME or dNAME"))?;
        let address = EmailAddress::parse(address).ok_or(TokenError::Content("expected a mail address"))?;
        Self::new(scope, leaves, address)
    }
}

fn mac(key: &[u8], payload: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(DOMAIN);
    mac.update(payload);
    Some(mac)
}

/// What may be a token in a mail: the tag of the address it was sent to (`unsubscribe+TOKEN@example.com`), and the words
/// of its subject. [`Token::read`] tells which is one.
#[must_use]
pub fn find(recipient: &EmailAddress, subject: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let tag = recipient
        .as_str()
        .rsplit_once('@')
        .and_then(|(local, _)| local.split_once('+'));
    found.extend(tag.map(|(_, tag)| tag.to_owned()));

    // The beginning of a token is the first thing in a subject that reads like one: answers put words before it.
    let subject: String = subject.unwrap_or_default().chars().take(MOST_CHARS * 2).collect();
    for word in subject.split(|c: char| !c.is_ascii_alphanumeric()) {
        found.push(word.to_owned());
    }
    // A mail server that breaks a long subject leaves white space within the token.
    if let Some((_, rest)) = subject.split_once(VERSION) {
        found.push(format!("{VERSION}{}", rest.split_whitespace().collect::<String>()));
    }
    found.retain(|text| text.starts_with(VERSION) && (LEAST_CHARS..=MOST_CHARS).contains(&text.len()));
    found.dedup();
    found
}

/// The `mailto:` address for `List-Unsubscribe`: the token as the mailbox's tag where a local part has room for it, else
/// in the subject ([RFC 6068](https://www.rfc-editor.org/rfc/rfc6068)).
#[must_use]
pub fn mailto(token: &str, mailbox: &EmailAddress) -> String {
    let (local, domain) = mailbox.key().rsplit_once('@').unwrap_or((mailbox.key(), ""));
    let tagged = local.len() + 1 + token.len() <= LOCAL_PART_BYTES && !local.contains(['+', '"']);
    let local = encoded(local);
    if tagged {
        format!("mailto:{local}+{token}@{domain}?subject=unsubscribe")
    } else {
        format!("mailto:{local}@{domain}?subject=unsubscribe%20{token}")
    }
}

fn encoded(local: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+!$'*".contains(&byte);
    let one = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    local.bytes().map(one).collect()
}
