//! The subjects: how each is started and which event it receives.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};

use crate::endpoint::Endpoints;

/// A function to measure.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// The binary; `None` for Python.
    pub(crate) binary: Option<PathBuf>,
    program: PathBuf,
    arguments: Vec<PathBuf>,
    variables: &'static [(&'static str, &'static str)],
    event: String,
}

pub(crate) fn subjects(binaries: &Path, python: Option<&Path>) -> anyhow::Result<Vec<Subject>> {
    let bounce = read("events/feedback/bounce-permanent-general.json")?;
    let rust = |name: &'static str, binary: &str, variables, event: String| Subject {
        name,
        binary: Some(binaries.join(binary)),
        program: binaries.join(binary),
        arguments: Vec::new(),
        variables,
        event,
    };
    let mut subjects = vec![
        rust("no-op", "bench-noop", &[], bounce.clone()),
        rust("feedback", "feedback", &[], bounce.clone()),
        rust(
            "delegate-router",
            "delegate-router",
            &[
                ("ACCOUNT_ID", "111122223333"),
                ("DELIVERY_QUEUE_URL", "http://127.0.0.1:9/111122223333/delivery"),
                (
                    "DELIVERY_DEAD_LETTER_QUEUE_URL",
                    "http://127.0.0.1:9/111122223333/delivery-dlq",
                ),
                ("UNROUTED_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:unrouted"),
            ],
            read("events/delegate-router/owner-bounce.json")?,
        ),
        rust(
            "suppression-mirror",
            "suppression-mirror",
            &[("MIRROR_QUEUE_URL", "http://127.0.0.1:9/111122223333/mirror")],
            mirror_request().to_string(),
        ),
        rust(
            "inbound",
            "inbound",
            &[("INBOUND_QUEUE_URL", "http://127.0.0.1:9/111122223333/inbound")],
            // A recipient without a mailbox: the function fetches no mail.
            read("events/inbound/mailbox-none.json")?,
        ),
    ];
    if let Some(python) = python {
        subjects.push(Subject {
            name: "Python",
            binary: None,
            program: python.to_owned(),
            arguments: vec!["-m".into(), "awslambdaric".into(), "handler.handle".into()],
            variables: &[("LAMBDA_TASK_ROOT", "benches/python"), ("PYTHONPATH", "benches/python")],
            event: bounce,
        });
    }
    Ok(subjects)
}

fn read(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {path}; run the benchmark in the root of the repository"))
}

/// A request about a recipient without entries, which makes no request to SES.
fn mirror_request() -> Value {
    let request = json!({
        "action": "put", "address": "jane@example.net", "scope": "domain:shop.example", "reason": "BOUNCE",
        "at": "2026-03-02T08:15:32Z", "id": "0100018d9dd1305b-84dba024-6678-9632-daad-c54cc39329b6-000000",
    });
    json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": request.to_string()}]})
}

impl Subject {
    /// The event of a run: another message to another recipient each time, so that no run finds the work done.
    pub(crate) fn event(&self, run: usize) -> String {
        self.event
            .replace("0100018d9dd1305b", &format!("0100018d{run:08x}"))
            .replace("jane@", &format!("jane-{run}@"))
            .replace("plain--1", &format!("plain--{run}"))
    }

    pub(crate) fn command(&self, runtime_api: &str, table: &str, endpoints: &Endpoints) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        command.envs([
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", "local"),
            ("AWS_ENDPOINT_URL", table),
            ("AWS_ENDPOINT_URL_SNS", &endpoints.topic),
            ("TABLE_NAME", "postroom"),
            ("PATH", "/usr/bin:/bin"),
        ]);
        // The variables of Rust's and of Python's SDK.
        command.envs(["SSL_CERT_FILE", "AWS_CA_BUNDLE"].map(|name| (name, &endpoints.roots)));
        command.envs(self.variables.iter().copied());
        command
    }

    /// Whether a response reports that every record was handled.
    pub(crate) fn handled(&self, response: &[u8]) -> bool {
        let response: Value = serde_json::from_slice(response).unwrap_or_default();
        response
            .get("batchItemFailures")
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty)
    }
}
