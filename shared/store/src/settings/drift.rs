//! Settings of SES that differ from the applied ones, one row for each object, and how far the comparison has come.
//! `settings-guard` writes them. The texts are JSON of that function; this crate does not read them.

use jiff::Timestamp;

use crate::client::{Store, StoreError, key};
use crate::item::{Item, s, stamp, text, time};

/// The settings of an object that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The object, for example `identity shop.example`.
    pub object: String,
    /// The differing fields as JSON.
    pub fields: String,
    /// The differing fields of the last alert; `None` before the first one.
    pub notified: Option<String>,
    /// Since when the settings differ.
    pub since: Timestamp,
    /// The times of the repairs in the last hour, as JSON.
    pub repairs: String,
}

const PK: &str = "SETTINGS";
const SK_PREFIX: &str = "DRIFT#";
const CURSOR: &str = "GUARD";

impl Store {
    /// Returns the objects whose settings differ, by object.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn drifts(&self) -> Result<Vec<Drift>, StoreError> {
        let rows = self.rows_between(PK, SK_PREFIX, "DRIFT#\u{10ffff}").await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Writes the differing settings of an object. An existing row is replaced.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_drift(&self, drift: &Drift) -> Result<(), StoreError> {
        let mut item = key(PK, &format!("{SK_PREFIX}{}", drift.object));
        item.insert("fields".to_owned(), s(drift.fields.clone()));
        if let Some(notified) = &drift.notified {
            item.insert("notified".to_owned(), s(notified.clone()));
        }
        item.insert("since".to_owned(), s(stamp(drift.since)));
        item.insert("repairs".to_owned(), s(drift.repairs.clone()));
        self.put(item).await
    }

    /// Deletes the row of an object whose settings no longer differ.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn delete_drift(&self, object: &str) -> Result<(), StoreError> {
        self.delete(PK, &format!("{SK_PREFIX}{object}")).await
    }

    /// Returns the object with which the next comparison of single objects begins.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn guard_cursor(&self) -> Result<Option<String>, StoreError> {
        let rows = self.rows_between(PK, CURSOR, CURSOR).await?;
        Ok(rows.first().and_then(|row| text(row, "next")).map(str::to_owned))
    }

    /// Writes the object with which the next comparison of single objects begins.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_guard_cursor(&self, next: &str) -> Result<(), StoreError> {
        let mut item = key(PK, CURSOR);
        item.insert("next".to_owned(), s(next));
        self.put(item).await
    }
}

fn read(row: &Item) -> Option<Drift> {
    Some(Drift {
        object: text(row, "sk")?.strip_prefix(SK_PREFIX)?.to_owned(),
        fields: text(row, "fields")?.to_owned(),
        notified: text(row, "notified").map(str::to_owned),
        since: time(row, "since")?,
        repairs: text(row, "repairs")?.to_owned(),
    })
}
