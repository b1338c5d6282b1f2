//! Settings from environment variables.
//!
//! Each function has a `Settings` or `Policy` type with a constructor `from_env(get)`, which reads its variables through
//! an [`Environment`]. Tests pass a closure instead of the process environment.
//!
//! ```
//! use lambda_kit::{Environment, InvalidSetting};
//!
//! struct Settings {
//!     table: String,
//!     concurrency: usize,
//! }
//!
//! impl Settings {
//!     fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
//!         let environment = Environment::new(get);
//!         Ok(Self {
//!             table: environment.required("TABLE_NAME", "the name of the DynamoDB table")?,
//!             concurrency: environment.number("CONCURRENCY", 1..=1000, 16)?,
//!         })
//!     }
//! }
//!
//! let error = Settings::from_env(|name| (name == "CONCURRENCY").then(|| "many".to_owned())).err();
//! assert_eq!(
//!     error.unwrap().to_string(),
//!     "environment variable TABLE_NAME: expected the name of the DynamoDB table"
//! );
//! ```
//!
//! # Why not `envy` or `serde-env`
//!
//! An operator who mistypes a template parameter reads the error in the function's log, so it must name the variable and
//! the values it accepts. `serde-env` 0.3 never names the variable ("invalid digit found in string", "no variant found").
//! `envy` 0.4 names it for numbers only, not for enums and ranges ("unknown variant `all`, expected `none` or `tenant`"),
//! and treats an empty variable as a value, although a template sets an unused parameter to an empty string.

use std::fmt;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// An environment variable is missing or has a value that is not accepted.
///
/// The message names the variable and what it accepts. It does not quote the value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {variable}: expected {expected}")]
pub struct InvalidSetting {
    variable: String,
    expected: String,
}

impl InvalidSetting {
    /// Creates an error for `variable`. `expected` completes the phrase "expected ...".
    #[must_use]
    pub fn new(variable: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            variable: variable.into(),
            expected: expected.into(),
        }
    }
}

/// Returns the name of the stack, the value of the dimension `Stack` of every metric, from the environment variable
/// `STACK_NAME`. Without a stack, as with `cargo lambda watch`, it is `local`.
#[must_use]
pub fn stack_name(get: impl Fn(&str) -> Option<String>) -> String {
    let name = Environment::new(get).optional("STACK_NAME");
    name.unwrap_or_else(|| "local".to_owned())
}

/// Reads typed values from environment variables.
///
/// Values are trimmed. An empty variable counts as unset, because a template sets unused parameters to an empty string.
pub struct Environment<G> {
    get: G,
}

impl<G: Fn(&str) -> Option<String>> Environment<G> {
    /// Creates a reader on `get`, for example `|name| std::env::var(name).ok()`.
    pub fn new(get: G) -> Self {
        Self { get }
    }

    /// Returns the value, or `None` if the variable is unset or empty.
    pub fn optional(&self, variable: &str) -> Option<String> {
        let value = (self.get)(variable)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Returns the value without trimming, for values in which surrounding spaces matter. Default: empty.
    pub fn untrimmed(&self, variable: &str) -> String {
        (self.get)(variable).unwrap_or_default()
    }

    /// Returns the value of a variable that has no default.
    ///
    /// # Errors
    /// If the variable is unset or empty. `expected` describes the value in the message.
    pub fn required(&self, variable: &str, expected: &str) -> Result<String, InvalidSetting> {
        self.optional(variable)
            .ok_or_else(|| InvalidSetting::new(variable, expected))
    }

    /// Returns the value that `parse` reads, or `None` if the variable is unset or empty.
    ///
    /// # Errors
    /// If `parse` returns `None`. `expected` describes the accepted values in the message.
    pub fn parsed<T>(
        &self,
        variable: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, InvalidSetting> {
        let Some(value) = self.optional(variable) else {
            return Ok(None);
        };
        match parse(&value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(InvalidSetting::new(variable, expected)),
        }
    }

    /// Returns a number within `range`.
    ///
    /// # Errors
    /// If the value is not a number or is outside the range.
    pub fn number<T>(&self, variable: &str, range: RangeInclusive<T>, default: T) -> Result<T, InvalidSetting>
    where
        T: FromStr + PartialOrd + Display,
    {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        let parse = |text: &str| text.parse().ok().filter(|number| range.contains(number));
        Ok(self.parsed(variable, &expected, parse)?.unwrap_or(default))
    }

    /// Returns a number that is at least 1.
    ///
    /// # Errors
    /// If the value is not a number or is less than 1.
    pub fn positive_number<T>(&self, variable: &str, default: T) -> Result<T, InvalidSetting>
    where
        T: FromStr + PartialOrd + From<u8>,
    {
        let parse = |text: &str| text.parse().ok().filter(|number| *number >= T::from(1));
        Ok(self
            .parsed(variable, "a number of at least 1", parse)?
            .unwrap_or(default))
    }

    /// Returns the value of a `true` or `false` variable.
    ///
    /// # Errors
    /// If the value is neither.
    pub fn flag(&self, variable: &str, default: bool) -> Result<bool, InvalidSetting> {
        self.choice(variable, &[("true", true), ("false", false)], default)
    }

    /// Returns the choice whose name is the value.
    ///
    /// # Errors
    /// If the value is none of the names. The message lists them.
    pub fn choice<T: Copy>(&self, variable: &str, choices: &[(&str, T)], default: T) -> Result<T, InvalidSetting> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let expected = match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => names.concat(),
        };
        let parse = |text: &str| {
            let choice = choices.iter().find(|(name, _)| *name == text);
            choice.map(|(_, choice)| *choice)
        };
        Ok(self.parsed(variable, &expected, parse)?.unwrap_or(default))
    }
}

/// Shows no variable, because credentials are among them.
impl<G> fmt::Debug for Environment<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
