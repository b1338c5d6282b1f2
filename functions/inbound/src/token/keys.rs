//! The keys that sign unsubscribe tokens.

use std::fmt;

/// The keys of unsubscribe tokens. The first key signs; a token signed with any of them is valid.
#[derive(Clone)]
pub struct Keys(Vec<Vec<u8>>);

/// Why a text has no usable keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// The text is empty.
    #[error("expected at least one key, one per line")]
    Missing,
    /// A key is shorter than 32 characters.
    #[error("expected keys of at least 32 characters; for example from `openssl rand -hex 32`")]
    TooShort,
    /// The secret is in the key-value form of Secrets Manager.
    #[error("expected plain text, not JSON")]
    Json,
}

impl Keys {
    /// Parses keys, one per line. White space around a key is ignored.
    ///
    /// # Errors
    /// If there is no key, or a key is too short.
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

    /// Adds the previous keys, whose tokens stay valid.
    #[must_use]
    pub fn with_previous(mut self, previous: Self) -> Self {
        self.0.extend(previous.0);
        self
    }

    /// The key that signs.
    pub(super) fn signing_key(&self) -> Option<&[u8]> {
        self.0.first().map(Vec::as_slice)
    }

    /// Every key whose tokens are valid.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key(s)", self.0.len())
    }
}
