//! Runs `postroomctl` against an embedded DynamoDB.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses a part of it")]

use std::path::PathBuf;
use std::process::Stdio;

use feedback::effects::Effects;
use feedback::policy::Policy;
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// The name of the operator in recorded decisions.
pub(crate) const OPERATOR: &str = "olga";

/// A stack's table, and the command line that uses it.
pub(crate) struct Stack {
    dynamodb_endpoint: String,
    ses_endpoint: Option<String>,
    sqs_endpoint: Option<String>,
    pub(crate) effects: Effects,
}

pub(crate) struct Outcome {
    pub(crate) exit_code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("JSON")
    }
}

impl Stack {
    pub(crate) async fn new() -> Self {
        let (store, dynamodb_endpoint) = store::testing::fresh_with_endpoint().await;
        Self {
            dynamodb_endpoint,
            ses_endpoint: None,
            sqs_endpoint: None,
            effects: Effects {
                store,
                policy: Policy::default(),
            },
        }
    }

    /// Sends requests to SQS to an endpoint.
    pub(crate) fn set_sqs_endpoint(&mut self, endpoint: String) {
        self.sqs_endpoint = Some(endpoint);
    }

    /// Creates another table with the same keys, as a second stack has.
    pub(crate) async fn create_table(&self, name: &str) {
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
        let body = json!({
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [attribute("pk"), attribute("sk")],
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        })
        .to_string();
        let host = self.dynamodb_endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: DynamoDB_20120810.CreateTable\r\nX-Amz-Date: 20260302T080000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=local/20260302/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }

    /// Sends requests to SES to an endpoint.
    pub(crate) fn set_ses_endpoint(&mut self, endpoint: String) {
        self.ses_endpoint = Some(endpoint);
    }

    /// Runs a command line, which is split at spaces; `_` becomes a space within an argument.
    pub(crate) async fn run(&self, arguments: &str) -> Outcome {
        let output = Command::new(env!("CARGO_BIN_EXE_postroomctl"))
            .args(arguments.split(' ').map(|argument| argument.replace('_', " ")))
            .env_clear()
            .envs([
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
                ("AWS_REGION", "us-east-1"),
            ])
            .envs([
                ("POSTROOM_TABLE", "postroom"),
                ("USER", OPERATOR),
                ("AWS_ENDPOINT_URL", &self.dynamodb_endpoint),
            ])
            .envs(
                self.ses_endpoint
                    .iter()
                    .map(|endpoint| ("AWS_ENDPOINT_URL_SESV2", endpoint)),
            )
            .envs(
                self.sqs_endpoint
                    .iter()
                    .map(|endpoint| ("AWS_ENDPOINT_URL_SQS", endpoint)),
            )
            .stdin(Stdio::null())
            .output()
            .await
            .expect("postroomctl starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Outcome {
            exit_code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs a command that succeeds without warnings, and returns its output.
    pub(crate) async fn run_successfully(&self, arguments: &str) -> String {
        let outcome = self.run(arguments).await;
        assert_eq!(
            (outcome.exit_code, outcome.stderr.as_str()),
            (0, ""),
            "{arguments}: {}",
            outcome.stdout
        );
        outcome.stdout
    }

    /// Handles an event of `events/feedback` as the feedback function does.
    pub(crate) async fn receive_event(&self, name: &str) {
        let event = std::fs::read(format!("../../events/feedback/{name}.json")).unwrap();
        let event: Value = serde_json::from_slice(&event).unwrap();
        self.receive(&event).await;
    }

    pub(crate) async fn receive(&self, event: &Value) {
        feedback::handle(event, &self.effects, &mut Metrics::default(), Timestamp::now())
            .await
            .unwrap();
    }
}

/// Writes a file for a test, and returns its path.
pub(crate) fn write_file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}
