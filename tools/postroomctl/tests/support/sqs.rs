//! A stub of SQS with queues in memory and of S3 with one bucket, over HTTP, that can reject messages and drop responses.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) attributes: Value,
    sent: i64,
    in_flight: bool,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<String, Vec<Message>>,
    /// The queues whose redrive policy names a dead-letter queue.
    sources: BTreeMap<String, Vec<String>>,
    requests: Vec<String>,
    /// Operations whose next request takes effect without a response.
    dropped_responses: Vec<String>,
    /// The objects of every bucket, by key.
    objects: BTreeMap<String, Vec<u8>>,
    /// Bodies that were deleted before another queue had them.
    lost: Vec<String>,
    /// Messages with this text are rejected.
    rejected_text: Option<String>,
}

/// The result of a command.
pub(crate) struct Outcome {
    pub(crate) exit_code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Everything that was printed, and the exit code.
    pub(crate) fn text(&self) -> String {
        format!("{}{}exit code {}", self.stdout, self.stderr, self.exit_code)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

pub(crate) struct Sqs {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Sqs {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { endpoint, state }
    }

    pub(crate) fn url(&self, queue: &str) -> String {
        format!("{}/111122223333/{queue}", self.endpoint)
    }

    pub(crate) fn put(&self, queue: &str, body: &str, attributes: Value) -> String {
        let url = self.url(queue);
        let mut state = self.state.lock().unwrap();
        let messages = state.queues.entry(url).or_default();
        let id = format!("{queue}-{}", messages.len());
        messages.push(Message {
            id: id.clone(),
            body: body.to_owned(),
            attributes,
            sent: 1_772_438_400_000 + i64::try_from(messages.len()).unwrap(),
            in_flight: false,
        });
        id
    }

    pub(crate) fn put_object(&self, key: &str, bytes: Vec<u8>) {
        self.state.lock().unwrap().objects.insert(key.to_owned(), bytes);
    }

    pub(crate) fn set_dead_letter_queue(&self, source: &str, dead_letters: &str) {
        let (source, dead_letters) = (self.url(source), self.url(dead_letters));
        self.state
            .lock()
            .unwrap()
            .sources
            .entry(dead_letters)
            .or_default()
            .push(source);
    }

    pub(crate) fn messages(&self, queue: &str) -> Vec<Message> {
        let url = self.url(queue);
        self.state.lock().unwrap().queues.get(&url).cloned().unwrap_or_default()
    }

    pub(crate) fn bodies(&self, queue: &str) -> Vec<String> {
        self.messages(queue).into_iter().map(|message| message.body).collect()
    }

    /// Whether received messages of the queue are still invisible.
    pub(crate) fn has_messages_in_flight(&self, queue: &str) -> bool {
        self.messages(queue).iter().any(|message| message.in_flight)
    }

    /// Makes all received messages visible again.
    pub(crate) fn expire_visibility_timeouts(&self) {
        let mut state = self.state.lock().unwrap();
        state
            .queues
            .values_mut()
            .flatten()
            .for_each(|message| message.in_flight = false);
    }

    /// Executes the next request of an operation without a response.
    pub(crate) fn drop_response_to(&self, operation: &str) {
        self.state.lock().unwrap().dropped_responses.push(operation.to_owned());
    }

    /// Rejects messages with a text.
    pub(crate) fn reject(&self, body: &str) {
        self.state.lock().unwrap().rejected_text = Some(body.to_owned());
    }

    /// Bodies that were in no queue at any time.
    pub(crate) fn lost(&self) -> Vec<String> {
        self.state.lock().unwrap().lost.clone()
    }

    /// The operations that were requested since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroomctl"));
        command.args(arguments).env_clear().stdin(Stdio::null()).envs([
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ]);
        command
    }

    /// Runs `postroomctl`. The endpoint is replaced by `http://sqs` in its output.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.command(arguments);
        let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&self.endpoint, "http://sqs");
        Outcome {
            exit_code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Starts `postroomctl` without waiting for its end.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut request = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut request).await.unwrap_or_default() == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        if let Some(path) = head.strip_prefix("GET ") {
            let response = state.lock().unwrap().object(path.split(' ').next().unwrap_or_default());
            let length = response.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(&[head.into_bytes(), response].concat()).await;
            return;
        }
        if let Ok(body) = serde_json::from_str::<Value>(body) {
            break (head.to_owned(), body);
        }
    };
    let target = head
        .lines()
        .find_map(|line| line.split_once("AmazonSQS."))
        .unwrap_or_default()
        .1;
    let operation = target.trim().to_owned();
    let response = {
        let mut state = state.lock().unwrap();
        state.requests.push(operation.clone());
        let response = state.respond(&operation, &body);
        match state.dropped_responses.iter().position(|name| *name == operation) {
            Some(index) => {
                state.dropped_responses.remove(index);
                return;
            }
            None => response.to_string(),
        }
    };
    let length = response.len();
    let text = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{response}"
    );
    let _ = stream.write_all(text.as_bytes()).await;
}

impl State {
    /// A response of S3 to a path-style request: a list of keys, or one object.
    fn object(&self, path: &str) -> Vec<u8> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let key = path.splitn(3, '/').nth(2).unwrap_or_default();
        if !query.contains("list-type=2") {
            return self.objects.get(key).cloned().unwrap();
        }
        let prefix = query
            .split('&')
            .find_map(|one| one.strip_prefix("prefix="))
            .unwrap()
            .replace("%2F", "/");
        let keys = self.objects.keys().filter(|key| key.starts_with(&prefix));
        let contents: String = keys
            .map(|key| format!("<Contents><Key>{key}</Key></Contents>"))
            .collect();
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>").into_bytes()
    }

    fn respond(&mut self, operation: &str, request: &Value) -> Value {
        let url = request["QueueUrl"].as_str().unwrap().to_owned();
        let entries = request["Entries"].as_array().cloned().unwrap_or_default();
        let done: Vec<Value> = entries
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "MessageId": "new"}))
            .collect();
        let rejected_text = self.rejected_text.clone();
        let sources = self.sources.get(&url).cloned().unwrap_or_default();
        let elsewhere: Vec<String> = self
            .queues
            .iter()
            .filter(|(other, _)| **other != url)
            .flat_map(|(_, messages)| messages.iter().map(|message| message.body.clone()))
            .collect();
        let queue = self.queues.entry(url).or_default();
        let has_handle =
            |message: &Message, entry: &Value| entry["ReceiptHandle"].as_str() == Some(message.id.as_str());
        match operation {
            "GetQueueAttributes" => json!({"Attributes": {
                "ApproximateNumberOfMessages": queue.iter().filter(|message| !message.in_flight).count().to_string(),
                "ApproximateNumberOfMessagesNotVisible": queue.iter().filter(|message| message.in_flight).count().to_string(),
                "MessageRetentionPeriod": "1209600",
            }}),
            "ListDeadLetterSourceQueues" => json!({"queueUrls": sources}),
            "ReceiveMessage" => {
                let limit = usize::try_from(request["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
                let free = queue.iter_mut().filter(|message| !message.in_flight).take(limit);
                let messages: Vec<Value> = free
                    .map(|message| {
                        message.in_flight = true;
                        json!({
                            "MessageId": message.id, "ReceiptHandle": message.id, "Body": message.body,
                            "Attributes": {"SentTimestamp": message.sent.to_string()},
                            "MessageAttributes": message.attributes,
                        })
                    })
                    .collect();
                json!({"Messages": messages})
            }
            "ChangeMessageVisibilityBatch" => {
                for message in queue.iter_mut() {
                    message.in_flight &= !entries.iter().any(|entry| has_handle(message, entry));
                }
                json!({"Successful": done, "Failed": []})
            }
            "DeleteMessageBatch" => {
                let (deleted, left): (Vec<Message>, Vec<Message>) = queue
                    .drain(..)
                    .partition(|message| entries.iter().any(|entry| has_handle(message, entry)));
                *queue = left;
                let lost = deleted.into_iter().map(|message| message.body);
                self.lost.extend(lost.filter(|body| !elsewhere.contains(body)));
                json!({"Successful": done, "Failed": []})
            }
            "SendMessageBatch" => {
                let mut failed = Vec::new();
                let mut successful = Vec::new();
                for (index, entry) in entries.iter().enumerate() {
                    let body = entry["MessageBody"].as_str().unwrap().to_owned();
                    if rejected_text.as_ref().is_some_and(|text| body.contains(text)) {
                        failed.push(json!({
                            "Id": entry["Id"], "SenderFault": true, "Code": "InvalidMessageContents", "Message": "no",
                        }));
                        continue;
                    }
                    queue.push(Message {
                        id: format!("sent-{}", queue.len()),
                        body,
                        attributes: entry["MessageAttributes"].clone(),
                        sent: 1_772_524_800_000,
                        in_flight: false,
                    });
                    successful.push(done[index].clone());
                }
                json!({"Successful": successful, "Failed": failed})
            }
            other => panic!("unknown operation {other}"),
        }
    }
}
