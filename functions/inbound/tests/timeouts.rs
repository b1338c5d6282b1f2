//! SES waits 30 seconds. Here the services accept connections and never answer, and the clients are those of `main.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use inbound::effects::{Clients, Effects};
use inbound::settings::Settings;
use jiff::Timestamp;
use lambda_kit::Aws;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::{Mailbox, MailboxAction, Store, VerdictRules};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A service that hangs.
async fn silence() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            open.push(connection);
        }
    });
    endpoint
}

/// A queue that takes everything.
async fn queue() -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let bodies = taken.clone();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = Vec::new();
            let body = loop {
                let mut part = [0; 65536];
                let read = connection.read(&mut part).await.unwrap();
                request.extend_from_slice(&part[..read]);
                let start = request.windows(4).position(|four| four == b"\r\n\r\n");
                // Small enough to be whole when it parses.
                if let Some(body) = start.and_then(|start| serde_json::from_slice(&request[start + 4..]).ok()) {
                    break body;
                }
            };
            bodies.lock().unwrap().push(body);
            let text = r#"{"MessageId":"1","MD5OfMessageBody":"-"}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close";
            let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (endpoint, taken)
}

fn effects(store: Option<Store>, endpoints: &[(&str, String)], seconds: &str) -> Effects {
    let mut variables: BTreeMap<String, String> = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("TABLE_NAME", "postroom"),
        (
            "INBOUND_QUEUE_URL",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/postroom-inbound",
        ),
        ("MAIL_BUCKET", "postroom-mail"),
        ("MAIL_PREFIX", "inbound/"),
        (
            "FEEDBACK_TOPIC_ARN",
            "arn:aws:sns:eu-west-1:111122223333:postroom-feedback",
        ),
        ("TIME_BUDGET_SECONDS", seconds),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    variables.extend(
        endpoints
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    let settings = Settings::from_env(|name| variables.get(name).cloned()).unwrap();
    let aws = Aws::from_env(move |name| variables.get(name).cloned()).unwrap();
    let store = store.unwrap_or_else(|| Store::new(aws_sdk_dynamodb::Client::new(aws.config()), "postroom"));
    Effects::new(store, Clients::new(aws.config()), settings)
}

fn event(name: &str) -> Value {
    let path = Path::new("../../events/inbound").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// What SES is told, what was counted, and how long it took.
async fn told(effects: &Effects, event: &Value, lambda_gives: u64) -> (Value, String, Duration) {
    let mut metrics = Metrics::default();
    let now: Timestamp = "2026-03-03T09:15:03Z".parse().unwrap();
    let start = Instant::now();
    let lambda_gives = Duration::from_secs(lambda_gives);
    let answer = inbound::handle(event, effects, &mut metrics, now, lambda_gives).await;
    let answer = serde_json::to_value(answer.unwrap()).unwrap();
    let counted = metrics.lines("-", now).iter().map(Value::to_string).collect();
    (answer, counted, start.elapsed())
}

#[tokio::test]
async fn a_table_that_hangs_is_answered_for_by_the_verdicts() {
    let (queue, taken) = queue().await;
    let hanging = silence().await;
    let effects = effects(
        None,
        &[("AWS_ENDPOINT_URL", hanging), ("AWS_ENDPOINT_URL_SQS", queue)],
        "2",
    );
    for (name, expected) in [("forward", "CONTINUE"), ("verdict-virus-fail", "STOP_RULE_SET")] {
        let (answer, counted, time) = told(&effects, &event(name), 60).await;
        assert_eq!(answer, json!({"disposition": expected}));
        assert!(counted.contains(r#""TimeBudgetExceeded":1"#), "{counted}");
        assert!(counted.contains(r#""HandedOver":1"#), "{counted}");
        assert!((2..3).contains(&time.as_secs()), "{time:?}");
    }
    let taken = taken.lock().unwrap();
    let payload: Value = serde_json::from_str(taken[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(
        payload,
        event("forward")["Records"][0]["ses"],
        "the queue gets what SES sent"
    );
    assert_eq!(taken[0]["DelaySeconds"], 90);
}

#[tokio::test]
async fn a_bucket_that_hangs_is_answered_for_by_the_mailbox() {
    let (queue, taken) = queue().await;
    let hanging = silence().await;
    let (store, _, _) = store::testing::fresh().await;
    let drop = Mailbox {
        key: "info@shop.example".parse().unwrap(),
        verdicts: VerdictRules::default(),
        actions: vec![MailboxAction::Drop {
            reason: "nobody reads it".to_owned(),
        }],
    };
    store.put_mailbox(&drop).await.unwrap();
    let endpoints = [("AWS_ENDPOINT_URL", hanging), ("AWS_ENDPOINT_URL_SQS", queue)];
    let effects = effects(Some(store), &endpoints, "2");
    let (answer, counted, time) = told(&effects, &event("forward"), 60).await;
    assert_eq!(answer, json!({"disposition": "STOP_RULE_SET"}));
    assert!(counted.contains(r#""TimeBudgetExceeded":1"#), "{counted}");
    assert!((2..3).contains(&time.as_secs()), "{time:?}");
    assert_eq!(taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn when_everything_hangs_ses_is_answered_all_the_same() {
    let hanging = silence().await;
    let effects = effects(None, &[("AWS_ENDPOINT_URL", hanging)], "2");
    let (answer, counted, time) = told(&effects, &event("verdict-spam-fail"), 60).await;
    assert_eq!(answer, json!({"disposition": "STOP_RULE_SET"}));
    assert!(counted.contains(r#""HandOverFailures":1"#), "{counted}");
    assert!(time < Duration::from_secs(7), "{time:?}");
}

/// With the real budget: one call that hangs does not use it up, and the hand-over fits into what SES still waits.
#[tokio::test]
async fn one_hanging_call_leaves_room_in_the_default_budget() {
    let (queue, taken) = queue().await;
    let hanging = silence().await;
    let endpoints = [("AWS_ENDPOINT_URL", hanging), ("AWS_ENDPOINT_URL_SQS", queue)];
    let effects = effects(None, &endpoints, "20");
    let (answer, counted, time) = told(&effects, &event("forward"), 60).await;
    assert_eq!(answer, json!({"disposition": "CONTINUE"}));
    assert!(!counted.contains("TimeBudgetExceeded"), "{counted}");
    assert!(counted.contains(r#""Kind":"store""#), "{counted}");
    assert!(time < Duration::from_secs(12), "{time:?}");
    assert_eq!(taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_function_with_little_time_left_answers_before_lambda_ends_it() {
    let (queue, taken) = queue().await;
    let hanging = silence().await;
    let endpoints = [("AWS_ENDPOINT_URL", hanging), ("AWS_ENDPOINT_URL_SQS", queue)];
    let effects = effects(None, &endpoints, "20");
    let (answer, _, time) = told(&effects, &event("verdict-spam-fail"), 7).await;
    assert_eq!(answer, json!({"disposition": "STOP_RULE_SET"}));
    assert!(time < Duration::from_secs(2), "{time:?}");
    assert_eq!(taken.lock().unwrap().len(), 1);
}
