//! Everything that is configuration, from the environment.
//!
//! | variable | default | what |
//! |---|---|---|
//! | `TABLE_NAME` | required | the store's table |
//! | `INBOUND_QUEUE_URL` | required | where a mail waits that could not be finished at once; it invokes this function |
//! | `MAIL_BUCKET` | none | the bucket of the rule's S3 action; the Lambda action's event does not name it |
//! | `MAIL_PREFIX` | empty | the S3 action's object key prefix |
//! | `FEEDBACK_TOPIC_ARN` | none: reports are left alone | where bounces and complaints that arrive as mail are published |
//! | `TRUSTED_REPORTERS` | `amazonses.com` | domains whose reports are believed, comma-separated |
//! | `UNSUBSCRIBE_SECRET_ARN` | none: the action `unsubscribe` fails | the secret that signs unsubscribe tokens |
//! | `FORWARD_CONFIGURATION_SET` | none | the configuration set of forwards, notices and answers |
//! | `BOUNCE_SENDER` | none: it is stopped instead | the verified address that bounces what the verdicts say to bounce |
//! | `TIME_BUDGET_SECONDS` | 20 (at most 24) | how long SES waits for a disposition; SES itself gives up after 30 |
//! | `FALLBACK_DISPOSITION` | `CONTINUE` | the disposition when nothing else is known: an event that cannot be read |
//! | `CLAIM_SECONDS` | 90 | after so long an action that was begun is tried again; longer than the function's timeout |
//! | `FORWARDS_PER_SENDER` | 200 | mails of one sender forwarded in an hour |
//! | `ANSWERS_PER_SENDER` | 5 | answers and bounces to one sender in an hour |
//! | `INDEX_DAYS` | 30 | how long the index keeps a mail, unless the mailbox says otherwise |
//! | `HEADER_BYTES`, `HEADER_FIELDS`, `REPORT_PARTS`, `REPORT_BYTES`, `FORWARD_BYTES`, `OWN_HOPS`, `RECEIVED_HOPS` | as [`Limits`] has them | what is read of a mail at most, and when it is a loop |
//! | `CONCURRENCY` | 4 | records of a batch handled at once |

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::SignedDuration;
use notification_model::{EmailAddress, normalise_domain};

use crate::mail::Limits;
use crate::verdict::Disposition;

/// The function's configuration. See the module's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table: String,
    /// `INBOUND_QUEUE_URL`
    pub queue_url: String,
    /// `MAIL_BUCKET`
    pub mail_bucket: Option<String>,
    /// `MAIL_PREFIX`
    pub mail_prefix: String,
    /// `UNSUBSCRIBE_SECRET_ARN`
    pub unsubscribe_secret: Option<String>,
    /// `FORWARD_CONFIGURATION_SET`
    pub configuration_set: Option<String>,
    /// `FEEDBACK_TOPIC_ARN`
    pub feedback_topic: Option<String>,
    /// `TIME_BUDGET_SECONDS`
    pub time_budget: Duration,
    /// `FALLBACK_DISPOSITION`
    pub fallback_disposition: Disposition,
    /// `CLAIM_SECONDS`
    pub claim: SignedDuration,
    /// What the decision depends on.
    pub policy: Policy,
    /// What is read of a mail at most.
    pub limits: Limits,
    /// `CONCURRENCY`
    pub concurrency: usize,
}

/// The part of the configuration that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `TRUSTED_REPORTERS`, normalised.
    pub reporters: Vec<String>,
    /// Whether there is a `FEEDBACK_TOPIC_ARN`.
    pub publishes_reports: bool,
    /// `BOUNCE_SENDER`
    pub bounce_sender: Option<EmailAddress>,
    /// `FORWARDS_PER_SENDER`
    pub forwards_per_sender: usize,
    /// `ANSWERS_PER_SENDER`
    pub answers_per_sender: usize,
    /// `INDEX_DAYS`
    pub index_days: u32,
}

/// What a claim may outlast, and the room that handing over needs within SES's 30 seconds.
const MAX_TIME_BUDGET: u64 = 24;

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
        let limits = Limits::default();
        let limits = Limits {
            header_bytes: at_least_one(&set, "HEADER_BYTES", limits.header_bytes)?,
            header_fields: at_least_one(&set, "HEADER_FIELDS", limits.header_fields)?,
            parts: at_least_one(&set, "REPORT_PARTS", limits.parts)?,
            report_bytes: at_least_one(&set, "REPORT_BYTES", limits.report_bytes)?,
            forward_bytes: at_least_one(&set, "FORWARD_BYTES", limits.forward_bytes)?,
            own_hops: at_least_one(&set, "OWN_HOPS", limits.own_hops)?,
            received_hops: at_least_one(&set, "RECEIVED_HOPS", limits.received_hops)?,
        };
        let feedback_topic = set("FEEDBACK_TOPIC_ARN");
        Ok(Self {
            table: need("TABLE_NAME", "the table's name")?,
            queue_url: need("INBOUND_QUEUE_URL", "a queue's URL")?,
            mail_bucket: set("MAIL_BUCKET"),
            // A prefix may end in a space as well as in a slash.
            mail_prefix: get("MAIL_PREFIX").unwrap_or_default(),
            unsubscribe_secret: set("UNSUBSCRIBE_SECRET_ARN"),
            configuration_set: set("FORWARD_CONFIGURATION_SET"),
            policy: Policy {
                reporters: reporters(&set("TRUSTED_REPORTERS").unwrap_or_else(|| "amazonses.com".to_owned())),
                publishes_reports: feedback_topic.is_some(),
                bounce_sender: address(&set, "BOUNCE_SENDER")?,
                forwards_per_sender: at_least_one(&set, "FORWARDS_PER_SENDER", 200)?,
                answers_per_sender: at_least_one(&set, "ANSWERS_PER_SENDER", 5)?,
                index_days: at_least_one(&set, "INDEX_DAYS", 30)?,
            },
            feedback_topic,
            time_budget: Duration::from_secs(between(&set, "TIME_BUDGET_SECONDS", 20, 1, MAX_TIME_BUDGET)?),
            fallback_disposition: disposition(&set, "FALLBACK_DISPOSITION")?,
            // SQS delays a message by 15 minutes at most.
            claim: SignedDuration::from_secs(between(&set, "CLAIM_SECONDS", 90, 30, 900)?),
            limits,
            concurrency: at_least_one(&set, "CONCURRENCY", 4)?,
        })
    }
}

fn reporters(text: &str) -> Vec<String> {
    let domains = text.split(',').map(str::trim).filter(|domain| !domain.is_empty());
    domains.map(normalise_domain).collect()
}

fn at_least_one<T>(set: &impl Fn(&str) -> Option<String>, name: &str, default: T) -> anyhow::Result<T>
where
    T: FromStr + PartialOrd + From<u8>,
{
    let Some(text) = set(name) else { return Ok(default) };
    match text.parse() {
        Ok(number) if number >= T::from(1) => Ok(number),
        _ => bail!("environment variable {name}: expected a number of at least 1"),
    }
}

fn between<T>(set: &impl Fn(&str) -> Option<String>, name: &str, default: T, least: T, most: T) -> anyhow::Result<T>
where
    T: FromStr + PartialOrd + Display,
{
    let Some(text) = set(name) else { return Ok(default) };
    match text.parse() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => bail!("environment variable {name}: expected a number from {least} to {most}"),
    }
}

fn address(set: &impl Fn(&str) -> Option<String>, name: &str) -> anyhow::Result<Option<EmailAddress>> {
    let Some(text) = set(name) else { return Ok(None) };
    let address = EmailAddress::parse(&text).filter(|address| address.domain().is_some());
    Ok(Some(address.with_context(|| {
        format!("environment variable {name}: expected a mail address")
    })?))
}

fn disposition(set: &impl Fn(&str) -> Option<String>, name: &str) -> anyhow::Result<Disposition> {
    let Some(text) = set(name) else {
        return Ok(Disposition::Continue);
    };
    let known = [Disposition::Continue, Disposition::StopRule, Disposition::StopRuleSet];
    known
        .into_iter()
        .find(|one| one.as_str() == text)
        .with_context(|| format!("environment variable {name}: expected CONTINUE, STOP_RULE or STOP_RULE_SET"))
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::verdict::Disposition;

    fn from(changes: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let required = [
            ("TABLE_NAME", "postroom"),
            (
                "INBOUND_QUEUE_URL",
                "https://sqs.eu-west-1.amazonaws.com/111122223333/inbound",
            ),
        ];
        Settings::from_env(|asked| {
            let mut all = changes.iter().chain(&required);
            all.find(|(name, _)| *name == asked)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_missing_or_bad_value_is_named() {
        let cases = [
            ("TABLE_NAME", ""),
            ("INBOUND_QUEUE_URL", " "),
            ("BOUNCE_SENDER", "nobody"),
            ("TIME_BUDGET_SECONDS", "25"),
            ("TIME_BUDGET_SECONDS", "0"),
            ("FALLBACK_DISPOSITION", "continue"),
            ("CLAIM_SECONDS", "29"),
            ("FORWARDS_PER_SENDER", "0"),
            ("ANSWERS_PER_SENDER", "many"),
            ("INDEX_DAYS", "-1"),
            ("HEADER_BYTES", "0"),
            ("REPORT_PARTS", "1.5"),
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
    fn what_is_not_set_has_its_default() {
        let settings = from(&[]).unwrap();
        assert_eq!(settings.time_budget.as_secs(), 20);
        assert_eq!(settings.fallback_disposition, Disposition::Continue);
        assert_eq!(settings.policy.reporters, ["amazonses.com"]);
        assert!(!settings.policy.publishes_reports);
        let settings = from(&[
            ("TRUSTED_REPORTERS", "AmazonSES.com, B\u{fc}cher.example,"),
            ("FEEDBACK_TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:feedback"),
        ])
        .unwrap();
        assert_eq!(settings.policy.reporters, ["amazonses.com", "xn--bcher-kva.example"]);
        assert!(settings.policy.publishes_reports);
    }
}
