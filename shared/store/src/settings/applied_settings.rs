//! The settings of SES that `postroomctl apply` made, one row for each object. The texts are JSON of the crate
//! `ses-settings`; this crate does not read them.

use jiff::Timestamp;

use crate::client::{Store, StoreError, key};
use crate::item::{Item, s, stamp, text, time};

/// The settings of an object that were applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedSettings {
    /// The object, for example `identity shop.example`.
    pub object: String,
    /// The settings that were applied last. Empty (`{}`) while the first run is not finished.
    pub applied: String,
    /// The settings that a run is applying or was applying when it was interrupted. Until a run finishes, an object may have
    /// settings of both.
    pub pending: Option<String>,
    /// When the row was written.
    pub at: Timestamp,
}

const PK: &str = "SETTINGS";
const SK_PREFIX: &str = "APPLIED#";

impl Store {
    /// Returns the applied settings of all objects, by object.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn applied_settings(&self) -> Result<Vec<AppliedSettings>, StoreError> {
        let rows = self.rows_between(PK, SK_PREFIX, "APPLIED#\u{10ffff}").await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Writes the applied settings of an object. An existing row is replaced.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_applied_settings(&self, settings: &AppliedSettings) -> Result<(), StoreError> {
        let mut item = key(PK, &format!("{SK_PREFIX}{}", settings.object));
        item.insert("applied".to_owned(), s(settings.applied.clone()));
        if let Some(pending) = &settings.pending {
            item.insert("pending".to_owned(), s(pending.clone()));
        }
        item.insert("at".to_owned(), s(stamp(settings.at)));
        self.put(item).await
    }

    /// Deletes the applied settings of an object that left the configuration.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn delete_applied_settings(&self, object: &str) -> Result<(), StoreError> {
        self.delete(PK, &format!("{SK_PREFIX}{object}")).await
    }
}

fn read(row: &Item) -> Option<AppliedSettings> {
    Some(AppliedSettings {
        object: text(row, "sk")?.strip_prefix(SK_PREFIX)?.to_owned(),
        applied: text(row, "applied")?.to_owned(),
        pending: text(row, "pending").map(str::to_owned),
        at: time(row, "at")?,
    })
}
