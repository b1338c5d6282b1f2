//! A delivered message, as the row of its recipient and the rows of batches record it.

use jiff::Timestamp;

use crate::item::{hash, stamp};

/// Maximum number of deliveries that a row keeps for each scope.
const KEPT: usize = 20;

/// A delivery of a message to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveredMessage {
    /// When the message was delivered.
    pub at: Timestamp,
    /// A hash of the SES message id.
    pub(super) message: u64,
}

impl DeliveredMessage {
    /// The delivery of a message at a time.
    #[must_use]
    pub fn new(at: Timestamp, message_id: &str) -> Self {
        Self {
            // To the precision that the table has, so that a delivery that was read equals the one that was written.
            at: Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at),
            message: hash(&[message_id]),
        }
    }

    /// Whether this is a delivery of the message.
    #[must_use]
    pub fn is_of(&self, message_id: &str) -> bool {
        self.message == hash(&[message_id])
    }

    /// The member of the set in the row: `TIME#HASH`.
    pub(super) fn write(&self) -> String {
        format!("{}#{:016x}", stamp(self.at), self.message)
    }

    pub(super) fn read(member: &str) -> Option<Self> {
        let (at, message) = member.split_once('#')?;
        Some(Self {
            at: at.parse().ok()?,
            message: u64::from_str_radix(message, 16).ok()?,
        })
    }
}

/// Returns the newest deliveries of two lists, in ascending order, at most [`KEPT`].
pub(super) fn newest_of(known: &[DeliveredMessage], more: &[DeliveredMessage]) -> Vec<DeliveredMessage> {
    let mut all = [known, more].concat();
    all.sort_unstable();
    all.dedup();
    all.split_off(all.len().saturating_sub(KEPT))
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{DeliveredMessage, KEPT, newest_of};

    fn hourly(hours: std::ops::Range<i64>) -> Vec<DeliveredMessage> {
        let delivered =
            |hour| DeliveredMessage::new(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour), "a message");
        hours.map(delivered).collect()
    }

    #[test]
    fn a_written_delivery_reads_the_same() {
        let delivered = DeliveredMessage::new("2026-01-27T14:59:38.237999Z".parse().unwrap(), "010f#0194");
        assert_eq!(DeliveredMessage::read(&delivered.write()), Some(delivered));
        assert!(delivered.is_of("010f#0194"));
        assert!(!delivered.is_of("010f"));
        assert_eq!(DeliveredMessage::read("2026-01-27T14:59:38.237Z"), None);
    }

    #[test]
    fn the_newest_deliveries_are_kept_in_any_order() {
        let kept = i64::try_from(KEPT).unwrap();
        let newest = hourly(10..10 + kept);
        assert_eq!(newest_of(&hourly(0..15), &hourly(5..10 + kept)), newest);
        assert_eq!(newest_of(&hourly(5..10 + kept), &hourly(0..15)), newest);
    }
}
