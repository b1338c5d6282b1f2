//! The format of an unsubscribe token: signing and verification.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use notification_model::EmailAddress;
use sha2::Sha256;
use store::Scope;

use crate::keys::Keys;

/// The first character of a token without times, and of one with times. Base32 has neither.
pub(super) const VERSIONS: [char; 2] = [WITHOUT_TIMES, WITH_TIMES];
const WITHOUT_TIMES: char = '1';
const WITH_TIMES: char = '9';
/// The shortest token: version, scope, NUL, an address of three characters, and the MAC.
pub(super) const MIN_CHARS: usize = 1 + ((5 + MAC_BYTES) * 8).div_ceil(5);
/// Longer than a token with the longest address and the longest names of tenant, list and topic that SES accepts.
pub(super) const MAX_CHARS: usize = 1500;
const MAC_BYTES: usize = 10;

/// An unsubscribe token: which address does not want which mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    scope: Scope,
    unsubscribe_from: UnsubscribeFrom,
    address: EmailAddress,
    times: Option<Times>,
}

/// When a token was issued, and when it ends. In full seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    issued_at: Timestamp,
    expires_at: Option<Timestamp>,
}

/// The mail that a recipient does not want.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UnsubscribeFrom {
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

/// Why a text is not a valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The text does not have the format of a token.
    #[error("the text is not a token")]
    Malformed,
    /// The token was signed with an unknown key or was changed.
    #[error("the token was signed with an unknown key or was changed")]
    InvalidMac,
    /// The token was signed with a known key, but its payload is invalid.
    #[error("the token has an invalid payload: {0}")]
    InvalidPayload(&'static str),
    /// The token has ended.
    #[error("the token has expired")]
    Expired,
}

impl TokenError {
    /// The reason in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::InvalidMac => "invalid-mac",
            Self::InvalidPayload(_) => "invalid-payload",
            Self::Expired => "expired",
        }
    }
}

impl Token {
    /// Creates a token.
    ///
    /// # Errors
    /// If a name is empty or contains a control character, or the address has no domain.
    pub fn new(scope: Scope, unsubscribe_from: UnsubscribeFrom, address: EmailAddress) -> Result<Self, TokenError> {
        let is_plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        let scope_is_plain = match &scope {
            Scope::Global => true,
            Scope::Tenant(name) | Scope::TenantOf(_, name) | Scope::Domain(name) => is_plain(name),
            // A recipient unsubscribes from the mail of a sender. Forwards are configured by the owner of the mailbox.
            Scope::Forward(_) => {
                return Err(TokenError::InvalidPayload(
                    "expected a scope other than forward:MAILBOX",
                ));
            }
        };
        let target_is_plain = match &unsubscribe_from {
            UnsubscribeFrom::Everything => true,
            UnsubscribeFrom::List(list) => is_plain(list),
            UnsubscribeFrom::Topic { list, topic } => is_plain(list) && is_plain(topic),
        };
        if !scope_is_plain {
            return Err(TokenError::InvalidPayload(
                "expected a scope name without control characters",
            ));
        }
        if !target_is_plain {
            return Err(TokenError::InvalidPayload(
                "expected list and topic names without control characters",
            ));
        }
        if address.domain().is_none() || !is_plain(address.as_str()) {
            return Err(TokenError::InvalidPayload("expected a mail address"));
        }
        Ok(Self {
            scope,
            unsubscribe_from,
            address,
            times: None,
        })
    }

    /// Adds the time at which the token is issued, and optionally its end. A subscription after the issue wins over the token.
    #[must_use]
    pub fn issued(self, issued_at: Timestamp, expires_at: Option<Timestamp>) -> Self {
        let seconds = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        let times = Some(Times {
            issued_at: seconds(issued_at),
            expires_at: expires_at.map(seconds),
        });
        Self { times, ..self }
    }

    /// When the token was issued, if it says so.
    #[must_use]
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.times.map(|times| times.issued_at)
    }

    /// The scope in which the address is suppressed.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The mail that the recipient does not want.
    #[must_use]
    pub fn unsubscribe_from(&self) -> &UnsubscribeFrom {
        &self.unsubscribe_from
    }

    /// The recipient of the mail that had the token.
    #[must_use]
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// The text of the token, signed with the first key.
    #[must_use]
    pub fn sign(&self, keys: &Keys) -> String {
        let scope = match &self.scope {
            Scope::Global => "g".to_owned(),
            Scope::Tenant(name) => format!("t{name}"),
            Scope::TenantOf(account, name) => format!("t{account}/{name}"),
            Scope::Domain(name) => format!("d{name}"),
            // `new` rejects it, and no token has this scope.
            Scope::Forward(_) => String::new(),
        };
        let times = self.times.map(|times| {
            let seconds = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.as_second().to_string());
            [seconds(Some(times.issued_at)), seconds(times.expires_at)]
        });
        let version = if times.is_some() { WITH_TIMES } else { WITHOUT_TIMES };
        let mut fields: Vec<&str> = times.iter().flatten().map(String::as_str).collect();
        fields.extend([scope.as_str(), self.address.as_str()]);
        match &self.unsubscribe_from {
            UnsubscribeFrom::Everything => {}
            UnsubscribeFrom::List(list) => fields.push(list),
            UnsubscribeFrom::Topic { list, topic } => fields.extend([list.as_str(), topic.as_str()]),
        }
        let mut bytes = fields.join("\0").into_bytes();
        if let Some(mac) = keys.signing_key(&self.scope).and_then(|key| mac(key, version, &bytes)) {
            let code = mac.finalize().into_bytes();
            bytes.extend(code.iter().take(MAC_BYTES));
        }
        format!("{version}{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }

    /// Verifies a token at a time.
    ///
    /// # Errors
    /// If the text is not a valid token, or the token has ended.
    pub fn read_at(text: &str, keys: &Keys, now: Timestamp) -> Result<Self, TokenError> {
        let token = Self::read(text, keys)?;
        let expires_at = token.times.and_then(|times| times.expires_at);
        match expires_at.is_some_and(|end| end <= now) {
            true => Err(TokenError::Expired),
            false => Ok(token),
        }
    }

    /// Verifies a token with any of the keys for its scope, whether it has ended or not. The case of the text is ignored.
    ///
    /// # Errors
    /// If the text is not a valid token.
    pub fn read(text: &str, keys: &Keys) -> Result<Self, TokenError> {
        let version = text.chars().next().filter(|first| VERSIONS.contains(first));
        let version = version.ok_or(TokenError::Malformed)?;
        let encoded = text.strip_prefix(version).ok_or(TokenError::Malformed)?;
        if !(MIN_CHARS..=MAX_CHARS).contains(&text.len()) {
            return Err(TokenError::Malformed);
        }
        let bytes = BASE32_NOPAD.decode(encoded.to_ascii_uppercase().as_bytes());
        let bytes = bytes.map_err(|_| TokenError::Malformed)?;
        let payload_bytes = bytes.len().saturating_sub(MAC_BYTES);
        let (payload, code) = bytes.split_at_checked(payload_bytes).ok_or(TokenError::Malformed)?;
        // The comparison takes constant time.
        let is_signed_with =
            |key: &[u8]| mac(key, version, payload).is_some_and(|mac| mac.verify_truncated_left(code).is_ok());
        // The payload is not trusted before the MAC is verified. It only chooses among the keys.
        let token = std::str::from_utf8(payload)
            .map_err(|_| TokenError::InvalidPayload("expected UTF-8"))
            .and_then(|payload| Self::from_payload(version, payload));
        let scope = token.as_ref().ok().map(|token| &token.scope);
        if !keys.valid_for(scope).any(is_signed_with) {
            return Err(TokenError::InvalidMac);
        }
        token
    }

    fn from_payload(version: char, payload: &str) -> Result<Self, TokenError> {
        let fields: Vec<&str> = payload.split('\0').collect();
        let (times, fields) = match (version, fields.as_slice()) {
            (WITH_TIMES, [issued_at, expires_at, fields @ ..]) => (Some(read_times(issued_at, expires_at)?), fields),
            (_, fields) => (None, fields),
        };
        let (scope, address, unsubscribe_from) = match *fields {
            [scope, address] => (scope, address, UnsubscribeFrom::Everything),
            [scope, address, list] => (scope, address, UnsubscribeFrom::List(list.to_owned())),
            [scope, address, list, topic] => {
                let (list, topic) = (list.to_owned(), topic.to_owned());
                (scope, address, UnsubscribeFrom::Topic { list, topic })
            }
            _ => return Err(TokenError::InvalidPayload("expected two to four fields")),
        };
        let scope = match (scope, scope.split_at_checked(1)) {
            ("g", _) => Some(Scope::Global),
            (_, Some(("t", name))) => Some(Scope::of_tenant(name)),
            // Normalised, because programs in other languages also sign tokens.
            (_, Some(("d", name))) => format!("domain:{name}").parse().ok(),
            _ => None,
        };
        let scope = scope.ok_or(TokenError::InvalidPayload("expected a scope: g, tNAME or dNAME"))?;
        let address = EmailAddress::parse(address).ok_or(TokenError::InvalidPayload("expected a mail address"))?;
        let token = Self::new(scope, unsubscribe_from, address)?;
        Ok(Self { times, ..token })
    }
}

fn read_times(issued_at: &str, expires_at: &str) -> Result<Times, TokenError> {
    let invalid = TokenError::InvalidPayload("expected times in seconds since the epoch");
    let seconds = |text: &str| {
        text.parse()
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
    };
    Ok(Times {
        issued_at: seconds(issued_at).ok_or(invalid)?,
        expires_at: match expires_at {
            "" => None,
            text => Some(seconds(text).ok_or(invalid)?),
        },
    })
}

fn mac(key: &[u8], version: char, payload: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC accepts keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("postroom-unsubscribe:{version}:").as_bytes());
    mac.update(payload);
    Some(mac)
}
