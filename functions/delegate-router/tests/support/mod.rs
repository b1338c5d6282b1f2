//! The function with an embedded DynamoDB, and mocked AWS services that record what they receive.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers too"
)]

pub(crate) mod services;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_mocks::Rule;
use delegate_router::effects::Effects;
use delegate_router::settings::Settings;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::testing::Requests;
use store::{Redaction, RegisteredIdentity, Route, RouteFilter, RouteKey, SenderMatch, Store, Target};

use services::{Sent, Services, clients, publish};

pub(crate) const OWNER: &str = "111122223333";
pub(crate) const A: &str = "222233334444";
pub(crate) const B: &str = "333344445555";
pub(crate) const DELIVERY_QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-delivery";
pub(crate) const DELIVERY_QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-delivery";
pub(crate) const DEAD_LETTER_QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-dead-letters";
pub(crate) const UNROUTED_TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:postroom-unrouted";

pub(crate) struct World {
    pub(crate) effects: Effects,
    pub(crate) store: Store,
    pub(crate) requests: Requests,
    pub(crate) services: Arc<Mutex<Services>>,
}

pub(crate) fn settings() -> Settings {
    Settings {
        table: "postroom".to_owned(),
        account: OWNER.parse().unwrap(),
        delivery_queue_url: DELIVERY_QUEUE.to_owned(),
        dead_letter_queue_url: DEAD_LETTER_QUEUE.to_owned(),
        unrouted_topic_arn: UNROUTED_TOPIC.to_owned(),
        digest_from: notification_model::EmailAddress::parse("postroom@shop.example"),
        digest_window: SignedDuration::from_hours(1),
        route_cache: Duration::from_secs(60),
        route_cache_keys: 1000,
        concurrency: 8,
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-03-02T08:20:00Z".parse().unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        let services = Arc::new(Mutex::new(Services::default()));
        Self::with_topics(services.clone(), &publish(services)).await
    }

    /// A world whose topics answer by this rule.
    pub(crate) async fn with_topics(services: Arc<Mutex<Services>>, topics: &Rule) -> Self {
        let (store, _, requests) = store::testing::fresh().await;
        Self {
            effects: Effects::new(store.clone(), clients(&services, topics), settings()),
            store,
            requests,
            services,
        }
    }

    /// A world with the routes and registered identities of the events in `events/delegate-router`.
    pub(crate) async fn with_routes() -> Self {
        let world = Self::new().await;
        world.put_routes(standard_routes()).await;
        let registered = RegisteredIdentity {
            identity: "shop.example".into(),
            owner: OWNER.parse().unwrap(),
        };
        world
            .store
            .register_identities(&A.parse().unwrap(), &[registered])
            .await
            .unwrap();
        let _ = world.requests.take();
        world
    }

    pub(crate) async fn put_routes(&self, routes: Vec<Route>) {
        let mut by_key: BTreeMap<RouteKey, Vec<Route>> = BTreeMap::new();
        for route in routes {
            by_key
                .entry(RouteKey::new(route.senders.clone()).unwrap())
                .or_default()
                .push(route);
        }
        for (key, routes) in by_key {
            self.store.put_routes(&key, &routes).await.unwrap();
        }
    }

    /// Lets the targets whose ARN, URL or address contains this text reject their requests.
    pub(crate) fn reject(&self, target: &str, code: &'static str) {
        self.services.lock().unwrap().rejecting.insert(target.to_owned(), code);
    }

    pub(crate) fn accept(&self, target: &str) {
        self.services.lock().unwrap().rejecting.remove(target);
    }

    pub(crate) async fn handle(&self, event: &Value, metrics: &mut Metrics, now: Timestamp) -> Value {
        match delegate_router::handle(event, &self.effects, metrics, now).await {
            Ok(response) => serde_json::to_value(&response).unwrap(),
            Err(error) => json!({"error": format!("{error:#}")}),
        }
    }

    /// Hands the messages of the delivery queue to the function. Failed messages stay in the queue. Returns their number.
    pub(crate) async fn deliver_queued(&self, metrics: &mut Metrics) -> usize {
        let queued = std::mem::take(&mut self.services.lock().unwrap().queued);
        if queued.is_empty() {
            return 0;
        }
        let event = sqs_event(DELIVERY_QUEUE_ARN, &queued);
        let response = self.handle(&event, metrics, now()).await;
        let failed: Vec<String> = match response.get("batchItemFailures").and_then(Value::as_array) {
            None => queued,
            Some(failures) => {
                let ids = failures
                    .iter()
                    .map(|failure| failure["itemIdentifier"].as_str().unwrap());
                ids.map(|id| queued[id.parse::<usize>().unwrap()].clone()).collect()
            }
        };
        let count = failed.len();
        self.services.lock().unwrap().queued = failed;
        count
    }

    /// The messages that the services received, sorted.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        let mut sent = self.services.lock().unwrap().sent.clone();
        sent.sort_by(|a, b| (&a.to, &a.body).cmp(&(&b.to, &b.body)));
        sent
    }

    pub(crate) fn sent_to(&self, target: &str) -> Vec<Sent> {
        self.sent().into_iter().filter(|sent| sent.to == target).collect()
    }

    /// The digest items of an address in the window of [`now`].
    pub(crate) async fn digest_items(&self, address: &str) -> Vec<String> {
        let digest = store::DigestKey {
            address: address.to_owned(),
            window: "2026-03-02T08:00:00Z".parse().unwrap(),
        };
        let mut items = Vec::new();
        self.store
            .digest_items(&digest, |item| items.push(item.to_owned()))
            .await
            .unwrap();
        items
    }
}

/// An SQS event with these bodies. The id of a record is its position.
pub(crate) fn sqs_event(queue_arn: &str, bodies: &[String]) -> Value {
    let record = |(index, body): (usize, &String)| json!({"eventSource": "aws:sqs", "messageId": index.to_string(), "body": body, "eventSourceARN": queue_arn});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

pub(crate) fn senders(owner: Option<&str>, account: Option<&str>, identity: Option<&str>) -> SenderMatch {
    SenderMatch {
        owner: owner.map(|owner| owner.parse().unwrap()),
        account: account.map(|account| account.parse().unwrap()),
        identity: identity.map(Into::into),
    }
}

pub(crate) fn route(name: &str, senders: SenderMatch, target: &str, redaction: Redaction) -> Route {
    Route {
        name: name.to_owned(),
        senders,
        filter: RouteFilter::default(),
        target: target.parse::<Target>().unwrap(),
        redaction,
    }
}

fn standard_routes() -> Vec<Route> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let failures = RouteFilter {
        events: names(&["Bounce", "Complaint"]),
        ..RouteFilter::default()
    };
    vec![
        route(
            "owner",
            senders(Some(OWNER), None, None),
            "queue:arn:aws:sqs:us-east-1:111122223333:owner-feedback",
            Redaction::None,
        ),
        route(
            "delegate-a",
            senders(Some(OWNER), Some(A), None),
            "topic:arn:aws:sns:eu-west-1:222233334444:a-feedback",
            Redaction::Standard,
        ),
        route(
            "delegate-b",
            senders(Some(OWNER), Some(B), Some("shop.example")),
            "topic:arn:aws:sns:us-east-1:333344445555:b-feedback",
            Redaction::Standard,
        ),
        Route {
            filter: failures.clone(),
            ..route(
                "b-everywhere",
                senders(None, Some(B), None),
                "bus:arn:aws:events:us-east-1:333344445555:event-bus/mail",
                Redaction::Standard,
            )
        },
        Route {
            filter: failures,
            ..route(
                "ops",
                senders(Some(OWNER), None, Some("shop.example")),
                "email:Ops@shop.example",
                Redaction::Standard,
            )
        },
        Route {
            filter: RouteFilter {
                tenants: names(&["acme"]),
                ..RouteFilter::default()
            },
            ..route(
                "acme",
                senders(Some(OWNER), None, None),
                "topic:arn:aws:sns:us-east-1:111122223333:acme-feedback",
                Redaction::Standard,
            )
        },
    ]
}
