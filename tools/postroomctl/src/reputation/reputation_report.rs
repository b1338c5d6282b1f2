//! Reputation states and enforcements as text and as JSON.

use serde_json::{Value, json};
use store::{Enforcement, EnforcementChange, EnforcementStatus, Level, ReputationState, Sender};

pub(super) fn state_text(state: &ReputationState) -> String {
    let level = match state.level {
        Level::Normal => "below the thresholds",
        Level::Warn => "at the warn threshold",
        Level::Enforce => "at the enforce threshold",
    };
    let mut text = format!(
        "{} of the last {} {level}: {} of {} recipients, since {}",
        state.measure.as_str(),
        state.window.as_str(),
        state.figures.count,
        state.figures.volume,
        state.since
    );
    if let Some(below) = state.below_since {
        text.push_str(&format!(", below the warn threshold since {below}"));
    }
    text
}

pub(super) fn state_json(sender: &Sender, state: &ReputationState) -> Value {
    json!({
        "sender": sender.to_string(), "window": state.window.as_str(), "measure": state.measure.as_str(),
        "level": state.level.as_str(), "since": state.since.to_string(), "count": state.figures.count,
        "recipients": state.figures.volume, "belowSince": state.below_since.map(|at| at.to_string()),
        "notified": state.claimed_at.is_none(),
    })
}

pub(super) fn enforcement_text(enforcement: &Enforcement) -> String {
    format!(
        "{}, for {} of {} at {} of {} recipients, {}",
        change_text(enforcement),
        enforcement.measure.as_str(),
        enforcement.sender,
        enforcement.figures.count,
        enforcement.figures.volume,
        status_text(&enforcement.status)
    )
}

/// The kind of the enforcement and what it changes.
pub(super) fn change_text(enforcement: &Enforcement) -> String {
    format!("{} {}", enforcement.change.kind().as_str(), enforcement.change.object())
}

pub(super) fn status_text(status: &EnforcementStatus) -> String {
    match status {
        EnforcementStatus::Planned => "started, not confirmed".to_owned(),
        EnforcementStatus::Done { at } => format!("done {at}"),
        EnforcementStatus::Failed { at, error } => format!("failed {at}: {error}"),
        EnforcementStatus::Undone { at, by } => format!("undone {at} by {by}"),
    }
}

pub(super) fn enforcement_json(enforcement: &Enforcement) -> Value {
    let (at, by, error) = match &enforcement.status {
        EnforcementStatus::Planned => (None, None, None),
        EnforcementStatus::Done { at } => (Some(at), None, None),
        EnforcementStatus::Failed { at, error } => (Some(at), None, Some(error)),
        EnforcementStatus::Undone { at, by } => (Some(at), Some(by), None),
    };
    let policy = match &enforcement.change {
        EnforcementChange::Policy { before, after, .. } => json!({"before": before, "after": after}),
        _ => Value::Null,
    };
    json!({
        "enforcement": enforcement.id, "sender": enforcement.sender.to_string(),
        "kind": enforcement.change.kind().as_str(), "object": enforcement.change.object(),
        "window": enforcement.window.as_str(), "measure": enforcement.measure.as_str(),
        "crossedAt": enforcement.crossed_at.to_string(), "count": enforcement.figures.count,
        "recipients": enforcement.figures.volume, "status": enforcement.status.as_str(),
        "statusAt": at.map(ToString::to_string), "by": by, "error": error, "policy": policy,
    })
}
