//! Every number of the feedback policy, from the environment.

use std::str::FromStr;

use anyhow::{Context, bail};
use jiff::{SignedDuration, Timestamp};

/// How long something lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressionPeriod {
    /// Until someone releases it.
    Permanent,
    /// So many days.
    Days(u32),
}

impl SuppressionPeriod {
    /// The end of what begins at `from`, in whole seconds as DynamoDB's TTL counts; `None` is never.
    #[must_use]
    pub fn end(self, from: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Permanent => None,
            Self::Days(days) => Timestamp::from_second(from.as_second() + i64::from(days) * 86_400).ok(),
        }
    }
}

impl FromStr for SuppressionPeriod {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text.trim() {
            "forever" => Ok(Self::Permanent),
            days => match days.parse() {
                Ok(days) if (1..=36_500).contains(&days) => Ok(Self::Days(days)),
                _ => bail!("expected a number of days (1 to 36500) or `forever`"),
            },
        }
    }
}

/// The feedback policy. The defaults are the recommended values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long a hard bounce suppresses.
    pub hard_bounce: SuppressionPeriod,
    /// How long a complaint suppresses.
    pub complaint: SuppressionPeriod,
    /// How long SES's own refusal (account or tenant suppression list) is believed without being repeated.
    pub ses_list: SuppressionPeriod,
    /// When soft bounces in a row suppress, and for how long.
    pub streak: StreakPolicy,
    /// How long the audit trail keeps what did not suppress.
    pub history: SuppressionPeriod,
    /// How long sender statistics are kept.
    pub statistics: SuppressionPeriod,
    /// How long deliveries are kept for soft bounces that arrive late.
    pub deliveries: SuppressionPeriod,
    /// Whether SES's own suppression list hears of who left a whole contact list.
    pub mirror_unsubscribes: bool,
    /// How many records of a batch are handled at once.
    pub concurrency: usize,
}

/// When soft bounces in a row suppress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreakPolicy {
    /// How many distinct messages have to bounce, with no delivery in between.
    pub messages: usize,
    /// The least time from the first to the last of them, so that one bad day of a server is no streak.
    pub span: SignedDuration,
    /// The most time from the first to the last of them.
    pub window: SignedDuration,
    /// How long the first, second, ... suppression lasts; the last value also serves all further ones.
    pub period: Vec<SuppressionPeriod>,
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
                period: vec![
                    SuppressionPeriod::Days(30),
                    SuppressionPeriod::Days(90),
                    SuppressionPeriod::Permanent,
                ],
            },
            history: SuppressionPeriod::Days(400),
            statistics: SuppressionPeriod::Days(14),
            deliveries: SuppressionPeriod::Days(90),
            mirror_unsubscribes: false,
            concurrency: 16,
        }
    }
}

impl Policy {
    /// The policy from environment variables, through `get` (for example `|name| std::env::var(name).ok()`). An unset or
    /// empty variable means the default.
    ///
    /// # Errors
    /// When a variable is set to something else than it takes; the error names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let default = Self::default();
        let env = Environment { get };
        Ok(Self {
            hard_bounce: env.read("HARD_BOUNCE_DAYS", default.hard_bounce)?,
            complaint: env.read("COMPLAINT_DAYS", default.complaint)?,
            ses_list: env.read("SES_LIST_DAYS", default.ses_list)?,
            streak: StreakPolicy {
                messages: env.messages("SOFT_BOUNCE_MESSAGES", default.streak.messages)?,
                span: SignedDuration::from_hours(env.read("SOFT_BOUNCE_SPAN_HOURS", 72u16)?.into()),
                window: SignedDuration::from_hours(24 * i64::from(env.read("SOFT_BOUNCE_WINDOW_DAYS", 180u16)?)),
                period: env.list("SOFT_BOUNCE_DAYS", default.streak.period)?,
            },
            history: env.read("HISTORY_DAYS", default.history)?,
            statistics: env.read("STATISTICS_DAYS", default.statistics)?,
            deliveries: env.read("DELIVERIES_DAYS", default.deliveries)?,
            mirror_unsubscribes: env.read("MIRROR_UNSUBSCRIBES", default.mirror_unsubscribes)?,
            concurrency: env.count("CONCURRENCY", default.concurrency)?,
        })
    }
}

struct Environment<G> {
    get: G,
}

impl<G: Fn(&str) -> Option<String>> Environment<G> {
    fn set(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.trim().is_empty())
    }

    fn read<T>(&self, name: &str, default: T) -> anyhow::Result<T>
    where
        T: FromStr,
        T::Err: Into<anyhow::Error>,
    {
        let Some(text) = self.set(name) else { return Ok(default) };
        text.trim()
            .parse()
            .map_err(Into::into)
            .with_context(|| format!("environment variable {name}"))
    }

    fn count(&self, name: &str, default: usize) -> anyhow::Result<usize> {
        match self.read(name, default)? {
            0 => bail!("environment variable {name}: expected at least 1"),
            count => Ok(count),
        }
    }

    /// The store keeps the first 20 of very many soft bounces, so more could not be counted.
    fn messages(&self, name: &str, default: usize) -> anyhow::Result<usize> {
        match self.count(name, default)? {
            count @ 1..=20 => Ok(count),
            _ => bail!("environment variable {name}: expected at most 20"),
        }
    }

    fn list(&self, name: &str, default: Vec<SuppressionPeriod>) -> anyhow::Result<Vec<SuppressionPeriod>> {
        let Some(text) = self.set(name) else { return Ok(default) };
        let values: anyhow::Result<Vec<SuppressionPeriod>> = text.split(',').map(str::parse).collect();
        values.with_context(|| format!("environment variable {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Policy, SuppressionPeriod};

    fn from(name: &'static str, value: &'static str) -> anyhow::Result<Policy> {
        Policy::from_env(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn unset_and_empty_variables_mean_the_default() {
        assert_eq!(Policy::from_env(|_| None).unwrap(), Policy::default());
        assert_eq!(Policy::from_env(|_| Some(" ".to_owned())).unwrap(), Policy::default());
    }

    #[test]
    fn variables_override() {
        assert_eq!(
            from("COMPLAINT_DAYS", "365").unwrap().complaint,
            SuppressionPeriod::Days(365)
        );
        assert_eq!(
            from("SOFT_BOUNCE_DAYS", "7, forever").unwrap().streak.period,
            [SuppressionPeriod::Days(7), SuppressionPeriod::Permanent]
        );
    }

    #[test]
    fn a_bad_value_is_named() {
        let cases = [
            ("SOFT_BOUNCE_MESSAGES", "0"),
            ("SOFT_BOUNCE_MESSAGES", "many"),
            ("SOFT_BOUNCE_MESSAGES", "21"),
            ("COMPLAINT_DAYS", "0"),
            ("COMPLAINT_DAYS", "a week"),
            ("SOFT_BOUNCE_DAYS", "30,,90"),
            ("SOFT_BOUNCE_SPAN_HOURS", "-1"),
            ("MIRROR_UNSUBSCRIBES", "yes"),
        ];
        for (name, value) in cases {
            let error = format!("{:#}", from(name, value).unwrap_err());
            assert!(error.contains(name), "{name}={value}: {error}");
        }
    }
}
