//! Alerts of the reputation monitor, from the delivery queue to the accounts concerned.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;
#[path = "../../../tests/template/watched_metrics.rs"]
mod watched_metrics;

use std::collections::{BTreeMap, BTreeSet};

use delegate_router::action::Action;
use delegate_router::alert::Alert;
use delegate_router::decide_alert::{decide_alert, route_keys};
use jiff::Timestamp;
use lambda_kit::Metrics;
use reputation::EnforcementReport;
use serde_json::{Value, json};
use store::testing::Fault;
use store::{Figures, Level, Measure, Redaction, ReputationState, Route, RouteFilter, Window};
use support::{A, B, DELIVERY_QUEUE, DELIVERY_QUEUE_ARN, OWNER, Stack, now, route, senders, sqs_event};

const OWNERS_QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/owner-feedback";
const AS_TOPIC: &str = "arn:aws:sns:eu-west-1:222233334444:a-feedback";

/// An alert of the reputation monitor about an account that sends from the owner's identity.
fn alert_about(account: &str) -> reputation::Alert {
    let since: Timestamp = "2026-03-02T08:21:00Z".parse().unwrap();
    reputation::Alert {
        id: format!("{OWNER}/{account}/shop.example/hour/bounces/enforce/2026-03-02T08:21:00.000Z"),
        sender: format!("{OWNER}/{account}/shop.example").parse().unwrap(),
        accounts: vec![OWNER.parse().unwrap(), account.parse().unwrap()],
        threshold: "5 %".parse().unwrap(),
        enforcements: vec![EnforcementReport {
            id: None,
            description: "not applied: disable-tenant: it belongs to the sending account, which is not this account"
                .to_owned(),
        }],
        state: ReputationState {
            level: Level::Enforce,
            since,
            figures: Figures { count: 10, volume: 100 },
            ..ReputationState::unknown(Window::Hour, Measure::Bounces)
        },
    }
}

fn parsed(alert: &reputation::Alert) -> Alert {
    Alert::from_message(&alert.to_message()).unwrap()
}

/// Hands the message of an alert to the function, as SQS does. Returns the response.
async fn receive(stack: &Stack, message: &str, metrics: &mut Metrics) -> Value {
    let event = sqs_event(DELIVERY_QUEUE_ARN, &[message.to_owned()]);
    stack.handle(&event, metrics, now()).await
}

fn succeeded() -> Value {
    json!({"batchItemFailures": []})
}

/// The counts of a metric by target or reason.
fn counts(metrics: &Metrics, name: &str) -> BTreeMap<String, u64> {
    let lines = metrics.lines(delegate_router::metrics::NAMESPACE, now());
    let count = |line: &Value| {
        let dimension = line.get("Target").or_else(|| line.get("Reason"));
        Some((dimension?.as_str()?.to_owned(), line.get(name)?.as_u64()?))
    };
    lines.iter().filter_map(count).collect()
}

fn filter(events: &[&str]) -> RouteFilter {
    RouteFilter {
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        ..RouteFilter::default()
    }
}

#[test]
fn the_message_of_the_reputation_monitor_is_read_as_it_was_written() {
    let sent = alert_about(A);
    let read = parsed(&sent);
    assert_eq!(read.id, sent.id);
    assert_eq!(read.kind, sent.kind());
    assert_eq!(
        format!("{}/{}/{}", read.owner, read.account, read.identity),
        sent.sender.to_string()
    );
    assert_eq!(
        read.body,
        sent.to_json().to_string(),
        "targets receive the alert itself"
    );
}

#[tokio::test]
async fn an_alert_reaches_both_accounts_and_no_other_delegate() {
    let stack = Stack::with_routes().await;
    let mut metrics = Metrics::default();
    assert_eq!(
        receive(&stack, &alert_about(A).to_message(), &mut metrics).await,
        succeeded()
    );
    assert_eq!(
        counts(&metrics, "Routed"),
        [("topic".to_owned(), 1), ("queue".to_owned(), 1)].into()
    );
    assert_eq!(stack.deliver_queued(&mut metrics).await, 0);

    let sent = stack.sent();
    let targets: Vec<&str> = sent.iter().map(|sent| sent.to.as_str()).collect();
    assert_eq!(targets, [AS_TOPIC, OWNERS_QUEUE]);
    for sent in &sent {
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        assert_eq!(body["alertType"], "Enforcement");
        assert_eq!(
            (body["count"].as_u64(), body["recipients"].as_u64()),
            (Some(10), Some(100))
        );
        assert_eq!(sent.attributes["type"], "Alert");
        assert_eq!(body["alertId"], json!(sent.attributes["alertId"]));
        assert!(sent.attributes["idempotencyKey"].starts_with("alert-"));
    }
}

#[tokio::test]
async fn an_alert_that_is_received_twice_has_the_same_idempotency_keys() {
    let stack = Stack::with_routes().await;
    for _ in 0..2 {
        let message = alert_about(A).to_message();
        assert_eq!(receive(&stack, &message, &mut Metrics::default()).await, succeeded());
        assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 0);
    }
    let sent = stack.sent();
    let keys: BTreeSet<&str> = sent
        .iter()
        .map(|sent| sent.attributes["idempotencyKey"].as_str())
        .collect();
    assert_eq!((sent.len(), keys.len()), (4, 2));
}

#[tokio::test]
async fn an_alert_stays_in_the_queue_until_all_its_deliveries_are_accepted() {
    let stack = Stack::with_routes().await;
    stack.reject(support::DELIVERY_QUEUE, "InternalError");
    let mut metrics = Metrics::default();
    let response = receive(&stack, &alert_about(A).to_message(), &mut metrics).await;
    assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "0"}]}));
    assert!(counts(&metrics, "Routed").is_empty());

    stack.accept(support::DELIVERY_QUEUE);
    assert_eq!(
        receive(&stack, &alert_about(A).to_message(), &mut metrics).await,
        succeeded()
    );
    assert_eq!(stack.deliver_queued(&mut metrics).await, 0);
    assert_eq!(stack.sent().len(), 2);
}

#[tokio::test]
async fn an_alert_without_a_route_is_unrouted() {
    let stack = Stack::new().await;
    let mut metrics = Metrics::default();
    assert_eq!(
        receive(&stack, &alert_about(A).to_message(), &mut metrics).await,
        succeeded()
    );
    let sent = stack.sent_to(support::UNROUTED_TOPIC);
    assert_eq!(sent.len(), 1);
    let attributes = &sent.first().unwrap().attributes;
    assert_eq!(
        (attributes["type"].as_str(), attributes["reason"].as_str()),
        ("Alert", "no-route")
    );
    assert_eq!(counts(&metrics, "Unrouted"), [("no-route".to_owned(), 1)].into());
}

#[tokio::test]
async fn alerts_are_accepted_only_from_the_delivery_queue() {
    let stack = Stack::with_routes().await;
    let event = sqs_event(
        "arn:aws:sqs:us-east-1:111122223333:postroom-router",
        &[alert_about(A).to_message()],
    );
    let response = stack.handle(&event, &mut Metrics::default(), now()).await;
    assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "0"}]}));
    assert!(stack.services.lock().unwrap().queued.is_empty());
}

#[tokio::test]
async fn an_alert_that_cannot_be_read_fails() {
    let stack = Stack::with_routes().await;
    for message in [r#"{"postroom":"alert"}"#, "alert", "[]"] {
        let response = receive(&stack, message, &mut Metrics::default()).await;
        assert_eq!(
            response,
            json!({"batchItemFailures": [{"itemIdentifier": "0"}]}),
            "{message}"
        );
    }
}

#[tokio::test]
async fn an_alert_to_a_mail_address_is_mailed_at_once() {
    let stack = Stack::new().await;
    let ops = Route {
        filter: filter(&["alert"]),
        ..route(
            "ops",
            senders(Some(OWNER), None, None),
            "email:ops@shop.example",
            Redaction::Standard,
        )
    };
    stack.put_routes(vec![ops]).await;
    let mut metrics = Metrics::default();
    receive(&stack, &alert_about(A).to_message(), &mut metrics).await;
    assert_eq!(stack.deliver_queued(&mut metrics).await, 0);
    let mails = stack.sent_to("ops@shop.example");
    assert_eq!(mails.len(), 1);
    insta::assert_snapshot!(mails[0].body, @r"
    shop.example of 111122223333, sent by delegate 222233334444: 10 hard bounces among 100 recipients within 1 hour, 10.00 %. The threshold is 5 %.
    Stop the campaign and remove addresses that were never confirmed. AWS reviews an account at 5 % and can pause it at 10 %. Bounces count against the sending account.
    - not applied: disable-tenant: it belongs to the sending account, which is not this account

    You receive this mail because a route of Postroom names your address. The operator of Postroom for these identities can change that.
    ");
    let attributes = &mails[0].attributes;
    assert_eq!(
        attributes["subject"],
        "Enforcement: hard bounces of shop.example, sent by 222233334444, at 10.00 %"
    );
    assert_eq!(attributes["from"], "postroom@shop.example");
    assert_eq!(attributes["Auto-Submitted"], "auto-generated");
    assert_eq!(
        (
            attributes["X-Postroom-Notice"].as_str(),
            attributes["tag postroom"].as_str()
        ),
        ("digest", "digest"),
        "a bounce of the mail is recognised as our own notification"
    );
    assert!(attributes["html"].contains("10 hard bounces among 100 recipients"));
}

#[test]
fn alerts_are_granted_by_owner_account_and_identity_and_narrowed_by_filters() {
    let alert = parsed(&alert_about(A));
    let names = |name: &str| BTreeSet::from([name.to_owned()]);
    let everything = RouteFilter::default;
    let cases = [
        ("the owner", (Some(OWNER), None, None), everything(), "routed"),
        ("the delegate", (None, Some(A), None), everything(), "routed"),
        (
            "owner and delegate",
            (Some(OWNER), Some(A), Some("shop.example")),
            everything(),
            "routed",
        ),
        (
            "another delegate",
            (Some(OWNER), Some(B), None),
            everything(),
            "no-route",
        ),
        (
            "all mail of another delegate",
            (None, Some(B), None),
            everything(),
            "no-route",
        ),
        ("another owner", (Some(B), None, None), everything(), "no-route"),
        (
            "another identity",
            (Some(OWNER), None, Some("other.example")),
            everything(),
            "no-route",
        ),
        (
            "events including Alert",
            (Some(OWNER), None, None),
            filter(&["Bounce", "Alert"]),
            "routed",
        ),
        (
            "events without Alert",
            (Some(OWNER), None, None),
            filter(&["Bounce"]),
            "not-wanted",
        ),
        (
            "a route limited to a tenant",
            (Some(OWNER), None, None),
            RouteFilter {
                tenants: names("acme"),
                ..filter(&["Alert"])
            },
            "not-wanted",
        ),
        (
            "a route limited to a configuration set",
            (Some(OWNER), None, None),
            RouteFilter {
                configuration_sets: names("campaigns"),
                ..everything()
            },
            "not-wanted",
        ),
    ];
    for (name, (owner, account, identity), only, expected) in cases {
        let target = "topic:arn:aws:sns:us-east-1:999900001111:t";
        let route = Route {
            filter: only,
            ..route(name, senders(owner, account, identity), target, Redaction::Standard)
        };
        let actions = decide_alert(&alert, &[route.clone(), route]);
        let outcome = match actions.as_slice() {
            [Action::Deliver(_)] => "routed",
            [Action::Unrouted(unrouted)] => unrouted.reason.as_str(),
            _ => "several",
        };
        assert_eq!(outcome, expected, "{name}");
    }

    let with = |owner: &str, account: &str| {
        let mut other = alert.clone();
        (other.owner, other.account) = (owner.to_owned(), account.to_owned());
        let keys: Vec<String> = route_keys(&other).iter().map(ToString::to_string).collect();
        keys
    };
    assert_eq!(with("-", A), [format!("*#{A}#*")], "an unknown owner grants nothing");
    assert!(with(OWNER, "-").is_empty());
}

#[tokio::test]
async fn each_metric_that_an_alarm_watches_is_emitted() {
    let mut emitted = BTreeSet::new();
    for (fault, rejecting) in [
        (None, None),
        (Some(Fault::RequestLost), None),
        (None, Some(DELIVERY_QUEUE)),
    ] {
        for file in std::fs::read_dir("../../events/delegate-router").unwrap() {
            let event: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            let stack = Stack::with_routes().await;
            if let Some(fault) = fault {
                stack.requests.fail(fault, 0);
            }
            if let Some(target) = rejecting {
                stack.reject(target, "InternalFailure");
            }
            let mut metrics = Metrics::default();
            stack.handle(&event, &mut metrics, now()).await;
            emitted.extend(watched_metrics::emitted(&metrics, delegate_router::metrics::NAMESPACE));
        }
    }
    // A digest that SES does not accept now. digests.rs tests how it is repeated.
    let stack = Stack::with_routes().await;
    let mut metrics = Metrics::default();
    let bounce = std::fs::read("../../events/delegate-router/owner-bounce.json").unwrap();
    stack
        .handle(&serde_json::from_slice(&bounce).unwrap(), &mut metrics, now())
        .await;
    stack.deliver_queued(&mut metrics).await;
    stack.reject("ops@shop.example", "SendingPausedException");
    let later = now() + jiff::SignedDuration::from_hours(2);
    stack.handle(&json!({"postroom": "digest"}), &mut metrics, later).await;
    emitted.extend(watched_metrics::emitted(&metrics, delegate_router::metrics::NAMESPACE));

    let watched = watched_metrics::watched("delegate-router");
    let missing: Vec<_> = watched.difference(&emitted).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
