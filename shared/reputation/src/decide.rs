//! From the rates, thresholds and states of a sender to its next states. Pure.

use jiff::{SignedDuration, Timestamp};
use store::{EventCounts, Figures, Level, Measure, ReputationState, SenderRates, Thresholds, Window};

use crate::levels::{figures, level, threshold, window_length};

/// How long an invocation has to enforce and to send an alert before another invocation repeats it.
pub const CLAIM: SignedDuration = SignedDuration::from_mins(5);

/// A state to write, and the work of the invocation that succeeds in writing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The new state, with the version of the state it replaces.
    pub state: ReputationState,
    /// Whether to send an alert.
    pub notify: bool,
    /// Whether to enforce.
    pub enforce: bool,
}

/// The changes of a sender at the time `now`. Most rounds change nothing.
#[must_use]
pub fn decide(rates: &SenderRates, thresholds: &Thresholds, before: &[ReputationState], now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    for window in Window::ALL {
        for measure in Measure::ALL {
            let known = before
                .iter()
                .find(|state| (state.window, state.measure) == (*window, *measure));
            let state = known
                .cloned()
                .unwrap_or_else(|| ReputationState::unknown(*window, *measure));
            let figures = figures(counts(rates, *window), *measure);
            let reached = level(figures, *window, threshold(thresholds, *measure));
            let enforces = !thresholds.enforcements.is_empty();
            steps.extend(next_step(&state, reached, figures, enforces, now));
        }
    }
    steps
}

/// `enforces` is whether any enforcement is configured.
fn next_step(
    before: &ReputationState,
    reached: Level,
    figures: Figures,
    enforces: bool,
    now: Timestamp,
) -> Option<Step> {
    if reached > before.level {
        return Some(change_level(before, reached, figures, enforces, now));
    }
    if before.level != Level::Normal {
        match (reached, before.below_since) {
            (Level::Normal, None) => return Some(set_below_since(before, Some(now))),
            (Level::Normal, Some(since)) if now.duration_since(since) >= window_length(before.window) => {
                return Some(change_level(before, Level::Normal, figures, enforces, now));
            }
            (Level::Warn | Level::Enforce, Some(_)) => return Some(set_below_since(before, None)),
            _ => {}
        }
    }
    let has_expired = |at: Timestamp| now.duration_since(at) >= CLAIM;
    match (before.claimed_at, before.enforcement_attempted_at) {
        (Some(claimed_at), _) if has_expired(claimed_at) => Some(repeat_alert(before, enforces, now)),
        (None, Some(attempted_at)) if enforces && has_expired(attempted_at) => Some(repeat_enforcement(before, now)),
        _ => None,
    }
}

fn change_level(before: &ReputationState, level: Level, figures: Figures, enforces: bool, now: Timestamp) -> Step {
    let enforce = enforces && level == Level::Enforce;
    Step {
        state: ReputationState {
            level,
            since: now,
            figures,
            below_since: None,
            claimed_at: Some(now),
            enforcement_attempted_at: enforce.then_some(now),
            ..before.clone()
        },
        notify: true,
        enforce,
    }
}

fn set_below_since(before: &ReputationState, below_since: Option<Timestamp>) -> Step {
    Step {
        state: ReputationState {
            below_since,
            ..before.clone()
        },
        notify: false,
        enforce: false,
    }
}

/// The invocation that claimed the alert did not end it.
fn repeat_alert(before: &ReputationState, enforces: bool, now: Timestamp) -> Step {
    let enforce = enforces && before.level == Level::Enforce;
    Step {
        state: ReputationState {
            claimed_at: Some(now),
            enforcement_attempted_at: enforce.then_some(now),
            ..before.clone()
        },
        notify: true,
        enforce,
    }
}

/// The alert was sent, and the outcome of an enforcement is unknown.
fn repeat_enforcement(before: &ReputationState, now: Timestamp) -> Step {
    Step {
        state: ReputationState {
            enforcement_attempted_at: Some(now),
            ..before.clone()
        },
        notify: false,
        enforce: true,
    }
}

fn counts(rates: &SenderRates, window: Window) -> &EventCounts {
    match window {
        Window::Hour => &rates.hour,
        Window::Day => &rates.day,
    }
}
