//! A soft bounce, as a member of a recipient's set of soft bounces.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::item::stamp;

/// Up to this number, all soft bounces of a scope are kept. Of more, the first [`FIRST_KEPT`] and the first of each day are
/// kept. An hourly alert to a full mailbox causes that many. The selection is enough to measure a streak in days, and it
/// limits the size of the row.
const ALL_KEPT: usize = 100;

/// See [`ALL_KEPT`].
const FIRST_KEPT: usize = 20;

const SECONDS_PER_DAY: i64 = 86_400;

/// One soft bounce of a streak.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SoftBounce {
    /// When the message bounced.
    pub at: Timestamp,
    /// The SES message id.
    pub message_id: String,
}

impl SoftBounce {
    pub(super) fn write(&self) -> String {
        format!("{}#{}", stamp(self.at), self.message_id)
    }

    pub(super) fn read(member: &str) -> Option<Self> {
        let (at, message_id) = member.split_once('#')?;
        Some(Self {
            at: at.parse().ok()?,
            message_id: message_id.to_owned(),
        })
    }
}

/// Selects the soft bounces to keep from bounces in ascending order.
pub(super) fn select_kept(bounces: Vec<SoftBounce>) -> Vec<SoftBounce> {
    if bounces.len() <= ALL_KEPT {
        return bounces;
    }
    let mut days = BTreeSet::new();
    let mut kept = Vec::new();
    for (index, bounce) in bounces.into_iter().enumerate() {
        let first_of_its_day = days.insert(bounce.at.as_second().div_euclid(SECONDS_PER_DAY));
        if index < FIRST_KEPT || first_of_its_day {
            kept.push(bounce);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{SoftBounce, select_kept};

    fn hourly(count: i64) -> Vec<SoftBounce> {
        let bounce = |hour| SoftBounce {
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour),
            message_id: format!("m{hour}"),
        };
        (0..count).map(bounce).collect()
    }

    #[test]
    fn a_hundred_soft_bounces_are_all_kept() {
        assert_eq!(select_kept(hourly(100)), hourly(100));
    }

    #[test]
    fn of_more_the_first_twenty_and_the_first_of_each_day_are_kept() {
        let kept: Vec<String> = select_kept(hourly(101))
            .into_iter()
            .map(|bounce| bounce.message_id)
            .collect();
        let first = (0..20).map(|hour| format!("m{hour}"));
        let expected: Vec<String> = first.chain([24, 48, 72, 96].map(|hour| format!("m{hour}"))).collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_written_soft_bounce_reads_the_same() {
        let bounce = SoftBounce {
            at: "2026-01-27T14:59:38.237Z".parse().unwrap(),
            message_id: "010f#0194".to_owned(),
        };
        assert_eq!(SoftBounce::read(&bounce.write()), Some(bounce));
        assert_eq!(SoftBounce::read("yesterday#m1"), None);
        assert_eq!(SoftBounce::read("2026-01-27T14:59:38.237Z"), None);
    }
}
