//! An SQS that keeps messages in memory, and an S3 with one bucket, spoken to over HTTP as the real one is, and told what to do wrong.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]

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
    taken: bool,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<String, Vec<Message>>,
    /// The queues whose redrive policy names a dead-letter queue.
    sources: BTreeMap<String, Vec<String>>,
    asked: Vec<String>,
    /// Operations whose next request takes effect and is not answered.
    unanswered: Vec<String>,
    /// What a bucket holds; its name does not matter.
    objects: BTreeMap<String, Vec<u8>>,
    /// Bodies that were deleted while no other queue had them.
    lost: Vec<String>,
    /// Bodies with this text are refused.
    refused: Option<String>,
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
            taken: false,
        });
        id
    }

    pub(crate) fn put_object(&self, key: &str, bytes: Vec<u8>) {
        self.state.lock().unwrap().objects.insert(key.to_owned(), bytes);
    }

    pub(crate) fn ends_in(&self, source: &str, dead_letters: &str) {
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

    /// Whether somebody has messages of the queue that were not given back.
    pub(crate) fn is_holding(&self, queue: &str) -> bool {
        self.messages(queue).iter().any(|message| message.taken)
    }

    /// As if the time ran out for which messages were taken.
    pub(crate) fn time_passes(&self) {
        let mut state = self.state.lock().unwrap();
        state
            .queues
            .values_mut()
            .flatten()
            .for_each(|message| message.taken = false);
    }

    pub(crate) fn does_not_answer(&self, operation: &str) {
        self.state.lock().unwrap().unanswered.push(operation.to_owned());
    }

    pub(crate) fn refuses(&self, body: &str) {
        self.state.lock().unwrap().refused = Some(body.to_owned());
    }

    /// Bodies that at any time were in no queue.
    pub(crate) fn lost(&self) -> Vec<String> {
        self.state.lock().unwrap().lost.clone()
    }

    /// The operations asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
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

    /// What `postroomctl` says: exit code, standard output, standard error. The endpoint is written `http://sqs`.
    pub(crate) async fn types(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.command(arguments);
        let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&self.endpoint, "http://sqs");
        (
            output.status.code().unwrap_or(-1),
            text(output.stdout),
            text(output.stderr),
        )
    }

    pub(crate) fn starts(&self, arguments: &[&str]) -> Child {
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
            let answer = state.lock().unwrap().object(path.split(' ').next().unwrap_or_default());
            let length = answer.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(&[head.into_bytes(), answer].concat()).await;
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
    let answer = {
        let mut state = state.lock().unwrap();
        state.asked.push(operation.clone());
        let answer = state.answer(&operation, &body);
        match state.unanswered.iter().position(|name| *name == operation) {
            Some(index) => {
                state.unanswered.remove(index);
                return;
            }
            None => answer.to_string(),
        }
    };
    let length = answer.len();
    let text = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
    );
    let _ = stream.write_all(text.as_bytes()).await;
}

impl State {
    /// S3, with paths for buckets: a list of keys, or one object.
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

    fn answer(&mut self, operation: &str, request: &Value) -> Value {
        let url = request["QueueUrl"].as_str().unwrap().to_owned();
        let entries = request["Entries"].as_array().cloned().unwrap_or_default();
        let done: Vec<Value> = entries
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "MessageId": "new"}))
            .collect();
        let refused = self.refused.clone();
        let sources = self.sources.get(&url).cloned().unwrap_or_default();
        let elsewhere: Vec<String> = self
            .queues
            .iter()
            .filter(|(other, _)| **other != url)
            .flat_map(|(_, messages)| messages.iter().map(|message| message.body.clone()))
            .collect();
        let queue = self.queues.entry(url).or_default();
        let is = |message: &Message, entry: &Value| entry["ReceiptHandle"].as_str() == Some(message.id.as_str());
        match operation {
            "GetQueueAttributes" => json!({"Attributes": {
                "ApproximateNumberOfMessages": queue.iter().filter(|message| !message.taken).count().to_string(),
                "ApproximateNumberOfMessagesNotVisible": queue.iter().filter(|message| message.taken).count().to_string(),
                "MessageRetentionPeriod": "1209600",
            }}),
            "ListDeadLetterSourceQueues" => json!({"queueUrls": sources}),
            "ReceiveMessage" => {
                let most = usize::try_from(request["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
                let free = queue.iter_mut().filter(|message| !message.taken).take(most);
                let messages: Vec<Value> = free
                    .map(|message| {
                        message.taken = true;
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
                    message.taken &= !entries.iter().any(|entry| is(message, entry));
                }
                json!({"Successful": done, "Failed": []})
            }
            "DeleteMessageBatch" => {
                let (deleted, left): (Vec<Message>, Vec<Message>) = queue
                    .drain(..)
                    .partition(|message| entries.iter().any(|entry| is(message, entry)));
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
                    if refused.as_ref().is_some_and(|refused| body.contains(refused)) {
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
                        taken: false,
                    });
                    successful.push(done[index].clone());
                }
                json!({"Successful": successful, "Failed": failed})
            }
            other => panic!("an SQS that does not know {other}"),
        }
    }
}
