//! Parsing a Lambda event and deciding: with the types of `notification-model`, and with `serde_json::Value`.

use std::hint::black_box;

use clap::{Args, ValueEnum};
use feedback::decide::{Facts, decide};
use feedback::policy::Policy;
use intake::Batch;
use jiff::Timestamp;
use notification_model::SesMessage;
use serde_json::Value;

use crate::EventFile;

#[derive(Args)]
pub(crate) struct Options {
    /// File with a Lambda event
    #[arg(long)]
    event: EventFile,
    /// Implementation
    #[arg(long, value_enum)]
    with: Implementation,
    /// How often the event is processed
    #[arg(long, default_value_t = 1000)]
    times: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Implementation {
    /// The types that the function uses
    Types,
    /// A minimal handler that reads JSON values
    Values,
}

/// Prints the nanoseconds of processor time per notification.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let event = std::fs::read(&options.event)?;
    let policy = Policy::default();
    let mut notifications = 0;
    let began = processor_time()?;
    for _ in 0..options.times {
        notifications += match options.with {
            Implementation::Types => with_types(black_box(&event), &policy)?,
            Implementation::Values => with_values(black_box(&event))?,
        };
    }
    print_result((processor_time()? - began) / f64::from(notifications));
    Ok(())
}

/// Nanoseconds for which this thread has run on a processor. Other programs on the machine affect it little.
pub(crate) fn processor_time() -> anyhow::Result<f64> {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let time = schedule.split_ascii_whitespace().next().unwrap_or_default();
    Ok(time.parse()?)
}

#[expect(clippy::print_stdout, reason = "the result")]
pub(crate) fn print_result(number: f64) {
    println!("{number}");
}

fn with_types(event: &[u8], policy: &Policy) -> anyhow::Result<u32> {
    let batch = Batch::from_slice(event)?;
    let mut decided = 0;
    for record in batch.records().iter().flatten() {
        let SesMessage::Notification(notification) = notification_model::parse(&record.payload)? else {
            continue;
        };
        let published_at = record.provenance.published_at.unwrap_or(Timestamp::UNIX_EPOCH);
        black_box(decide(&notification, &Facts { published_at }, policy));
        decided += 1;
    }
    Ok(decided)
}

/// The decision of the minimal handler.
#[derive(Debug)]
#[expect(dead_code, reason = "only the time is of interest")]
struct Decided {
    key: String,
    reason: String,
    sender: String,
    message_id: String,
    at: Timestamp,
}

/// The minimal handler: without scopes, status codes, diagnostic texts and streaks.
fn with_values(event: &[u8]) -> anyhow::Result<u32> {
    let event: Value = serde_json::from_slice(event)?;
    let mut decided = 0;
    for record in event.get("Records").and_then(Value::as_array).into_iter().flatten() {
        let envelope: Value = serde_json::from_str(text(record, "/body"))?;
        let notification: Value = serde_json::from_str(text(&envelope, "/Message"))?;
        let kind = match text(&notification, "/eventType") {
            "" => text(&notification, "/notificationType"),
            kind => kind,
        };
        let (recipients, report) = match kind {
            "Bounce" => ("/bounce/bouncedRecipients", "/bounce"),
            "Complaint" => ("/complaint/complainedRecipients", "/complaint"),
            _ => ("/delivery/recipients", "/delivery"),
        };
        let at: Timestamp = text(&notification, &format!("{report}/timestamp")).parse()?;
        let mut all = Vec::new();
        for recipient in notification
            .pointer(recipients)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let address = recipient.as_str().unwrap_or_else(|| text(recipient, "/emailAddress"));
            let permanent = kind != "Bounce" || text(&notification, "/bounce/bounceType") == "Permanent";
            all.push(Decided {
                key: address.trim_matches(['<', '>']).to_lowercase(),
                reason: if permanent { kind } else { "Transient" }.to_owned(),
                sender: format!(
                    "{}#{}",
                    text(&notification, "/mail/sendingAccountId"),
                    text(&notification, "/mail/sourceArn")
                ),
                message_id: text(&notification, "/mail/messageId").to_owned(),
                at,
            });
        }
        black_box(all);
        decided += 1;
    }
    Ok(decided)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
