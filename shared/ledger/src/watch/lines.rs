//! The lines senders are measured against.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::{AccountId, Identity};

use super::{ActKind, Figures, number};
use crate::client::{Ledger, LedgerError, key};
use crate::item::{Item, n, text};
use crate::route::PartyMatch;
use crate::sender::Sender;

/// A share of mail in parts per million: exact, so that five of a hundred are on the line of 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rate(u32);

/// The text is not a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a percentage above 0 % and up to 100 %, with at most four decimals, such as \"2.5 %\"")]
pub struct InvalidRate;

impl Rate {
    /// So many parts per million.
    #[must_use]
    pub const fn parts_per_million(parts: u32) -> Self {
        Self(parts)
    }

    /// Whether `count` of `volume` is this share or more.
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

/// Two lines and the least mail from which they can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// From here on both parties are told.
    pub warn: Rate,
    /// From here on the watch acts, as far as it was asked to.
    pub act: Rate,
    /// Recipients within the hour below which its rate says nothing.
    pub hour_recipients: u64,
    /// Recipients within the day below which its rate says nothing.
    pub day_recipients: u64,
    /// Bounces or complaints below which no rate says anything: one complaint in fifty mails is chance.
    pub events: u64,
}

/// What a sender is measured against, and what may be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Hard bounces.
    pub bounces: Threshold,
    /// Complaints.
    pub complaints: Threshold,
    /// What to do at the act line; nothing, unless asked for.
    pub acts: BTreeSet<ActKind>,
}

impl Default for Lines {
    /// Act where [AWS reviews an account](https://docs.aws.amazon.com/ses/latest/dg/monitor-sender-reputation.html),
    /// warn at half of it.
    fn default() -> Self {
        Self {
            bounces: Threshold {
                warn: Rate::parts_per_million(25_000),
                act: Rate::parts_per_million(50_000),
                hour_recipients: 50,
                day_recipients: 200,
                events: 5,
            },
            complaints: Threshold {
                warn: Rate::parts_per_million(500),
                act: Rate::parts_per_million(1_000),
                hour_recipients: 100,
                day_recipients: 200,
                events: 3,
            },
            acts: BTreeSet::new(),
        }
    }
}

/// The lines for everyone and for single senders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinesTable {
    /// For everyone else; `None` means [`Lines::default`].
    pub default: Option<Lines>,
    /// For the senders that match.
    pub overrides: Vec<(PartyMatch, Lines)>,
}

impl LinesTable {
    /// The lines of a sender: of the most specific override that matches, as a whole, else the default.
    #[must_use]
    pub fn of(&self, sender: &Sender) -> Lines {
        let matching = self
            .overrides
            .iter()
            .filter_map(|(parties, lines)| Some((closeness(parties, sender)?, lines)));
        let closest = matching.max_by_key(|(closeness, _)| *closeness).map(|(_, lines)| lines);
        closest.or(self.default.as_ref()).cloned().unwrap_or_default()
    }
}

/// How closely a match names a sender; the identity tells more than the account, the account more than the owner.
fn closeness(parties: &PartyMatch, sender: &Sender) -> Option<u32> {
    let owner = parties
        .owner
        .as_ref()
        .map_or(Some(0), |owner| (owner.as_str() == sender.owner).then_some(1));
    let account = parties
        .account
        .as_ref()
        .map_or(Some(0), |account| (account.as_str() == sender.account).then_some(2));
    let identity = parties.identity.as_ref().map_or(Some(0), |identity| {
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

impl Ledger {
    /// The lines for everyone and for single senders.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn lines(&self) -> Result<LinesTable, LedgerError> {
        let mut table = LinesTable::default();
        for row in self.rows_between("LINES", " ", "~").await? {
            let (Some(sk), Some(lines)) = (text(&row, "sk"), read_lines(&row)) else {
                return Err(self.broken("Query", "a row of LINES cannot be read"));
            };
            if sk == "DEFAULT" {
                table.default = Some(lines);
            } else if let Some(parties) = read_parties(sk) {
                table.overrides.push((parties, lines));
            }
        }
        Ok(table)
    }

    /// Writes the lines of the senders that match, or with `None` the default.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn put_lines(&self, parties: Option<&PartyMatch>, lines: &Lines) -> Result<(), LedgerError> {
        let mut item = key("LINES", &lines_sk(parties));
        for (name, threshold) in [("bounces", &lines.bounces), ("complaints", &lines.complaints)] {
            let numbers = [
                ("warn", u64::from(threshold.warn.0)),
                ("act", u64::from(threshold.act.0)),
                ("hourRecipients", threshold.hour_recipients),
                ("dayRecipients", threshold.day_recipients),
                ("events", threshold.events),
            ];
            let numbers = numbers.map(|(name, number)| (name.to_owned(), n(number)));
            item.insert(name.to_owned(), AttributeValue::M(numbers.into_iter().collect()));
        }
        if !lines.acts.is_empty() {
            let acts = lines.acts.iter().map(|act| act.as_str().to_owned()).collect();
            item.insert("acts".to_owned(), AttributeValue::Ss(acts));
        }
        self.put(item).await
    }

    /// Forgets the lines of the senders that match, or with `None` the default.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn delete_lines(&self, parties: Option<&PartyMatch>) -> Result<(), LedgerError> {
        self.delete("LINES", &lines_sk(parties)).await
    }
}

fn lines_sk(parties: Option<&PartyMatch>) -> String {
    let Some(parties) = parties else {
        return "DEFAULT".to_owned();
    };
    format!(
        "FOR#{}/{}/{}",
        parties.owner.as_ref().map_or("*", AccountId::as_str),
        parties.account.as_ref().map_or("*", AccountId::as_str),
        parties.identity.as_ref().map_or("*", Identity::as_str),
    )
}

fn read_parties(sk: &str) -> Option<PartyMatch> {
    let sender: Sender = sk.strip_prefix("FOR#")?.parse().ok()?;
    let account = |text: &str| match text {
        "*" => Some(None),
        text => text.parse().ok().map(Some),
    };
    Some(PartyMatch {
        owner: account(&sender.owner)?,
        account: account(&sender.account)?,
        identity: (sender.identity != "*").then(|| Identity::from(sender.identity.as_str())),
    })
}

fn read_lines(item: &Item) -> Option<Lines> {
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
            act: rate("act")?,
            hour_recipients: number(map, "hourRecipients"),
            day_recipients: number(map, "dayRecipients"),
            events: number(map, "events"),
        })
    };
    let acts = item.get("acts").and_then(|value| value.as_ss().ok());
    Some(Lines {
        bounces: threshold("bounces")?,
        complaints: threshold("complaints")?,
        acts: acts
            .into_iter()
            .flatten()
            .filter_map(|word| ActKind::read(word))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Figures, Lines, LinesTable, PartyMatch, Rate, Sender};

    #[test]
    fn rates_are_exact_and_read_as_written() {
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
    fn the_most_specific_override_holds() {
        let account = |text: &str| Some(text.parse().unwrap());
        let lines = |events| {
            let mut lines = Lines::default();
            lines.bounces.events = events;
            lines
        };
        let parties = |owner: &str, sender: &str, identity: &str| PartyMatch {
            owner: account(owner).filter(|_| owner != "000000000000"),
            account: account(sender).filter(|_| sender != "000000000000"),
            identity: (!identity.is_empty()).then(|| identity.into()),
        };
        let table = LinesTable {
            default: Some(lines(1)),
            overrides: vec![
                (parties("111122223333", "000000000000", ""), lines(2)),
                (parties("000000000000", "444455556666", ""), lines(3)),
                (parties("111122223333", "000000000000", "shop.example"), lines(4)),
                (parties("111122223333", "000000000000", "news@shop.example"), lines(5)),
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
            assert_eq!(table.of(&sender).bounces.events, events, "{sender}");
        }
    }
}
