//! The states that figures lead to, and the order in which they follow each other.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use reputation::{Step, decide};
use store::{
    EnforcementKind, EventCounts, EventKind, Level, Measure, ReputationState, Sender, SenderRates, Thresholds, Window,
};

const OWNER: &str = "111122223333";
const DELEGATE: &str = "444455556666";

fn counts(sends: u64, hard: u64, complaints: u64) -> EventCounts {
    EventCounts::from_iter([
        (EventKind::Send, sends),
        (EventKind::Hard, hard),
        (EventKind::Complaint, complaints),
    ])
}

fn rates(hour: EventCounts, day: EventCounts) -> SenderRates {
    SenderRates {
        sender: format!("{OWNER}/{DELEGATE}/shop.example").parse().unwrap(),
        hour,
        day,
        day_by_stream: BTreeMap::new(),
    }
}

fn now() -> Timestamp {
    "2026-01-27T15:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

/// `WINDOW MEASURE: LEVEL, DUTIES`, one for each step. The duties are `record`, `notify`, `enforce` or `notify and enforce`.
fn describe(steps: &[Step]) -> Vec<String> {
    let describe_step = |step: &Step| {
        let duties = match (step.notify, step.enforce) {
            (false, false) => "record",
            (true, false) => "notify",
            (false, true) => "enforce",
            (true, true) => "notify and enforce",
        };
        let state = &step.state;
        let (window, measure, level) = (state.window.as_str(), state.measure.as_str(), state.level.as_str());
        format!("{window} {measure}: {level}, {duties}")
    };
    steps.iter().map(describe_step).collect()
}

/// Thresholds with every enforcement configured.
fn with_enforcements() -> Thresholds {
    Thresholds {
        enforcements: EnforcementKind::ALL.iter().copied().collect(),
        ..Thresholds::default()
    }
}

#[test]
fn a_sender_without_a_state() {
    // Hour and day as (recipients, hard bounces, complaints).
    type Mail = (u64, u64, u64);
    let cases: [(&str, Mail, Mail, &[&str]); 12] = [
        ("no mail", (0, 0, 0), (0, 0, 0), &[]),
        ("healthy", (100, 2, 0), (1000, 20, 0), &[]),
        (
            "half of the review rate",
            (200, 5, 0),
            (1000, 5, 0),
            &["hour bounces: warn, notify"],
        ),
        (
            "the review rate",
            (100, 5, 0),
            (1000, 5, 0),
            &["hour bounces: enforce, notify"],
        ),
        (
            "just below the review rate",
            (101, 5, 0),
            (1000, 5, 0),
            &["hour bounces: warn, notify"],
        ),
        (
            "too few recipients within the hour and the day",
            (49, 10, 0),
            (199, 10, 0),
            &[],
        ),
        (
            "enough recipients within the day",
            (0, 0, 0),
            (200, 10, 0),
            &["day bounces: enforce, notify"],
        ),
        ("too few bounces", (50, 4, 0), (200, 4, 0), &[]),
        ("one and two complaints", (200, 0, 1), (500, 0, 2), &[]),
        (
            "three complaints",
            (0, 0, 0),
            (6000, 0, 3),
            &["day complaints: warn, notify"],
        ),
        (
            "complaints at the review rate",
            (0, 0, 0),
            (3000, 0, 3),
            &["day complaints: enforce, notify"],
        ),
        (
            "all thresholds at once",
            (100, 50, 50),
            (200, 100, 100),
            &[
                "hour bounces: enforce, notify",
                "hour complaints: enforce, notify",
                "day bounces: enforce, notify",
                "day complaints: enforce, notify",
            ],
        ),
    ];
    for (case, hour, day, expected) in cases {
        let rates = rates(counts(hour.0, hour.1, hour.2), counts(day.0, day.1, day.2));
        assert_eq!(
            describe(&decide(&rates, &Thresholds::default(), &[], now())),
            expected,
            "{case}"
        );
    }
}

#[test]
fn steps_that_follow_a_state() {
    use Level::{Enforce, Normal, Warn};
    let (quiet, warning, review) = (counts(100, 0, 0), counts(200, 5, 0), counts(100, 5, 0));
    let none = counts(0, 0, 0);
    // The level, the minutes since it was claimed and since the rate has been below the threshold, the counts of the hour, the steps.
    type Case<'a> = (&'a str, Level, Option<i64>, Option<i64>, &'a EventCounts, &'a [&'a str]);
    let cases: [Case<'_>; 15] = [
        ("still normal", Normal, None, None, &quiet, &[]),
        ("still a warning", Warn, None, None, &warning, &[]),
        (
            "from warning to enforcement",
            Warn,
            None,
            None,
            &review,
            &["hour bounces: enforce, notify"],
        ),
        ("a lower level is no all-clear", Enforce, None, None, &warning, &[]),
        ("the same level is the same crossing", Enforce, None, None, &review, &[]),
        (
            "below the warning threshold",
            Enforce,
            None,
            None,
            &quiet,
            &["hour bounces: enforce, record"],
        ),
        ("below it for 59 minutes", Enforce, None, Some(59), &quiet, &[]),
        (
            "below it for an hour",
            Enforce,
            None,
            Some(60),
            &quiet,
            &["hour bounces: normal, notify"],
        ),
        (
            "no mail for an hour",
            Warn,
            None,
            Some(60),
            &none,
            &["hour bounces: normal, notify"],
        ),
        (
            "above it again",
            Warn,
            None,
            Some(59),
            &warning,
            &["hour bounces: warn, record"],
        ),
        (
            "enforcement after 59 minutes below it",
            Warn,
            None,
            Some(59),
            &review,
            &["hour bounces: enforce, notify"],
        ),
        ("claimed by a running invocation", Warn, Some(4), None, &warning, &[]),
        (
            "claimed by an invocation that stopped",
            Warn,
            Some(5),
            None,
            &warning,
            &["hour bounces: warn, notify"],
        ),
        (
            "the all-clear was not sent",
            Normal,
            Some(6),
            None,
            &quiet,
            &["hour bounces: normal, notify"],
        ),
        (
            "a new level precedes a repeated alert",
            Normal,
            Some(6),
            None,
            &review,
            &["hour bounces: enforce, notify"],
        ),
    ];
    for (case, level, claimed, below, hour, expected) in cases {
        let state = ReputationState {
            level,
            since: ago(120),
            claimed_at: claimed.map(ago),
            below_since: below.map(ago),
            version: 3,
            ..ReputationState::unknown(Window::Hour, Measure::Bounces)
        };
        let steps = decide(
            &rates(hour.clone(), none.clone()),
            &Thresholds::default(),
            &[state],
            now(),
        );
        assert_eq!(describe(&steps), expected, "{case}");
        assert!(
            steps.iter().all(|step| step.state.version == 3),
            "{case}: the write is conditional on the version that was read"
        );
    }
}

#[test]
fn enforcement_is_repeated_until_it_is_complete() {
    use Level::{Enforce, Normal};
    let (quiet, review) = (counts(100, 0, 0), counts(100, 5, 0));
    // The level, the minutes since it was claimed and since enforcement was attempted, the counts of the hour, the steps.
    type Case<'a> = (&'a str, Level, Option<i64>, Option<i64>, &'a EventCounts, &'a [&'a str]);
    let cases: [Case<'_>; 7] = [
        (
            "a new crossing",
            Normal,
            None,
            None,
            &review,
            &["hour bounces: enforce, notify and enforce"],
        ),
        ("complete", Enforce, None, None, &review, &[]),
        (
            "attempted by a running invocation",
            Enforce,
            None,
            Some(4),
            &review,
            &[],
        ),
        (
            "attempted, and the outcome is unknown",
            Enforce,
            None,
            Some(5),
            &review,
            &["hour bounces: enforce, enforce"],
        ),
        (
            "claimed by a running invocation",
            Enforce,
            Some(4),
            Some(9),
            &review,
            &[],
        ),
        (
            "claimed by an invocation that stopped",
            Enforce,
            Some(5),
            Some(5),
            &review,
            &["hour bounces: enforce, notify and enforce"],
        ),
        (
            "below the threshold, and no all-clear yet",
            Enforce,
            None,
            Some(5),
            &quiet,
            &["hour bounces: enforce, record"],
        ),
    ];
    for (case, level, claimed, attempted, hour, expected) in cases {
        let state = ReputationState {
            level,
            since: ago(120),
            claimed_at: claimed.map(ago),
            enforcement_attempted_at: attempted.map(ago),
            ..ReputationState::unknown(Window::Hour, Measure::Bounces)
        };
        let rates = rates(hour.clone(), counts(0, 0, 0));
        let steps = decide(&rates, &with_enforcements(), std::slice::from_ref(&state), now());
        assert_eq!(describe(&steps), expected, "{case}");
        let without = decide(&rates, &Thresholds::default(), &[state], now());
        assert!(without.iter().all(|step| !step.enforce), "{case}: none is configured");
    }
}

#[test]
fn the_all_clear_ends_enforcement() {
    let state = ReputationState {
        level: Level::Enforce,
        below_since: Some(ago(60)),
        enforcement_attempted_at: Some(ago(30)),
        ..ReputationState::unknown(Window::Hour, Measure::Bounces)
    };
    let none = counts(0, 0, 0);
    let steps = decide(&rates(none.clone(), none), &with_enforcements(), &[state], now());
    assert_eq!(describe(&steps), ["hour bounces: normal, notify"]);
    assert_eq!(steps[0].state.enforcement_attempted_at, None);
}

proptest! {
    /// For any mail: between two all-clears at most one warning and one enforcement alert, no warning after an enforcement
    /// alert, and no all-clear without an alert before it.
    #[test]
    fn one_alert_per_crossing(checks in prop::collection::vec((0u64..400, 0u64..40, 0u64..10, 1i64..90), 1..60)) {
        let sender: Sender = format!("{OWNER}/{DELEGATE}/shop.example").parse().unwrap();
        let mut states: Vec<ReputationState> = Vec::new();
        let mut last: BTreeMap<(Window, Measure), Level> = BTreeMap::new();
        let mut now = now();
        for (sends, hard, complaints, minutes) in checks {
            now += SignedDuration::from_mins(minutes);
            let counts = counts(sends, hard, complaints);
            let rates = SenderRates { sender: sender.clone(), ..rates(counts.clone(), counts) };
            // A second check of the same figures changes nothing.
            for attempt in 0..2 {
                for step in decide(&rates, &Thresholds::default(), &states, now) {
                    prop_assert_eq!(attempt, 0);
                    let key = (step.state.window, step.state.measure);
                    states.retain(|state| (state.window, state.measure) != key);
                    if step.notify {
                        let before = last.insert(key, step.state.level).unwrap_or(Level::Normal);
                        let follows = matches!(
                            (before, step.state.level),
                            (Level::Normal, Level::Warn | Level::Enforce) | (Level::Warn, Level::Enforce)
                                | (Level::Warn | Level::Enforce, Level::Normal)
                        );
                        prop_assert!(follows, "{before:?} then {:?}", step.state.level);
                    }
                    // The alert is sent at once.
                    states.push(ReputationState { claimed_at: None, ..step.state });
                }
            }
        }
    }
}
