//! SES gets a disposition in time even if services do not respond. The clients and their time-outs are those of `main.rs`; the
//! clock is paused, so that the tests measure exact times and do not wait.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use inbound::effects::{Clients, Effects};
use inbound::settings::Settings;
use jiff::Timestamp;
use lambda_kit::{Aws, Metrics};
use serde_json::{Value, json};
use store::Store;
use tokio::time::Instant;

/// Services that do not respond, except those that a test enables.
#[derive(Debug, Clone, Default)]
struct UnresponsiveServices {
    /// Whether the inbound queue accepts messages.
    queue: bool,
    /// The response of the table to BatchGetItem.
    mailboxes: Option<Value>,
    /// The requests to the queue.
    sent: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for UnresponsiveServices {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let response = match request.headers().get("x-amz-target") {
            Some("AmazonSQS.SendMessage") if self.queue => {
                let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
                self.sent.lock().unwrap().push(body);
                Some(json!({"MessageId": "1", "MD5OfMessageBody": "-"}))
            }
            Some("DynamoDB_20120810.BatchGetItem") => self.mailboxes.clone(),
            _ => None,
        };
        match response {
            Some(response) => {
                let body = SdkBody::from(response.to_string());
                HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), body)))
            }
            None => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

impl HttpClient for UnresponsiveServices {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn effects(services: &UnresponsiveServices, time_budget_seconds: &str) -> Effects {
    let variables: BTreeMap<&str, String> = [
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
        ("TIME_BUDGET_SECONDS", time_budget_seconds),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    let settings = Settings::from_env(|name| variables.get(name).cloned()).unwrap();
    let aws = Aws::from_env(move |name| variables.get(name).cloned()).unwrap();
    let config = aws.config().to_builder().http_client(services.clone()).build();
    let store = Store::new(aws_sdk_dynamodb::Client::new(&config), "postroom");
    Effects::new(store, Clients::new(&config), settings)
}

fn read_event(name: &str) -> Value {
    let path = Path::new("../../events/inbound").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The result of an invocation.
struct Invocation {
    response: Value,
    metrics: String,
    duration: Duration,
}

impl Invocation {
    async fn run(effects: &Effects, event: &Value, remaining_seconds: u64) -> Self {
        let mut metrics = Metrics::default();
        let now: Timestamp = "2026-03-03T09:15:03Z".parse().unwrap();
        let start = Instant::now();
        let remaining = Duration::from_secs(remaining_seconds);
        let response = inbound::handle(event, effects, &mut metrics, now, remaining).await;
        Self {
            response: serde_json::to_value(response.unwrap()).unwrap(),
            metrics: metrics.lines("-", now).iter().map(Value::to_string).collect(),
            duration: start.elapsed(),
        }
    }

    #[track_caller]
    fn assert_metric(&self, metric: &str) {
        assert!(self.metrics.contains(metric), "{metric} in {}", self.metrics);
    }
}

#[tokio::test(start_paused = true)]
async fn the_verdicts_decide_if_the_table_does_not_respond() {
    let services = UnresponsiveServices {
        queue: true,
        ..UnresponsiveServices::default()
    };
    let effects = effects(&services, "2");
    for (name, expected) in [("forward", "CONTINUE"), ("verdict-virus-fail", "STOP_RULE_SET")] {
        let invocation = Invocation::run(&effects, &read_event(name), 60).await;
        assert_eq!(invocation.response, json!({"disposition": expected}));
        invocation.assert_metric(r#""TimeBudgetExceeded":1"#);
        invocation.assert_metric(r#""HandedOver":1"#);
        assert_eq!(invocation.duration.as_secs(), 2);
    }
    let sent = services.sent.lock().unwrap();
    let payload: Value = serde_json::from_str(sent[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(payload, read_event("forward")["Records"][0]["ses"]);
    assert_eq!(sent[0]["DelaySeconds"], 90);
}

#[tokio::test(start_paused = true)]
async fn the_mailbox_decides_if_the_bucket_does_not_respond() {
    let mailbox = json!({
        "pk": {"S": "MAILBOX#info@shop.example"},
        "sk": {"S": "ACTIONS"},
        "verdicts": {"M": {}},
        "actions": {"L": [{"M": {"action": {"S": "drop"}, "reason": {"S": "the address is not used"}}}]},
    });
    let services = UnresponsiveServices {
        queue: true,
        mailboxes: Some(json!({"Responses": {"postroom": [mailbox]}, "UnprocessedKeys": {}})),
        ..UnresponsiveServices::default()
    };
    let invocation = Invocation::run(&effects(&services, "2"), &read_event("forward"), 60).await;
    assert_eq!(invocation.response, json!({"disposition": "STOP_RULE_SET"}));
    invocation.assert_metric(r#""TimeBudgetExceeded":1"#);
    assert_eq!(invocation.duration.as_secs(), 2);
    assert_eq!(services.sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn ses_gets_a_disposition_if_no_service_responds() {
    let services = UnresponsiveServices::default();
    let invocation = Invocation::run(&effects(&services, "2"), &read_event("verdict-spam-fail"), 60).await;
    assert_eq!(invocation.response, json!({"disposition": "STOP_RULE_SET"}));
    invocation.assert_metric(r#""HandOverFailures":1"#);
    assert!(
        invocation.duration <= Duration::from_secs(2 + 4),
        "{:?}",
        invocation.duration
    );
}

#[tokio::test(start_paused = true)]
async fn one_call_without_response_does_not_use_up_the_default_time_budget() {
    let services = UnresponsiveServices {
        queue: true,
        ..UnresponsiveServices::default()
    };
    let invocation = Invocation::run(&effects(&services, "20"), &read_event("forward"), 60).await;
    assert_eq!(invocation.response, json!({"disposition": "CONTINUE"}));
    assert!(
        !invocation.metrics.contains("TimeBudgetExceeded"),
        "{}",
        invocation.metrics
    );
    invocation.assert_metric(r#""Kind":"store""#);
    assert!(
        invocation.duration < Duration::from_secs(12),
        "{:?}",
        invocation.duration
    );
    assert_eq!(services.sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_time_budget_leaves_time_to_respond_before_lambda_ends_the_invocation() {
    let services = UnresponsiveServices {
        queue: true,
        ..UnresponsiveServices::default()
    };
    let invocation = Invocation::run(&effects(&services, "20"), &read_event("verdict-spam-fail"), 7).await;
    assert_eq!(invocation.response, json!({"disposition": "STOP_RULE_SET"}));
    assert_eq!(invocation.duration.as_secs(), 1);
    assert_eq!(services.sent.lock().unwrap().len(), 1);
}
