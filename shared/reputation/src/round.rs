//! The result of checking every sender once.

use store::{EventCounts, Sender, SenderRates, StoreError};

use crate::alert::Alert;

/// Maximum number of senders in [`Round::worst`].
pub const WORST: usize = 10;

/// Minimum recipients within 24 hours for a sender in [`Round::worst`]. A bounce of a single mail is a rate of 100 %.
const MIN_RECIPIENTS_FOR_RATE: u64 = 100;

/// The rates at which [AWS places an account under review](https://docs.aws.amazon.com/ses/latest/dg/monitor-sender-reputation.html).
const REVIEW_BOUNCE_RATE: f64 = 0.05;
const REVIEW_COMPLAINT_RATE: f64 = 0.001;

/// The result of checking every sender once.
#[derive(Debug, Default)]
pub struct Round {
    /// The alerts to send, each followed by [`ReputationMonitor::mark_notified`](crate::ReputationMonitor::mark_notified).
    pub alerts: Vec<Alert>,
    /// The number of senders that were checked, without the failed ones.
    pub checked: usize,
    /// The number of enforcements whose outcome is unknown. A later round repeats them.
    pub unknown_outcomes: usize,
    /// The senders that were not checked.
    pub failures: Vec<(Sender, StoreError)>,
    /// The senders whose rates over 24 hours are nearest to the rates at which AWS reviews an account, worst first. At most
    /// [`WORST`].
    pub worst: Vec<SenderRates>,
}

impl Round {
    /// Adds the rates of a sender, if they are among the worst.
    pub(crate) fn add_rates(&mut self, rates: SenderRates) {
        if severity(&rates.day) <= 0.0 {
            return;
        }
        self.worst.push(rates);
        self.worst.sort_by(|a, b| severity(&b.day).total_cmp(&severity(&a.day)));
        self.worst.truncate(WORST);
    }
}

/// The larger of the rates, each relative to the rate at which AWS reviews an account. 0 with too few recipients.
fn severity(day: &EventCounts) -> f64 {
    if day.volume().is_none_or(|volume| volume < MIN_RECIPIENTS_FOR_RATE) {
        return 0.0;
    }
    let bounces = day.bounce_rate().unwrap_or_default() / REVIEW_BOUNCE_RATE;
    let complaints = day.complaint_rate().unwrap_or_default() / REVIEW_COMPLAINT_RATE;
    bounces.max(complaints)
}
