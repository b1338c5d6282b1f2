//! Requests of `postroomctl suppression` to the mirror queue.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::Output;

use notification_model::EmailAddress;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

/// Runs `postroomctl suppression` with a table, and optionally a mirror queue.
async fn suppression(table: &str, queue: Option<&str>, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postroomctl"));
    command.arg("suppression").args(arguments.split(' ')).env_clear().envs([
        ("AWS_ENDPOINT_URL_DYNAMODB", table),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("POSTROOM_TABLE", "postroom"),
    ]);
    if let Some(queue) = queue {
        command.env("AWS_ENDPOINT_URL_SQS", queue);
        command.env("POSTROOM_MIRROR_QUEUE", format!("{queue}/000000000000/mirror"));
    }
    command.output().await.unwrap()
}

/// Accepts one SendMessage request, and returns the body of the message.
async fn accept_message(listener: &TcpListener) -> Value {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    let body: Value = loop {
        stream.read_buf(&mut request).await.unwrap();
        let text = String::from_utf8_lossy(&request);
        if let Some(body) = text
            .split_once("\r\n\r\n")
            .and_then(|(_, body)| serde_json::from_str(body).ok())
        {
            break body;
        }
    };
    let response = r#"{"MessageId": "1"}"#;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close\r\ncontent-length";
    let response = format!("{head}: {}\r\n\r\n{response}", response.len());
    stream.write_all(response.as_bytes()).await.unwrap();
    serde_json::from_str(body.get("MessageBody").unwrap().as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn put_and_release_send_requests_to_the_mirror_queue() {
    let (_, table) = store::testing::fresh_with_endpoint().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let queue = format!("http://{}", listener.local_addr().unwrap());

    for (arguments, action) in [
        ("put Jane@example.net --reason requested --scope tenant:acme", "put"),
        ("release jane@example.net --reason requested", "delete"),
    ] {
        let (output, message) = tokio::join!(suppression(&table, Some(&queue), arguments), accept_message(&listener));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(message["action"], action);
        assert_eq!(message["scope"], "tenant:acme");
        assert_eq!(message["reason"], "BOUNCE");
        let address = EmailAddress::parse(message["address"].as_str().unwrap()).unwrap();
        assert_eq!(address.key(), "jane@example.net");
    }
}

#[tokio::test]
async fn a_failed_request_is_a_warning_and_exit_code_3() {
    let (store, table) = store::testing::fresh_with_endpoint().await;
    let arguments = "put jane@example.net --reason requested";
    let without_queue = suppression(&table, None, arguments).await;
    assert_eq!(
        (without_queue.status.code(), without_queue.stderr.as_slice()),
        (Some(0), &b""[..])
    );

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failed = suppression(&table, Some(&format!("http://{closed}")), arguments).await;
    assert_eq!(failed.status.code(), Some(3));
    assert_eq!(failed.stdout, without_queue.stdout);
    let stderr = String::from_utf8(failed.stderr).unwrap();
    assert!(stderr.contains("warning: the table is written"), "{stderr}");
    assert!(stderr.contains("Connection refused"), "the cause: {stderr}");

    let address = EmailAddress::parse("jane@example.net").unwrap();
    assert!(store.recipient(&address).await.unwrap().is_some());
}
