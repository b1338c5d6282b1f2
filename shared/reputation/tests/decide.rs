//! Which figures lead to which state, and what may follow what.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use reputation::{EnforcementRequest, Step, decide, enforcement_requests};
use store::{
    EnforcementKind, EventCounts, EventKind, Level, Measure, ReputationState, Sender, SenderRates, SendingStream,
    Thresholds, Window,
};

const OWNER: &str = "111122223333";
const DELEGATE: &str = "444455556666";

fn tally(sends: u64, hard: u64, complaints: u64) -> EventCounts {
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

/// `hour bounces: enforce, told`, one for each step.
fn words(steps: &[Step]) -> Vec<String> {
    let one = |step: &Step| {
        let state = &step.state;
        let told = if step.tell { "told" } else { "noted" };
        format!(
            "{} {}: {}, {told}",
            state.window.as_str(),
            state.measure.as_str(),
            state.level.as_str()
        )
    };
    steps.iter().map(one).collect()
}

#[test]
fn a_first_look() {
    // Hour and day as (recipients, hard bounces, complaints).
    type Mail = (u64, u64, u64);
    let cases: [(&str, Mail, Mail, &[&str]); 12] = [
        ("no mail", (0, 0, 0), (0, 0, 0), &[]),
        ("healthy", (100, 2, 0), (1000, 20, 0), &[]),
        (
            "half of the review line",
            (200, 5, 0),
            (1000, 5, 0),
            &["hour bounces: warn, told"],
        ),
        (
            "the review line itself",
            (100, 5, 0),
            (1000, 5, 0),
            &["hour bounces: enforce, told"],
        ),
        ("one less", (101, 5, 0), (1000, 5, 0), &["hour bounces: warn, told"]),
        ("too few recipients for the hour", (49, 10, 0), (199, 10, 0), &[]),
        (
            "enough for the day",
            (0, 0, 0),
            (200, 10, 0),
            &["day bounces: enforce, told"],
        ),
        ("too few bounces", (50, 4, 0), (200, 4, 0), &[]),
        ("one complaint is chance", (200, 0, 1), (500, 0, 2), &[]),
        (
            "three are not",
            (0, 0, 0),
            (6000, 0, 3),
            &["day complaints: warn, told"],
        ),
        (
            "complaints on the review line",
            (0, 0, 0),
            (3000, 0, 3),
            &["day complaints: enforce, told"],
        ),
        (
            "everything at once",
            (100, 50, 50),
            (200, 100, 100),
            &[
                "hour bounces: enforce, told",
                "hour complaints: enforce, told",
                "day bounces: enforce, told",
                "day complaints: enforce, told",
            ],
        ),
    ];
    for (case, hour, day, expected) in cases {
        let rates = rates(tally(hour.0, hour.1, hour.2), tally(day.0, day.1, day.2));
        assert_eq!(
            words(&decide(&rates, &Thresholds::default(), &[], now())),
            expected,
            "{case}"
        );
    }
}

#[test]
fn what_follows_a_state() {
    use Level::{Enforce, Normal, Warn};
    let (quiet, warning, review) = (tally(100, 0, 0), tally(200, 5, 0), tally(100, 5, 0));
    let none = tally(0, 0, 0);
    // Level, claimed and under the line since so many minutes, the hour now, what changes.
    type Case<'a> = (&'a str, Level, Option<i64>, Option<i64>, &'a EventCounts, &'a [&'a str]);
    let cases: [Case<'_>; 15] = [
        ("still calm", Normal, None, None, &quiet, &[]),
        ("still a warning", Warn, None, None, &warning, &[]),
        ("worse", Warn, None, None, &review, &["hour bounces: enforce, told"]),
        ("better, and still no all-clear", Enforce, None, None, &warning, &[]),
        ("worse again is the same crossing", Enforce, None, None, &review, &[]),
        (
            "under the line",
            Enforce,
            None,
            None,
            &quiet,
            &["hour bounces: enforce, noted"],
        ),
        ("under it for most of the hour", Enforce, None, Some(59), &quiet, &[]),
        (
            "under it for an hour",
            Enforce,
            None,
            Some(60),
            &quiet,
            &["hour bounces: normal, told"],
        ),
        (
            "no mail for an hour",
            Warn,
            None,
            Some(60),
            &none,
            &["hour bounces: normal, told"],
        ),
        (
            "back above it",
            Warn,
            None,
            Some(59),
            &warning,
            &["hour bounces: warn, noted"],
        ),
        (
            "worse after being better",
            Warn,
            None,
            Some(59),
            &review,
            &["hour bounces: enforce, told"],
        ),
        ("being told", Warn, Some(4), None, &warning, &[]),
        (
            "whoever told it died",
            Warn,
            Some(5),
            None,
            &warning,
            &["hour bounces: warn, told"],
        ),
        (
            "the all-clear was not told",
            Normal,
            Some(6),
            None,
            &quiet,
            &["hour bounces: normal, told"],
        ),
        (
            "news first",
            Normal,
            Some(6),
            None,
            &review,
            &["hour bounces: enforce, told"],
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
        assert_eq!(words(&steps), expected, "{case}");
        assert!(
            steps.iter().all(|step| step.state.version == 3),
            "{case}: guarded by what was read"
        );
    }
}

/// Lines as the owner would set them to have everything done.
fn everything() -> Thresholds {
    Thresholds {
        enforcements: EnforcementKind::ALL.iter().copied().collect(),
        ..Thresholds::default()
    }
}

fn crossing(level: Level) -> ReputationState {
    ReputationState {
        level,
        since: now(),
        ..ReputationState::unknown(Window::Hour, Measure::Bounces)
    }
}

fn by_line(parts: &[(&str, &str, EventCounts)]) -> BTreeMap<SendingStream, EventCounts> {
    let name = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let line = |(set, tenant, tally): &(&str, &str, EventCounts)| {
        let line = SendingStream {
            configuration_set: name(set),
            tenant: name(tenant),
        };
        (line, tally.clone())
    };
    parts.iter().map(line).collect()
}

#[test]
fn only_this_accounts_own_things_are_touched() {
    let day_by_stream = by_line(&[
        ("campaigns", "acme", tally(200, 20, 0)),
        ("receipts", "acme", tally(900, 0, 0)),
    ]);
    let pause = EnforcementRequest::PauseConfigurationSet("campaigns".to_owned());
    let suspend = EnforcementRequest::DisableTenant("acme".to_owned());
    let withdraw = EnforcementRequest::RevokeAuthorization {
        identity: "shop.example".to_owned(),
        delegate: DELEGATE.parse().unwrap(),
    };
    let cases: [(&str, &str, Vec<EnforcementRequest>, usize); 6] = [
        ("the owner watches its delegate", OWNER, vec![withdraw], 2),
        (
            "the delegate watches itself",
            DELEGATE,
            vec![pause.clone(), suspend.clone()],
            1,
        ),
        ("somebody else watches", "999999999999", vec![], 3),
        ("own identity", OWNER, vec![pause, suspend], 1),
        ("identity not told", DELEGATE, vec![], 3),
        ("account not told", OWNER, vec![], 3),
    ];
    let senders = [
        format!("{OWNER}/{DELEGATE}/shop.example"),
        format!("{OWNER}/{DELEGATE}/shop.example"),
        format!("{OWNER}/{DELEGATE}/shop.example"),
        format!("{OWNER}/{OWNER}/shop.example"),
        "-/-/unverified:shop.example".to_owned(),
        format!("{OWNER}/-/shop.example"),
    ];
    for ((case, own, expected, left), sender) in cases.into_iter().zip(senders) {
        let rates = SenderRates {
            sender: sender.parse().unwrap(),
            day_by_stream: day_by_stream.clone(),
            ..rates(tally(1100, 60, 0), tally(1100, 60, 0))
        };
        let found = enforcement_requests(&rates, &everything(), &crossing(Level::Enforce), &own.parse().unwrap());
        assert_eq!(found.enforcements, expected, "{case}");
        assert_eq!(found.left.len(), left, "{case}: {:?}", found.left);
        let warned = enforcement_requests(&rates, &everything(), &crossing(Level::Warn), &own.parse().unwrap());
        assert_eq!(warned.enforcements, [], "{case}: a warning enforcements on nothing");
        let unasked = enforcement_requests(
            &rates,
            &Thresholds::default(),
            &crossing(Level::Enforce),
            &own.parse().unwrap(),
        );
        assert_eq!(
            unasked,
            reputation::EnforcementRequests::default(),
            "{case}: nothing is done unasked"
        );
    }
}

#[test]
fn whoever_did_no_harm_is_left_alone() {
    let paused = |parts: &[(&str, &str, EventCounts)]| {
        let rates = SenderRates {
            sender: format!("{OWNER}/{OWNER}/shop.example").parse().unwrap(),
            day_by_stream: by_line(parts),
            ..rates(tally(0, 0, 0), tally(0, 0, 0))
        };
        let lines = Thresholds {
            enforcements: BTreeSet::from([EnforcementKind::PauseConfigurationSet]),
            ..Thresholds::default()
        };
        let enforcement_requests =
            enforcement_requests(&rates, &lines, &crossing(Level::Enforce), &OWNER.parse().unwrap());
        let names = enforcement_requests
            .enforcements
            .into_iter()
            .map(|request| match request {
                EnforcementRequest::PauseConfigurationSet(name) => name,
                other => format!("{other:?}"),
            });
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        paused(&[
            ("bad", "", tally(200, 20, 0)),
            ("worse", "", tally(200, 90, 0)),
            ("good", "", tally(900, 1, 0))
        ]),
        ["bad", "worse"],
        "everyone on the line"
    );
    assert_eq!(
        paused(&[
            ("bad", "a", tally(200, 6, 0)),
            ("bad", "b", tally(200, 14, 0)),
            ("good", "", tally(9, 0, 0))
        ]),
        ["bad"],
        "tenants of one set are one"
    );
    assert_eq!(
        paused(&[("big", "", tally(10_000, 30, 0)), ("small", "", tally(100, 2, 0))]),
        ["big"],
        "a bad hour of a good day: whoever is behind most of it"
    );
    assert!(
        paused(&[("one", "", tally(9000, 30, 0)), ("two", "", tally(9000, 30, 0))]).is_empty(),
        "nobody stands out"
    );
    assert!(paused(&[("", "", tally(100, 50, 0))]).is_empty(), "no set was named");
}

proptest! {
    /// Whatever the mail does: between two all-clears one warning and one act alert at most, never a warning after an
    /// act alert, and no all-clear without an alert before it.
    #[test]
    fn one_alert_per_crossing(looks in prop::collection::vec((0u64..400, 0u64..40, 0u64..10, 1i64..90), 1..60)) {
        let sender: Sender = format!("{OWNER}/{DELEGATE}/shop.example").parse().unwrap();
        let mut states: Vec<ReputationState> = Vec::new();
        let mut last: BTreeMap<(Window, Measure), Level> = BTreeMap::new();
        let mut now = now();
        for (sends, hard, complaints, minutes) in looks {
            now += SignedDuration::from_mins(minutes);
            let tally = tally(sends, hard, complaints);
            let rates = SenderRates { sender: sender.clone(), ..rates(tally.clone(), tally) };
            // Several invocations see the same: the second finds nothing left to do.
            for attempt in 0..2 {
                for step in decide(&rates, &Thresholds::default(), &states, now) {
                    prop_assert_eq!(attempt, 0, "told or noted twice");
                    let key = (step.state.window, step.state.measure);
                    states.retain(|state| (state.window, state.measure) != key);
                    if step.tell {
                        let before = last.insert(key, step.state.level).unwrap_or(Level::Normal);
                        let follows = matches!(
                            (before, step.state.level),
                            (Level::Normal, Level::Warn | Level::Enforce) | (Level::Warn, Level::Enforce)
                                | (Level::Warn | Level::Enforce, Level::Normal)
                        );
                        prop_assert!(follows, "{before:?} then {:?}", step.state.level);
                    }
                    // The parties were told at once.
                    states.push(ReputationState { claimed_at: None, ..step.state });
                }
            }
        }
    }
}
