//! Calls whose connection hangs, was closed during a freeze, or breaks. A real client connects to a real socket.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_kit::Aws;

/// What the server does with a request.
#[derive(Clone, Copy, Debug)]
enum Response {
    /// Sends a complete response.
    Complete,
    /// Sends a complete response without `connection: close`, and closes the connection.
    CompleteThenClose,
    /// Sends the headers and half of the body, and closes the connection.
    Truncated,
    /// Sends nothing.
    None,
}

/// A server with a plan for each connection, which has the response to each request. The last plan and the last response are
/// repeated.
struct Table {
    endpoint: String,
    /// The number of the connection and the first line of each request.
    requests: Receiver<(usize, String)>,
}

impl Table {
    fn start(plans: &'static [&'static [Response]]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        thread::spawn(move || {
            for (index, connection) in listener.incoming().enumerate() {
                let plan = plans[index.min(plans.len() - 1)];
                let sender = sender.clone();
                thread::spawn(move || serve(connection.unwrap(), index, plan, &sender));
            }
        });
        Self { endpoint, requests }
    }

    fn aws(&self) -> Aws {
        let endpoint = self.endpoint.clone();
        Aws::from_env(move |name| match name {
            "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            _ => None,
        })
        .unwrap()
    }

    /// Returns the number of the connection of each request so far.
    fn connections(&self) -> Vec<usize> {
        self.requests.try_iter().map(|(connection, _)| connection).collect()
    }
}

fn serve(mut connection: TcpStream, index: usize, plan: &[Response], requests: &Sender<(usize, String)>) {
    for response in plan.iter().chain(std::iter::repeat(plan.last().unwrap())) {
        let Some(line) = read_request(&mut connection) else {
            return;
        };
        let _ = requests.send((index, line));
        let complete = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 27\r\n\r\n\
                     {\"Item\":{\"pk\":{\"S\":\"row\"}}}";
        let sent = match response {
            Response::Complete | Response::CompleteThenClose => complete.len(),
            Response::Truncated => complete.len() - 13,
            Response::None => {
                thread::sleep(Duration::from_secs(60));
                return;
            }
        };
        let _ = connection.write_all(&complete.as_bytes()[..sent]);
        if matches!(response, Response::CompleteThenClose | Response::Truncated) {
            let _ = connection.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = connection.read(&mut chunk).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap()) {
            return Some(head.lines().next().unwrap().to_owned());
        }
    }
}

async fn get(client: &Client) -> Result<(), String> {
    let get = client
        .get_item()
        .table_name("postroom")
        .key("pk", AttributeValue::S("row".to_owned()));
    let output = get.send().await.map_err(|error| format!("{error:?}"))?;
    assert_eq!(output.item.unwrap().len(), 1);
    Ok(())
}

/// Blocks the process as a freeze of Lambda does: no timer fires, and nothing is received.
fn freeze() {
    thread::sleep(Duration::from_millis(200));
}

#[tokio::test]
async fn a_call_on_a_connection_that_hangs_is_retried_on_another_connection() {
    let table = Table::start(&[&[Response::None], &[Response::Complete]]);
    let started = Instant::now();
    get(&Client::new(table.aws().config())).await.unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert!((2.9..6.0).contains(&seconds), "{seconds}");
    assert_eq!(table.connections(), [0, 1]);
}

#[tokio::test]
async fn a_call_without_a_response_fails_after_ten_seconds() {
    let table = Table::start(&[&[Response::None]]);
    let started = Instant::now();
    let error = get(&Client::new(table.aws().config())).await.unwrap_err();
    assert!(error.contains("TimeoutError"), "{error}");
    let seconds = started.elapsed().as_secs_f64();
    assert!((9.0..12.0).contains(&seconds), "{seconds}");
    assert_eq!(table.connections(), [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_connection_that_was_closed_during_a_freeze_is_replaced() {
    let table = Table::start(&[&[Response::CompleteThenClose], &[Response::Complete]]);
    let client = Client::new(table.aws().config());
    get(&client).await.unwrap();
    freeze();
    get(&client).await.unwrap();
    assert_eq!(table.connections(), [0, 1]);
}

#[tokio::test]
async fn a_connection_that_was_lost_during_a_freeze_costs_one_attempt() {
    let table = Table::start(&[&[Response::Complete, Response::None], &[Response::Complete]]);
    let client = Client::new(table.aws().config());
    get(&client).await.unwrap();
    freeze();
    get(&client).await.unwrap();
    // The lost connection is not used again.
    get(&client).await.unwrap();
    assert_eq!(table.connections(), [0, 0, 1, 1]);
}

#[tokio::test]
async fn a_call_with_a_truncated_response_is_retried() {
    let table = Table::start(&[&[Response::Truncated], &[Response::Truncated], &[Response::Complete]]);
    get(&Client::new(table.aws().config())).await.unwrap();
    assert_eq!(table.connections(), [0, 1, 2]);
}

#[tokio::test]
async fn clients_connect_on_the_first_call_and_share_the_connection() {
    let table = Table::start(&[&[Response::Complete]]);
    let aws = table.aws();
    let clients = [Client::new(aws.config()), Client::new(aws.config())];
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(table.connections().is_empty());
    for client in &clients {
        get(client).await.unwrap();
    }
    assert_eq!(table.connections(), [0, 0]);
}

#[tokio::test]
async fn the_first_call_uses_the_early_connection() {
    let table = Table::start(&[&[Response::Complete]]);
    let aws = table.aws();
    aws.open_table_connection();
    let early = table.requests.recv_timeout(Duration::from_millis(1));
    assert!(early.is_err(), "connected before the function waits: {early:?}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    get(&Client::new(aws.config())).await.unwrap();
    let requests: Vec<_> = table.requests.try_iter().collect();
    assert_eq!(
        requests,
        [(0, "GET / HTTP/1.1".to_owned()), (0, "POST / HTTP/1.1".to_owned())]
    );
}

#[tokio::test]
async fn a_failure_of_the_early_connection_has_no_effect() {
    let unused = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let aws = Aws::from_env(move |name| match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(format!("http://{unused}")),
        _ => Some("x".to_owned()),
    });
    aws.unwrap().open_table_connection();
    tokio::time::sleep(Duration::from_millis(50)).await;
}
