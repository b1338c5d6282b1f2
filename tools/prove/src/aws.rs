//! AWS in this process: the SDK's requests go to an embedded DynamoDB and to targets that remember, without a socket, and
//! every fault that a seed holds in store happens here.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use delegate_router::effects::Clients;
use dynoxide::Database;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::Figures;

/// The deliver queue.
pub const DELIVER_URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-deliver";
/// The queue for what a target refuses for good.
pub const PARK_URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-park";
/// The queue of the lane to SES's own list.
pub const MIRROR_URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-mirror";
/// The topic for what nobody hears of.
pub const UNROUTED: &str = "arn:aws:sns:us-east-1:111122223333:postroom-unrouted";

/// The request that makes the table as the template does.
pub const CREATE_TABLE: &str = r#"{"TableName": "postroom", "BillingMode": "PAY_PER_REQUEST",
  "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
    {"AttributeName": "listKey", "AttributeType": "S"}, {"AttributeName": "listSort", "AttributeType": "S"}],
  "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
  "GlobalSecondaryIndexes": [{"IndexName": "listing", "Projection": {"ProjectionType": "KEYS_ONLY"},
    "KeySchema": [{"AttributeName": "listKey", "KeyType": "HASH"}, {"AttributeName": "listSort", "KeyType": "RANGE"}]}]}"#;

/// What can go wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The service says that there is too much to do.
    Throttled,
    /// The service says that it failed.
    InternalError,
    /// It never arrives.
    Lost,
    /// It takes effect, and its answer never arrives.
    AnswerLost,
    /// The client gives up; the request takes effect later, perhaps much later.
    TimedOut,
    /// No answer, until Lambda ends the invocation.
    Hangs,
    /// A batch is accepted in part.
    InPart,
}

impl Fault {
    const ALL: [Self; 7] = [
        Self::Throttled,
        Self::InternalError,
        Self::Lost,
        Self::AnswerLost,
        Self::TimedOut,
        Self::Hangs,
        Self::InPart,
    ];

    const fn figure(self) -> &'static str {
        match self {
            Self::Throttled => "requests throttled",
            Self::InternalError => "requests answered with an internal error",
            Self::Lost => "requests lost",
            Self::AnswerLost => "answers lost",
            Self::TimedOut => "requests timed out, taking effect later",
            Self::Hangs => "requests hanging until the invocation ends",
            Self::InPart => "batches accepted in part",
        }
    }
}

/// What a target was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The topic, queue URL or bus.
    pub by: String,
    /// What it got.
    pub body: String,
    /// The idempotency key that came with it.
    pub key: String,
}

/// A request as it is on its way.
#[derive(Debug, Clone)]
struct Wire {
    target: String,
    body: Vec<u8>,
}

impl Wire {
    fn operation(&self) -> &str {
        match self.target.rsplit('.').next() {
            Some("") | None => "Publish",
            Some(operation) => operation,
        }
    }
}

/// The services and what is in store for them.
pub struct State {
    database: Database,
    /// Bodies that came into the deliver queue and were not picked up yet.
    pub enqueued: VecDeque<String>,
    /// Everything that targets, the park queue and the unrouted topic were given.
    pub taken: Vec<Taken>,
    /// Digests that were mailed: address and text.
    pub mails: Vec<(String, String)>,
    /// Requests whose sender gave up or died, and which will take effect yet.
    zombies: Vec<Wire>,
    rng: Rng,
    /// Of 1000 requests.
    fault_rate: u32,
    /// Requests that fail in a row, once an outage began.
    outage: (Option<Fault>, u32),
    /// Whether every step is written to standard error.
    trace: bool,
    /// What happened so far.
    pub figures: Figures,
}

/// The services, shared by every client.
#[derive(Clone)]
pub struct Aws(Arc<Mutex<State>>);

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

impl Aws {
    /// An empty table and no faults yet.
    #[must_use]
    pub fn new(seed: u64, trace: bool) -> Self {
        let database = Database::memory().expect("a database in memory");
        database
            .create_table(serde_json::from_str(CREATE_TABLE).expect("a request"))
            .expect("a table");
        Self(Arc::new(Mutex::new(State {
            database,
            enqueued: VecDeque::new(),
            taken: Vec::new(),
            mails: Vec::new(),
            zombies: Vec::new(),
            rng: Rng::with_seed(seed ^ 0x5eed_5eed),
            fault_rate: 0,
            outage: (None, 0),
            trace,
            figures: Figures::default(),
        })))
    }

    /// The state. Nothing may await while it is held.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while held")
    }

    /// From now on, so many of 1000 requests meet a fault.
    pub fn set_fault_rate(&self, rate: u32) {
        let mut state = self.state();
        state.fault_rate = rate;
        state.outage = (None, 0);
    }

    /// No faults until [`set_fault_rate`](Self::set_fault_rate); the rate until now.
    #[must_use]
    pub fn pause_faults(&self) -> u32 {
        let mut state = self.state();
        state.outage = (None, 0);
        std::mem::take(&mut state.fault_rate)
    }

    /// A client of the table.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_partition(partition())
            .http_client(SharedHttpClient::new(self.clone()))
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// A client of the queues.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_partition(partition())
            .http_client(SharedHttpClient::new(self.clone()))
            .build();
        aws_sdk_sqs::Client::from_conf(config)
    }

    /// The clients of the router.
    #[must_use]
    pub fn clients(&self) -> Clients {
        let sns = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_partition(partition())
            .http_client(SharedHttpClient::new(self.clone()))
            .build();
        let eventbridge = aws_sdk_eventbridge::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_partition(partition())
            .http_client(SharedHttpClient::new(self.clone()))
            .build();
        let ses = aws_sdk_sesv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_partition(partition())
            .http_client(SharedHttpClient::new(self.clone()))
            .build();
        Clients {
            sns: aws_sdk_sns::Client::from_conf(sns).into(),
            sqs: self.sqs(),
            eventbridge: aws_sdk_eventbridge::Client::from_conf(eventbridge).into(),
            ses: aws_sdk_sesv2::Client::from_conf(ses).into(),
        }
    }
}

fn credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "proof")
}

/// Every client's own, where the default is one for the whole process: a seed must not feel the one before.
fn partition() -> RetryPartition {
    RetryPartition::custom("proof")
        .token_bucket(TokenBucket::default())
        .build()
}

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // SES names the operation by the path, SNS in the body, the others here.
        let target = match request.uri().ends_with("/v2/email/outbound-emails") {
            true => "SES.SendEmail",
            false => request.headers().get("x-amz-target").unwrap_or_default(),
        };
        let wire = Wire {
            target: target.to_owned(),
            body: request.body().bytes().unwrap_or_default().to_vec(),
        };
        let mut state = self.state();
        state.figures.add("requests", 1);
        let fault = state.draw_fault();
        if let Some(fault) = fault {
            state.figures.add(fault.figure(), 1);
        }
        state.note(|| {
            format!(
                "    {} {}{}",
                wire.operation(),
                fault.map_or(String::new(), |fault| format!("{fault:?} ")),
                place(&wire)
            )
        });
        let (before, after) = (state.rng.u8(..4), state.rng.u8(..4));
        drop(state);
        HttpConnectorFuture::new(Flight {
            aws: self.clone(),
            wire: Some(wire),
            fault,
            before,
            after,
            answer: None,
        })
    }
}

fn place(wire: &Wire) -> String {
    let body: Value = serde_json::from_slice(&wire.body).unwrap_or_default();
    let key = body.get("Key").or_else(|| body.get("Item"));
    let text = |name: &str| key.and_then(|key| key[name]["S"].as_str()).unwrap_or_default();
    let condition = body.get("ConditionExpression").and_then(Value::as_str);
    format!(
        "{} {} {}",
        text("pk"),
        text("sk"),
        condition.map_or(String::new(), |condition| format!("if {condition}"))
    )
}

/// A request on its way there and back, some polls each. Dropped on its way there it may still arrive, long after.
struct Flight {
    aws: Aws,
    wire: Option<Wire>,
    fault: Option<Fault>,
    before: u8,
    after: u8,
    answer: Option<Result<HttpResponse, ConnectorError>>,
}

impl Future for Flight {
    type Output = Result<HttpResponse, ConnectorError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.before > 0 {
            self.before -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(wire) = self.wire.take() {
            let aws = self.aws.clone();
            let mut state = aws.state();
            let broken = || Err(ConnectorError::io("the connection broke".into()));
            self.answer = match self.fault {
                None => Some(Ok(state.serve(&wire, false))),
                Some(Fault::Throttled) => Some(Ok(refused(&wire, 400))),
                Some(Fault::InternalError) => Some(Ok(refused(&wire, 500))),
                Some(Fault::Lost) => Some(broken()),
                Some(Fault::AnswerLost) => {
                    let _ = state.serve(&wire, false);
                    Some(broken())
                }
                Some(Fault::TimedOut) => {
                    state.zombies.push(wire);
                    Some(Err(ConnectorError::timeout("no answer in time".into())))
                }
                Some(Fault::Hangs) => {
                    if state.rng.bool() {
                        let _ = state.serve(&wire, false);
                    }
                    None
                }
                Some(Fault::InPart) => Some(Ok(state.serve(&wire, true))),
            };
        }
        if self.after > 0 {
            self.after -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let (Some(wire), Ok(mut state)) = (self.wire.take(), self.aws.0.lock()) else {
            return;
        };
        if state.fault_rate > 0 && state.rng.bool() {
            state.note(|| format!("    {} is still on its way", wire.operation()));
            state.zombies.push(wire);
        }
    }
}

impl State {
    /// Writes a line of the trace.
    pub fn note(&self, line: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{}", line());
        }
    }

    /// Whether, in this seed's dice, something of so many percent happens.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    fn draw_fault(&mut self) -> Option<Fault> {
        let (fault, left) = self.outage;
        if left > 0 {
            self.outage = (fault, left - 1);
            return fault;
        }
        if self.rng.u32(..1000) >= self.fault_rate {
            return None;
        }
        let fault = Fault::ALL[self.rng.usize(..Fault::ALL.len())];
        // One fault is healed by the SDK's own retries; an outage outlasts them.
        if fault != Fault::Hangs && self.rng.u8(..4) == 0 {
            self.outage = (Some(fault), self.rng.u32(2..12));
        }
        Some(fault)
    }

    /// Lets some of the requests arrive that were given up; all of them in the end.
    pub fn raise_zombies(&mut self, all: bool) {
        while !self.zombies.is_empty() && (all || self.rng.u8(..3) == 0) {
            let index = self.rng.usize(..self.zombies.len());
            let wire = self.zombies.swap_remove(index);
            self.note(|| format!("    {} arrives late: {}", wire.operation(), place(&wire)));
            self.figures
                .add("requests that took effect after their sender gave up or died", 1);
            let _ = self.serve(&wire, false);
        }
    }

    /// Every row of the table.
    #[must_use]
    pub fn rows(&self) -> Vec<Value> {
        let request = serde_json::from_value(json!({"TableName": "postroom"})).expect("a request");
        let response = self.database.scan(request).expect("a scan");
        let response = serde_json::to_value(&response).expect("a response");
        assert!(response.get("LastEvaluatedKey").is_none_or(Value::is_null), "one page");
        response["Items"].as_array().cloned().unwrap_or_default()
    }

    fn serve(&mut self, wire: &Wire, in_part: bool) -> HttpResponse {
        if wire.target.is_empty() {
            return self.publish(wire);
        }
        let body: Value = serde_json::from_slice(&wire.body).expect("a request in JSON");
        match wire.operation() {
            "SendMessageBatch" => self.send_message_batch(&body, in_part),
            "SendMessage" => self.send_message(&body),
            "SendEmail" => self.send_email(&body),
            "PutEvents" => self.put_events(&body, in_part),
            "BatchGetItem" if in_part => self.batch_get_part(body),
            operation => self.table(operation, &wire.body),
        }
    }

    fn table(&mut self, operation: &str, body: &[u8]) -> HttpResponse {
        let database = &self.database;
        macro_rules! run {
            ($method:ident) => {
                database
                    .$method(serde_json::from_slice(body).expect("a request"))
                    .map(|response| serde_json::to_string(&response).expect("a response"))
            };
        }
        let answer = match operation {
            "PutItem" => run!(put_item),
            "UpdateItem" => run!(update_item),
            "GetItem" => run!(get_item),
            "BatchGetItem" => run!(batch_get_item),
            "DeleteItem" => run!(delete_item),
            "Query" => run!(query),
            other => panic!("no such operation here: {other}"),
        };
        match answer {
            Ok(body) => response(200, body),
            Err(error) => {
                assert_eq!(error.status_code(), 400, "{error}");
                let body = error.to_json();
                assert!(body.contains("ConditionalCheckFailed"), "{operation}: {body}");
                self.figures.add("conditions not met", 1);
                response(400, body)
            }
        }
    }

    /// DynamoDB leaves keys out when it is throttled.
    fn batch_get_part(&mut self, mut body: Value) -> HttpResponse {
        let keys = body["RequestItems"]["postroom"]["Keys"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let cut = self.rng.usize(..=keys.len());
        let (now, deferred) = keys.split_at(cut);
        let mut answer = json!({"Responses": {"postroom": []}});
        if !now.is_empty() {
            body["RequestItems"]["postroom"]["Keys"] = json!(now);
            let request = serde_json::from_value(body).expect("a request");
            let response = self.database.batch_get_item(request).expect("a batch");
            answer = serde_json::to_value(&response).expect("a response");
        }
        answer["UnprocessedKeys"] = match deferred {
            [] => json!({}),
            deferred => json!({"postroom": {"Keys": deferred, "ConsistentRead": true}}),
        };
        response(200, answer.to_string())
    }

    fn send_message_batch(&mut self, body: &Value, in_part: bool) -> HttpResponse {
        assert_eq!(body["QueueUrl"], DELIVER_URL);
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in body["Entries"].as_array().into_iter().flatten() {
            if in_part && self.rng.bool() {
                failed.push(json!({"Id": entry["Id"], "SenderFault": false, "Code": "InternalError"}));
                continue;
            }
            self.enqueued
                .push_back(entry["MessageBody"].as_str().unwrap_or_default().to_owned());
            successful.push(json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": "-"}));
        }
        response(200, json!({"Successful": successful, "Failed": failed}).to_string())
    }

    fn send_message(&mut self, body: &Value) -> HttpResponse {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if body["QueueUrl"] != MIRROR_URL {
            self.taken.push(Taken {
                by: text(&body["QueueUrl"]),
                body: text(&body["MessageBody"]),
                key: text(&body["MessageAttributes"]["idempotencyKey"]["StringValue"]),
            });
        }
        response(200, json!({"MessageId": "1", "MD5OfMessageBody": "-"}).to_string())
    }

    fn send_email(&mut self, body: &Value) -> HttpResponse {
        let text = |pointer: &str| {
            body.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        self.mails.push((
            text("/Destination/ToAddresses/0"),
            text("/Content/Simple/Body/Text/Data"),
        ));
        response(200, json!({"MessageId": "1"}).to_string())
    }

    fn put_events(&mut self, body: &Value, in_part: bool) -> HttpResponse {
        if in_part {
            let entry = json!({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"});
            return response(200, json!({"FailedEntryCount": 1, "Entries": [entry]}).to_string());
        }
        let entry = &body["Entries"][0];
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap_or_default()).expect("a detail");
        self.taken.push(Taken {
            by: entry["EventBusName"].as_str().unwrap_or_default().to_owned(),
            body: detail["notification"].to_string(),
            key: detail["idempotencyKey"].as_str().unwrap_or_default().to_owned(),
        });
        response(
            200,
            json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}).to_string(),
        )
    }

    fn publish(&mut self, wire: &Wire) -> HttpResponse {
        let fields: std::collections::HashMap<String, String> =
            form_urlencoded::parse(&wire.body).into_owned().collect();
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        assert_eq!(field("Action"), "Publish");
        if field("TopicArn").ends_with(":gone") {
            return xml_error("NotFound", 404);
        }
        let key = (1..20)
            .find(|number| field(&format!("MessageAttributes.entry.{number}.Name")) == "idempotencyKey")
            .map(|number| field(&format!("MessageAttributes.entry.{number}.Value.StringValue")));
        self.taken.push(Taken {
            by: field("TopicArn"),
            body: field("Message"),
            key: key.unwrap_or_default(),
        });
        let xml = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"#;
        response(200, xml.to_owned())
    }
}

fn response(status: u16, body: String) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("a status");
    HttpResponse::new(status, SdkBody::from(body))
}

fn xml_error(code: &str, status: u16) -> HttpResponse {
    let body = format!(
        r#"<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>-</Message></Error></ErrorResponse>"#
    );
    response(status, body)
}

fn refused(wire: &Wire, status: u16) -> HttpResponse {
    let code = match (status, wire.target.split('.').next()) {
        (500, _) => "InternalServerError",
        (_, Some("DynamoDB_20120810")) => "ProvisionedThroughputExceededException",
        (_, Some("AmazonSQS")) => "RequestThrottled",
        _ => "ThrottlingException",
    };
    if wire.target.is_empty() {
        return xml_error(if status == 500 { "InternalError" } else { "Throttled" }, status);
    }
    response(status, json!({"__type": code, "message": "-"}).to_string())
}
