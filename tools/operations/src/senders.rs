//! The senders with their rates, worst first.

use jiff::Timestamp;
use store::{EventCounts, EventKind, Sender, SenderRates, SendingStream, Store, StoreError};

/// Reads the rates of all senders of the last 24 hours, worst first.
///
/// # Errors
/// If DynamoDB fails.
pub async fn senders_worst_first(store: &Store, now: Timestamp) -> Result<Vec<SenderRates>, StoreError> {
    let mut senders = Vec::new();
    for sender in store.senders(now).await? {
        senders.push(store.sender_rates(&sender, now).await?);
    }
    senders.sort_by(|a, b| severity(b).total_cmp(&severity(a)));
    Ok(senders)
}

/// The rates at which AWS reviews and pauses an account, as fractions. See
/// [reputation metrics](https://docs.aws.amazon.com/ses/latest/dg/monitor-sender-reputation.html).
struct AwsRates {
    review: f64,
    pause: f64,
}

const BOUNCES: AwsRates = AwsRates {
    review: 0.05,
    pause: 0.10,
};
const COMPLAINTS: AwsRates = AwsRates {
    review: 0.001,
    pause: 0.005,
};

impl AwsRates {
    fn rating(&self, rate: Option<f64>, volume: Option<u64>, minimum: u64) -> &'static str {
        match rate {
            None => "no volume",
            Some(_) if volume.is_none_or(|volume| volume < minimum) => "low volume",
            Some(rate) if rate >= self.pause => "PAUSE RATE",
            Some(rate) if rate >= self.review => "REVIEW RATE",
            Some(rate) if rate >= self.review / 2.0 => "warning",
            Some(_) => "healthy",
        }
    }
}

/// The counts of an hour or a day, with ratings of both rates.
#[derive(Debug)]
pub struct RatedCounts<'a> {
    /// The counts.
    pub counts: &'a EventCounts,
    /// How the bounce rate compares with the rates at which AWS acts: `healthy`, `warning`, `REVIEW RATE`, `PAUSE RATE`, or
    /// `no volume` and `low volume`, with which a rate means nothing.
    pub bounces: &'static str,
    /// The same for the complaint rate.
    pub complaints: &'static str,
}

impl<'a> RatedCounts<'a> {
    /// Rates counts. A rate of fewer than `minimum` recipients is of low volume.
    #[must_use]
    pub fn new(counts: &'a EventCounts, minimum: u64) -> Self {
        let volume = counts.volume();
        Self {
            counts,
            bounces: BOUNCES.rating(counts.bounce_rate(), volume, minimum),
            complaints: COMPLAINTS.rating(counts.complaint_rate(), volume, minimum),
        }
    }
}

/// The larger of both rates of a day, relative to the rate at which AWS reviews.
fn severity(rates: &SenderRates) -> f64 {
    let bounces = rates.day.bounce_rate().unwrap_or_default() / BOUNCES.review;
    let complaints = rates.day.complaint_rate().unwrap_or_default() / COMPLAINTS.review;
    bounces.max(complaints)
}

/// The kinds of events in the order in which they are shown.
pub const EVENT_KINDS: [EventKind; 8] = [
    EventKind::Send,
    EventKind::Delivery,
    EventKind::Hard,
    EventKind::Soft,
    EventKind::Complaint,
    EventKind::Reject,
    EventKind::RenderingFailure,
    EventKind::Delay,
];

/// The identity of a sender, and who sends from it.
#[must_use]
pub fn sender_text(sender: &Sender) -> String {
    let Sender {
        owner,
        account,
        identity,
    } = sender;
    if owner == account || owner == "-" {
        format!("{identity}, sent by {account}")
    } else {
        format!("{identity} of {owner}, sent by delegate {account}")
    }
}

/// The configuration set and tenant of a sending stream. None for mail without both.
#[must_use]
pub fn stream_text(stream: &SendingStream) -> Option<String> {
    let configuration_set = stream.configuration_set.as_ref();
    let configuration_set = configuration_set.map(|name| format!("configuration set {name}"));
    let tenant = stream.tenant.as_ref().map(|name| format!("tenant {name}"));
    let parts: Vec<String> = configuration_set.into_iter().chain(tenant).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The events of each kind that occurred: `delivery 18, hard 2`.
#[must_use]
pub fn counts_text(counts: &EventCounts) -> String {
    let texts: Vec<String> = EVENT_KINDS
        .iter()
        .filter(|kind| counts.get(**kind) > 0)
        .map(|kind| format!("{} {}", kind.as_str(), counts.get(*kind)))
        .collect();
    texts.join(", ")
}
