//! The thresholds of the bounce and complaint rates.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::{AccountId, Identity};

use super::enforcement::EnforcementKind;
use super::state::{Figures, number};
use crate::client::{Store, StoreError, key};
use crate::item::{Item, n, text};
use crate::routing::SenderMatch;
use crate::statistics::Sender;

/// A rate in parts per million. An integer, so that 5 of 100 recipients are exactly 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rate(u32);

/// The text is not a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a percentage above 0 % and up to 100 %, with at most four decimals, such as \"2.5 %\"")]
pub struct InvalidRate;

impl Rate {
    /// Creates a rate from parts per million.
    #[must_use]
    pub const fn parts_per_million(parts: u32) -> Self {
        Self(parts)
    }

    /// Returns whether `count` of `volume` is this rate or more.
    #[must_use]
    pub fn is_reached_by(self, figures: Figures) -> bool {
        u128::from(figures.count) * 1_000_000 >= u128::from(figures.volume) * u128::from(self.0)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:04}", self.0 % 10_000);
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{} %", self.0 / 10_000),
            decimals => write!(f, "{}.{decimals} %", self.0 / 10_000),
        }
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.trim().strip_suffix('%').ok_or(InvalidRate)?.trim();
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(decimals, 4) {
            return Err(InvalidRate);
        }
        let parts: u32 = format!("{whole}{decimals:0<4}").parse().map_err(|_| InvalidRate)?;
        if (1..=1_000_000).contains(&parts) {
            Ok(Self(parts))
        } else {
            Err(InvalidRate)
        }
    }
}

/// The two thresholds of a measure, and the minimum volume from which its rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// The rate from which the accounts concerned receive a warning.
    pub warn: Rate,
    /// The rate from which the configured enforcements apply.
    pub enforce: Rate,
    /// Minimum recipients within one hour. With fewer the rate of the hour does not count.
    pub min_hour_recipients: u64,
    /// Minimum recipients within 24 hours. With fewer the rate of the day does not count.
    pub min_day_recipients: u64,
    /// Minimum bounces or complaints. With fewer no rate counts, because one complaint among 50 recipients is chance.
    pub min_events: u64,
}

/// The thresholds of a sender, and the enforcements at the enforcement threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// The thresholds of the hard bounce rate.
    pub bounces: Threshold,
    /// The thresholds of the complaint rate.
    pub complaints: Threshold,
    /// The enforcements at the enforcement threshold. Default: none.
    pub enforcements: BTreeSet<EnforcementKind>,
}

impl Default for Thresholds {
    /// Enforcement at the rates at which
    /// [AWS places an account under review](https://docs.aws.amazon.com/ses/latest/dg/monitor-sender-reputation.html), a
    /// warning at half of them.
    fn default() -> Self {
        Self {
            bounces: Threshold {
                warn: Rate::parts_per_million(25_000),
                enforce: Rate::parts_per_million(50_000),
                min_hour_recipients: 50,
                min_day_recipients: 200,
                min_events: 5,
            },
            complaints: Threshold {
                warn: Rate::parts_per_million(500),
                enforce: Rate::parts_per_million(1_000),
                min_hour_recipients: 100,
                min_day_recipients: 200,
                min_events: 3,
            },
            enforcements: BTreeSet::new(),
        }
    }
}

/// The default thresholds and their overrides for some senders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThresholdTable {
    /// The thresholds of all other senders. `None` means [`Thresholds::default`].
    pub default: Option<Thresholds>,
    /// The thresholds of the senders that match.
    pub overrides: Vec<(SenderMatch, Thresholds)>,
}

impl ThresholdTable {
    /// Returns the thresholds of a sender: the most specific override that matches, or else the default. An override
    /// replaces the default as a whole.
    #[must_use]
    pub fn of(&self, sender: &Sender) -> Thresholds {
        let matching = self
            .overrides
            .iter()
            .filter_map(|(senders, thresholds)| Some((specificity(senders, sender)?, thresholds)));
        let most_specific = matching
            .max_by_key(|(specificity, _)| *specificity)
            .map(|(_, thresholds)| thresholds);
        most_specific.or(self.default.as_ref()).cloned().unwrap_or_default()
    }
}

/// How specific a match is for a sender, or `None` when it does not match. The identity counts more than the account, and
/// the account more than the owner.
fn specificity(senders: &SenderMatch, sender: &Sender) -> Option<u32> {
    let owner = senders
        .owner
        .as_ref()
        .map_or(Some(0), |owner| (owner.as_str() == sender.owner).then_some(1));
    let account = senders
        .account
        .as_ref()
        .map_or(Some(0), |account| (account.as_str() == sender.account).then_some(2));
    let identity = senders.identity.as_ref().map_or(Some(0), |identity| {
        let domain = sender
            .identity
            .rsplit_once('@')
            .map_or(sender.identity.as_str(), |(_, domain)| domain);
        match identity {
            exact if exact.as_str() == sender.identity => Some(8),
            Identity::Domain(wanted) if wanted == domain => Some(4),
            _ => None,
        }
    });
    Some(owner? + account? + identity?)
}

impl Store {
    /// Returns the default thresholds and all overrides.
    ///
    /// # Errors
    /// When DynamoDB fails or a row cannot be read.
    pub async fn thresholds(&self) -> Result<ThresholdTable, StoreError> {
        let mut table = ThresholdTable::default();
        for row in self.rows_between("THRESHOLDS", " ", "~").await? {
            let (Some(sk), Some(thresholds)) = (text(&row, "sk"), read_thresholds(&row)) else {
                return Err(self.broken("Query", "a row of THRESHOLDS cannot be read"));
            };
            if sk == "DEFAULT" {
                table.default = Some(thresholds);
            } else if let Some(senders) = read_sender_match(sk) {
                table.overrides.push((senders, thresholds));
            }
        }
        Ok(table)
    }

    /// Writes the thresholds of the senders that match, or the default with `None`.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn put_thresholds(
        &self,
        senders: Option<&SenderMatch>,
        thresholds: &Thresholds,
    ) -> Result<(), StoreError> {
        let mut item = key("THRESHOLDS", &thresholds_sk(senders));
        for (name, threshold) in [("bounces", &thresholds.bounces), ("complaints", &thresholds.complaints)] {
            let numbers = [
                ("warn", u64::from(threshold.warn.0)),
                ("enforce", u64::from(threshold.enforce.0)),
                ("minHourRecipients", threshold.min_hour_recipients),
                ("minDayRecipients", threshold.min_day_recipients),
                ("minEvents", threshold.min_events),
            ];
            let numbers = numbers.map(|(name, number)| (name.to_owned(), n(number)));
            item.insert(name.to_owned(), AttributeValue::M(numbers.into_iter().collect()));
        }
        if !thresholds.enforcements.is_empty() {
            let enforcements = thresholds
                .enforcements
                .iter()
                .map(|enforcement| enforcement.as_str().to_owned())
                .collect();
            item.insert("enforcements".to_owned(), AttributeValue::Ss(enforcements));
        }
        self.put(item).await
    }

    /// Deletes the thresholds of the senders that match, or the default with `None`.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn delete_thresholds(&self, senders: Option<&SenderMatch>) -> Result<(), StoreError> {
        self.delete("THRESHOLDS", &thresholds_sk(senders)).await
    }
}

fn thresholds_sk(senders: Option<&SenderMatch>) -> String {
    let Some(senders) = senders else {
        return "DEFAULT".to_owned();
    };
    format!(
        "FOR#{}/{}/{}",
        senders.owner.as_ref().map_or("*", AccountId::as_str),
        senders.account.as_ref().map_or("*", AccountId::as_str),
        senders.identity.as_ref().map_or("*", Identity::as_str),
    )
}

fn read_sender_match(sk: &str) -> Option<SenderMatch> {
    let sender: Sender = sk.strip_prefix("FOR#")?.parse().ok()?;
    let account = |text: &str| match text {
        "*" => Some(None),
        text => text.parse().ok().map(Some),
    };
    Some(SenderMatch {
        owner: account(&sender.owner)?,
        account: account(&sender.account)?,
        identity: (sender.identity != "*").then(|| Identity::from(sender.identity.as_str())),
    })
}

fn read_thresholds(item: &Item) -> Option<Thresholds> {
    let threshold = |name: &str| {
        let map = item.get(name)?.as_m().ok()?;
        let rate = |name: &str| {
            u32::try_from(number(map, name))
                .ok()
                .filter(|parts| *parts > 0)
                .map(Rate)
        };
        Some(Threshold {
            warn: rate("warn")?,
            enforce: rate("enforce")?,
            min_hour_recipients: number(map, "minHourRecipients"),
            min_day_recipients: number(map, "minDayRecipients"),
            min_events: number(map, "minEvents"),
        })
    };
    let enforcements = item.get("enforcements").and_then(|value| value.as_ss().ok());
    Some(Thresholds {
        bounces: threshold("bounces")?,
        complaints: threshold("complaints")?,
        enforcements: enforcements
            .into_iter()
            .flatten()
            .filter_map(|name| EnforcementKind::parse(name))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Figures, Rate, Sender, SenderMatch, ThresholdTable, Thresholds};

    #[test]
    fn rates_are_exact_and_parse_as_they_are_written() {
        for (text, parts) in [
            ("5 %", 50_000),
            ("0.1%", 1_000),
            ("2.5 %", 25_000),
            ("100 %", 1_000_000),
            ("0.0001 %", 1),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate, Rate::parts_per_million(parts), "{text}");
            assert_eq!(rate.to_string().parse(), Ok(rate), "{text}");
        }
        for text in ["5", "0 %", "-1 %", "100.1 %", "%", ". %", "1.00001 %", "1,5 %", "NaN %"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
        let five = Rate::parts_per_million(50_000);
        assert!(five.is_reached_by(Figures { count: 5, volume: 100 }));
        assert!(!five.is_reached_by(Figures { count: 4, volume: 81 }));
    }

    #[test]
    fn the_most_specific_override_applies() {
        let account = |text: &str| Some(text.parse().unwrap());
        let thresholds = |events| {
            let mut thresholds = Thresholds::default();
            thresholds.bounces.min_events = events;
            thresholds
        };
        let senders = |owner: &str, sender: &str, identity: &str| SenderMatch {
            owner: account(owner).filter(|_| owner != "000000000000"),
            account: account(sender).filter(|_| sender != "000000000000"),
            identity: (!identity.is_empty()).then(|| identity.into()),
        };
        let table = ThresholdTable {
            default: Some(thresholds(1)),
            overrides: vec![
                (senders("111122223333", "000000000000", ""), thresholds(2)),
                (senders("000000000000", "444455556666", ""), thresholds(3)),
                (senders("111122223333", "000000000000", "shop.example"), thresholds(4)),
                (
                    senders("111122223333", "000000000000", "news@shop.example"),
                    thresholds(5),
                ),
            ],
        };
        let cases = [
            ("111122223333/777788889999/other.example", 2),
            ("111122223333/444455556666/other.example", 3),
            ("111122223333/444455556666/shop.example", 4),
            ("111122223333/444455556666/info@shop.example", 4),
            ("111122223333/444455556666/news@shop.example", 5),
            ("-/-/-", 1),
        ];
        for (sender, events) in cases {
            let sender: Sender = sender.parse().unwrap();
            assert_eq!(table.of(&sender).bounces.min_events, events, "{sender}");
        }
    }
}
