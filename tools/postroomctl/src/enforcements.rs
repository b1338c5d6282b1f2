//! How senders stand against their thresholds, what was done to them, and taking it back.

use std::collections::BTreeSet;
use std::fmt::Write;

use aws_config::BehaviorVersion;
use jiff::Timestamp;
use reputation::{Undo, UndoError, undo};
use serde_json::{Value, json};
use store::{Enforcement, EnforcementStatus, Level, ReputationState, Sender};

use crate::Output;
use crate::cli::{ReputationHistoryArgs, ReputationListArgs, UndoArgs};
use crate::suppression::operator;
use crate::table::{AwsFailed, open};

/// Everyone who is not calm, and everything that was done and not undone.
pub(crate) async fn status(args: &ReputationListArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let senders: BTreeSet<Sender> = store.senders_with_alerts().await.map_err(AwsFailed::from)?;
    let mut states: Vec<(Sender, ReputationState)> = Vec::new();
    for sender in senders {
        let all = store.reputation_states(&sender).await.map_err(AwsFailed::from)?;
        states.extend(
            all.into_iter()
                .filter(|state| state.level != Level::Normal)
                .map(|state| (sender.clone(), state)),
        );
    }
    let mut enforcements = store.enforcements().await.map_err(AwsFailed::from)?;
    enforcements.retain(|enforcement| {
        matches!(
            enforcement.status,
            EnforcementStatus::Planned | EnforcementStatus::Done { .. }
        )
    });
    if args.table.json {
        let rows: Vec<Value> = states.iter().map(|(sender, state)| state_json(sender, state)).collect();
        let enforcements: Vec<Value> = enforcements.iter().map(act_json).collect();
        return Ok(Output::yes(format!(
            "{:#}\n",
            json!({"senders": rows, "enforcements": enforcements})
        )));
    }
    let mut text = String::new();
    for (sender, state) in &states {
        writeln!(text, "{sender}  {}", state_words(state))?;
    }
    if states.is_empty() {
        writeln!(text, "every sender is under its thresholds")?;
    }
    if !enforcements.is_empty() {
        writeln!(text, "\nin force:")?;
    }
    for enforcement in &enforcements {
        writeln!(text, "{}  {}", enforcement.id, act_words(enforcement))?;
    }
    Ok(Output::yes(text))
}

/// Everything that was ever done.
pub(crate) async fn list(args: &ReputationListArgs) -> anyhow::Result<Output> {
    let enforcements = open(&args.table).await.enforcements().await.map_err(AwsFailed::from)?;
    if args.table.json {
        let enforcements: Vec<Value> = enforcements.iter().map(act_json).collect();
        return Ok(Output::yes(format!("{:#}\n", json!(enforcements))));
    }
    let mut text = String::new();
    for enforcement in &enforcements {
        writeln!(text, "{}  {}", enforcement.id, act_words(enforcement))?;
    }
    if enforcements.is_empty() {
        writeln!(text, "nothing was ever done to a sender")?;
    }
    Ok(Output::yes(text))
}

pub(crate) async fn history(args: &ReputationHistoryArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let states = store.reputation_states(&args.sender).await.map_err(AwsFailed::from)?;
    let enforcements = store.enforcements_of(&args.sender).await.map_err(AwsFailed::from)?;
    let thresholds = store.thresholds().await.map_err(AwsFailed::from)?.of(&args.sender);
    if args.table.json {
        let states: Vec<Value> = states.iter().map(|state| state_json(&args.sender, state)).collect();
        let enforcements: Vec<Value> = enforcements.iter().map(act_json).collect();
        return Ok(Output::yes(format!(
            "{:#}\n",
            json!({"states": states, "enforcements": enforcements})
        )));
    }
    let mut text = format!(
        "{}\n  thresholds  bounces warn at {}, enforcement at {}; complaints warn at {}, enforcement at {}\n",
        args.sender,
        thresholds.bounces.warn,
        thresholds.bounces.enforce,
        thresholds.complaints.warn,
        thresholds.complaints.enforce
    );
    for state in &states {
        writeln!(text, "  now    {}", state_words(state))?;
    }
    for enforcement in &enforcements {
        writeln!(text, "  enforcement    {}  {}", enforcement.id, act_words(enforcement))?;
        if let store::EnforcementChange::Policy { before, .. } = &enforcement.change {
            writeln!(text, "         the policy before: {before}")?;
        }
    }
    if states.is_empty() && enforcements.is_empty() {
        writeln!(text, "  no line was ever crossed")?;
    }
    Ok(Output::yes(text))
}

pub(crate) async fn take_back(args: &UndoArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let ses = aws_sdk_sesv2::Client::new(&config);
    let (enforcement, says) = match undo(&store, &ses, &args.enforcement, &operator(), Timestamp::now()).await {
        Ok(Undo::Undone(enforcement)) => {
            let says = format!("undone: {}\n", object_words(&enforcement));
            (enforcement, says)
        }
        Ok(Undo::Already(enforcement)) => {
            let says = format!("nothing to do, {}\n", status_words(&enforcement.status));
            (enforcement, says)
        }
        Err(error @ UndoError::NeverDone(_)) => {
            return Ok(Output {
                text: format!("{error}\n"),
                yes: false,
            });
        }
        Err(error @ UndoError::Unknown(_)) => {
            return Err(anyhow::Error::new(error).context("postroomctl reputation enforcements lists them"));
        }
        Err(UndoError::Store(error)) => return Err(AwsFailed::from(error).into()),
        Err(UndoError::Ses(error)) => return Err(AwsFailed::from(error).into()),
    };
    if args.table.json {
        return Ok(Output::yes(format!("{:#}\n", act_json(&enforcement))));
    }
    Ok(Output::yes(says))
}

fn state_words(state: &ReputationState) -> String {
    let mut words = format!(
        "{} in the {} at {}: {} of {} recipients, since {}",
        state.measure.as_str(),
        state.window.as_str(),
        match state.level {
            Level::Normal => "no line",
            Level::Warn => "the warn line",
            Level::Enforce => "the act line",
        },
        state.figures.count,
        state.figures.volume,
        state.since
    );
    if let Some(below) = state.below_since {
        write!(words, ", under the warn line since {below}").unwrap_or_default();
    }
    words
}

fn act_words(enforcement: &Enforcement) -> String {
    format!(
        "{}, for {} of {} at {} of {} recipients, {}",
        object_words(enforcement),
        enforcement.measure.as_str(),
        enforcement.sender,
        enforcement.figures.count,
        enforcement.figures.volume,
        status_words(&enforcement.status)
    )
}

fn object_words(enforcement: &Enforcement) -> String {
    format!("{} {}", enforcement.change.kind().as_str(), enforcement.change.object())
}

fn status_words(status: &EnforcementStatus) -> String {
    match status {
        EnforcementStatus::Planned => "begun and not confirmed".to_owned(),
        EnforcementStatus::Done { at } => format!("done {at}"),
        EnforcementStatus::Failed { at, error } => format!("failed {at}: {error}"),
        EnforcementStatus::Undone { at, by } => format!("undone {at} by {by}"),
    }
}

fn state_json(sender: &Sender, state: &ReputationState) -> Value {
    json!({
        "sender": sender.to_string(), "window": state.window.as_str(), "measure": state.measure.as_str(),
        "level": state.level.as_str(), "since": state.since.to_string(), "count": state.figures.count,
        "recipients": state.figures.volume, "belowSince": state.below_since.map(|at| at.to_string()),
        "told": state.claimed_at.is_none(),
    })
}

fn act_json(enforcement: &Enforcement) -> Value {
    let (at, by, error) = match &enforcement.status {
        EnforcementStatus::Planned => (None, None, None),
        EnforcementStatus::Done { at } => (Some(at), None, None),
        EnforcementStatus::Failed { at, error } => (Some(at), None, Some(error)),
        EnforcementStatus::Undone { at, by } => (Some(at), Some(by), None),
    };
    let policy = match &enforcement.change {
        store::EnforcementChange::Policy { before, after, .. } => json!({"before": before, "after": after}),
        _ => Value::Null,
    };
    json!({
        "enforcement": enforcement.id, "sender": enforcement.sender.to_string(), "kind": enforcement.change.kind().as_str(), "object": enforcement.change.object(),
        "window": enforcement.window.as_str(), "measure": enforcement.measure.as_str(), "crossedAt": enforcement.crossed_at.to_string(),
        "count": enforcement.figures.count, "recipients": enforcement.figures.volume, "status": enforcement.status.word(),
        "statusAt": at.map(ToString::to_string), "by": by, "error": error, "policy": policy,
    })
}
