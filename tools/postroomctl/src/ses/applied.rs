//! The record of what was applied, in the table.
//!
//! It says which objects have settings of Postroom, so that these are removed when an object leaves the configuration, and
//! what the settings of SES are compared with later.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ses_settings::{Desired, Field, Object, Part, StepResult, fields_from_json, fields_to_json};
use store::{AppliedSettings, Store};

use crate::aws_error::AwsError;

/// The rows of the table.
pub(super) struct AppliedObjects {
    rows: BTreeMap<Object, AppliedSettings>,
}

impl AppliedObjects {
    pub(super) async fn read(store: &Store) -> Result<Self, AwsError> {
        let rows = store.applied_settings().await?.into_iter();
        let rows = rows.filter_map(|row| Some((row.object.parse::<Object>().ok()?, row)));
        Ok(Self { rows: rows.collect() })
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.rows.keys()
    }

    /// The parts in which an object may have settings that belong to Postroom.
    pub(super) fn own_parts(&self, object: &Object) -> BTreeSet<Part> {
        let Some(row) = self.rows.get(object) else {
            return BTreeSet::new();
        };
        let mut parts = BTreeSet::new();
        for text in std::iter::once(&row.applied).chain(&row.pending) {
            match fields_from_json(text) {
                Ok(fields) => parts.extend(fields.keys().filter(|field| field.is_own()).map(Field::part)),
                // A row of another version: all parts in which there could be some.
                Err(_) => parts.extend(match object {
                    Object::Identity(_) if object.is_legacy() => None,
                    Object::Identity(_) => Some(Part::EmailIdentity),
                    Object::ConfigurationSet(_) => Some(Part::EventDestinations),
                    Object::Topic(_) => Some(Part::TopicPolicy),
                }),
            }
        }
        // What is always read, so that an object without own settings is known to exist or not.
        if parts.is_empty() {
            parts.insert(match object {
                Object::Identity(_) => Part::Notifications,
                Object::ConfigurationSet(_) => Part::ConfigurationSet,
                Object::Topic(_) => Part::TopicPolicy,
            });
        }
        parts
    }

    /// Records what is about to be applied, before the first write to SES: after an interruption the settings of both are
    /// known.
    pub(super) async fn begin(&self, desired: &Desired, store: &Store) -> Result<(), AwsError> {
        for (object, fields) in desired {
            let wanted = fields_to_json(fields).to_string();
            let row = self.rows.get(object);
            if row.is_some_and(|row| row.applied == wanted && row.pending.is_none()) {
                continue;
            }
            let settings = AppliedSettings {
                object: object.to_string(),
                applied: row.map_or_else(|| "{}".to_owned(), |row| row.applied.clone()),
                pending: Some(wanted),
                at: Timestamp::now(),
            };
            store.put_applied_settings(&settings).await?;
        }
        Ok(())
    }

    /// Deletes the records of objects that left the configuration and no longer exist.
    pub(super) async fn forget(&self, gone: &[Object], store: &Store) -> Result<(), AwsError> {
        for object in gone {
            store.delete_applied_settings(&object.to_string()).await?;
        }
        Ok(())
    }

    /// Records what was applied. Objects with a step that is not done keep their record of an unfinished run.
    pub(super) async fn finish(
        &self,
        desired: &Desired,
        results: &[StepResult],
        store: &Store,
    ) -> Result<(), AwsError> {
        let unfinished: BTreeSet<&Object> = results
            .iter()
            .filter(|result| !result.outcome.is_done())
            .map(|result| &result.step.change.object)
            .collect();
        for (object, fields) in desired.iter().filter(|(object, _)| !unfinished.contains(object)) {
            if fields.is_empty() {
                store.delete_applied_settings(&object.to_string()).await?;
                continue;
            }
            let wanted = fields_to_json(fields).to_string();
            if self
                .rows
                .get(object)
                .is_some_and(|row| row.applied == wanted && row.pending.is_none())
            {
                continue;
            }
            let settings = AppliedSettings {
                object: object.to_string(),
                applied: wanted,
                pending: None,
                at: Timestamp::now(),
            };
            store.put_applied_settings(&settings).await?;
        }
        Ok(())
    }
}
