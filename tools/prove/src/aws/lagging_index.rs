//! The index `listing`, which follows the table with a delay, as global secondary indexes do.
//!
//! The index is a table of its own, to which the keys of the rows are copied later. Two changes of one row are copied in
//! order, changes of different rows in any order.

use std::collections::{HashMap, HashSet};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use dynoxide::Database;
use fastrand::Rng;
use serde_json::{Value, json};

use super::response::response;

/// `pk` and `sk`.
pub(super) type RowKey = (String, String);

/// `listKey` and `listSort`.
type Listing = (String, String);

/// The index.
pub(super) struct LaggingIndex {
    database: Database,
    /// The listing of each row, as the table has it.
    listings: HashMap<RowKey, Listing>,
    /// The rows whose listing changed and was not copied yet, with the new listing, in order.
    pending: Vec<(RowKey, Option<Listing>)>,
}

impl LaggingIndex {
    /// The index of an empty table. `database` has a table of the same name and with the same index.
    pub(super) fn new(database: Database) -> Self {
        Self {
            database,
            listings: HashMap::new(),
            pending: Vec::new(),
        }
    }

    /// Whether the table's row is listed.
    pub(super) fn lists(&self, row: &RowKey) -> bool {
        self.listings.contains_key(row)
    }

    /// Records that the table has written (`Some`) or deleted (`None`) a row.
    pub(super) fn record(&mut self, row: RowKey, item: Option<&Value>) {
        let text = |name: &str| item?[name]["S"].as_str().map(str::to_owned);
        let listing = text("listKey").zip(text("listSort"));
        if self.listings.get(&row) == listing.as_ref() {
            return;
        }
        match &listing {
            Some(listing) => self.listings.insert(row.clone(), listing.clone()),
            None => self.listings.remove(&row),
        };
        self.pending.push((row, listing));
    }

    /// Copies a random part of the pending changes, or all of them.
    pub(super) fn copy(&mut self, all: bool, rng: &mut Rng) {
        let mut delayed_rows = HashSet::new();
        for (row, listing) in std::mem::take(&mut self.pending) {
            if !all && (delayed_rows.contains(&row) || rng.bool()) {
                delayed_rows.insert(row.clone());
                self.pending.push((row, listing));
            } else {
                self.write(&row, listing.as_ref());
            }
        }
    }

    /// Executes a query of the index.
    pub(super) fn query(&self, request: Value) -> HttpResponse {
        let request = serde_json::from_value(request).expect("a request");
        let output = self.database.query(request).expect("a query of the index");
        response(200, serde_json::to_string(&output).expect("a response"))
    }

    fn write(&self, (pk, sk): &RowKey, listing: Option<&Listing>) {
        let mut item = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        match listing {
            Some((key, sort)) => {
                item["listKey"] = json!({"S": key});
                item["listSort"] = json!({"S": sort});
                let put = serde_json::from_value(json!({"TableName": "postroom", "Item": item})).expect("a request");
                self.database.put_item(put).expect("a write");
            }
            None => {
                let delete = serde_json::from_value(json!({"TableName": "postroom", "Key": item})).expect("a request");
                self.database.delete_item(delete).expect("a write");
            }
        }
    }
}
