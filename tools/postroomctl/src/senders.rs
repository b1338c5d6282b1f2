//! How senders are doing, against the lines at which AWS reviews and pauses an account.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};
use store::{EventCounts, EventKind, Sender, SenderRates};

use crate::Output;
use crate::cli::SendersArgs;
use crate::table::{AwsFailed, open};

/// Where AWS reviews an account and where it pauses it, as fractions. See the
/// [reputation metrics](https://docs.aws.amazon.com/ses/latest/dg/monitor-sender-reputation.html).
struct Thresholds {
    review: f64,
    pause: f64,
}

const BOUNCES: Thresholds = Thresholds {
    review: 0.05,
    pause: 0.10,
};
const COMPLAINTS: Thresholds = Thresholds {
    review: 0.001,
    pause: 0.005,
};

impl Thresholds {
    fn verdict(&self, rate: Option<f64>, volume: Option<u64>, minimum: u64) -> &'static str {
        match rate {
            None => "no volume",
            Some(_) if volume.is_none_or(|volume| volume < minimum) => "few mails",
            Some(rate) if rate >= self.pause => "PAUSE LINE",
            Some(rate) if rate >= self.review => "REVIEW LINE",
            Some(rate) if rate >= self.review / 2.0 => "warning",
            Some(_) => "healthy",
        }
    }
}

/// A sender's tally of one span, judged.
struct Judged<'a> {
    tally: &'a EventCounts,
    bounces: &'static str,
    complaints: &'static str,
}

impl<'a> Judged<'a> {
    fn of(tally: &'a EventCounts, minimum: u64) -> Self {
        Self {
            tally,
            bounces: BOUNCES.verdict(tally.bounce_rate(), tally.volume(), minimum),
            complaints: COMPLAINTS.verdict(tally.complaint_rate(), tally.volume(), minimum),
        }
    }
}

pub(crate) async fn run(args: &SendersArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let now = Timestamp::now();
    let mut all = Vec::new();
    for sender in store.senders(now).await.map_err(AwsFailed::from)? {
        all.push(store.sender_rates(&sender, now).await.map_err(AwsFailed::from)?);
    }
    // The worst first: that is who the reader looks for.
    let badness = |rates: &SenderRates| {
        let bounces = rates.day.bounce_rate().unwrap_or_default() / BOUNCES.review;
        let complaints = rates.day.complaint_rate().unwrap_or_default() / COMPLAINTS.review;
        bounces.max(complaints)
    };
    all.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
    let text = if args.table.json {
        as_json(&all, args.minimum)
    } else {
        as_text(&all, args.minimum)?
    };
    Ok(Output::yes(text))
}

const COUNTS: [EventKind; 8] = [
    EventKind::Send,
    EventKind::Delivery,
    EventKind::Hard,
    EventKind::Soft,
    EventKind::Complaint,
    EventKind::Reject,
    EventKind::RenderingFailure,
    EventKind::Delay,
];

fn as_text(all: &[SenderRates], minimum: u64) -> anyhow::Result<String> {
    if all.is_empty() {
        return Ok("nobody sent in the last 24 hours\n".to_owned());
    }
    let mut text = String::new();
    for rates in all {
        writeln!(text, "{}", sender_words(&rates.sender))?;
        for (span, tally) in [("1 h", &rates.hour), ("24 h", &rates.day)] {
            let judged = Judged::of(tally, minimum);
            let (bounce_rate, complaint_rate) = (percent(tally.bounce_rate()), percent(tally.complaint_rate()));
            let (bounces, complaints, counts) = (judged.bounces, judged.complaints, counts_words(tally));
            writeln!(
                text,
                "  {span:<5} bounces {bounce_rate} {bounces:<11}  complaints {complaint_rate} {complaints:<11}  {counts}"
            )?;
        }
        for (line, tally) in &rates.day_by_stream {
            let mut words = Vec::new();
            words.extend(
                line.configuration_set
                    .as_ref()
                    .map(|name| format!("configuration set {name}")),
            );
            words.extend(line.tenant.as_ref().map(|name| format!("tenant {name}")));
            if !words.is_empty() {
                writeln!(text, "        {}: {}", words.join(", "), counts_words(tally))?;
            }
        }
    }
    writeln!(
        text,
        "\nAWS reviews an account at 5 % bounces or 0.1 % complaints and pauses it at 10 % or 0.5 %.\n\
         few mails: fewer than {minimum}, too few to classify. no volume: switch on Send or Delivery events."
    )?;
    Ok(text)
}

fn sender_words(sender: &Sender) -> String {
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

fn counts_words(tally: &EventCounts) -> String {
    let counted = COUNTS.iter().filter(|count| tally.get(**count) > 0);
    let words: Vec<String> = counted
        .map(|count| format!("{} {}", count.as_str(), tally.get(*count)))
        .collect();
    words.join(", ")
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "     -  ".to_owned(), |rate| format!("{:6.2} %", rate * 100.0))
}

fn as_json(all: &[SenderRates], minimum: u64) -> String {
    let rows: Vec<Value> = all
        .iter()
        .map(|rates| {
            let lines: Vec<Value> = rates
                .day_by_stream
                .iter()
                .map(|(line, tally)| {
                    json!({"configurationSet": line.configuration_set, "tenant": line.tenant, "counts": counts_json(tally)})
                })
                .collect();
            json!({
                "owner": rates.sender.owner, "account": rates.sender.account, "identity": rates.sender.identity,
                "hour": tally_json(&Judged::of(&rates.hour, minimum)),
                "day": tally_json(&Judged::of(&rates.day, minimum)), "dayByLine": lines,
            })
        })
        .collect();
    format!("{:#}\n", json!(rows))
}

fn counts_json(tally: &EventCounts) -> Value {
    COUNTS
        .iter()
        .map(|count| (count.as_str().to_owned(), json!(tally.get(*count))))
        .collect()
}

fn tally_json(judged: &Judged<'_>) -> Value {
    let tally = judged.tally;
    json!({
        "counts": counts_json(tally),
        "volume": tally.volume(),
        "bounceRate": tally.bounce_rate(),
        "bounceVerdict": judged.bounces,
        "complaintRate": tally.complaint_rate(),
        "complaintVerdict": judged.complaints,
    })
}
