//! Bounces of a recipient in a scope that suppress it only together, or only for a limited time.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::delivered::DeliveredMessage;
use super::scope::SuppressionSource;
use crate::item::stamp;

/// Up to this number, all bounces of a series are kept. Of more, only those that count are kept: the first
/// [`FIRST_KEPT`], the first of each day, and those of the recorded deliveries. An hourly alert to a full mailbox causes
/// that many. The selection is enough to measure a streak in days, and it limits the size of the row.
const ALL_KEPT: usize = 100;

/// See [`ALL_KEPT`].
const FIRST_KEPT: usize = 20;

const SECONDS_PER_DAY: i64 = 86_400;

/// The series of bounces that a recipient has in each scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BounceSeries {
    /// Soft bounces. Several of them suppress.
    Soft,
    /// Hard bounces that SES itself does not confirm. Each of them suppresses, the first ones for a limited time.
    Unconfirmed,
}

impl BounceSeries {
    /// Every series.
    pub const ALL: [Self; 2] = [Self::Soft, Self::Unconfirmed];

    /// Returns the source of the entry that results from the series.
    #[must_use]
    pub const fn source(self) -> SuppressionSource {
        match self {
            Self::Soft => SuppressionSource::Streak,
            Self::Unconfirmed => SuppressionSource::UnconfirmedBounce,
        }
    }

    /// Returns the name in the row: `<scope>|<name>`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|series| series.as_str() == text)
    }
}

/// One bounce of a series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesBounce {
    /// When the message bounced.
    pub at: Timestamp,
    /// The SES message id.
    pub message_id: String,
    /// What the entry that results from the bounce says about it, without `#`. Empty for soft bounces.
    pub detail: String,
}

impl SeriesBounce {
    /// The member of the set in the row: `TIME#MESSAGE` or `TIME|DETAIL#MESSAGE`.
    pub(super) fn write(&self) -> String {
        let separator = if self.detail.is_empty() { "" } else { "|" };
        let detail = self.detail.replace('#', " ");
        format!("{}{separator}{detail}#{}", stamp(self.at), self.message_id)
    }

    pub(super) fn read(member: &str) -> Option<Self> {
        let (head, message_id) = member.split_once('#')?;
        let (at, detail) = head.split_once('|').unwrap_or((head, ""));
        Some(Self {
            at: at.parse().ok()?,
            message_id: message_id.to_owned(),
            detail: detail.to_owned(),
        })
    }
}

/// Selects the bounces to keep. `all` and `counted`, those of them that count, are in ascending order.
pub(super) fn select_kept(
    all: &[SeriesBounce],
    counted: Vec<SeriesBounce>,
    delivered: &[DeliveredMessage],
) -> Vec<SeriesBounce> {
    if all.len() <= ALL_KEPT {
        return all.to_vec();
    }
    if counted.len() <= ALL_KEPT {
        return counted;
    }
    let mut days = BTreeSet::new();
    let mut kept = Vec::new();
    for (index, bounce) in counted.into_iter().enumerate() {
        let first_of_its_day = days.insert(bounce.at.as_second().div_euclid(SECONDS_PER_DAY));
        let is_delivered = delivered.iter().any(|delivered| delivered.is_of(&bounce.message_id));
        if index < FIRST_KEPT || first_of_its_day || is_delivered {
            kept.push(bounce);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{SeriesBounce, select_kept};
    use crate::suppression::delivered::DeliveredMessage;

    fn hourly(count: i64) -> Vec<SeriesBounce> {
        let bounce = |hour| SeriesBounce {
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour),
            message_id: format!("m{hour}"),
            detail: String::new(),
        };
        (0..count).map(bounce).collect()
    }

    fn kept(all: &[SeriesBounce], counted: Vec<SeriesBounce>, delivered: &[DeliveredMessage]) -> Vec<String> {
        let kept = select_kept(all, counted, delivered).into_iter();
        kept.map(|bounce| bounce.message_id).collect()
    }

    #[test]
    fn a_hundred_bounces_are_all_kept() {
        assert_eq!(select_kept(&hourly(100), hourly(2), &[]), hourly(100));
    }

    #[test]
    fn of_more_those_that_do_not_count_are_removed() {
        assert_eq!(select_kept(&hourly(101), hourly(2), &[]), hourly(2));
    }

    #[test]
    fn of_more_the_first_twenty_the_first_of_each_day_and_those_of_deliveries_are_kept() {
        let delivered = DeliveredMessage::new(Timestamp::UNIX_EPOCH, "m30");
        let first = (0..20).map(|hour| format!("m{hour}"));
        let expected: Vec<String> = first
            .chain([24, 30, 48, 72, 96].map(|hour| format!("m{hour}")))
            .collect();
        assert_eq!(kept(&hourly(101), hourly(101), &[delivered]), expected);
    }

    #[test]
    fn a_written_bounce_reads_the_same() {
        for detail in ["", "user-unknown, stated"] {
            let bounce = SeriesBounce {
                at: "2026-01-27T14:59:38.237Z".parse().unwrap(),
                message_id: "010f#0194|x".to_owned(),
                detail: detail.to_owned(),
            };
            assert_eq!(SeriesBounce::read(&bounce.write()), Some(bounce));
        }
        assert_eq!(SeriesBounce::read("yesterday#m1"), None);
        assert_eq!(SeriesBounce::read("2026-01-27T14:59:38.237Z"), None);
    }
}
