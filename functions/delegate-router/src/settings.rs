//! The settings of the function, from environment variables.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `TABLE_NAME` | required | the DynamoDB table |
//! | `ACCOUNT_ID` | required | the AWS account of the function |
//! | `DELIVERY_QUEUE_URL` | required | the delivery queue |
//! | `DELIVERY_DEAD_LETTER_QUEUE_URL` | required | the dead-letter queue of deliveries |
//! | `UNROUTED_TOPIC_ARN` | required | the topic for notifications that no target receives |
//! | `DIGEST_FROM` | none: no mail is sent | the sender of digests and alerts |
//! | `DIGEST_MINUTES` | 60 | the length of a digest's window |
//! | `ROUTE_CACHE_SECONDS` | 60 | how long routes are cached |
//! | `ROUTE_CACHE_KEYS` | 10000 | how many keys of routes are cached |
//! | `CONCURRENCY` | 16 | how many records are handled at the same time |

use std::time::Duration;

use jiff::SignedDuration;
use lambda_kit::{Environment, InvalidSetting};
use notification_model::{AccountId, EmailAddress};

use crate::own_notification::OwnIdentity;

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table: String,
    /// `ACCOUNT_ID`
    pub account: AccountId,
    /// `DELIVERY_QUEUE_URL`
    pub delivery_queue_url: String,
    /// `DELIVERY_DEAD_LETTER_QUEUE_URL`: the queue for deliveries that their target rejects permanently.
    pub dead_letter_queue_url: String,
    /// `UNROUTED_TOPIC_ARN`
    pub unrouted_topic_arn: String,
    /// `DIGEST_FROM`: a verified identity. Without it, deliveries to mail addresses go to the dead-letter queue.
    pub digest_from: Option<EmailAddress>,
    /// `DIGEST_MINUTES`
    pub digest_window: SignedDuration,
    /// `ROUTE_CACHE_SECONDS`: the time until a change of routes takes effect.
    pub route_cache: Duration,
    /// `ROUTE_CACHE_KEYS`: includes keys without routes.
    pub route_cache_keys: u64,
    /// `CONCURRENCY`
    pub concurrency: usize,
}

impl Settings {
    /// Reads the settings. `get` returns the value of a variable.
    ///
    /// # Errors
    /// If a variable is missing or has a value that is not accepted. The message names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(get);
        let account_id = "a 12-digit account id";
        let account = environment.required("ACCOUNT_ID", account_id)?;
        let parse_address = |text: &str| EmailAddress::parse(text).filter(|address| address.domain().is_some());
        Ok(Self {
            table: environment.required("TABLE_NAME", "the name of the DynamoDB table")?,
            account: account
                .parse()
                .map_err(|_| InvalidSetting::new("ACCOUNT_ID", account_id))?,
            delivery_queue_url: environment.required("DELIVERY_QUEUE_URL", "the URL of a queue")?,
            dead_letter_queue_url: environment.required("DELIVERY_DEAD_LETTER_QUEUE_URL", "the URL of a queue")?,
            unrouted_topic_arn: environment.required("UNROUTED_TOPIC_ARN", "the ARN of a topic")?,
            digest_from: environment.parsed("DIGEST_FROM", "a mail address", parse_address)?,
            digest_window: SignedDuration::from_mins(environment.positive_number("DIGEST_MINUTES", 60)?),
            route_cache: Duration::from_secs(environment.positive_number("ROUTE_CACHE_SECONDS", 60)?),
            route_cache_keys: environment.positive_number("ROUTE_CACHE_KEYS", 10_000)?,
            concurrency: environment.positive_number("CONCURRENCY", 16)?,
        })
    }

    /// The account and address from which the function sends mail.
    #[must_use]
    pub fn own_identity(&self) -> OwnIdentity {
        OwnIdentity {
            account: Some(self.account.clone()),
            digest_from: self.digest_from.clone(),
        }
    }

    /// Returns whether a record comes from the delivery queue. Deliveries and alerts are accepted from there only.
    #[must_use]
    pub fn is_delivery_queue(&self, queue_arn: Option<&str>) -> bool {
        let mut arn = queue_arn.unwrap_or_default().rsplit(':');
        let mut url = self.delivery_queue_url.trim_end_matches('/').rsplit('/');
        let same_name = arn
            .next()
            .is_some_and(|name| !name.is_empty() && url.next() == Some(name));
        same_name && arn.next() == url.next()
    }
}

#[cfg(test)]
mod tests {
    use lambda_kit::InvalidSetting;

    use super::Settings;

    const REQUIRED: [(&str, &str); 5] = [
        ("TABLE_NAME", "postroom"),
        ("ACCOUNT_ID", "111122223333"),
        (
            "DELIVERY_QUEUE_URL",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/delivery",
        ),
        (
            "DELIVERY_DEAD_LETTER_QUEUE_URL",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/delivery-dead-letters",
        ),
        ("UNROUTED_TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:unrouted"),
    ];

    fn from(changes: &[(&str, &str)]) -> Result<Settings, InvalidSetting> {
        Settings::from_env(|variable| {
            let all = changes.iter().chain(&REQUIRED);
            all.into_iter()
                .find(|(name, _)| *name == variable)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn errors_name_the_variable() {
        let cases = [
            ("TABLE_NAME", ""),
            ("ACCOUNT_ID", "1111"),
            ("DELIVERY_QUEUE_URL", " "),
            ("DELIVERY_DEAD_LETTER_QUEUE_URL", ""),
            ("UNROUTED_TOPIC_ARN", ""),
            ("DIGEST_FROM", "nobody"),
            ("DIGEST_MINUTES", "0"),
            ("ROUTE_CACHE_SECONDS", "soon"),
            ("ROUTE_CACHE_KEYS", "-1"),
            ("CONCURRENCY", "0"),
        ];
        for (name, value) in cases {
            let error = from(&[(name, value)]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("environment variable {name}: ")),
                "{name}={value}: {error}"
            );
        }
    }

    #[test]
    fn the_own_identity_and_the_delivery_queue_are_derived_from_the_variables() {
        let settings = from(&[("DIGEST_FROM", "Postroom <postroom@shop.example>")]).unwrap();
        let own_identity = settings.own_identity();
        assert_eq!(own_identity.account.unwrap().as_str(), "111122223333");
        assert_eq!(own_identity.digest_from.unwrap().as_str(), "postroom@shop.example");
        let cases = [
            (Some("arn:aws:sqs:eu-west-1:111122223333:delivery"), true),
            (Some("arn:aws:sqs:eu-west-1:111122223333:feedback"), false),
            (Some("arn:aws:sqs:eu-west-1:999900001111:delivery"), false),
            (Some(""), false),
            (None, false),
        ];
        for (arn, expected) in cases {
            assert_eq!(settings.is_delivery_queue(arn), expected, "{arn:?}");
        }
    }
}
