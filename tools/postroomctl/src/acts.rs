//! How senders stand against their lines, what was done to them, and taking it back.

use std::collections::BTreeSet;
use std::fmt::Write;

use aws_config::BehaviorVersion;
use jiff::Timestamp;
use ledger::{Act, ActStatus, Level, Sender, WatchState};
use serde_json::{Value, json};
use watch::{Undo, UndoError, undo};

use crate::Output;
use crate::cli::{UndoArgs, WatchHistoryArgs, WatchListArgs};
use crate::suppression::operator;
use crate::table::{AwsFailed, open};

/// Everyone who is not calm, and everything that was done and not undone.
pub(crate) async fn status(args: &WatchListArgs) -> anyhow::Result<Output> {
    let ledger = open(&args.table).await;
    let senders: BTreeSet<Sender> = ledger.watched().await.map_err(AwsFailed::from)?;
    let mut states: Vec<(Sender, WatchState)> = Vec::new();
    for sender in senders {
        let all = ledger.watch_states(&sender).await.map_err(AwsFailed::from)?;
        states.extend(
            all.into_iter()
                .filter(|state| state.level != Level::Calm)
                .map(|state| (sender.clone(), state)),
        );
    }
    let mut acts = ledger.acts().await.map_err(AwsFailed::from)?;
    acts.retain(|act| matches!(act.status, ActStatus::Planned | ActStatus::Done { .. }));
    if args.table.json {
        let rows: Vec<Value> = states.iter().map(|(sender, state)| state_json(sender, state)).collect();
        let acts: Vec<Value> = acts.iter().map(act_json).collect();
        return Ok(Output::yes(format!("{:#}\n", json!({"senders": rows, "acts": acts}))));
    }
    let mut text = String::new();
    for (sender, state) in &states {
        writeln!(text, "{sender}  {}", state_words(state))?;
    }
    if states.is_empty() {
        writeln!(text, "every sender is under its lines")?;
    }
    if !acts.is_empty() {
        writeln!(text, "\nin force:")?;
    }
    for act in &acts {
        writeln!(text, "{}  {}", act.id, act_words(act))?;
    }
    Ok(Output::yes(text))
}

/// Everything that was ever done.
pub(crate) async fn list(args: &WatchListArgs) -> anyhow::Result<Output> {
    let acts = open(&args.table).await.acts().await.map_err(AwsFailed::from)?;
    if args.table.json {
        let acts: Vec<Value> = acts.iter().map(act_json).collect();
        return Ok(Output::yes(format!("{:#}\n", json!(acts))));
    }
    let mut text = String::new();
    for act in &acts {
        writeln!(text, "{}  {}", act.id, act_words(act))?;
    }
    if acts.is_empty() {
        writeln!(text, "nothing was ever done to a sender")?;
    }
    Ok(Output::yes(text))
}

pub(crate) async fn history(args: &WatchHistoryArgs) -> anyhow::Result<Output> {
    let ledger = open(&args.table).await;
    let states = ledger.watch_states(&args.sender).await.map_err(AwsFailed::from)?;
    let acts = ledger.acts_of(&args.sender).await.map_err(AwsFailed::from)?;
    let lines = ledger.lines().await.map_err(AwsFailed::from)?.of(&args.sender);
    if args.table.json {
        let states: Vec<Value> = states.iter().map(|state| state_json(&args.sender, state)).collect();
        let acts: Vec<Value> = acts.iter().map(act_json).collect();
        return Ok(Output::yes(format!("{:#}\n", json!({"states": states, "acts": acts}))));
    }
    let mut text = format!(
        "{}\n  lines  bounces warn at {}, act at {}; complaints warn at {}, act at {}\n",
        args.sender, lines.bounces.warn, lines.bounces.act, lines.complaints.warn, lines.complaints.act
    );
    for state in &states {
        writeln!(text, "  now    {}", state_words(state))?;
    }
    for act in &acts {
        writeln!(text, "  act    {}  {}", act.id, act_words(act))?;
        if let ledger::Deed::Policy { before, .. } = &act.deed {
            writeln!(text, "         the policy before: {before}")?;
        }
    }
    if states.is_empty() && acts.is_empty() {
        writeln!(text, "  no line was ever crossed")?;
    }
    Ok(Output::yes(text))
}

pub(crate) async fn take_back(args: &UndoArgs) -> anyhow::Result<Output> {
    let ledger = open(&args.table).await;
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let ses = aws_sdk_sesv2::Client::new(&config);
    let (act, says) = match undo(&ledger, &ses, &args.act, &operator(), Timestamp::now()).await {
        Ok(Undo::Undone(act)) => {
            let says = format!("undone: {}\n", object_words(&act));
            (act, says)
        }
        Ok(Undo::Already(act)) => {
            let says = format!("nothing to do, {}\n", status_words(&act.status));
            (act, says)
        }
        Err(error @ UndoError::NeverDone(_)) => {
            return Ok(Output {
                text: format!("{error}\n"),
                yes: false,
            });
        }
        Err(error @ UndoError::Unknown(_)) => {
            return Err(anyhow::Error::new(error).context("postroomctl watch acts lists them"));
        }
        Err(UndoError::Ledger(error)) => return Err(AwsFailed::from(error).into()),
        Err(UndoError::Ses(error)) => return Err(AwsFailed::from(error).into()),
    };
    if args.table.json {
        return Ok(Output::yes(format!("{:#}\n", act_json(&act))));
    }
    Ok(Output::yes(says))
}

fn state_words(state: &WatchState) -> String {
    let mut words = format!(
        "{} in the {} at {}: {} of {} recipients, since {}",
        state.measure.as_str(),
        state.window.as_str(),
        match state.level {
            Level::Calm => "no line",
            Level::Warn => "the warn line",
            Level::Act => "the act line",
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

fn act_words(act: &Act) -> String {
    format!(
        "{}, for {} of {} at {} of {} recipients, {}",
        object_words(act),
        act.measure.as_str(),
        act.sender,
        act.figures.count,
        act.figures.volume,
        status_words(&act.status)
    )
}

fn object_words(act: &Act) -> String {
    format!("{} {}", act.deed.kind().as_str(), act.deed.object())
}

fn status_words(status: &ActStatus) -> String {
    match status {
        ActStatus::Planned => "begun and not confirmed".to_owned(),
        ActStatus::Done { at } => format!("done {at}"),
        ActStatus::Failed { at, error } => format!("failed {at}: {error}"),
        ActStatus::Undone { at, by } => format!("undone {at} by {by}"),
    }
}

fn state_json(sender: &Sender, state: &WatchState) -> Value {
    json!({
        "sender": sender.to_string(), "window": state.window.as_str(), "measure": state.measure.as_str(),
        "level": state.level.as_str(), "since": state.since.to_string(), "count": state.figures.count,
        "recipients": state.figures.volume, "belowSince": state.below_since.map(|at| at.to_string()),
        "told": state.claimed_at.is_none(),
    })
}

fn act_json(act: &Act) -> Value {
    let (at, by, error) = match &act.status {
        ActStatus::Planned => (None, None, None),
        ActStatus::Done { at } => (Some(at), None, None),
        ActStatus::Failed { at, error } => (Some(at), None, Some(error)),
        ActStatus::Undone { at, by } => (Some(at), Some(by), None),
    };
    let policy = match &act.deed {
        ledger::Deed::Policy { before, after, .. } => json!({"before": before, "after": after}),
        _ => Value::Null,
    };
    json!({
        "act": act.id, "sender": act.sender.to_string(), "kind": act.deed.kind().as_str(), "object": act.deed.object(),
        "window": act.window.as_str(), "measure": act.measure.as_str(), "crossedAt": act.crossed_at.to_string(),
        "count": act.figures.count, "recipients": act.figures.volume, "status": act.status.word(),
        "statusAt": at.map(ToString::to_string), "by": by, "error": error, "policy": policy,
    })
}
