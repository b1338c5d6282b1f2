//! `postroomctl reputation senders`: rates of senders against the rates at which AWS reviews and pauses an account.

use clap::Args;
use jiff::Timestamp;
use operations::{EVENT_KINDS, RatedCounts, counts_text, sender_text, senders_worst_first, stream_text};
use serde_json::{Value, json};
use store::{EventCounts, SenderRates};

use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;
use crate::text::Text;

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
    let senders = senders_worst_first(&store, now).await.map_err(AwsError::from)?;
    let text = if args.table.json {
        senders_json(&senders, args.minimum)
    } else {
        senders_text(&senders, args.minimum)?
    };
    Ok(Output::done(text))
}

fn senders_text(senders: &[SenderRates], minimum: u64) -> anyhow::Result<Text> {
    if senders.is_empty() {
        return Ok(Text::of_line("no senders in the last 24 hours"));
    }
    let mut text = Text::default();
    for rates in senders {
        writeln!(text, "{}", sender_text(&rates.sender))?;
        for (period, counts) in [("1 h", &rates.hour), ("24 h", &rates.day)] {
            let rated = RatedCounts::new(counts, minimum);
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
    writeln!(text)?;
    writeln!(
        text,
        "AWS reviews an account at 5 % bounces or 0.1 % complaints, and pauses it at 10 % or 0.5 %."
    )?;
    writeln!(
        text,
        "low volume: fewer than {minimum} recipients. no volume: publish Send or Delivery events to count recipients."
    )?;
    Ok(text)
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "     -  ".to_owned(), |rate| format!("{:6.2} %", rate * 100.0))
}

fn senders_json(senders: &[SenderRates], minimum: u64) -> Text {
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
                "hour": rated_json(&RatedCounts::new(&rates.hour, minimum)),
                "day": rated_json(&RatedCounts::new(&rates.day, minimum)),
                "dayByStream": streams.collect::<Vec<_>>(),
            })
        })
        .collect();
    json_text(&json!(rows))
}

fn counts_json(counts: &EventCounts) -> Value {
    EVENT_KINDS
        .iter()
        .map(|kind| (kind.as_str().to_owned(), json!(counts.get(*kind))))
        .collect()
}

fn rated_json(rated: &RatedCounts<'_>) -> Value {
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
