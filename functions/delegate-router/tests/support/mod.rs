//! The function with an embedded DynamoDB behind it, and AWS services that remember what they were given.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sns::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sns::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sns::error::{BoxError, ErrorMetadata};
use aws_smithy_mocks::{MockResponse, MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use delegate_router::effects::{Clients, Effects};
use delegate_router::settings::Settings;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::testing::Requests;
use store::{Redaction, RegisteredIdentity, Route, RouteFilter, RouteKey, SenderMatch, Store, Target};

pub(crate) const OWNER: &str = "111122223333";
pub(crate) const A: &str = "222233334444";
pub(crate) const B: &str = "333344445555";
pub(crate) const DELIVER_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-deliver";
pub(crate) const DELIVER_URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-deliver";
pub(crate) const PARK_URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-park";
pub(crate) const UNROUTED: &str = "arn:aws:sns:us-east-1:111122223333:postroom-unrouted";

/// What the services were given, in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// Bodies in the deliver queue.
    pub(crate) waiting: Vec<String>,
    /// How many SendMessageBatch requests brought them.
    pub(crate) batches: usize,
    /// Everything else: what, where, body, attributes.
    pub(crate) taken: Vec<Taken>,
    /// The hosts that were asked.
    pub(crate) hosts: BTreeSet<String>,
    /// Text in the ARN of who refuses, and the code they refuse with.
    pub(crate) refusing: BTreeMap<String, &'static str>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taken {
    pub(crate) by: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Given {
    fn refused(&self, target_key: &str) -> Option<ErrorMetadata> {
        let mut refusing = self.refusing.iter();
        let (_, code) = refusing.find(|(name, _)| target_key.contains(name.as_str()))?;
        Some(ErrorMetadata::builder().code(*code).message("no entry").build())
    }

    fn take(&mut self, by: String, body: &str, attributes: BTreeMap<String, String>) {
        self.taken.push(Taken {
            by,
            body: body.to_owned(),
            attributes,
        });
    }
}

#[derive(Debug)]
struct Hosts(Arc<Mutex<Given>>);

impl Intercept for Hosts {
    fn name(&self) -> &'static str {
        "Hosts"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let host = context.request().uri().split('/').nth(2).unwrap_or_default().to_owned();
        self.0.lock().unwrap().hosts.insert(host);
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) effects: Effects,
    pub(crate) store: Store,
    pub(crate) requests: Requests,
    pub(crate) given: Arc<Mutex<Given>>,
}

macro_rules! mocked {
    ($service:ident, $given:expr, $rules:expr) => {{
        let rules: &[&Rule] = $rules;
        let interceptor = rules.iter().fold(
            MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny),
            |interceptor, rule| interceptor.with_rule(rule),
        );
        let config = $service::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "testing"))
            .http_client(create_mock_http_client())
            .interceptor(interceptor)
            .interceptor(Hosts($given.clone()))
            .build();
        $service::Client::from_conf(config)
    }};
}

pub(crate) fn settings() -> Settings {
    Settings {
        table: "postroom".to_owned(),
        account: OWNER.parse().unwrap(),
        delivery_queue_url: DELIVER_URL.to_owned(),
        dead_letter_queue_url: PARK_URL.to_owned(),
        unrouted_topic_arn: UNROUTED.to_owned(),
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
        let given = Arc::new(Mutex::new(Given::default()));
        Self::with_topics(given.clone(), &publish(given)).await
    }

    /// With topics that answer by this rule.
    pub(crate) async fn with_topics(given: Arc<Mutex<Given>>, topics: &Rule) -> Self {
        let (store, _, requests) = store::testing::fresh().await;
        let clients = Clients {
            sns: mocked!(aws_sdk_sns, given, &[topics]).into(),
            sqs: mocked!(aws_sdk_sqs, given, &[&send(given.clone()), &send_batch(given.clone())]),
            eventbridge: mocked!(aws_sdk_eventbridge, given, &[&put_events(given.clone())]).into(),
            ses: mocked!(aws_sdk_sesv2, given, &[&send_email(given.clone())]).into(),
        };
        Self {
            effects: Effects::new(store.clone(), clients, settings()),
            store,
            requests,
            given,
        }
    }

    /// With the routes and ownership that the recorded events are about.
    pub(crate) async fn furnished() -> Self {
        let world = Self::new().await;
        world.put(standard_routes()).await;
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

    pub(crate) async fn put(&self, routes: Vec<Route>) {
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

    pub(crate) fn refuse(&self, target_key: &str, code: &'static str) {
        self.given.lock().unwrap().refusing.insert(target_key.to_owned(), code);
    }

    pub(crate) fn admit(&self, target_key: &str) {
        self.given.lock().unwrap().refusing.remove(target_key);
    }

    pub(crate) async fn handle(&self, event: &Value, metrics: &mut Metrics, now: Timestamp) -> Value {
        match delegate_router::handle(event, &self.effects, metrics, now).await {
            Ok(response) => serde_json::to_value(&response).unwrap(),
            Err(error) => json!({"error": format!("{error:#}")}),
        }
    }

    /// Takes what waits in the deliver queue to its targets; what fails goes back. How many failed.
    pub(crate) async fn deliver_waiting(&self, metrics: &mut Metrics) -> usize {
        let waiting = std::mem::take(&mut self.given.lock().unwrap().waiting);
        if waiting.is_empty() {
            return 0;
        }
        let answer = self.handle(&sqs_event(DELIVER_ARN, &waiting), metrics, now()).await;
        let back: Vec<String> = match answer.get("batchItemFailures").and_then(Value::as_array) {
            None => waiting,
            Some(failed) => {
                let failed = failed.iter().map(|one| one["itemIdentifier"].as_str().unwrap());
                failed.map(|id| waiting[id.parse::<usize>().unwrap()].clone()).collect()
            }
        };
        let failed = back.len();
        self.given.lock().unwrap().waiting = back;
        failed
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        let mut taken = self.given.lock().unwrap().taken.clone();
        taken.sort_by(|a, b| (&a.by, &a.body).cmp(&(&b.by, &b.body)));
        taken
    }

    pub(crate) fn taken_by(&self, target_key: &str) -> Vec<Taken> {
        self.taken().into_iter().filter(|one| one.by == target_key).collect()
    }

    /// The lines that wait for a digest of the window of [`now`], by address.
    pub(crate) async fn digest_items(&self, address: &str) -> Vec<String> {
        let digest = store::DigestKey {
            address: address.to_owned(),
            window: "2026-03-02T08:00:00Z".parse().unwrap(),
        };
        let mut lines = Vec::new();
        self.store
            .digest_items(&digest, |line| lines.push(line.to_owned()))
            .await
            .unwrap();
        lines
    }
}

/// The bodies as an SQS batch; a record's id is its position.
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
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let failures = RouteFilter {
        events: words(&["Bounce", "Complaint"]),
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
                tenants: words(&["acme"]),
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

fn publish(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
    mock!(aws_sdk_sns::Client::publish).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        let topic = input.topic_arn().unwrap();
        if let Some(rejection) = given.refused(topic) {
            return MockResponse::Error(PublishError::generic(rejection));
        }
        let attributes = input.message_attributes().into_iter().flatten();
        let mut attributes: BTreeMap<String, String> = attributes
            .map(|(name, value)| (name.clone(), value.string_value().unwrap_or_default().to_owned()))
            .collect();
        attributes.extend(fifo(input.message_group_id(), input.message_deduplication_id()));
        given.take(topic.to_owned(), input.message().unwrap(), attributes);
        MockResponse::Output(PublishOutput::builder().message_id("1").build())
    })
}

fn send(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
    mock!(aws_sdk_sqs::Client::send_message).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        let queue = input.queue_url().unwrap();
        if let Some(rejection) = given.refused(queue) {
            return MockResponse::Error(SendMessageError::generic(rejection));
        }
        let attributes = input.message_attributes().into_iter().flatten();
        let mut attributes: BTreeMap<String, String> = attributes
            .map(|(name, value)| (name.clone(), value.string_value().unwrap_or_default().to_owned()))
            .collect();
        attributes.extend(fifo(input.message_group_id(), input.message_deduplication_id()));
        given.take(queue.to_owned(), input.message_body().unwrap(), attributes);
        MockResponse::Output(SendMessageOutput::builder().message_id("1").build())
    })
}

fn send_batch(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchError, SendMessageBatchOutput};
    use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchResultEntry};
    mock!(aws_sdk_sqs::Client::send_message_batch).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        assert_eq!(input.queue_url(), Some(DELIVER_URL));
        given.batches += 1;
        if let Some(rejection) = given.refused(DELIVER_URL) {
            return MockResponse::Error(SendMessageBatchError::generic(rejection));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in input.entries() {
            // A single entry is refused for a word in its body.
            if given
                .refusing
                .keys()
                .any(|word| word.starts_with("entry:") && entry.message_body().contains(&word[6..]))
            {
                let refused = BatchResultErrorEntry::builder()
                    .id(entry.id())
                    .code("InternalError")
                    .sender_fault(false);
                failed.push(refused.build().unwrap());
                continue;
            }
            given.waiting.push(entry.message_body().to_owned());
            let accepted = SendMessageBatchResultEntry::builder().id(entry.id()).message_id("1");
            successful.push(accepted.md5_of_message_body("-").build().unwrap());
        }
        let output = SendMessageBatchOutput::builder()
            .set_successful(Some(successful))
            .set_failed(Some(failed));
        MockResponse::Output(output.build().unwrap())
    })
}

fn put_events(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_eventbridge::operation::put_events::{PutEventsError, PutEventsOutput};
    use aws_sdk_eventbridge::types::PutEventsResultEntry;
    mock!(aws_sdk_eventbridge::Client::put_events).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        let entry = &input.entries()[0];
        let bus = entry.event_bus_name().unwrap();
        // EventBridge refuses the request for some reasons, and the entry in an accepted request for others.
        match given.refused(bus) {
            Some(rejection) if rejection.code() == Some("ResourceNotFoundException") => {
                return MockResponse::Error(PutEventsError::generic(rejection));
            }
            Some(rejection) => {
                let failed = PutEventsResultEntry::builder()
                    .error_code(rejection.code().unwrap())
                    .error_message("no entry");
                let output = PutEventsOutput::builder().failed_entry_count(1).entries(failed.build());
                return MockResponse::Output(output.build());
            }
            None => {}
        }
        let attributes = [("source", entry.source()), ("detailType", entry.detail_type())];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()));
        given.take(bus.to_owned(), entry.detail().unwrap(), attributes.into());
        MockResponse::Output(PutEventsOutput::builder().failed_entry_count(0).build())
    })
}

fn send_email(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailOutput};
    mock!(aws_sdk_sesv2::Client::send_email).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        let to = &input.destination().unwrap().to_addresses()[0];
        if let Some(rejection) = given.refused(to) {
            return MockResponse::Error(SendEmailError::generic(rejection));
        }
        let message = input.content().unwrap().simple().unwrap();
        let mut attributes = BTreeMap::from([
            ("from".to_owned(), input.from_email_address().unwrap().to_owned()),
            ("subject".to_owned(), message.subject().unwrap().data().to_owned()),
            (
                "html".to_owned(),
                message.body().unwrap().html().unwrap().data().to_owned(),
            ),
        ]);
        let headers = message
            .headers()
            .iter()
            .map(|header| (header.name().to_owned(), header.value().to_owned()));
        attributes.extend(headers);
        attributes.extend(
            input
                .email_tags()
                .iter()
                .map(|tag| (format!("tag {}", tag.name()), tag.value().to_owned())),
        );
        given.take(to.clone(), message.body().unwrap().text().unwrap().data(), attributes);
        MockResponse::Output(SendEmailOutput::builder().message_id("1").build())
    })
}

fn fifo(group: Option<&str>, deduplication: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let both = [("group", group), ("deduplication", deduplication)];
    both.map(|(name, value)| value.map(|value| (name.to_owned(), value.to_owned())))
        .into_iter()
        .flatten()
}
