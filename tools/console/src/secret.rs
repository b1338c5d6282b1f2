//! Random secrets: the sign-in token, the session and the token of forms.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq;

/// A random value of 160 bits, as text of the letters `a` to `z` and the digits 2 to 7.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// # Errors
    /// If the operating system has no random numbers.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes)?;
        Ok(Self(BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()))
    }

    /// Compares in constant time, so that no response time reveals how much of a guess is right.
    pub(crate) fn matches(&self, guess: &str) -> bool {
        self.0.as_bytes().ct_eq(guess.as_bytes()).into()
    }

    /// The secret itself: for the link, the cookie and the form, never for a log.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
