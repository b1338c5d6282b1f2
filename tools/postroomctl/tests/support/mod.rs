//! An operator at a keyboard: `postroomctl` against an embedded DynamoDB.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]

use std::process::Stdio;

use feedback::effects::Effects;
use feedback::policy::Policy;
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::Value;
use tokio::process::Command;

pub(crate) struct Operator {
    endpoint: String,
    ses_endpoint: Option<String>,
    pub(crate) effects: Effects,
}

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Operator {
    pub(crate) async fn new() -> Self {
        let (store, endpoint) = store::testing::fresh_with_endpoint().await;
        Self {
            endpoint,
            ses_endpoint: None,
            effects: Effects {
                store,
                policy: Policy::default(),
                mirror: None,
            },
        }
    }

    /// Whatever `postroomctl` asks of SES is asked there.
    pub(crate) fn ses_is_at(&mut self, endpoint: String) {
        self.ses_endpoint = Some(endpoint);
    }

    /// What the command line says to a line; `_` stands for a space within a word.
    pub(crate) async fn types(&self, line: &str) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_postroomctl"))
            .args(line.split(' ').map(|word| word.replace('_', " ")))
            .env_clear()
            .envs([
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
                ("AWS_REGION", "us-east-1"),
            ])
            .envs([
                ("POSTROOM_TABLE", "postroom"),
                ("USER", "olga"),
                ("AWS_ENDPOINT_URL", &self.endpoint),
            ])
            .envs(
                self.ses_endpoint
                    .iter()
                    .map(|endpoint| ("AWS_ENDPOINT_URL_SESV2", endpoint)),
            )
            .stdin(Stdio::null())
            .output()
            .await
            .expect("postroomctl starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    pub(crate) async fn happens(&self, event: &str) {
        let event: Value =
            serde_json::from_slice(&std::fs::read(format!("../../events/feedback/{event}.json")).unwrap()).unwrap();
        feedback::handle(&event, &self.effects, &mut Metrics::default(), Timestamp::now())
            .await
            .unwrap();
    }
}
