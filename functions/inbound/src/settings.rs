//! The configuration of the function, from environment variables.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `TABLE_NAME` | required | the DynamoDB table |
//! | `INBOUND_QUEUE_URL` | required | the queue for mail that was not finished in time; it invokes this function |
//! | `MAIL_BUCKET` | none | the bucket of the S3 action; the event of the Lambda action does not contain it |
//! | `MAIL_PREFIX` | empty | the object key prefix of the S3 action |
//! | `FEEDBACK_TOPIC_ARN` | none: reports are not published | the topic for bounces and complaints that arrive as mail |
//! | `TRUSTED_REPORTERS` | `amazonses.com` | domains whose reports are published, comma-separated |
//! | `UNSUBSCRIBE_SECRET_ARN` | none: the action `unsubscribe` fails | the secret that signs unsubscribe tokens |
//! | `FORWARD_CONFIGURATION_SET` | none | the configuration set of forwards, notices and automatic replies |
//! | `BOUNCE_SENDER` | none: the rule set stops instead | the verified address that sends the bounces of the verdict action `bounce` |
//! | `TIME_BUDGET_SECONDS` | 20 (maximum 24) | the time until SES gets a disposition; SES waits 30 seconds |
//! | `FALLBACK_DISPOSITION` | `CONTINUE` | the disposition for an event that cannot be read |
//! | `CLAIM_SECONDS` | 90 | the time until an unfinished action is retried; longer than the time-out of the function |
//! | `FORWARDS_PER_SENDER` | 200 | forwards of mail from one sender within an hour |
//! | `ANSWERS_PER_SENDER` | 5 | automatic replies and bounces to one sender within an hour |
//! | `FORWARDS_PER_MAILBOX`, `FORWARDS_PER_DOMAIN` | 1000, 500 | forwards of a mailbox, and of mail from one return-path domain, within an hour |
//! | `FORWARDS_PER_DAY` | 10000 | forwards of the stack within a day |
//! | `ANSWERS_PER_MAILBOX`, `ANSWERS_PER_DOMAIN` | 200, 100 | automatic replies and bounces of a mailbox, and to one return-path domain, within an hour |
//! | `ANSWERS_PER_DAY` | 1000 | automatic replies and bounces of the stack within a day |
//! | `INDEX_DAYS` | 30 | the time the index keeps a mail, unless the mailbox sets another |
//! | `HEADER_BYTES`, `HEADER_FIELDS`, `REPORT_PARTS`, `REPORT_BYTES`, `FORWARD_BYTES`, `PARSED_BYTES`, `PARSED_PARTS`, `MAX_FORWARDS`, `MAX_RECEIVED_FIELDS` | see [`Limits`] | how much of a mail is read, and when it is in a loop |
//! | `CONCURRENCY` | 4 | records of a batch that are processed concurrently |

use std::time::Duration;

use jiff::SignedDuration;
use lambda_kit::{Environment, InvalidSetting};
use notification_model::{EmailAddress, normalise_domain};

use crate::mail::Limits;
use crate::verdict::Disposition;

/// The configuration of the function. The [module documentation](self) has the table.
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
    /// The part that a decision depends on.
    pub policy: Policy,
    /// How much is sent at most.
    pub caps: Caps,
    /// How much of a mail is read.
    pub limits: Limits,
    /// `CONCURRENCY`
    pub concurrency: usize,
}

/// The part of the configuration that a decision depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `TRUSTED_REPORTERS`, normalised.
    pub trusted_reporters: Vec<String>,
    /// Whether `FEEDBACK_TOPIC_ARN` is set.
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

/// How much mail the function sends at most, for all senders together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Forwards, and the notices that replace them.
    pub forwards: CapLimits,
    /// Automatic replies and bounces.
    pub answers: CapLimits,
}

/// The limits of one kind of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapLimits {
    /// For one mailbox within an hour.
    pub per_mailbox: usize,
    /// For the mail of one return-path domain within an hour.
    pub per_domain: usize,
    /// For the whole stack within a day.
    pub per_day: usize,
}

/// SES waits 30 seconds. Handing work over to the queue takes up to 4 seconds of them.
const MAX_TIME_BUDGET_SECONDS: u64 = 24;

impl Settings {
    /// Reads the settings through `get`, for example `|name| std::env::var(name).ok()`. An unset or empty variable means the
    /// default.
    ///
    /// # Errors
    /// If a required variable is missing, or the value of a variable is invalid. The error names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(get);
        let feedback_topic = environment.optional("FEEDBACK_TOPIC_ARN");
        let time_budget = environment.number("TIME_BUDGET_SECONDS", 1..=MAX_TIME_BUDGET_SECONDS, 20)?;
        // The maximum delay of an SQS message is 900 seconds.
        let claim_seconds = environment.number("CLAIM_SECONDS", 30..=900, 90)?;
        let dispositions = [Disposition::Continue, Disposition::StopRule, Disposition::StopRuleSet];
        let dispositions = dispositions.map(|disposition| (disposition.as_str(), disposition));
        Ok(Self {
            table: environment.required("TABLE_NAME", "the name of the DynamoDB table")?,
            queue_url: environment.required("INBOUND_QUEUE_URL", "the URL of a queue")?,
            mail_bucket: environment.optional("MAIL_BUCKET"),
            // A prefix may end in a space.
            mail_prefix: environment.untrimmed("MAIL_PREFIX"),
            unsubscribe_secret: environment.optional("UNSUBSCRIBE_SECRET_ARN"),
            configuration_set: environment.optional("FORWARD_CONFIGURATION_SET"),
            time_budget: Duration::from_secs(time_budget),
            fallback_disposition: environment.choice("FALLBACK_DISPOSITION", &dispositions, Disposition::Continue)?,
            claim: SignedDuration::from_secs(claim_seconds),
            policy: Policy::read(&environment, feedback_topic.is_some())?,
            caps: read_caps(&environment)?,
            limits: read_limits(&environment)?,
            feedback_topic,
            concurrency: environment.positive_number("CONCURRENCY", 4)?,
        })
    }
}

impl Policy {
    fn read(
        environment: &Environment<impl Fn(&str) -> Option<String>>,
        publishes_reports: bool,
    ) -> Result<Self, InvalidSetting> {
        let reporters = environment.optional("TRUSTED_REPORTERS");
        let reporters = reporters.as_deref().unwrap_or("amazonses.com");
        let address = |text: &str| EmailAddress::parse(text).filter(|address| address.domain().is_some());
        Ok(Self {
            trusted_reporters: domains(reporters),
            publishes_reports,
            bounce_sender: environment.parsed("BOUNCE_SENDER", "a mail address", address)?,
            forwards_per_sender: environment.positive_number("FORWARDS_PER_SENDER", 200)?,
            answers_per_sender: environment.positive_number("ANSWERS_PER_SENDER", 5)?,
            index_days: environment.positive_number("INDEX_DAYS", 30)?,
        })
    }
}

fn read_caps(environment: &Environment<impl Fn(&str) -> Option<String>>) -> Result<Caps, InvalidSetting> {
    Ok(Caps {
        forwards: CapLimits {
            per_mailbox: environment.positive_number("FORWARDS_PER_MAILBOX", 1000)?,
            per_domain: environment.positive_number("FORWARDS_PER_DOMAIN", 500)?,
            per_day: environment.positive_number("FORWARDS_PER_DAY", 10_000)?,
        },
        answers: CapLimits {
            per_mailbox: environment.positive_number("ANSWERS_PER_MAILBOX", 200)?,
            per_domain: environment.positive_number("ANSWERS_PER_DOMAIN", 100)?,
            per_day: environment.positive_number("ANSWERS_PER_DAY", 1000)?,
        },
    })
}

fn read_limits(environment: &Environment<impl Fn(&str) -> Option<String>>) -> Result<Limits, InvalidSetting> {
    let limits = Limits::default();
    Ok(Limits {
        header_bytes: environment.positive_number("HEADER_BYTES", limits.header_bytes)?,
        header_fields: environment.positive_number("HEADER_FIELDS", limits.header_fields)?,
        parts: environment.positive_number("REPORT_PARTS", limits.parts)?,
        report_bytes: environment.positive_number("REPORT_BYTES", limits.report_bytes)?,
        forward_bytes: environment.positive_number("FORWARD_BYTES", limits.forward_bytes)?,
        parsed_bytes: environment.positive_number("PARSED_BYTES", limits.parsed_bytes)?,
        parsed_parts: environment.positive_number("PARSED_PARTS", limits.parsed_parts)?,
        forwards: environment.positive_number("MAX_FORWARDS", limits.forwards)?,
        received_fields: environment.positive_number("MAX_RECEIVED_FIELDS", limits.received_fields)?,
    })
}

/// The domains of a comma-separated list, normalised.
fn domains(text: &str) -> Vec<String> {
    let domains = text.split(',').map(str::trim).filter(|domain| !domain.is_empty());
    domains.map(normalise_domain).collect()
}

#[cfg(test)]
mod tests {
    use lambda_kit::InvalidSetting;

    use super::Settings;
    use crate::verdict::Disposition;

    fn settings_with(changes: &[(&str, &str)]) -> Result<Settings, InvalidSetting> {
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
    fn an_error_names_the_missing_or_invalid_variable() {
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
            ("FORWARDS_PER_MAILBOX", "0"),
            ("ANSWERS_PER_DAY", "-1"),
            ("PARSED_PARTS", "0"),
            ("INDEX_DAYS", "-1"),
            ("HEADER_BYTES", "0"),
            ("REPORT_PARTS", "1.5"),
            ("CONCURRENCY", "0"),
        ];
        for (name, value) in cases {
            let error = settings_with(&[(name, value)]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("environment variable {name}: ")),
                "{name}={value}: {error}"
            );
        }
    }

    #[test]
    fn unset_variables_have_defaults() {
        let settings = settings_with(&[]).unwrap();
        assert_eq!(settings.time_budget.as_secs(), 20);
        assert_eq!(settings.fallback_disposition, Disposition::Continue);
        assert_eq!(settings.policy.trusted_reporters, ["amazonses.com"]);
        assert!(!settings.policy.publishes_reports);
        let settings = settings_with(&[
            ("TRUSTED_REPORTERS", "AmazonSES.com, B\u{fc}cher.example,"),
            ("FEEDBACK_TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:feedback"),
        ])
        .unwrap();
        assert_eq!(
            settings.policy.trusted_reporters,
            ["amazonses.com", "xn--bcher-kva.example"]
        );
        assert!(settings.policy.publishes_reports);
    }
}
