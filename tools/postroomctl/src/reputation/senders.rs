//! `postroomctl reputation senders`: rates of senders against the rates at which AWS reviews and pauses an account.

use std::fmt::Write;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{EventCounts, EventKind, Sender, SenderRates, SendingStream};

use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct SendersArgs {
    /// The number of recipients, in the hour or the day, from which a rate is rated.
    #[arg(long, default_value_t = 50, value_name = "RECIPIENTS")]
    minimum: u64,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &SendersArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let now = Timestamp::now();
    let mut senders = Vec::new();
    for sender in store.senders(now).await.map_err(AwsError::from)? {
        senders.push(store.sender_rates(&sender, now).await.map_err(AwsError::from)?);
    }
    senders.sort_by(|a, b| severity(b).total_cmp(&severity(a)));
    let text = if args.table.json {
        senders_json(&senders, args.minimum)
    } else {
        senders_text(&senders, args.minimum)?
    };
    Ok(Output::done(text))
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
struct Rated<'a> {
    counts: &'a EventCounts,
    bounces: &'static str,
    complaints: &'static str,
}

impl<'a> Rated<'a> {
    fn new(counts: &'a EventCounts, minimum: u64) -> Self {
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

const KINDS: [EventKind; 8] = [
    EventKind::Send,
    EventKind::Delivery,
    EventKind::Hard,
    EventKind::Soft,
    EventKind::Complaint,
    EventKind::Reject,
    EventKind::RenderingFailure,
    EventKind::Delay,
];

fn senders_text(senders: &[SenderRates], minimum: u64) -> anyhow::Result<String> {
    if senders.is_empty() {
        return Ok("no senders in the last 24 hours\n".to_owned());
    }
    let mut text = String::new();
    for rates in senders {
        writeln!(text, "{}", sender_text(&rates.sender))?;
        for (period, counts) in [("1 h", &rates.hour), ("24 h", &rates.day)] {
            let rated = Rated::new(counts, minimum);
            let (bounce_rate, complaint_rate) = (percent(counts.bounce_rate()), percent(counts.complaint_rate()));
            let (bounces, complaints, counts) = (rated.bounces, rated.complaints, counts_text(counts));
            writeln!(
                text,
                "  {period:<5} bounces {bounce_rate} {bounces:<11}  complaints {complaint_rate} {complaints:<11}  {counts}"
            )?;
        }
        for (stream, counts) in &rates.day_by_stream {
            if let Some(stream) = stream_text(stream) {
                writeln!(text, "        {stream}: {}", counts_text(counts))?;
            }
        }
    }
    writeln!(
        text,
        "\nAWS reviews an account at 5 % bounces or 0.1 % complaints, and pauses it at 10 % or 0.5 %.\n\
         low volume: fewer than {minimum} recipients. no volume: publish Send or Delivery events to count recipients."
    )?;
    Ok(text)
}

fn sender_text(sender: &Sender) -> String {
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

fn stream_text(stream: &SendingStream) -> Option<String> {
    let configuration_set = stream.configuration_set.as_ref();
    let configuration_set = configuration_set.map(|name| format!("configuration set {name}"));
    let tenant = stream.tenant.as_ref().map(|name| format!("tenant {name}"));
    let parts: Vec<String> = configuration_set.into_iter().chain(tenant).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn counts_text(counts: &EventCounts) -> String {
    let texts: Vec<String> = KINDS
        .iter()
        .filter(|kind| counts.get(**kind) > 0)
        .map(|kind| format!("{} {}", kind.as_str(), counts.get(*kind)))
        .collect();
    texts.join(", ")
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "     -  ".to_owned(), |rate| format!("{:6.2} %", rate * 100.0))
}

fn senders_json(senders: &[SenderRates], minimum: u64) -> String {
    let rows: Vec<Value> = senders
        .iter()
        .map(|rates| {
            let streams = rates.day_by_stream.iter().map(|(stream, counts)| {
                json!({
                    "configurationSet": stream.configuration_set, "tenant": stream.tenant,
                    "counts": counts_json(counts),
                })
            });
            json!({
                "owner": rates.sender.owner, "account": rates.sender.account, "identity": rates.sender.identity,
                "hour": rated_json(&Rated::new(&rates.hour, minimum)),
                "day": rated_json(&Rated::new(&rates.day, minimum)),
                "dayByStream": streams.collect::<Vec<_>>(),
            })
        })
        .collect();
    json_text(&json!(rows))
}

fn counts_json(counts: &EventCounts) -> Value {
    KINDS
        .iter()
        .map(|kind| (kind.as_str().to_owned(), json!(counts.get(*kind))))
        .collect()
}

fn rated_json(rated: &Rated<'_>) -> Value {
    let counts = rated.counts;
    json!({
        "counts": counts_json(counts),
        "volume": counts.volume(),
        "bounceRate": counts.bounce_rate(),
        "bounceRating": rated.bounces,
        "complaintRate": counts.complaint_rate(),
        "complaintRating": rated.complaints,
    })
}
