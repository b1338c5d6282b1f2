//! The DynamoDB table.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use dynoxide::Database;
use fastrand::Rng;
use serde_json::{Value, json};

use super::lagging_index::LaggingIndex;
use super::response::response;

/// The `CreateTable` request for the table that `template.yaml` declares.
pub const CREATE_TABLE: &str = r#"{"TableName": "postroom", "BillingMode": "PAY_PER_REQUEST",
  "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
    {"AttributeName": "listKey", "AttributeType": "S"}, {"AttributeName": "listSort", "AttributeType": "S"}],
  "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
  "GlobalSecondaryIndexes": [{"IndexName": "listing", "Projection": {"ProjectionType": "KEYS_ONLY"},
    "KeySchema": [{"AttributeName": "listKey", "KeyType": "HASH"}, {"AttributeName": "listSort", "KeyType": "RANGE"}]}]}"#;

/// How the table reads, beyond a table without load.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReadBehavior {
    /// Queries return pages of a few rows, whatever fits into a page.
    pub(super) small_pages: bool,
    /// The index `listing` lags behind the table.
    pub(super) index_lags: bool,
}

/// The embedded table.
pub(super) struct Table {
    database: Database,
    index: LaggingIndex,
    pub(super) reads: ReadBehavior,
}

fn database_with_table() -> Database {
    let database = Database::memory().expect("an in-memory database");
    database
        .create_table(serde_json::from_str(CREATE_TABLE).expect("a request"))
        .expect("a table");
    database
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            database: database_with_table(),
            index: LaggingIndex::new(database_with_table()),
            reads: ReadBehavior::default(),
        }
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

    /// A row, if it exists.
    pub(super) fn item(&self, pk: &str, sk: &str) -> Option<Value> {
        let request = json!({"TableName": "postroom", "Key": {"pk": {"S": pk}, "sk": {"S": sk}}});
        let request = serde_json::from_value(request).expect("a request");
        let response = self.database.get_item(request).expect("a read");
        let mut response = serde_json::to_value(&response).expect("a response");
        Some(response["Item"].take()).filter(Value::is_object)
    }

    /// Deletes a row, as an operator does.
    pub(super) fn delete(&mut self, pk: &str, sk: &str) {
        let request = json!({"TableName": "postroom", "Key": {"pk": {"S": pk}, "sk": {"S": sk}}});
        let request = serde_json::from_value(request).expect("a request");
        self.database.delete_item(request).expect("a write");
        self.index.record((pk.to_owned(), sk.to_owned()), None);
    }

    /// The index has every change so far.
    pub(super) fn copy_index(&mut self, rng: &mut Rng) {
        self.index.copy(true, rng);
    }

    /// Executes an operation. The flag is false when the condition of a write is not met.
    pub(super) fn execute(&mut self, operation: &str, body: &Value, rng: &mut Rng) -> (HttpResponse, bool) {
        let database = &self.database;
        macro_rules! run {
            ($method:ident) => {
                database
                    .$method(serde_json::from_value(body.clone()).expect("a request"))
                    .map(|response| serde_json::to_string(&response).expect("a response"))
            };
        }
        let result = match operation {
            "PutItem" => run!(put_item),
            "UpdateItem" => run!(update_item),
            "GetItem" => run!(get_item),
            "BatchGetItem" => run!(batch_get_item),
            "DeleteItem" => run!(delete_item),
            "Query" => return (self.query(body.clone(), rng), true),
            other => panic!("operation not simulated: {other}"),
        };
        match result {
            Ok(output) => {
                self.follow(operation, body);
                (response(200, output), true)
            }
            Err(error) => {
                assert_eq!(error.status_code(), 400, "{error}");
                let body = error.to_json();
                assert!(body.contains("ConditionalCheckFailed"), "{operation}: {body}");
                (response(400, body), false)
            }
        }
    }

    /// A page of a query ends after any number of rows. A query of the index finds what was copied so far.
    fn query(&mut self, mut request: Value, rng: &mut Rng) -> HttpResponse {
        if self.reads.small_pages && request["Limit"].is_null() {
            request["Limit"] = json!(rng.u32(1..=4));
        }
        if request["IndexName"].is_null() {
            let request = serde_json::from_value(request).expect("a request");
            let output = self.database.query(request).expect("a query");
            return response(200, serde_json::to_string(&output).expect("a response"));
        }
        self.index.copy(!self.reads.index_lags, rng);
        self.index.query(request)
    }

    /// Tells the index of a write.
    fn follow(&mut self, operation: &str, request: &Value) {
        let key = match operation {
            "PutItem" => &request["Item"],
            "UpdateItem" | "DeleteItem" => &request["Key"],
            _ => return,
        };
        let text = |name: &str| key[name]["S"].as_str().unwrap_or_default().to_owned();
        let row = (text("pk"), text("sk"));
        match operation {
            "PutItem" => self.index.record(row, Some(&request["Item"])),
            "DeleteItem" => self.index.record(row, None),
            _ => {
                // An expression names an attribute itself or by a placeholder.
                if self.index.lists(&row) || request.to_string().contains("listKey") {
                    let item = self.item(&row.0, &row.1);
                    self.index.record(row, item.as_ref());
                }
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
