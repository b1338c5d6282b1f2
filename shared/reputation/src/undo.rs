//! Undoes an enforcement on behalf of an operator.

use aws_sdk_sesv2::Client;
use jiff::Timestamp;
use store::{Enforcement, EnforcementStatus, Store, StoreError};

use crate::change;
use crate::ses_error::SesError;

/// The result of undoing an enforcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// The enforcement is undone now.
    Undone(Enforcement),
    /// The enforcement was undone before.
    Already(Enforcement),
}

/// An enforcement could not be undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// No enforcement has this id.
    #[error("enforcement {0} does not exist")]
    Unknown(String),
    /// SES rejected the enforcement.
    #[error("enforcement {0} was rejected by SES and never took effect: there is nothing to undo")]
    NeverDone(String),
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SES failed. The enforcement may still be in force.
    #[error(transparent)]
    Ses(#[from] SesError),
}

/// Restores the settings from before an enforcement and records the operator `by`. An enforcement whose outcome is unknown
/// is undone like one that took effect. May be repeated.
///
/// # Errors
/// When there is nothing to undo, or when AWS fails. Then the enforcement may still be in force.
pub async fn undo(store: &Store, ses: &Client, id: &str, by: &str, now: Timestamp) -> Result<Undo, UndoError> {
    let undone = EnforcementStatus::Undone {
        at: now,
        by: by.to_owned(),
    };
    let mut attempts = 0;
    // A write fails when the reputation monitor has confirmed the enforcement since it was read. Then the setting may have
    // been changed after it was restored, so it is restored again. The status only advances: planned, done, undone.
    loop {
        let Some(mut enforcement) = store.enforcement(id).await? else {
            return Err(UndoError::Unknown(id.to_owned()));
        };
        match &enforcement.status {
            // Also when the response to the write of the last attempt was lost.
            EnforcementStatus::Undone { .. } if attempts > 0 => return Ok(Undo::Undone(enforcement)),
            EnforcementStatus::Undone { .. } => return Ok(Undo::Already(enforcement)),
            EnforcementStatus::Failed { .. } => return Err(UndoError::NeverDone(id.to_owned())),
            EnforcementStatus::Planned | EnforcementStatus::Done { .. } => {}
        }
        change::revert(ses, &enforcement.change).await?;
        if store.update_enforcement(&enforcement, &undone).await? {
            enforcement.status = undone;
            return Ok(Undo::Undone(enforcement));
        }
        attempts += 1;
    }
}
