//! The settings of SES that enforcements change: which configuration sets are paused.

use std::collections::BTreeSet;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::{Value, json};

use super::response::response;
use super::table::Table;

/// The settings of SES.
#[derive(Debug, Default)]
pub(super) struct SesSettings {
    /// The configuration sets whose sending is disabled.
    pub(super) paused: BTreeSet<String>,
    /// The configuration sets that were paused without an enforcement in the table, by which an operator could undo it.
    pub(super) paused_without_record: BTreeSet<String>,
}

impl SesSettings {
    /// Executes an operation about a configuration set: the method and the path below `/v2/email/`.
    pub(super) fn execute(&mut self, operation: &str, request: &Value, table: &Table) -> HttpResponse {
        let (method, path) = operation.split_once(' ').unwrap_or_default();
        let mut parts = path.split('/');
        let (Some("configuration-sets"), Some(name)) = (parts.next(), parts.next()) else {
            panic!("operation not simulated: {operation}");
        };
        match (method, parts.next()) {
            ("GET", None) => {
                let enabled = !self.paused.contains(name);
                let output = json!({"ConfigurationSetName": name, "SendingOptions": {"SendingEnabled": enabled}});
                response(200, output.to_string())
            }
            ("PUT", Some("sending")) => {
                if request["SendingEnabled"] == true {
                    self.paused.remove(name);
                } else {
                    self.paused.insert(name.to_owned());
                    if !is_recorded(table, name) {
                        self.paused_without_record.insert(name.to_owned());
                    }
                }
                response(200, "{}".to_owned())
            }
            _ => panic!("operation not simulated: {operation}"),
        }
    }
}

/// Whether the table has an enforcement against the configuration set.
fn is_recorded(table: &Table, name: &str) -> bool {
    table.items().iter().any(|item| {
        let sk = item["sk"]["S"].as_str().unwrap_or_default();
        sk.starts_with("ENFORCEMENT#") && item["name"]["S"] == name
    })
}
