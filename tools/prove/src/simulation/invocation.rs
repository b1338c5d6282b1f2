//! Invocations of the functions' handlers.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};

use super::kill_after::KillAfter;
use super::pause::RunningProcess;
use super::process::Process;
use super::queues::{Message, Queue};
use crate::aws::SimulatedAws;

/// Invocations at the same time.
pub(super) const PROCESSES: usize = 3;
/// `Timeout` of the template.
pub(super) const LAMBDA_TIMEOUT: Duration = Duration::from_secs(60);

/// An invocation of a function with a batch.
pub(super) struct Invocation {
    pub(super) queue: Queue,
    pub(super) batch: Vec<Message>,
    /// The number of polls after which the process is killed.
    pub(super) killed_after: Option<u32>,
    /// The number of polls after which the process is paused until the others have finished.
    pub(super) paused_after: Option<u32>,
    pub(super) process: Process,
}

/// How an invocation ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Killed,
    TimedOut,
    /// The function returned an error (`None`) or the ids of the records that failed.
    Answered {
        failed: Option<BTreeSet<String>>,
    },
}

impl Outcome {
    /// Whether the record with this message id was handled.
    pub(super) fn handled(&self, message_id: &str) -> bool {
        match self {
            Self::Answered { failed: Some(failed) } => !failed.contains(message_id),
            Self::Answered { failed: None } | Self::Killed | Self::TimedOut => false,
        }
    }
}

/// Runs invocations at the same time.
pub(super) async fn invoke(
    invocations: Vec<Invocation>,
    aws: &SimulatedAws,
    now: Timestamp,
) -> Vec<(Invocation, Outcome)> {
    for invocation in &invocations {
        aws.services().trace(|| {
            let ids: Vec<&str> = invocation.batch.iter().map(|message| message.id.as_str()).collect();
            format!(
                "{now} {:?} receives {}, {}, paused after {:?} polls",
                invocation.queue,
                ids.join(" "),
                describe_kill(invocation.killed_after),
                invocation.paused_after
            )
        });
    }
    let processes = Rc::default();
    let running: Vec<_> = invocations
        .into_iter()
        .map(|invocation| run(invocation, RunningProcess::start(&processes), now))
        .collect();
    let ended = join_all(running).await;
    for (invocation, outcome) in &ended {
        record(aws, invocation, outcome);
    }
    ended
}

async fn run(invocation: Invocation, process: RunningProcess, now: Timestamp) -> (Invocation, Outcome) {
    let handler = process.pause_after(invocation.paused_after, handle(&invocation, now));
    let handler = tokio::time::timeout(LAMBDA_TIMEOUT, handler);
    let outcome = match KillAfter::new(handler, invocation.killed_after).await {
        None => Outcome::Killed,
        Some(Err(_)) => Outcome::TimedOut,
        Some(Ok(failed)) => Outcome::Answered { failed },
    };
    (invocation, outcome)
}

pub(super) fn describe_kill(killed_after: Option<u32>) -> String {
    killed_after.map_or("not killed".to_owned(), |polls| format!("killed after {polls} polls"))
}

/// The ids of the records that failed, or `None` if the function returned an error.
async fn handle(invocation: &Invocation, now: Timestamp) -> Option<BTreeSet<String>> {
    let event = sqs_event(invocation.queue, &invocation.batch);
    let mut metrics = Metrics::default();
    let response = match &invocation.process {
        Process::Feedback(effects) => to_json(feedback::handle(&event, effects, &mut metrics, now).await.ok()?),
        Process::Router(effects) => to_json(delegate_router::handle(&event, effects, &mut metrics, now).await.ok()?),
        Process::Monitor(effects) => {
            let event = json!({"postroom": "check-senders"});
            // Failed checks are repeated by the schedule.
            let _ = reputation_monitor::handle(&event, effects, &mut metrics, now).await;
            return Some(BTreeSet::new());
        }
    };
    Some(failed_records(&response))
}

fn record(aws: &SimulatedAws, invocation: &Invocation, outcome: &Outcome) {
    let mut services = aws.services();
    services.figures.add("invocations", 1);
    services
        .figures
        .add("records passed to a function", invocation.batch.len() as u64);
    if invocation.paused_after.is_some() {
        services.figures.add("processes paused while another one ran", 1);
    }
    match outcome {
        Outcome::Killed => services.figures.add("processes killed between two awaits", 1),
        Outcome::TimedOut => services.figures.add("invocations that timed out", 1),
        Outcome::Answered { .. } => {}
    }
    services.trace(|| format!("  {:?}: {outcome:?}", invocation.queue));
}

fn sqs_event(queue: Queue, batch: &[Message]) -> Value {
    let record = |message: &Message| {
        json!({
            "eventSource": "aws:sqs", "messageId": message.id, "body": message.body, "eventSourceARN": queue.arn(),
            "attributes": {
                "ApproximateReceiveCount": message.receives.to_string(),
                "SentTimestamp": message.sent_at.as_millisecond().to_string(),
            },
        })
    };
    json!({"Records": batch.iter().map(record).collect::<Vec<_>>()})
}

fn to_json(response: impl serde::Serialize) -> Value {
    serde_json::to_value(&response).expect("a response in JSON")
}

fn failed_records(response: &Value) -> BTreeSet<String> {
    let failures = response["batchItemFailures"].as_array().expect("a batch response");
    failures
        .iter()
        .map(|failure| failure["itemIdentifier"].as_str().expect("an id").to_owned())
        .collect()
}
