//! Everything that is configuration, from the environment.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::SignedDuration;
use notification_model::{AccountId, EmailAddress};

use crate::decide::OwnIdentity;

/// The function's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The store's table.
    pub table: String,
    /// The account this function runs in: the only one in which the watch can act.
    pub account: AccountId,
    /// The queue in which each target's delivery waits.
    pub delivery_queue_url: String,
    /// The queue for deliveries that their target refuses for good.
    pub dead_letter_queue_url: String,
    /// The topic for notifications that no target gets.
    pub unrouted_topic_arn: String,
    /// The sender of digests, a verified identity. Without it, what is routed to people is dead-lettered.
    pub digest_from: Option<EmailAddress>,
    /// How long a digest collects.
    pub digest_window: SignedDuration,
    /// How long a route is believed without asking again, and so how long a change of routes takes.
    pub route_cache: Duration,
    /// Keys of routes, found or not, that are remembered.
    pub route_cache_keys: u64,
    /// How many records of a batch are handled at once.
    pub concurrency: usize,
}

impl Settings {
    /// The settings from environment variables, through `get` (for example `|name| std::env::var(name).ok()`). An unset
    /// or empty variable means the default, where there is one.
    ///
    /// # Errors
    /// When a variable is missing or set to something else than it takes; the error names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let set = |name: &str| {
            get(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let need =
            |name: &str, what: &str| set(name).with_context(|| format!("environment variable {name}: expected {what}"));
        let digest_from = set("DIGEST_FROM")
            .map(|text| {
                let address = EmailAddress::parse(&text).filter(|address| address.domain().is_some());
                address.context("environment variable DIGEST_FROM: expected a mail address")
            })
            .transpose()?;
        Ok(Self {
            table: need("TABLE_NAME", "the table's name")?,
            account: need("ACCOUNT_ID", "the account's id")?
                .parse()
                .context("environment variable ACCOUNT_ID")?,
            delivery_queue_url: need("DELIVERY_QUEUE_URL", "a queue's URL")?,
            dead_letter_queue_url: need("DELIVERY_DEAD_LETTER_QUEUE_URL", "a queue's URL")?,
            unrouted_topic_arn: need("UNROUTED_TOPIC_ARN", "a topic's ARN")?,
            digest_from,
            digest_window: SignedDuration::from_mins(at_least_one("DIGEST_MINUTES", set("DIGEST_MINUTES"), 60)?),
            route_cache: Duration::from_secs(at_least_one("ROUTE_CACHE_SECONDS", set("ROUTE_CACHE_SECONDS"), 60)?),
            route_cache_keys: at_least_one("ROUTE_CACHE_KEYS", set("ROUTE_CACHE_KEYS"), 10_000)?,
            concurrency: at_least_one("CONCURRENCY", set("CONCURRENCY"), 16)?,
        })
    }

    /// By what our own notices are known.
    #[must_use]
    pub fn own_identity(&self) -> OwnIdentity {
        OwnIdentity {
            account: Some(self.account.clone()),
            digest_from: self.digest_from.clone(),
        }
    }

    /// Whether Lambda took a record from the `deliver` queue: only there a delivery is believed.
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

fn at_least_one<T: FromStr + PartialOrd + From<u8>>(name: &str, text: Option<String>, default: T) -> anyhow::Result<T> {
    let Some(text) = text else { return Ok(default) };
    match text.parse() {
        Ok(number) if number >= T::from(1) => Ok(number),
        _ => bail!("environment variable {name}: expected a number of at least 1"),
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    const REQUIRED: [(&str, &str); 5] = [
        ("TABLE_NAME", "postroom"),
        ("ACCOUNT_ID", "111122223333"),
        (
            "DELIVERY_QUEUE_URL",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/deliver",
        ),
        (
            "DELIVERY_DEAD_LETTER_QUEUE_URL",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/park",
        ),
        ("UNROUTED_TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:unrouted"),
    ];

    fn from(changes: &[(&str, &str)]) -> anyhow::Result<Settings> {
        Settings::from_env(|asked| {
            let all = changes.iter().chain(&REQUIRED);
            all.into_iter()
                .find(|(name, _)| *name == asked)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_missing_or_bad_value_is_named() {
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
            let error = format!("{:#}", from(&[(name, value)]).unwrap_err());
            assert!(
                error.starts_with(&format!("environment variable {name}: ")),
                "{name}={value}: {error}"
            );
        }
    }

    #[test]
    fn the_house_and_its_queue_are_known() {
        let settings = from(&[("DIGEST_FROM", "Postroom <postroom@shop.example>")]).unwrap();
        let own_identity = settings.own_identity();
        assert_eq!(own_identity.account.unwrap().as_str(), "111122223333");
        assert_eq!(own_identity.digest_from.unwrap().as_str(), "postroom@shop.example");
        let cases = [
            (Some("arn:aws:sqs:eu-west-1:111122223333:deliver"), true),
            (Some("arn:aws:sqs:eu-west-1:111122223333:feedback"), false),
            (Some("arn:aws:sqs:eu-west-1:999900001111:deliver"), false),
            (Some(""), false),
            (None, false),
        ];
        for (arn, expected) in cases {
            assert_eq!(settings.is_delivery_queue(arn), expected, "{arn:?}");
        }
    }
}
