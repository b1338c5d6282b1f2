//! Requests to the Function URL, with an embedded DynamoDB and a mocked Secrets Manager.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{MockResponseInterceptor, RuleMode, create_mock_http_client, mock};
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::testing::{Fault, Requests};
use store::{Scope, SenderContext, Store, SuppressionEntry, SuppressionSource};
use unsubscribe::effects::Effects;
use unsubscribe::metrics::{METRICS, NAMESPACE};
use unsubscribe::response::Response;
use unsubscribe::settings::Settings;
use unsubscribe_token::{Keys, Token, UnsubscribeFrom};

const KEY: &str = "correct-horse-battery-staple-0123456789";
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

#[path = "../../../tests/template/watched_metrics.rs"]
mod watched_metrics;

struct Stack {
    effects: Effects,
    store: Store,
    client: aws_sdk_dynamodb::Client,
    requests: Requests,
    metrics: Metrics,
    count: usize,
}

impl Stack {
    async fn new() -> Self {
        let (store, client, requests) = store::testing::fresh().await;
        Self {
            effects: Effects::new(store.clone(), secrets(), settings()),
            store,
            client,
            requests,
            metrics: Metrics::default(),
            count: 0,
        }
    }

    async fn request(&mut self, method: &str, token: &str, body: &str, at: Timestamp) -> Response {
        self.count += 1;
        let event = json!({
            "version": "2.0", "rawPath": format!("/{token}"), "isBase64Encoded": false, "body": body,
            "requestContext": {"requestId": format!("request-{}", self.count), "http": {"method": method}},
        });
        unsubscribe::handle(&event, &self.effects, &mut self.metrics, at).await
    }

    async fn post(&mut self, token: &str, at: Timestamp) -> u16 {
        self.request("POST", token, ONE_CLICK, at).await.status_code
    }

    /// The sources of the active suppressions of Jane for the tenant.
    async fn suppressions(&self, at: Timestamp) -> Vec<String> {
        let context = SenderContext {
            tenant: Some("acme".to_owned()),
            ..SenderContext::default()
        };
        let results = self.store.check(&[jane()], &context, at).await.unwrap();
        results[0]
            .suppressions
            .iter()
            .map(|one| one.source.to_string())
            .collect()
    }

    /// A store whose table does not exist.
    fn store_without_table(&self) -> Store {
        Store::new(self.client.clone(), "missing")
    }

    fn writes(&self) -> usize {
        self.requests.take().values().sum()
    }
}

fn secrets() -> lambda_kit::LazyClient<aws_sdk_secretsmanager::Client> {
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string(KEY).build());
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "testing"))
        .http_client(create_mock_http_client())
        .interceptor(
            MockResponseInterceptor::new()
                .rule_mode(RuleMode::MatchAny)
                .with_rule(&secret),
        )
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config).into()
}

fn settings() -> Settings {
    let settings = Settings::from_env(|name| match name {
        "TABLE_NAME" => Some("postroom".to_owned()),
        "UNSUBSCRIBE_SECRET_ARN" => Some("secret".to_owned()),
        _ => None,
    });
    settings.unwrap()
}

fn jane() -> EmailAddress {
    EmailAddress::parse("Jane@Example.com").unwrap()
}

fn scope() -> Scope {
    Scope::Tenant("acme".to_owned())
}

fn token() -> Token {
    Token::new(scope(), UnsubscribeFrom::Everything, jane()).unwrap()
}

fn signed(token: &Token) -> String {
    token.sign(&Keys::parse(KEY).unwrap())
}

fn noon() -> Timestamp {
    "2026-03-03T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_post_of_a_mail_program_unsubscribes_and_a_scanner_that_follows_the_link_does_not() {
    let mut stack = Stack::new().await;
    let token = signed(&token());
    for method in ["GET", "HEAD", "GET"] {
        let response = stack.request(method, &token, "", noon()).await;
        assert_eq!(response.status_code, 200);
        assert_eq!(response.body.is_empty(), method == "HEAD");
        assert!(!response.body.to_lowercase().contains("jane"), "{}", response.body);
        assert!(!response.headers.contains_key("location"));
    }
    assert_eq!(stack.writes(), 0, "no request to the table");
    assert!(stack.suppressions(noon()).await.is_empty());

    assert_eq!(stack.post(&token, noon()).await, 200);
    assert_eq!(stack.suppressions(noon()).await, ["unsubscribe"]);
    let history = stack.store.history(&jane()).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(
        history[0].reason,
        "unsubscribed from all mail with one click with a valid token"
    );
    assert_eq!(stack.post(&token, noon()).await, 200, "again");
    assert_eq!(stack.suppressions(noon()).await, ["unsubscribe"]);
}

#[tokio::test]
async fn the_page_asks_with_the_form_of_rfc_8058_and_loads_nothing() {
    let mut stack = Stack::new().await;
    let response = stack.request("GET", &signed(&token()), "", noon()).await;
    let form = "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">";
    assert!(response.body.contains(form), "{}", response.body);
    for word in ["src=", "href=", "<script", "http"] {
        assert!(!response.body.contains(word), "{word}: {}", response.body);
    }
    assert!(response.headers["content-security-policy"].starts_with("default-src 'none'"));
    assert_eq!(response.headers["cache-control"], "no-store");
    let text = serde_json::to_value(&response).unwrap();
    assert_eq!(
        (&text["statusCode"], &text["isBase64Encoded"]),
        (&json!(200), &json!(false))
    );
}

#[tokio::test]
async fn only_a_valid_token_costs_a_request_to_the_table() {
    let mut stack = Stack::new().await;
    let changed = signed(&token()).replacen('q', "p", 1);
    assert_ne!(changed, signed(&token()));
    for path in ["", "favicon.ico", "1abc", changed.as_str(), &"1".repeat(5000)] {
        assert_eq!(stack.post(path, noon()).await, 404, "{path}");
    }
    let expired = token().issued(noon(), Some(noon() + SignedDuration::from_hours(1)));
    assert_eq!(
        stack
            .post(&signed(&expired), noon() + SignedDuration::from_hours(1))
            .await,
        410
    );
    for body in ["", "unsubscribe=yes", "List-Unsubscribe=One-Click-Not"] {
        let response = stack.request("POST", &signed(&token()), body, noon()).await;
        assert_eq!(response.status_code, 400, "{body}");
    }
    let other = stack.request("DELETE", &signed(&token()), ONE_CLICK, noon()).await;
    assert_eq!((other.status_code, other.headers["allow"]), (405, "GET, HEAD, POST"));
    let unreadable = unsubscribe::handle(&json!({"Records": []}), &stack.effects, &mut stack.metrics, noon()).await;
    assert_eq!(unreadable.status_code, 400);
    assert_eq!(stack.writes(), 0);
}

#[tokio::test]
async fn requests_with_one_token_are_limited_by_minute() {
    let mut stack = Stack::new().await;
    let token = signed(&token());
    let mut responses = Vec::new();
    for _ in 0..8 {
        responses.push(stack.post(&token, noon()).await);
    }
    let emitted = watched_metrics::emitted(&stack.metrics, NAMESPACE);
    assert!(emitted.contains("Requests{Outcome=too-many-requests}"), "{emitted:?}");
    assert_eq!(responses, [200, 200, 200, 200, 200, 429, 429, 429]);
    let upper = stack.post(&token.to_uppercase(), noon()).await;
    assert_eq!(upper, 429, "another spelling of the token is the same token");
    assert_eq!(stack.post(&token, noon() + SignedDuration::from_mins(1)).await, 200);
}

#[tokio::test]
async fn a_subscription_after_the_issue_of_the_token_wins() {
    let mut stack = Stack::new().await;
    let issued = token().issued(noon(), None);
    let at = |hours: i64| noon() + SignedDuration::from_hours(hours);
    let release = SuppressionEntry {
        at: at(2),
        id: "manual".to_owned(),
        blocked: false,
        until: None,
        reason: "subscribed again".to_owned(),
        address: "jane@example.com".to_owned(),
        evidence: BTreeMap::new(),
    };
    assert_eq!(stack.post(&signed(&issued), at(1)).await, 200);
    assert_eq!(stack.suppressions(at(1)).await, ["unsubscribe"]);
    let source = SuppressionSource::Released;
    stack
        .store
        .record_suppression(&jane(), &scope(), &source, &release, at(2))
        .await
        .unwrap();
    assert!(stack.suppressions(at(2)).await.is_empty());

    let response = stack.request("POST", &signed(&issued), ONE_CLICK, at(3)).await;
    assert!(response.body.contains("subscribed again"), "{}", response.body);
    assert!(stack.suppressions(at(3)).await.is_empty(), "the old link has no effect");
    let newer = token().issued(at(4), None);
    assert_eq!(stack.post(&signed(&newer), at(5)).await, 200);
    assert_eq!(stack.suppressions(at(5)).await, ["unsubscribe"]);
}

#[tokio::test]
async fn a_failure_of_the_table_asks_for_another_attempt_which_succeeds() {
    let mut stack = Stack::new().await;
    for fault in [Fault::RequestLost, Fault::ResponseLost] {
        for after in 0..5 {
            stack.requests.fail(fault, after);
            let first = stack.request("POST", &signed(&token()), ONE_CLICK, noon()).await;
            if !stack.requests.cancel_fault() {
                assert!([200, 503].contains(&first.status_code), "{fault:?} {after}");
            }
            let later = noon() + SignedDuration::from_mins(after as i64 + 1);
            assert_eq!(stack.post(&signed(&token()), later).await, 200);
            assert_eq!(stack.suppressions(later).await, ["unsubscribe"]);
        }
    }
}

#[tokio::test]
async fn each_metric_that_an_alarm_watches_is_emitted() {
    let mut stack = Stack::new().await;
    // The SDK tries a lost request again, so the table is missing instead.
    stack.effects = Effects::new(stack.store_without_table(), secrets(), settings());
    assert_eq!(stack.post(&signed(&token()), noon()).await, 503);
    let mut flooded = Stack::new().await;
    for _ in 0..6 {
        flooded.post(&signed(&token()), noon()).await;
    }
    let mut emitted = watched_metrics::emitted(&stack.metrics, NAMESPACE);
    emitted.extend(watched_metrics::emitted(&flooded.metrics, NAMESPACE));
    let watched = watched_metrics::watched("unsubscribe");
    let missing: Vec<_> = watched.difference(&emitted).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn the_metrics_are_those_that_the_template_is_tested_against() {
    let mut stack = Stack::new().await;
    stack.post(&signed(&token()), noon()).await;
    let emitted: BTreeSet<String> = stack
        .metrics
        .lines(NAMESPACE, noon())
        .iter()
        .map(|line| line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"].to_string())
        .collect();
    assert_eq!(emitted, BTreeSet::from(["\"Requests\"".to_owned()]));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/template/metrics.json");
    let functions: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(functions["unsubscribe"]["namespace"], NAMESPACE);
    let metrics: Vec<(&str, Vec<&str>)> = METRICS.iter().map(|(name, dims)| (*name, dims.to_vec())).collect();
    let declared = functions["unsubscribe"]["metrics"].as_object().unwrap();
    assert_eq!(declared.len(), metrics.len());
    for (name, dimensions) in metrics {
        assert_eq!(declared[name], json!(dimensions));
    }
}
