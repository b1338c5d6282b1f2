//! The function with an embedded DynamoDB behind it, and AWS services that remember what they were given.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::ErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_mocks::{MockResponse, MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use inbound::effects::{Clients, Effects};
use inbound::settings::Settings;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Map, Value, json};
use store::testing::Requests;
use store::{
    KeptSubject, Mailbox, MailboxAction, MailboxKey, NotifyTarget, Scope, Store, SuppressionEntry, SuppressionSource,
    VerdictAction, VerdictRules,
};

pub(crate) const BUCKET: &str = "postroom-mail";
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:mail-arrived";
pub(crate) const FEEDBACK: &str = "arn:aws:sns:eu-west-1:111122223333:postroom-feedback";
pub(crate) const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/mail-arrived";
pub(crate) const INBOUND: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/postroom-inbound";

/// What the services were given, and what they hold.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) sent: Vec<Sent>,
    /// Bounces, publications and messages: what, where, text.
    pub(crate) told: Vec<(&'static str, String, Value)>,
    /// Payloads handed over.
    pub(crate) waiting: Vec<String>,
    /// Objects that are no file under `events/inbound/mail`.
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// GetObject's ranges.
    pub(crate) reads: Vec<String>,
    /// Place or address, and the code it refuses with.
    pub(crate) refusing: BTreeMap<String, &'static str>,
    count: usize,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) mail: Vec<u8>,
    pub(crate) configuration_set: Option<String>,
}

impl Given {
    fn refused(&self, place: &str) -> Option<ErrorMetadata> {
        let code = self.refusing.get(place)?;
        Some(ErrorMetadata::builder().code(*code).message("no entry").build())
    }

    fn id(&mut self) -> String {
        self.count += 1;
        format!("out-{}", self.count)
    }
}

pub(crate) struct World {
    pub(crate) effects: Effects,
    pub(crate) store: Store,
    pub(crate) requests: Requests,
    pub(crate) given: Arc<Mutex<Given>>,
    table: aws_sdk_dynamodb::Client,
}

macro_rules! mocked {
    ($service:ident, $rules:expr) => {{
        let rules: &[&Rule] = $rules;
        let interceptor = rules.iter().fold(
            MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny),
            |interceptor, rule| interceptor.with_rule(rule),
        );
        let config = $service::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "testing"))
            .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
            .http_client(create_mock_http_client())
            .interceptor(interceptor)
            .build();
        $service::Client::from_conf(config)
    }};
}

pub(crate) fn settings(changes: &[(&str, &str)]) -> Settings {
    let standard = [
        ("TABLE_NAME", "postroom"),
        ("INBOUND_QUEUE_URL", INBOUND),
        ("MAIL_BUCKET", BUCKET),
        ("MAIL_PREFIX", "inbound/"),
        ("FEEDBACK_TOPIC_ARN", FEEDBACK),
        (
            "UNSUBSCRIBE_SECRET_ARN",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:u",
        ),
        ("FORWARD_CONFIGURATION_SET", "postroom"),
        ("BOUNCE_SENDER", "mailer-daemon@shop.example"),
    ];
    let get = |asked: &str| {
        let mut all = changes.iter().chain(&standard);
        all.find(|(name, _)| *name == asked)
            .map(|(_, value)| (*value).to_owned())
    };
    Settings::from_env(get).unwrap()
}

/// Two seconds after the mails of the events.
pub(crate) fn now() -> Timestamp {
    "2026-03-03T09:15:03Z".parse().unwrap()
}

impl World {
    pub(crate) async fn with(changes: &[(&str, &str)]) -> Self {
        let given = Arc::new(Mutex::new(Given::default()));
        let (store, table, requests) = store::testing::fresh().await;
        let rules = [
            get_object(given.clone()),
            send_email(given.clone()),
            send_bounce(given.clone()),
            publish(given.clone()),
            send_message(given.clone()),
            get_secret(),
        ];
        let [get_object, send_email, send_bounce, publish, send_message, get_secret] = &rules;
        let clients = Clients {
            s3: mocked!(aws_sdk_s3, &[get_object]).into(),
            ses: mocked!(aws_sdk_sesv2, &[send_email]).into(),
            ses_v1: mocked!(aws_sdk_ses, &[send_bounce]).into(),
            sns: mocked!(aws_sdk_sns, &[publish]).into(),
            sqs: mocked!(aws_sdk_sqs, &[send_message]).into(),
            handover: mocked!(aws_sdk_sqs, &[send_message]).into(),
            secrets: mocked!(aws_sdk_secretsmanager, &[get_secret]).into(),
        };
        Self {
            effects: Effects::new(store.clone(), clients, settings(changes)),
            store,
            requests,
            given,
            table,
        }
    }

    /// With the mailboxes that the recorded events are for.
    pub(crate) async fn furnished() -> Self {
        Self::furnished_with(&[]).await
    }

    pub(crate) async fn furnished_with(changes: &[(&str, &str)]) -> Self {
        let world = Self::with(changes).await;
        for mailbox in mailboxes() {
            world.store.put_mailbox(&mailbox).await.unwrap();
        }
        let entry = SuppressionEntry {
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            id: "0".to_owned(),
            blocked: true,
            until: None,
            reason: "no such user".to_owned(),
            address: "gone@target.example".to_owned(),
            evidence: BTreeMap::new(),
        };
        let gone = address("gone@target.example");
        let record =
            world
                .store
                .record_suppression(&gone, &Scope::Global, &SuppressionSource::Bounce, &entry, entry.at);
        record.await.unwrap();
        let _ = world.requests.take();
        world
    }

    pub(crate) fn refuse(&self, place: &str, code: &'static str) {
        self.given.lock().unwrap().refusing.insert(place.to_owned(), code);
    }

    pub(crate) fn admit(&self, place: &str) {
        self.given.lock().unwrap().refusing.remove(place);
    }

    pub(crate) fn put_object(&self, id: &str, mail: Vec<u8>) {
        let key = format!("inbound/{id}");
        self.given.lock().unwrap().objects.insert(key, mail);
    }

    pub(crate) async fn handle(&self, event: &Value, metrics: &mut Metrics, now: Timestamp) -> Value {
        let left = Duration::from_secs(60);
        match inbound::handle(event, &self.effects, metrics, now, left).await {
            Ok(answer) => serde_json::to_value(&answer).unwrap(),
            Err(error) => json!({"error": format!("{error:#}")}),
        }
    }

    /// Brings what was handed over to the function, as long after as the queue delays it, until nothing waits or it has
    /// been tried five times. What is left goes to the dead-letter queue.
    pub(crate) async fn work_off(&self, metrics: &mut Metrics) -> usize {
        let mut now = now();
        let mut bodies = std::mem::take(&mut self.given.lock().unwrap().waiting);
        for _ in 0..5 {
            now += SignedDuration::from_secs(120);
            let mut left = Vec::new();
            for body in bodies {
                let record = json!({"eventSource": "aws:sqs", "messageId": "q", "body": body});
                let answer = self.handle(&json!({"Records": [record]}), metrics, now).await;
                if answer != json!({"batchItemFailures": []}) {
                    left.push(body);
                }
            }
            bodies = left;
        }
        bodies.len()
    }

    /// Who got what, in a fixed order, and without SES's ids.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        let mut sent = self.given.lock().unwrap().sent.clone();
        sent.sort_by(|a, b| (&a.to, &a.mail).cmp(&(&b.to, &b.mail)));
        sent
    }

    pub(crate) fn recipients(&self) -> Vec<String> {
        self.sent().into_iter().flat_map(|sent| sent.to).collect()
    }

    pub(crate) fn told(&self) -> Vec<(&'static str, String, Value)> {
        let mut told = self.given.lock().unwrap().told.clone();
        told.sort_by_key(|(what, place, text)| (*what, place.clone(), text.to_string()));
        told
    }

    /// Everything the table holds, by key, but for the mailboxes and what the test put there.
    pub(crate) async fn rows(&self) -> BTreeMap<String, Value> {
        let scan = self.table.scan().table_name("postroom");
        let mut items = scan.into_paginator().items().send();
        let mut rows = BTreeMap::new();
        while let Some(item) = items.next().await {
            let item = item.unwrap();
            let key = |name: &str| item.get(name).unwrap().as_s().unwrap().clone();
            let pk = key("pk");
            if pk.starts_with("MAILBOX#") || pk == "RECIPIENT#gone@target.example" {
                continue;
            }
            let hidden = [
                "pk",
                "sk",
                "listKey",
                "listSort",
                "claimedAt",
                "doneAt",
                "createdAt",
                "messageId",
                "at",
            ];
            let fields = item.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
            let fields: BTreeMap<_, _> = fields.map(|(name, value)| (name.clone(), plain(value))).collect();
            rows.insert(format!("{pk} / {}", key("sk")), json!(fields));
        }
        let _ = self.requests.take();
        rows
    }
}

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

pub(crate) fn event(name: &str) -> Value {
    let path = Path::new("../../events/inbound").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The metrics by dimensions, without the ages, which depend on the clock.
pub(crate) fn counted(metrics: &Metrics) -> Vec<String> {
    let lines = metrics.lines(inbound::metrics::NAMESPACE, Timestamp::UNIX_EPOCH);
    let lines = lines.into_iter().filter(|line| line.get("NotificationAge").is_none());
    let words = lines.map(|line| {
        let fields = line.as_object().unwrap().iter().filter(|(name, _)| *name != "_aws");
        let fields: Vec<String> = fields
            .map(|(name, value)| format!("{name}={}", value.to_string().trim_matches('"')))
            .collect();
        fields.join(" ")
    });
    words.collect()
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => json!(number.parse::<i64>().unwrap()),
        AttributeValue::Bool(flag) => json!(flag),
        AttributeValue::Bs(set) => json!(format!("{} hashes", set.len())),
        AttributeValue::Ss(set) => {
            let mut set = set.clone();
            set.sort();
            json!(set)
        }
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            let fields = sorted.into_iter().map(|(name, value)| (name.clone(), plain(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => json!(format!("{other:?}")),
    }
}

fn mailboxes() -> Vec<Mailbox> {
    let forward = |to: &[&str]| MailboxAction::Forward {
        to: to.iter().map(|to| address(to)).collect(),
        from: address("Postroom <forward@shop.example>"),
    };
    let store = |subject| MailboxAction::Store { subject, days: None };
    let lax = VerdictRules {
        virus_fail: Some(VerdictAction::Continue),
        spam_fail: Some(VerdictAction::Continue),
        ..VerdictRules::default()
    };
    let strict = VerdictRules {
        unchecked: Some(VerdictAction::StopRule),
        ..VerdictRules::default()
    };
    let (hash, text) = (KeptSubject::Hash, KeptSubject::Text);
    let all: Vec<(&str, VerdictRules, Vec<MailboxAction>)> = vec![
        (
            "info@shop.example",
            VerdictRules::default(),
            vec![
                store(text),
                forward(&["owner@target.example", "Second <Second@target.example>"]),
                MailboxAction::Notify {
                    target: NotifyTarget::Topic(TOPIC.to_owned()),
                },
            ],
        ),
        (
            "support@shop.example",
            VerdictRules::default(),
            vec![
                MailboxAction::Store {
                    subject: hash,
                    days: Some(365),
                },
                MailboxAction::AutoReply {
                    from: address("Support <support@shop.example>"),
                    subject: None,
                    text: "We read it soon.".to_owned(),
                    every_days: 7,
                },
            ],
        ),
        (
            "old@shop.example",
            VerdictRules::default(),
            vec![MailboxAction::Bounce {
                sender: address("mailer-daemon@shop.example"),
                message: "This address is no longer in use.".to_owned(),
                status_code: "5.1.1".to_owned(),
            }],
        ),
        (
            "noise@shop.example",
            VerdictRules::default(),
            vec![
                MailboxAction::Drop {
                    reason: "nobody reads it".to_owned(),
                },
                forward(&["owner@target.example"]),
            ],
        ),
        (
            "dead@shop.example",
            VerdictRules::default(),
            vec![forward(&["gone@target.example", "owner@target.example"])],
        ),
        (
            "forward@shop.example",
            VerdictRules::default(),
            vec![forward(&["owner@target.example"])],
        ),
        (
            "unsubscribe@shop.example",
            VerdictRules::default(),
            vec![MailboxAction::Unsubscribe],
        ),
        (
            "machine@shop.example",
            VerdictRules::default(),
            vec![MailboxAction::Notify {
                target: NotifyTarget::Queue(QUEUE.to_owned()),
            }],
        ),
        ("lax@shop.example", lax, vec![store(text)]),
        ("strict@shop.example", strict, vec![forward(&["owner@target.example"])]),
        ("shop.example", VerdictRules::default(), vec![store(KeptSubject::None)]),
    ];
    all.into_iter()
        .map(|(key, verdicts, actions)| Mailbox {
            key: key.parse::<MailboxKey>().unwrap(),
            verdicts,
            actions,
        })
        .collect()
}

/// `inbound/plain--1` is `events/inbound/mail/plain.eml`, unless a test put it there.
fn object(given: &Given, key: &str) -> Option<Vec<u8>> {
    if let Some(mail) = given.objects.get(key) {
        return Some(mail.clone());
    }
    let name = key.rsplit('/').next()?.split("--").next()?;
    match name {
        "missing" => None,
        "encrypted" => Some(b"ciphertext".to_vec()),
        "broken-report" => {
            let head = "From: MAILER-DAEMON@eu-west-1.amazonses.com\r\n\
                        To: news@shop.example\r\n\
                        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\nnothing";
            Some(head.as_bytes().to_vec())
        }
        _ => std::fs::read(Path::new("../../events/inbound/mail").join(format!("{name}.eml"))).ok(),
    }
}

fn get_object(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
    mock!(aws_sdk_s3::Client::get_object).then_compute_response(move |input| {
        let (bucket, key) = (input.bucket().unwrap(), input.key().unwrap());
        assert!(!key.contains("panic"), "as the test wants it");
        let mut given = given.lock().unwrap();
        let range = input.range().unwrap_or("whole").to_owned();
        given.reads.push(format!("{bucket}/{key} {range}"));
        if let Some(refusal) = given.refused("s3") {
            return MockResponse::Error(GetObjectError::generic(refusal));
        }
        let Some(mail) = object(&given, key) else {
            let missing = aws_sdk_s3::types::error::NoSuchKey::builder();
            let code = ErrorMetadata::builder().code("NoSuchKey").build();
            return MockResponse::Error(GetObjectError::NoSuchKey(missing.meta(code).build()));
        };
        let mut output = GetObjectOutput::builder();
        if key.ends_with("encrypted--1") {
            output = output.metadata("x-amz-cek-alg", "AES/GCM/NoPadding");
        }
        let total = mail.len();
        let part = match range.strip_prefix("bytes=0-") {
            Some(last) => {
                let end = total.min(last.parse::<usize>().unwrap() + 1);
                output = output.content_range(format!("bytes 0-{}/{total}", end.max(1) - 1));
                mail[..end].to_vec()
            }
            None => mail,
        };
        let output = output.content_length(part.len() as i64).body(ByteStream::from(part));
        MockResponse::Output(output.build())
    })
}

fn send_email(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailOutput};
    mock!(aws_sdk_sesv2::Client::send_email).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        let destination = input.destination().unwrap();
        assert!(destination.cc_addresses().is_empty() && destination.bcc_addresses().is_empty());
        let to = destination.to_addresses().to_vec();
        let mail = input.content().unwrap().raw().unwrap().data().as_ref().to_vec();
        let once = given.refusing.remove(&format!("once:{}", to[0]));
        let once = once.map(|code| ErrorMetadata::builder().code(code).build());
        if let Some(refusal) = once.or_else(|| given.refused(&to[0])) {
            return MockResponse::Error(SendEmailError::generic(refusal));
        }
        let id = given.id();
        given.sent.push(Sent {
            from: input.from_email_address().unwrap().to_owned(),
            to,
            mail,
            configuration_set: input.configuration_set_name().map(str::to_owned),
        });
        MockResponse::Output(SendEmailOutput::builder().message_id(id).build())
    })
}

fn send_bounce(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_ses::operation::send_bounce::{SendBounceError, SendBounceOutput};
    mock!(aws_sdk_ses::Client::send_bounce).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        if let Some(refusal) = given.refused("bounce") {
            return MockResponse::Error(SendBounceError::generic(refusal));
        }
        let [info] = input.bounced_recipient_info_list() else {
            panic!("one recipient a bounce")
        };
        let fields = info.recipient_dsn_fields().unwrap();
        let text = json!({
            "originalMessageId": input.original_message_id(), "explanation": input.explanation(),
            "recipient": info.recipient(), "action": fields.action().as_str(), "status": fields.status(),
            "finalRecipient": fields.final_recipient(), "diagnosticCode": fields.diagnostic_code(),
        });
        let id = given.id();
        let sender = input.bounce_sender().unwrap().to_owned();
        given.told.push(("bounced", sender, text));
        MockResponse::Output(SendBounceOutput::builder().message_id(id).build())
    })
}

fn publish(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
    mock!(aws_sdk_sns::Client::publish).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        let topic = input.topic_arn().unwrap().to_owned();
        if let Some(refusal) = given.refused(&topic) {
            return MockResponse::Error(PublishError::generic(refusal));
        }
        let text = serde_json::from_str(input.message().unwrap()).unwrap();
        let id = given.id();
        given.told.push(("published", topic, text));
        MockResponse::Output(PublishOutput::builder().message_id(id).build())
    })
}

fn send_message(given: Arc<Mutex<Given>>) -> Rule {
    use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
    mock!(aws_sdk_sqs::Client::send_message).then_compute_response(move |input| {
        let mut given = given.lock().unwrap();
        let queue = input.queue_url().unwrap().to_owned();
        if let Some(refusal) = given.refused(&queue) {
            return MockResponse::Error(SendMessageError::generic(refusal));
        }
        let body = input.message_body().unwrap().to_owned();
        let id = given.id();
        if queue == INBOUND {
            assert_eq!(input.delay_seconds(), Some(90), "what was claimed must lapse first");
            given.waiting.push(body);
        } else {
            given.told.push(("queued", queue, serde_json::from_str(&body).unwrap()));
        }
        MockResponse::Output(SendMessageOutput::builder().message_id(id).build())
    })
}

fn get_secret() -> Rule {
    use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
    mock!(aws_sdk_secretsmanager::Client::get_secret_value).then_compute_response(|input| {
        // The tokens of the events are made with the previous key.
        let key = match input.version_stage().unwrap() {
            "AWSCURRENT" => "a-newer-key-that-has-32-characters-or-more",
            "AWSPREVIOUS" => "correct-horse-battery-staple-0123456789",
            _ => {
                let code = ErrorMetadata::builder().code("InvalidParameterException").build();
                return MockResponse::Error(GetSecretValueError::generic(code));
            }
        };
        MockResponse::Output(GetSecretValueOutput::builder().secret_string(key).build())
    })
}
