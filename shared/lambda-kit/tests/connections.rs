//! What becomes of a call when its connection hangs, has died in a freeze, or breaks: a real client on a real socket.
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

/// What the server does with a connection: once per request, then it waits for the next or closes.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// A whole answer.
    Whole,
    /// A whole answer, and then the end of the connection, which the client is not told in words.
    WholeThenClose,
    /// The head and half of the body, then the end.
    Half,
    /// Nothing, for as long as the client waits.
    Silence,
}

/// A table that answers each connection as planned; the last plan is for all connections after it.
struct Table {
    endpoint: String,
    /// The first line of every request, with the number of its connection.
    requests: Receiver<(usize, String)>,
}

impl Table {
    fn start(plans: &'static [&'static [Answer]]) -> Self {
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

    /// The number of the connection that each request so far came on.
    fn connections(&self) -> Vec<usize> {
        self.requests.try_iter().map(|(connection, _)| connection).collect()
    }
}

fn serve(mut connection: TcpStream, index: usize, plan: &[Answer], requests: &Sender<(usize, String)>) {
    for answer in plan.iter().chain(std::iter::repeat(plan.last().unwrap())) {
        let Some(line) = read_request(&mut connection) else {
            return;
        };
        let _ = requests.send((index, line));
        let whole = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 27\r\n\r\n\
                     {\"Item\":{\"pk\":{\"S\":\"row\"}}}";
        let sent = match answer {
            Answer::Whole | Answer::WholeThenClose => whole.len(),
            Answer::Half => whole.len() - 13,
            Answer::Silence => {
                thread::sleep(Duration::from_secs(60));
                return;
            }
        };
        let _ = connection.write_all(&whole.as_bytes()[..sent]);
        if matches!(answer, Answer::WholeThenClose | Answer::Half) {
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

/// Lambda freezes the whole process: no timer fires, and what the services send meanwhile is not seen.
fn freeze() {
    thread::sleep(Duration::from_millis(200));
}

#[tokio::test]
async fn a_connection_that_hangs_is_given_up_and_another_one_tried() {
    let table = Table::start(&[&[Answer::Silence], &[Answer::Whole]]);
    let started = Instant::now();
    get(&Client::new(table.aws().config())).await.unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert!((2.9..6.0).contains(&seconds), "{seconds}");
    assert_eq!(table.connections(), [0, 1]);
}

#[tokio::test]
async fn a_call_to_a_table_that_never_answers_ends_long_before_the_function_does() {
    let table = Table::start(&[&[Answer::Silence]]);
    let started = Instant::now();
    let error = get(&Client::new(table.aws().config())).await.unwrap_err();
    assert!(error.contains("TimeoutError"), "{error}");
    let seconds = started.elapsed().as_secs_f64();
    assert!((9.0..12.0).contains(&seconds), "{seconds}");
    assert_eq!(table.connections(), [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_connection_that_was_closed_during_a_freeze_is_not_an_error() {
    let table = Table::start(&[&[Answer::WholeThenClose], &[Answer::Whole]]);
    let client = Client::new(table.aws().config());
    get(&client).await.unwrap();
    freeze();
    get(&client).await.unwrap();
    assert_eq!(table.connections(), [0, 1]);
}

#[tokio::test]
async fn a_connection_that_silently_died_during_a_freeze_costs_one_attempt() {
    let table = Table::start(&[&[Answer::Whole, Answer::Silence], &[Answer::Whole]]);
    let client = Client::new(table.aws().config());
    get(&client).await.unwrap();
    freeze();
    get(&client).await.unwrap();
    // Neither is it used after that.
    get(&client).await.unwrap();
    assert_eq!(table.connections(), [0, 0, 1, 1]);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let table = Table::start(&[&[Answer::Half], &[Answer::Half], &[Answer::Whole]]);
    get(&Client::new(table.aws().config())).await.unwrap();
    assert_eq!(table.connections(), [0, 1, 2]);
}

#[tokio::test]
async fn clients_connect_late_and_share_their_connection() {
    let table = Table::start(&[&[Answer::Whole]]);
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
async fn the_first_call_finds_the_early_connection_open() {
    let table = Table::start(&[&[Answer::Whole]]);
    let aws = table.aws();
    aws.open_table_connection();
    let early = table.requests.recv_timeout(Duration::from_millis(1));
    assert!(
        early.is_err(),
        "before the function first waits for anything: {early:?}"
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    get(&Client::new(aws.config())).await.unwrap();
    let requests: Vec<_> = table.requests.try_iter().collect();
    assert_eq!(
        requests,
        [(0, "GET / HTTP/1.1".to_owned()), (0, "POST / HTTP/1.1".to_owned())]
    );
}

#[tokio::test]
async fn a_function_does_not_mind_that_the_early_connection_fails() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let aws = Aws::from_env(move |name| match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(format!("http://{nobody}")),
        _ => Some("x".to_owned()),
    });
    aws.unwrap().open_table_connection();
    tokio::time::sleep(Duration::from_millis(50)).await;
}
