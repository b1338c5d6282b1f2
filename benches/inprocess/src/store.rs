//! A DynamoDB table on a loopback port that counts the capacity units of its requests.
//!
//! Sizes and units as in <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html> and
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html>: a write is counted by the larger of the item
//! before and after, an index entry only when it changes, a strongly consistent read by 4 KB, an eventually consistent read
//! by 8 KB.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use dynoxide::Database;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const KEYS: [&str; 4] = ["pk", "sk", "listKey", "listSort"];

#[derive(Args)]
pub(crate) struct Options {
    /// Minimum duration of a request in milliseconds
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
}

/// Serves the table until the process is killed.
#[expect(clippy::print_stdout, reason = "the endpoint is the output")]
pub(crate) async fn serve(options: &Options) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut store = Store::new()?;
    println!("http://{}", listener.local_addr()?);
    // A task per connection. The requests of all connections are executed one after the other.
    let (send, mut requests) = tokio::sync::mpsc::channel::<(Request, tokio::sync::oneshot::Sender<Response>)>(64);
    let latency = Duration::from_millis(options.latency_ms);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async move {
            tokio::task::spawn_local(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::task::spawn_local(connection(stream, send.clone(), latency));
                }
            });
            while let Some((request, reply)) = requests.recv().await {
                let _ = reply.send(store.respond(&request));
            }
        })
        .await;
    Ok(())
}

struct Request {
    operation: String,
    body: Vec<u8>,
}

struct Response {
    status: u16,
    body: String,
}

async fn connection(
    stream: TcpStream,
    store: tokio::sync::mpsc::Sender<(Request, tokio::sync::oneshot::Sender<Response>)>,
    latency: Duration,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let (mut operation, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                match name.to_ascii_lowercase().as_str() {
                    "x-amz-target" => operation = value.rsplit('.').next().unwrap_or_default().trim().to_owned(),
                    "content-length" => length = value.trim().parse()?,
                    _ => {}
                }
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let (send, response) = tokio::sync::oneshot::channel();
        store.send((Request { operation, body }, send)).await?;
        let (response, ()) = tokio::join!(response, tokio::time::sleep(latency));
        let Response { status, body } = response?;
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all(format!("{head}{body}").as_bytes()).await?;
    }
}

#[derive(Default)]
struct Counts {
    requests: BTreeMap<String, u64>,
    write_units: u64,
    index_write_units: u64,
    half_read_units: u64,
}

struct Store {
    database: Database,
    counts: Counts,
}

impl Store {
    fn new() -> anyhow::Result<Self> {
        let database = Database::memory().context("a database")?;
        let create = serde_json::from_str(prove::aws::CREATE_TABLE)?;
        database.create_table(create).context("a table")?;
        Ok(Self {
            database,
            counts: Counts::default(),
        })
    }

    /// Returns and resets the counts. The response to a request without an operation.
    fn take_counts(&mut self) -> Response {
        let counts = std::mem::take(&mut self.counts);
        let body = json!({
            "requests": counts.requests, "writeUnits": counts.write_units, "indexWriteUnits": counts.index_write_units,
            "readUnits": counts.half_read_units as f64 / 2.0,
        });
        Response {
            status: 200,
            body: body.to_string(),
        }
    }

    fn respond(&mut self, request: &Request) -> Response {
        if request.operation.is_empty() {
            return self.take_counts();
        }
        *self.counts.requests.entry(request.operation.clone()).or_default() += 1;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let before = self.item_of(&body);
        let answer = self.run(&request.operation, &request.body);
        match request.operation.as_str() {
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                let after = self.item_of(&body);
                self.count_write(before.as_ref(), after.as_ref());
            }
            "GetItem" => {
                let read = answer.get("Item").map_or(0, size);
                self.count_read(read, body.get("ConsistentRead") == Some(&json!(true)));
            }
            "BatchGetItem" => {
                let keys = body
                    .pointer("/RequestItems/postroom/Keys")
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len);
                let consistent = body.pointer("/RequestItems/postroom/ConsistentRead") == Some(&json!(true));
                let found = answer
                    .pointer("/Responses/postroom")
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default();
                // Items are counted one by one. A missing item costs the minimum.
                for item in &found {
                    self.count_read(size(item), consistent);
                }
                for _ in found.len()..keys {
                    self.count_read(0, consistent);
                }
            }
            "Query" => {
                let items = answer
                    .get("Items")
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default();
                let read = items.iter().map(size).sum();
                self.count_read(read, body.get("ConsistentRead") == Some(&json!(true)));
            }
            _ => {}
        }
        let is_error = answer.get("__type").is_some();
        Response {
            status: if is_error { 400 } else { 200 },
            body: answer.to_string(),
        }
    }

    fn run(&self, operation: &str, body: &[u8]) -> Value {
        macro_rules! run {
            ($method:ident) => {
                serde_json::from_slice(body)
                    .map_err(|error| error.to_string())
                    .and_then(|request| self.database.$method(request).map_err(|error| error.to_json()))
                    .and_then(|answer| serde_json::to_value(&answer).map_err(|error| error.to_string()))
            };
        }
        let answer = match operation {
            "PutItem" => run!(put_item),
            "UpdateItem" => run!(update_item),
            "DeleteItem" => run!(delete_item),
            "GetItem" => run!(get_item),
            "BatchGetItem" => run!(batch_get_item),
            "Query" => run!(query),
            other => Err(json!({"__type": "UnknownOperationException", "message": other}).to_string()),
        };
        answer.unwrap_or_else(|error| {
            serde_json::from_str(&error)
                .unwrap_or_else(|_| json!({"__type": "SerializationException", "message": error}))
        })
    }

    /// The current state of the item that a write names.
    fn item_of(&self, body: &Value) -> Option<Value> {
        let key = body.get("Key").or_else(|| body.get("Item"))?;
        let key = json!({"pk": key.get("pk")?, "sk": key.get("sk")?});
        let request = serde_json::from_value(json!({"TableName": "postroom", "Key": key})).ok()?;
        let answer = serde_json::to_value(&self.database.get_item(request).ok()?).ok()?;
        answer.get("Item").cloned()
    }

    fn count_write(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let larger = before.map_or(0, size).max(after.map_or(0, size));
        self.counts.write_units += larger.div_ceil(1024).max(1);
        let (before, after) = (before.and_then(entry), after.and_then(entry));
        if before != after {
            // DynamoDB deletes the old entry and puts the new one.
            let units = [before, after]
                .iter()
                .flatten()
                .map(|entry| size(entry).div_ceil(1024))
                .sum::<u64>();
            self.counts.index_write_units += units;
        }
    }

    fn count_read(&mut self, bytes: u64, consistent: bool) {
        let blocks = bytes.div_ceil(4096).max(1);
        self.counts.half_read_units += if consistent { 2 * blocks } else { blocks };
    }
}

/// The item's entry in the index, which projects the keys only.
fn entry(item: &Value) -> Option<Value> {
    let keys = KEYS
        .iter()
        .map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
    keys.collect::<Option<serde_json::Map<_, _>>>().map(Value::Object)
}

/// The size of an item in bytes, as DynamoDB counts it: names and values.
fn size(item: &Value) -> u64 {
    let fields = item.as_object().into_iter().flatten();
    fields.map(|(name, value)| name.len() as u64 + value_size(value)).sum()
}

fn value_size(value: &Value) -> u64 {
    let Some((kind, value)) = value.as_object().and_then(|object| object.iter().next()) else {
        return 0;
    };
    let text = value.as_str().map_or(0, |text| text.len() as u64);
    let list = || value.as_array().into_iter().flatten();
    match kind.as_str() {
        "S" => text,
        // One byte per two digits, plus one.
        "N" => text.div_ceil(2) + 1,
        "B" => {
            text / 4 * 3
                - value
                    .as_str()
                    .map_or(0, |text| text.bytes().filter(|byte| *byte == b'=').count() as u64)
        }
        "BOOL" | "NULL" => 1,
        "SS" => list().filter_map(Value::as_str).map(|text| text.len() as u64).sum(),
        "M" => 3 + size(value) + value.as_object().map_or(0, |map| map.len() as u64),
        "L" => 3 + list().map(|value| 1 + value_size(value)).sum::<u64>(),
        _ => text,
    }
}
