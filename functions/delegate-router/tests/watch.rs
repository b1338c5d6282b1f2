//! From a bad campaign to those who hear of it: both ownership, once, and nobody else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::collections::BTreeSet;

use delegate_router::alerts::{decide_alert, route_keys};
use delegate_router::decide::Action;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{EventKind, Redaction, Route, RouteFilter, Sender, SenderBatch, SenderEvent, SendingStream};
use support::{A, B, OWNER, World, now, route, senders};

const OWNERS_QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/owner-feedback";
const AS_TOPIC: &str = "arn:aws:sns:eu-west-1:222233334444:a-feedback";

/// 100 recipients mailed by an account from the owner's identity, and 10 of them bounced.
async fn bad_campaign(world: &World, account: &str) {
    let sender: Sender = format!("{OWNER}/{account}/shop.example").parse().unwrap();
    let expires_at = Timestamp::now() + SignedDuration::from_hours(100);
    let mut batch = SenderBatch::new(sender.clone(), SendingStream::default(), now());
    for recipient in 0..100 {
        batch.add(EventKind::Send, "m", &recipient.to_string());
    }
    world.store.count_batch(&batch, expires_at).await.unwrap();
    for recipient in 0..10 {
        let event = SenderEvent {
            sender: sender.clone(),
            stream: SendingStream::default(),
            kind: EventKind::Hard,
            at: now(),
            message_id: "m".to_owned(),
            recipient: EmailAddress::parse(&format!("r{recipient}@example.net")),
        };
        world.store.count_event(&event, expires_at).await.unwrap();
    }
}

async fn look(world: &World, metrics: &mut Metrics, minutes: i64) -> Value {
    let at = now() + SignedDuration::from_mins(minutes);
    world.handle(&json!({"postroom": "watch"}), metrics, at).await
}

fn count(metrics: &Metrics, name: &str) -> u64 {
    let lines = metrics.lines(delegate_router::metrics::NAMESPACE, now());
    lines.iter().filter_map(|line| line.get(name)?.as_u64()).sum()
}

fn filter(events: &[&str]) -> RouteFilter {
    RouteFilter {
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        ..RouteFilter::default()
    }
}

#[tokio::test]
async fn both_parties_hear_of_a_bad_campaign_once_and_the_other_delegate_does_not() {
    let world = World::furnished().await;
    bad_campaign(&world, A).await;
    let mut metrics = Metrics::default();
    assert_eq!(look(&world, &mut metrics, 1).await, json!(null));
    assert_eq!(world.deliver_waiting(&mut metrics).await, 0);
    assert_eq!(look(&world, &mut metrics, 20).await, json!(null));
    assert_eq!(world.deliver_waiting(&mut metrics).await, 0);

    let taken = world.taken();
    let by: Vec<&str> = taken.iter().map(|one| one.by.as_str()).collect();
    assert_eq!(by, [AS_TOPIC, OWNERS_QUEUE]);
    for one in &taken {
        let body: Value = serde_json::from_str(&one.body).unwrap();
        assert_eq!(body["alertType"], "Enforcement");
        assert_eq!(
            (body["count"].as_u64(), body["recipients"].as_u64()),
            (Some(10), Some(100))
        );
        assert_eq!(one.attributes["type"], "Alert");
        assert_eq!(body["alertId"], json!(one.attributes["alertId"]));
        assert!(one.attributes["idempotencyKey"].starts_with("alert-"));
    }
    assert_eq!((count(&metrics, "Alerts"), count(&metrics, "CheckFailures")), (1, 0));
}

#[tokio::test]
async fn an_alert_that_could_not_be_told_is_told_later_under_the_same_id() {
    let world = World::furnished().await;
    bad_campaign(&world, A).await;
    world.refuse(support::DELIVER_URL, "InternalError");
    let mut metrics = Metrics::default();
    let answer = look(&world, &mut metrics, 1).await;
    assert_eq!(
        answer,
        json!({"error": "the watch failed for 1 senders or alerts"}),
        "so that Lambda's Errors metric tells"
    );
    assert_eq!((count(&metrics, "Alerts"), count(&metrics, "CheckFailures")), (0, 1));

    world.admit(support::DELIVER_URL);
    assert_eq!(look(&world, &mut metrics, 3).await, json!(null));
    assert_eq!(world.deliver_waiting(&mut metrics).await, 0);
    assert!(world.taken().is_empty(), "the first run may still be at it");
    assert_eq!(look(&world, &mut metrics, 7).await, json!(null));
    assert_eq!(world.deliver_waiting(&mut metrics).await, 0);
    let ids: BTreeSet<String> = world
        .taken()
        .iter()
        .map(|one| one.attributes["alertId"].clone())
        .collect();
    assert_eq!((world.taken().len(), ids.len()), (2, 1));
}

#[tokio::test]
async fn without_a_route_an_alert_is_unrouted() {
    let world = World::new().await;
    bad_campaign(&world, A).await;
    let mut metrics = Metrics::default();
    assert_eq!(look(&world, &mut metrics, 1).await, json!(null));
    let taken = world.taken_by(support::UNROUTED);
    assert_eq!(taken.len(), 1);
    let attributes = &taken.first().unwrap().attributes;
    assert_eq!(
        (attributes["type"].as_str(), attributes["reason"].as_str()),
        ("Alert", "no-route")
    );
    assert_eq!((count(&metrics, "Alerts"), count(&metrics, "Unrouted")), (1, 1));
}

#[tokio::test]
async fn a_person_is_mailed_at_once() {
    let world = World::new().await;
    let ops = Route {
        filter: filter(&["alert"]),
        ..route(
            "ops",
            senders(Some(OWNER), None, None),
            "email:ops@shop.example",
            Redaction::Standard,
        )
    };
    world.put(vec![ops]).await;
    bad_campaign(&world, A).await;
    let mut metrics = Metrics::default();
    look(&world, &mut metrics, 1).await;
    assert_eq!(world.deliver_waiting(&mut metrics).await, 0);
    let mails = world.taken_by("ops@shop.example");
    assert_eq!(mails.len(), 1);
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("alert_text", mails[0].body);
        insta::assert_json_snapshot!("alert_envelope", mails[0].attributes);
    });
}

#[tokio::test]
async fn who_is_granted_an_alert_and_who_wants_it() {
    let world = World::new().await;
    bad_campaign(&world, A).await;
    let alert = {
        let store = world.store.clone();
        let ses = aws_sdk_sesv2::Client::from_conf(
            aws_sdk_sesv2::Config::builder()
                .behavior_version(aws_sdk_sesv2::config::BehaviorVersion::latest())
                .build(),
        )
        .into();
        let account = OWNER.parse().unwrap();
        let watch = ::reputation::ReputationMonitor { store, ses, account };
        watch.round(now()).await.unwrap().alerts.remove(0)
    };
    let words = |word: &str| BTreeSet::from([word.to_owned()]);
    let everything = RouteFilter::default;
    let cases = [
        ("the owner", (Some(OWNER), None, None), everything(), "routed"),
        ("the delegate", (None, Some(A), None), everything(), "routed"),
        (
            "the two of them",
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
            "another delegate's everything",
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
            "events with alerts",
            (Some(OWNER), None, None),
            filter(&["Bounce", "Alert"]),
            "routed",
        ),
        (
            "events without",
            (Some(OWNER), None, None),
            filter(&["Bounce"]),
            "not-wanted",
        ),
        (
            "a tenant hears nothing of the others",
            (Some(OWNER), None, None),
            RouteFilter {
                tenants: words("acme"),
                ..filter(&["Alert"])
            },
            "not-wanted",
        ),
        (
            "nor does a configuration set",
            (Some(OWNER), None, None),
            RouteFilter {
                configuration_sets: words("campaigns"),
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
        let became = match actions.as_slice() {
            [Action::Deliver(_)] => "routed",
            [Action::Unrouted(unrouted)] => unrouted.reason.as_str(),
            _ => "several",
        };
        assert_eq!(became, expected, "{name}");
    }

    let with = |owner: &str, account: &str| {
        let mut other = alert.clone();
        other.sender = format!("{owner}/{account}/shop.example").parse().unwrap();
        let keys: Vec<String> = route_keys(&other).iter().map(ToString::to_string).collect();
        keys
    };
    assert_eq!(
        with("-", A),
        [format!("*#{A}#*")],
        "an owner nobody vouched for grants nothing"
    );
    assert!(with(OWNER, "-").is_empty());
}
