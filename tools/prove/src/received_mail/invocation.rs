//! Invocations of the function for received mail, and who repeats them.

use std::collections::BTreeSet;
use std::time::Duration;

use inbound::effects::Effects;
use inbound::settings::Settings;
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};

use super::caps::Caps;
use super::mail::{FORWARDS_PER_SENDER, InvokedBy};
use crate::aws::{INBOUND_QUEUE_URL, SimulatedAws};
use crate::simulation::{KillAfter, new_store};

/// `Timeout` of the template.
const LAMBDA_TIMEOUT: Duration = Duration::from_secs(30);

/// An invocation that is to take place.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) due_at: Timestamp,
    pub(super) mail: usize,
    pub(super) source: Source,
    pub(super) event: Value,
    /// How often it was attempted.
    pub(super) attempts: u32,
}

/// What invokes the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// SES or SNS.
    Mail(InvokedBy),
    /// The inbound queue.
    Queue,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// Killed, or ended by Lambda.
    Interrupted,
    /// The function returned an error, or the record of the queue failed.
    Failed,
    /// The function returned a response. `hand_over_failed`: it logged that the rest of the work is lost.
    Answered { response: Value, hand_over_failed: bool },
}

/// Runs an invocation.
pub(super) async fn invoke(pending: &Pending, effects: &Effects, now: Timestamp, killed_after: Option<u32>) -> Ended {
    let mut metrics = Metrics::default();
    let handler = inbound::handle(&pending.event, effects, &mut metrics, now, LAMBDA_TIMEOUT);
    let ended = KillAfter::new(tokio::time::timeout(LAMBDA_TIMEOUT, handler), killed_after).await;
    let response = match ended {
        None | Some(Err(_)) => return Ended::Interrupted,
        Some(Ok(Err(_))) => return Ended::Failed,
        Some(Ok(Ok(response))) => serde_json::to_value(&response).expect("a response in JSON"),
    };
    let failures = response["batchItemFailures"].as_array().map_or(0, Vec::len);
    if failures > 0 {
        return Ended::Failed;
    }
    let names: BTreeSet<String> = metrics
        .lines(inbound::metrics::NAMESPACE, now)
        .iter()
        .filter_map(|line| line.as_object())
        .flat_map(|line| line.keys().cloned())
        .collect();
    Ended::Answered {
        response,
        hand_over_failed: names.contains("HandOverFailures"),
    }
}

/// A new process of the function.
pub(super) fn start(aws: &SimulatedAws, caps: &Caps) -> Effects {
    let variables = [
        ("TABLE_NAME", "postroom".to_owned()),
        ("INBOUND_QUEUE_URL", INBOUND_QUEUE_URL.to_owned()),
        ("MAIL_BUCKET", "postroom-mail".to_owned()),
        ("MAIL_PREFIX", "inbound/".to_owned()),
        ("FORWARDS_PER_SENDER", FORWARDS_PER_SENDER.to_string()),
    ];
    let caps = caps.variables();
    let get = |variable: &str| {
        let (_, value) = variables.iter().chain(&caps).find(|(name, _)| *name == variable)?;
        Some(value.clone())
    };
    let settings = Settings::from_env(get).expect("settings");
    Effects::new(new_store(aws), aws.inbound_clients(), settings)
}

/// The event of a message of the inbound queue.
pub(super) fn queue_event(body: &str) -> Value {
    json!({"Records": [{
        "eventSource": "aws:sqs", "messageId": "message", "body": body,
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:postroom-inbound",
    }]})
}

/// The record that Lambda sends to the failure destination after the last attempt.
pub(super) fn failed_invocation(event: &Value) -> String {
    json!({
        "version": "1.0", "timestamp": "2026-03-03T09:20:00.000Z",
        "requestContext": {"functionArn": "arn", "requestId": "1", "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
    })
    .to_string()
}
