//! `postroomctl console`: the program serves on a loopback port, and the printed link signs in.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![cfg(feature = "console")]

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

#[tokio::test]
async fn the_printed_link_signs_in() {
    // Free now, and most likely a moment later too.
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut console = command(port).spawn().unwrap();
    let mut lines = BufReader::new(console.stdout.take().unwrap()).lines();
    let link = lines.next_line().await.unwrap().unwrap();
    let prefix = format!("open http://127.0.0.1:{port}/sign-in#");
    let token = link.strip_prefix(&prefix).unwrap();

    let page = exchange(port, "GET / HTTP/1.1", "").await;
    assert!(page.starts_with("HTTP/1.1 401") && page.contains("Sign in"), "{page}");
    let form = "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let body = format!("token={token}");
    let request = format!("{form}Content-Length: {}\r\n\r\n{body}", body.len());
    let signed_in = exchange(port, "POST /sign-in HTTP/1.1", &request).await;
    assert!(signed_in.starts_with("HTTP/1.1 303"), "{signed_in}");
    let cookie = signed_in
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let page = exchange(port, "GET / HTTP/1.1", &format!("Cookie: {cookie}\r\n")).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("us-east-1"), "{page}");
    // The page says that the caller is not known, and no credentials.
    assert!(
        page.contains("Caller") && !page.contains("local-secret") && !page.contains("local-key"),
        "{page}"
    );
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let output = command(port).output().await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        error.contains(&format!("127.0.0.1:{port}: choose another port with --port")),
        "{error}"
    );
}

fn command(port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postroomctl"));
    command
        .args(["console", "--table", "postroom", "--port", &port.to_string()])
        .env_clear()
        .envs([
            ("AWS_ACCESS_KEY_ID", "local-key"),
            ("AWS_SECRET_ACCESS_KEY", "local-secret"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Sends a request with further headers, and a body after an empty line if it has one.
async fn exchange(port: u16, line: &str, rest: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let end = if rest.contains("\r\n\r\n") { "" } else { "\r\n" };
    let request = format!("{line}\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{rest}{end}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}
