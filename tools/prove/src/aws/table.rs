//! The DynamoDB table.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use dynoxide::Database;
use fastrand::Rng;
use serde_json::{Value, json};

use super::response::response;

/// The `CreateTable` request for the table that `template.yaml` declares.
pub const CREATE_TABLE: &str = r#"{"TableName": "postroom", "BillingMode": "PAY_PER_REQUEST",
  "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
    {"AttributeName": "listKey", "AttributeType": "S"}, {"AttributeName": "listSort", "AttributeType": "S"}],
  "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
  "GlobalSecondaryIndexes": [{"IndexName": "listing", "Projection": {"ProjectionType": "KEYS_ONLY"},
    "KeySchema": [{"AttributeName": "listKey", "KeyType": "HASH"}, {"AttributeName": "listSort", "KeyType": "RANGE"}]}]}"#;

/// The embedded table.
pub(super) struct Table {
    database: Database,
}

impl Table {
    pub(super) fn new() -> Self {
        let database = Database::memory().expect("an in-memory database");
        database
            .create_table(serde_json::from_str(CREATE_TABLE).expect("a request"))
            .expect("a table");
        Self { database }
    }

    /// Every item of the table.
    pub(super) fn items(&self) -> Vec<Value> {
        let request = serde_json::from_value(json!({"TableName": "postroom"})).expect("a request");
        let response = self.database.scan(request).expect("a scan");
        let response = serde_json::to_value(&response).expect("a response");
        assert!(
            response.get("LastEvaluatedKey").is_none_or(Value::is_null),
            "the scan has more than one page"
        );
        response["Items"].as_array().cloned().unwrap_or_default()
    }

    /// Executes an operation. The flag is false when the condition of a write is not met.
    pub(super) fn execute(&self, operation: &str, body: &[u8]) -> (HttpResponse, bool) {
        let database = &self.database;
        macro_rules! run {
            ($method:ident) => {
                database
                    .$method(serde_json::from_slice(body).expect("a request"))
                    .map(|response| serde_json::to_string(&response).expect("a response"))
            };
        }
        let result = match operation {
            "PutItem" => run!(put_item),
            "UpdateItem" => run!(update_item),
            "GetItem" => run!(get_item),
            "BatchGetItem" => run!(batch_get_item),
            "DeleteItem" => run!(delete_item),
            "Query" => run!(query),
            other => panic!("operation not simulated: {other}"),
        };
        match result {
            Ok(body) => (response(200, body), true),
            Err(error) => {
                assert_eq!(error.status_code(), 400, "{error}");
                let body = error.to_json();
                assert!(body.contains("ConditionalCheckFailed"), "{operation}: {body}");
                (response(400, body), false)
            }
        }
    }

    /// Executes `BatchGetItem` and returns some of the keys as unprocessed, as DynamoDB does when it is throttled.
    pub(super) fn batch_get_partially(&self, mut body: Value, rng: &mut Rng) -> HttpResponse {
        let keys = body["RequestItems"]["postroom"]["Keys"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let (processed, unprocessed) = keys.split_at(rng.usize(..=keys.len()));
        let mut output = json!({"Responses": {"postroom": []}});
        if !processed.is_empty() {
            body["RequestItems"]["postroom"]["Keys"] = json!(processed);
            let request = serde_json::from_value(body).expect("a request");
            let response = self.database.batch_get_item(request).expect("a batch");
            output = serde_json::to_value(&response).expect("a response");
        }
        output["UnprocessedKeys"] = match unprocessed {
            [] => json!({}),
            keys => json!({"postroom": {"Keys": keys, "ConsistentRead": true}}),
        };
        response(200, output.to_string())
    }
}
