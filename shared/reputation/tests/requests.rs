//! Which enforcements a crossing calls for.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reputation::{EnforcementRequest, EnforcementRequests, enforcement_requests};
use store::{
    EnforcementKind, EventCounts, EventKind, Level, Measure, ReputationState, SenderRates, SendingStream, Thresholds,
    Window,
};

const OWNER: &str = "111122223333";
const DELEGATE: &str = "444455556666";

fn counts(sends: u64, hard: u64) -> EventCounts {
    EventCounts::from_iter([(EventKind::Send, sends), (EventKind::Hard, hard)])
}

fn rates(sender: &str, day_by_stream: BTreeMap<SendingStream, EventCounts>) -> SenderRates {
    SenderRates {
        sender: sender.parse().unwrap(),
        hour: counts(1100, 60),
        day: counts(1100, 60),
        day_by_stream,
    }
}

fn with_enforcements(kinds: &[EnforcementKind]) -> Thresholds {
    Thresholds {
        enforcements: kinds.iter().copied().collect::<BTreeSet<_>>(),
        ..Thresholds::default()
    }
}

fn crossing(level: Level) -> ReputationState {
    ReputationState {
        level,
        since: "2026-01-27T15:00:00Z".parse::<Timestamp>().unwrap(),
        ..ReputationState::unknown(Window::Hour, Measure::Bounces)
    }
}

/// The counts of sending streams, each as configuration set, tenant (empty: none) and counts.
fn by_stream(streams: &[(&str, &str, EventCounts)]) -> BTreeMap<SendingStream, EventCounts> {
    let name = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let stream = |(set, tenant, counts): &(&str, &str, EventCounts)| {
        let stream = SendingStream {
            configuration_set: name(set),
            tenant: name(tenant),
        };
        (stream, counts.clone())
    };
    streams.iter().map(stream).collect()
}

#[test]
fn only_objects_of_the_own_account_are_restricted() {
    let day_by_stream = by_stream(&[
        ("campaigns", "acme", counts(200, 20)),
        ("receipts", "acme", counts(900, 0)),
    ]);
    let pause = EnforcementRequest::PauseConfigurationSet("campaigns".to_owned());
    let disable = EnforcementRequest::DisableTenant("acme".to_owned());
    let revoke = EnforcementRequest::RevokeAuthorization {
        identity: "shop.example".to_owned(),
        delegate: DELEGATE.parse().unwrap(),
    };
    let (delegated, own_identity) = (
        format!("{OWNER}/{DELEGATE}/shop.example"),
        format!("{OWNER}/{OWNER}/shop.example"),
    );
    let account_unknown = format!("{OWNER}/-/shop.example");
    type Case<'a> = (&'a str, &'a str, &'a str, Vec<EnforcementRequest>, usize);
    let cases: [Case<'_>; 6] = [
        ("the owner, about its delegate", OWNER, &delegated, vec![revoke], 2),
        (
            "the delegate, about itself",
            DELEGATE,
            &delegated,
            vec![pause.clone(), disable.clone()],
            1,
        ),
        ("a third account", "999999999999", &delegated, vec![], 3),
        (
            "the owner, about its own mail",
            OWNER,
            &own_identity,
            vec![pause, disable],
            1,
        ),
        ("an unknown owner", DELEGATE, "-/-/unverified:shop.example", vec![], 3),
        ("an unknown sending account", OWNER, &account_unknown, vec![], 3),
    ];
    for (case, own, sender, expected, not_applicable) in cases {
        let rates = rates(sender, day_by_stream.clone());
        let requests = |thresholds: &Thresholds, level| {
            enforcement_requests(&rates, thresholds, &crossing(level), &own.parse().unwrap())
        };
        let all = with_enforcements(EnforcementKind::ALL);
        let found = requests(&all, Level::Enforce);
        assert_eq!(found.requests, expected, "{case}");
        assert_eq!(
            found.not_applicable.len(),
            not_applicable,
            "{case}: {:?}",
            found.not_applicable
        );
        let none = EnforcementRequests::default();
        assert_eq!(requests(&all, Level::Warn), none, "{case}: only a warning");
        assert_eq!(
            requests(&Thresholds::default(), Level::Enforce),
            none,
            "{case}: none configured"
        );
    }
}

#[test]
fn only_the_responsible_configuration_sets_are_paused() {
    let paused = |streams: &[(&str, &str, EventCounts)]| {
        let rates = rates(&format!("{OWNER}/{OWNER}/shop.example"), by_stream(streams));
        let thresholds = with_enforcements(&[EnforcementKind::PauseConfigurationSet]);
        let found = enforcement_requests(&rates, &thresholds, &crossing(Level::Enforce), &OWNER.parse().unwrap());
        let names = found.requests.into_iter().map(|request| match request {
            EnforcementRequest::PauseConfigurationSet(name) => name,
            other => format!("{other:?}"),
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        paused(&[
            ("bad", "", counts(200, 20)),
            ("worse", "", counts(200, 90)),
            ("good", "", counts(900, 1))
        ]),
        ["bad", "worse"],
        "all that reach the threshold"
    );
    assert_eq!(
        paused(&[
            ("bad", "a", counts(200, 6)),
            ("bad", "b", counts(200, 14)),
            ("good", "", counts(9, 0))
        ]),
        ["bad"],
        "the tenants of a configuration set are added up"
    );
    assert_eq!(
        paused(&[("big", "", counts(10_000, 30)), ("small", "", counts(100, 2))]),
        ["big"],
        "below the threshold of the day, the one with more than half of the bounces"
    );
    assert!(
        paused(&[("one", "", counts(9000, 30)), ("two", "", counts(9000, 30))]).is_empty(),
        "none has more than half of the bounces"
    );
    assert!(
        paused(&[("", "", counts(100, 50))]).is_empty(),
        "without a configuration set"
    );
}
