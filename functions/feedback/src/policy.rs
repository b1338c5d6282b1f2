//! The numbers of the feedback policy, from environment variables.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `HARD_BOUNCE_DAYS` | `forever` | how long a hard bounce suppresses |
//! | `COMPLAINT_DAYS` | `forever` | how long a complaint suppresses |
//! | `SES_LIST_DAYS` | 30 | how long an address suppresses that SES did not send to |
//! | `SOFT_BOUNCE_MESSAGES` | 5 (at most 20) | messages of a streak |
//! | `SOFT_BOUNCE_SPAN_HOURS` | 72 | minimum duration of a streak |
//! | `SOFT_BOUNCE_WINDOW_DAYS` | 180 | maximum duration of a streak |
//! | `SOFT_BOUNCE_DAYS` | `30,90,forever` | how long the first, second, ... streak suppresses |
//! | `UNCONFIRMED_BOUNCE_DAYS` | `30,90,forever` | how long the first, second, ... unconfirmed hard bounce suppresses |
//! | `HISTORY_DAYS` | 400 | how long the history keeps events that did not suppress |
//! | `STATISTICS_DAYS` | 14 | how long statistics are kept |
//! | `DELIVERIES_DAYS` | 90 | how long deliveries are kept |
//! | `ACCOUNT_ID` | none: tenants are not told apart by account | the account whose tenants have the scope `tenant:NAME` |
//! | `INBOUND` | `false` | whether the stack forwards received mail, so that bounces and complaints may be about forwards |
//! | `CONCURRENCY` | 16 | how many records of a batch are handled at a time |

use jiff::{SignedDuration, Timestamp};
use lambda_kit::{Environment, InvalidSetting};
use notification_model::AccountId;
use store::BounceSeries;

/// The accepted values of a period, for error messages.
const PERIOD: &str = "a number of days from 1 to 36500, or forever";

/// Of more than 100 soft bounces, the store keeps the first 20. A streak therefore cannot require more.
const MAX_STREAK_MESSAGES: usize = 20;

/// How long a suppression holds, or how long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressionPeriod {
    /// Until a release. Rows are kept permanently.
    Permanent,
    /// A number of days.
    Days(u32),
}

impl SuppressionPeriod {
    /// Returns the end of a period that starts at `from`, in full seconds like DynamoDB's TTL. `None`: never.
    #[must_use]
    pub fn end(self, from: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Permanent => None,
            Self::Days(days) => Timestamp::from_second(from.as_second() + i64::from(days) * 86_400).ok(),
        }
    }

    /// Returns the end of a period that starts at `from`, or the latest time for a permanent period.
    #[must_use]
    pub fn end_or_max(self, from: Timestamp) -> Timestamp {
        self.end(from).unwrap_or(Timestamp::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "forever" => Some(Self::Permanent),
            days => {
                let days = days.parse().ok()?;
                (1..=36_500).contains(&days).then_some(Self::Days(days))
            }
        }
    }
}

/// The feedback policy. The defaults are the recommended values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long a confirmed hard bounce suppresses.
    pub hard_bounce: SuppressionPeriod,
    /// How long a complaint suppresses.
    pub complaint: SuppressionPeriod,
    /// How long an address is suppressed because it is on a suppression list of SES.
    pub ses_list: SuppressionPeriod,
    /// When a streak suppresses, and for how long.
    pub streak: StreakPolicy,
    /// How long unconfirmed hard bounces suppress: each is a streak of one message.
    pub unconfirmed: StreakPolicy,
    /// How long the history keeps events that did not suppress.
    pub history: SuppressionPeriod,
    /// How long statistics of senders are kept.
    pub statistics: SuppressionPeriod,
    /// How long deliveries are kept for soft bounces that arrive late.
    pub deliveries: SuppressionPeriod,
    /// The account whose tenants have the scope `tenant:NAME`. `None`: every account.
    pub account: Option<AccountId>,
    /// Whether bounces and complaints are looked up among the mail that the inbound function sent.
    pub inbound: bool,
    /// How many records of a batch are handled at a time.
    pub concurrency: usize,
}

/// When a streak suppresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreakPolicy {
    /// The number of different messages that bounce without a delivery between them.
    pub messages: usize,
    /// The minimum time from the first to the last bounce, so that a short outage of a server does not suppress.
    pub span: SignedDuration,
    /// The maximum time from the first to the last bounce.
    pub window: SignedDuration,
    /// How long the first, second, ... suppression holds. The last value applies to all further ones.
    pub periods: Vec<SuppressionPeriod>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hard_bounce: SuppressionPeriod::Permanent,
            complaint: SuppressionPeriod::Permanent,
            ses_list: SuppressionPeriod::Days(30),
            streak: StreakPolicy {
                messages: 5,
                span: SignedDuration::from_hours(72),
                window: SignedDuration::from_hours(180 * 24),
                periods: vec![
                    SuppressionPeriod::Days(30),
                    SuppressionPeriod::Days(90),
                    SuppressionPeriod::Permanent,
                ],
            },
            unconfirmed: StreakPolicy {
                messages: 1,
                span: SignedDuration::ZERO,
                window: SignedDuration::MAX,
                periods: vec![
                    SuppressionPeriod::Days(30),
                    SuppressionPeriod::Days(90),
                    SuppressionPeriod::Permanent,
                ],
            },
            history: SuppressionPeriod::Days(400),
            statistics: SuppressionPeriod::Days(14),
            deliveries: SuppressionPeriod::Days(90),
            account: None,
            inbound: false,
            concurrency: 16,
        }
    }
}

impl Policy {
    /// Returns when the bounces of a series suppress.
    #[must_use]
    pub fn series(&self, series: BounceSeries) -> &StreakPolicy {
        match series {
            BounceSeries::Soft => &self.streak,
            BounceSeries::Unconfirmed => &self.unconfirmed,
        }
    }

    /// Reads the policy from environment variables. `get` returns the value of a variable. An unset or empty variable has
    /// the default value.
    ///
    /// # Errors
    /// If a variable has a value that is not accepted. The message names the variable and the accepted values.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(get);
        let period = |variable: &str, default| {
            let parsed = environment.parsed(variable, PERIOD, SuppressionPeriod::parse)?;
            Ok::<_, InvalidSetting>(parsed.unwrap_or(default))
        };
        let periods = |text: &str| {
            text.split(',')
                .map(SuppressionPeriod::parse)
                .collect::<Option<Vec<_>>>()
        };
        let expected_periods = format!("a comma-separated list, each {PERIOD}");
        let default = Self::default();
        Ok(Self {
            hard_bounce: period("HARD_BOUNCE_DAYS", default.hard_bounce)?,
            complaint: period("COMPLAINT_DAYS", default.complaint)?,
            ses_list: period("SES_LIST_DAYS", default.ses_list)?,
            streak: StreakPolicy {
                messages: environment.number(
                    "SOFT_BOUNCE_MESSAGES",
                    1..=MAX_STREAK_MESSAGES,
                    default.streak.messages,
                )?,
                span: SignedDuration::from_hours(
                    environment.number("SOFT_BOUNCE_SPAN_HOURS", 0..=u16::MAX, 72)?.into(),
                ),
                window: SignedDuration::from_hours(
                    24 * i64::from(environment.number("SOFT_BOUNCE_WINDOW_DAYS", 0..=u16::MAX, 180)?),
                ),
                periods: environment
                    .parsed("SOFT_BOUNCE_DAYS", &expected_periods, periods)?
                    .unwrap_or(default.streak.periods),
            },
            unconfirmed: StreakPolicy {
                periods: environment
                    .parsed("UNCONFIRMED_BOUNCE_DAYS", &expected_periods, periods)?
                    .unwrap_or(default.unconfirmed.periods),
                ..default.unconfirmed
            },
            history: period("HISTORY_DAYS", default.history)?,
            statistics: period("STATISTICS_DAYS", default.statistics)?,
            deliveries: period("DELIVERIES_DAYS", default.deliveries)?,
            account: environment.parsed("ACCOUNT_ID", "an account id of 12 digits", |text| text.parse().ok())?,
            inbound: environment.flag("INBOUND", default.inbound)?,
            concurrency: environment.positive_number("CONCURRENCY", default.concurrency)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Policy, SuppressionPeriod};

    fn from(name: &'static str, value: &'static str) -> Result<Policy, lambda_kit::InvalidSetting> {
        Policy::from_env(|variable| (variable == name).then(|| value.to_owned()))
    }

    #[test]
    fn unset_and_empty_variables_have_the_default_value() {
        assert_eq!(Policy::from_env(|_| None).unwrap(), Policy::default());
        assert_eq!(Policy::from_env(|_| Some(" ".to_owned())).unwrap(), Policy::default());
    }

    #[test]
    fn variables_override_the_defaults() {
        assert_eq!(
            from("COMPLAINT_DAYS", "365").unwrap().complaint,
            SuppressionPeriod::Days(365)
        );
        assert_eq!(
            from("SOFT_BOUNCE_DAYS", "7, forever").unwrap().streak.periods,
            [SuppressionPeriod::Days(7), SuppressionPeriod::Permanent]
        );
        assert_eq!(
            from("UNCONFIRMED_BOUNCE_DAYS", "10").unwrap().unconfirmed.periods,
            [SuppressionPeriod::Days(10)]
        );
        assert_eq!(
            from("ACCOUNT_ID", "111122223333").unwrap().account,
            "111122223333".parse().ok()
        );
    }

    #[test]
    fn an_error_names_the_variable_of_an_invalid_value() {
        let cases = [
            ("SOFT_BOUNCE_MESSAGES", "0"),
            ("SOFT_BOUNCE_MESSAGES", "many"),
            ("SOFT_BOUNCE_MESSAGES", "21"),
            ("COMPLAINT_DAYS", "0"),
            ("COMPLAINT_DAYS", "a week"),
            ("SOFT_BOUNCE_DAYS", "30,,90"),
            ("UNCONFIRMED_BOUNCE_DAYS", "30;90"),
            ("ACCOUNT_ID", "the house account"),
            ("SOFT_BOUNCE_SPAN_HOURS", "-1"),
            ("INBOUND", "yes"),
        ];
        for (name, value) in cases {
            let error = from(name, value).unwrap_err().to_string();
            let start = format!("environment variable {name}: expected ");
            assert!(error.starts_with(&start), "{name}={value}: {error}");
        }
    }
}
