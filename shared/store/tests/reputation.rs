//! Thresholds, reputation states and enforcements against an embedded DynamoDB.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use jiff::{SignedDuration, Timestamp};
use store::testing::Fault;
use store::{
    Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus, Level, Measure, ReputationState, Sender,
    SenderMatch, ThresholdTable, Thresholds, Window,
};

const OWNER: &str = "111122223333";

fn sender() -> Sender {
    format!("{OWNER}/444455556666/shop.example").parse().unwrap()
}

fn now() -> Timestamp {
    "2026-03-02T08:20:00.123Z".parse().unwrap()
}

fn state() -> ReputationState {
    ReputationState {
        level: Level::Enforce,
        since: now(),
        claimed_at: Some(now()),
        enforcement_attempted_at: Some(now()),
        ..ReputationState::unknown(Window::Hour, Measure::Bounces)
    }
}

#[tokio::test]
async fn thresholds_are_read_as_they_were_written_and_deleted() {
    let (store, ..) = store::testing::fresh().await;
    assert_eq!(store.thresholds().await.unwrap(), ThresholdTable::default());
    let mut strict = Thresholds {
        enforcements: EnforcementKind::ALL.iter().copied().collect(),
        ..Thresholds::default()
    };
    strict.bounces.warn = "0.25 %".parse().unwrap();
    let senders = SenderMatch {
        owner: Some(OWNER.parse().unwrap()),
        account: None,
        identity: Some("news@shop.example".into()),
    };
    store.put_thresholds(None, &Thresholds::default()).await.unwrap();
    store.put_thresholds(Some(&senders), &strict).await.unwrap();
    let table = store.thresholds().await.unwrap();
    assert_eq!(table.default, Some(Thresholds::default()));
    assert_eq!(table.overrides, [(senders.clone(), strict)]);
    store.delete_thresholds(Some(&senders)).await.unwrap();
    store.delete_thresholds(None).await.unwrap();
    assert_eq!(store.thresholds().await.unwrap(), ThresholdTable::default());
}

#[tokio::test]
async fn a_state_is_written_once_per_version() {
    let (store, ..) = store::testing::fresh().await;
    assert!(store.put_reputation_state(&sender(), &state()).await.unwrap());
    assert!(
        store.put_reputation_state(&sender(), &state()).await.unwrap(),
        "the same write again, as when its response was lost"
    );
    let other = ReputationState {
        claimed_at: Some(now() + SignedDuration::from_secs(1)),
        ..state()
    };
    assert!(!store.put_reputation_state(&sender(), &other).await.unwrap());
    let written = ReputationState { version: 1, ..state() };
    assert_eq!(store.reputation_states(&sender()).await.unwrap(), [written]);
}

#[tokio::test]
async fn a_sender_is_listed_until_its_level_is_normal_and_its_alert_was_sent() {
    let (store, ..) = store::testing::fresh().await;
    let all_clear = ReputationState {
        level: Level::Normal,
        version: 1,
        ..state()
    };
    let sent = ReputationState {
        claimed_at: None,
        version: 2,
        ..all_clear.clone()
    };
    for (state, listed) in [(state(), 1), (all_clear, 1), (sent, 0)] {
        assert!(store.put_reputation_state(&sender(), &state).await.unwrap());
        assert_eq!(store.senders_with_alerts().await.unwrap().len(), listed);
    }
}

#[tokio::test]
async fn an_enforcement_is_planned_once_and_its_status_advances() {
    let (store, _, requests) = store::testing::fresh().await;
    let changes = [
        EnforcementChange::ConfigurationSet {
            name: "campaigns".to_owned(),
        },
        EnforcementChange::Tenant {
            name: "acme".to_owned(),
            arn: "arn".to_owned(),
            before: "REINSTATED".to_owned(),
        },
        EnforcementChange::Policy {
            identity: "shop.example".to_owned(),
            name: "p".to_owned(),
            before: "{}".to_owned(),
            after: None,
        },
    ];
    for change in changes {
        let planned = Enforcement::plan(&sender(), &state(), change);
        store.plan_enforcement(&planned).await.unwrap();
        assert_eq!(store.enforcement(&planned.id).await.unwrap(), Some(planned.clone()));
        let done = EnforcementStatus::Done { at: now() };
        requests.fail(Fault::InternalErrorAfterEffect, 0);
        assert!(
            store.update_enforcement(&planned, &done).await.unwrap(),
            "its own write"
        );
        let failed = EnforcementStatus::Failed {
            at: now(),
            error: "rejected".to_owned(),
        };
        assert!(
            !store.update_enforcement(&planned, &failed).await.unwrap(),
            "the status is no longer planned"
        );
        store.plan_enforcement(&planned).await.unwrap();
        let current = store.enforcement(&planned.id).await.unwrap().unwrap();
        assert_eq!(current.status, done, "planning again changes nothing");
        assert!(current.is_of(&state()));
    }
    assert_eq!(store.enforcements_of(&sender()).await.unwrap().len(), 3);
    assert_eq!(store.enforcements().await.unwrap().len(), 3);
}
