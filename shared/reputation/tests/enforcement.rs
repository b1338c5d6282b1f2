//! Enforcements: what is applied, what is repeated, and how it is undone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::collections::BTreeMap;

use aws_sdk_sesv2::types::SendingStatus;
use reputation::{Undo, UndoError};
use serde_json::{Value, json};
use store::{Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus, Level, ReputationState};
use support::ses::Behavior;
use support::{DELEGATE, OWNER, Stack, enforcement_ids, levels};

/// The statuses of all enforcements.
async fn statuses(stack: &Stack) -> Vec<&'static str> {
    let enforcements = stack.store().enforcements().await.unwrap();
    enforcements
        .iter()
        .map(|enforcement| enforcement.status.as_str())
        .collect()
}

fn descriptions(alert: &reputation::Alert) -> Vec<&str> {
    let reports = alert.enforcements.iter();
    reports.map(|report| report.description.as_str()).collect()
}

#[tokio::test]
async fn a_configuration_set_is_paused_and_resumed_by_one_command() {
    let stack = Stack::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
    stack.mail("bad", 400, 40).await;
    let alerts = stack.check_and_notify().await;
    assert!(stack.settings.lock().unwrap().paused.contains("campaigns"));
    assert_eq!(
        (descriptions(&alerts[0]), descriptions(&alerts[1])),
        (
            vec!["applied: pause configuration set campaigns"],
            vec!["not applied: configuration set campaigns is already paused"]
        )
    );
    let id = enforcement_ids(&alerts).remove(0);
    assert!(alerts[0].text().contains(&format!("postroomctl reputation undo {id}")));
    let recorded = stack.store().enforcement(&id).await.unwrap().unwrap();
    assert!(matches!(recorded.status, EnforcementStatus::Done { .. }));
    assert_eq!((recorded.figures.count, recorded.figures.volume), (40, 400));

    assert!(matches!(stack.undo(&id).await.unwrap(), Undo::Undone(_)));
    assert!(stack.settings.lock().unwrap().paused.is_empty());
    stack.settings.lock().unwrap().calls.clear();
    assert!(matches!(stack.undo(&id).await.unwrap(), Undo::Already(_)));
    assert!(stack.settings.lock().unwrap().calls.is_empty(), "undone once");
    let unknown = stack.undo("20260101T000000Z-00000000").await;
    assert!(matches!(unknown, Err(UndoError::Unknown(_))));
}

#[tokio::test]
async fn an_enforcement_that_an_operator_undid_is_not_repeated_within_24_hours() {
    let mut stack = Stack::with_bad_campaign().await;
    let id = enforcement_ids(&stack.check_and_notify().await).remove(0);
    stack.undo(&id).await.unwrap();
    stack.pass(5);
    stack.mail("more", 200, 10).await;
    let alerts = stack.check_and_notify().await;
    assert_eq!(levels(&alerts), [("day", Level::Enforce)]);
    assert_eq!(
        descriptions(&alerts[0]),
        ["not applied: pause-configuration-set campaigns: an operator undid it within the last 24 hours"]
    );
    assert!(stack.settings.lock().unwrap().paused.is_empty());
}

#[tokio::test]
async fn an_enforcement_that_ses_rejects_is_failed_and_cannot_be_undone() {
    for code in ["NotFoundException", "BadRequestException", "AccessDeniedException"] {
        let mut stack = Stack::with_bad_campaign().await;
        stack.settings.lock().unwrap().writes = Behavior::Fails(code);
        let alerts = stack.check_and_notify().await;
        let description = descriptions(&alerts[0]).remove(0);
        assert!(
            description.starts_with(
                "failed: pause configuration set campaigns: PutConfigurationSetSendingOptions: service error"
            ),
            "{description}"
        );
        assert_eq!(statuses(&stack).await, ["failed"]);
        stack.pass(6);
        assert_eq!(stack.round().await.unknown_outcomes, 0);
        assert_eq!(statuses(&stack).await, ["failed"], "not repeated");
        let id = stack.store().enforcements().await.unwrap().remove(0).id;
        assert!(matches!(stack.undo(&id).await, Err(UndoError::NeverDone(_))));
    }
}

#[tokio::test]
async fn an_enforcement_with_an_unknown_outcome_is_repeated_without_another_alert() {
    let behaviors = [
        Behavior::Fails("TooManyRequestsException"),
        Behavior::Fails("ThrottlingException"),
        Behavior::Fails("InternalFailure"),
        Behavior::SucceedsWithError("InternalFailure"),
    ];
    for behavior in behaviors {
        let mut stack = Stack::with_bad_campaign().await;
        stack.settings.lock().unwrap().writes = behavior;
        let round = stack.round().await;
        assert_eq!(round.unknown_outcomes, 1, "{behavior:?}");
        assert_eq!(round.alerts.len(), 1);
        let description = descriptions(&round.alerts[0]).remove(0);
        assert!(
            description.starts_with("outcome unknown, repeated later: pause configuration set campaigns: "),
            "{description}"
        );
        assert_eq!(statuses(&stack).await, ["planned"]);
        stack.monitor.mark_notified(&round.alerts[0]).await.unwrap();

        stack.pass(4);
        assert_eq!(stack.round().await.unknown_outcomes, 0, "the claim has not expired");
        stack.pass(2);
        let round = stack.round().await;
        assert_eq!((round.unknown_outcomes, round.alerts), (1, vec![]), "{behavior:?}");

        stack.settings.lock().unwrap().writes = Behavior::Succeeds;
        stack.pass(6);
        let round = stack.round().await;
        assert_eq!((round.unknown_outcomes, round.alerts), (0, vec![]), "{behavior:?}");
        assert!(stack.settings.lock().unwrap().paused.contains("campaigns"));
        assert_eq!(statuses(&stack).await, ["done"]);

        stack.settings.lock().unwrap().calls.clear();
        stack.pass(6);
        stack.round().await;
        assert!(stack.settings.lock().unwrap().calls.is_empty(), "completed");
    }
}

#[tokio::test]
async fn a_settings_read_that_is_throttled_is_repeated() {
    let mut stack = Stack::with_bad_campaign().await;
    stack.settings.lock().unwrap().reads = Behavior::Fails("TooManyRequestsException");
    let round = stack.round().await;
    assert_eq!(round.unknown_outcomes, 1);
    let description = descriptions(&round.alerts[0]).remove(0);
    assert!(
        description.starts_with("not applied yet, repeated later: pause-configuration-set: GetConfigurationSet: "),
        "{description}"
    );
    stack.monitor.mark_notified(&round.alerts[0]).await.unwrap();
    assert!(statuses(&stack).await.is_empty());

    stack.settings.lock().unwrap().reads = Behavior::Succeeds;
    stack.pass(6);
    assert_eq!(stack.round().await.unknown_outcomes, 0);
    assert_eq!(statuses(&stack).await, ["done"]);
}

#[tokio::test]
async fn an_enforcement_with_an_unknown_outcome_can_be_undone_and_is_not_repeated_then() {
    let mut stack = Stack::with_bad_campaign().await;
    stack.settings.lock().unwrap().writes = Behavior::SucceedsWithError("InternalFailure");
    let alerts = stack.check_and_notify().await;
    let id = enforcement_ids(&alerts).remove(0);
    assert!(stack.settings.lock().unwrap().paused.contains("campaigns"));

    let result = stack.undo(&id).await;
    assert!(matches!(result, Err(UndoError::Ses(_))), "SES still does not respond");
    assert_eq!(statuses(&stack).await, ["planned"], "so the command can be repeated");
    stack.settings.lock().unwrap().writes = Behavior::Succeeds;
    assert!(matches!(stack.undo(&id).await.unwrap(), Undo::Undone(_)));
    assert!(stack.settings.lock().unwrap().paused.is_empty());
    stack.pass(6);
    assert_eq!(stack.round().await.unknown_outcomes, 0);
    assert!(stack.settings.lock().unwrap().paused.is_empty());
    assert_eq!(statuses(&stack).await, ["undone"]);
}

#[tokio::test]
async fn an_enforcement_is_not_repeated_after_the_all_clear() {
    let mut stack = Stack::with_bad_campaign().await;
    stack.settings.lock().unwrap().writes = Behavior::Fails("InternalFailure");
    stack.check_and_notify().await;
    stack.pass(90);
    stack.round().await;
    stack.settings.lock().unwrap().writes = Behavior::Succeeds;
    stack.pass(60);
    assert_eq!(levels(&stack.check_and_notify().await), [("hour", Level::Normal)]);
    stack.pass(6);
    assert_eq!(stack.round().await.unknown_outcomes, 0);
    assert!(stack.settings.lock().unwrap().calls.is_empty());
    assert_eq!(statuses(&stack).await, ["planned"]);
}

#[tokio::test]
async fn a_tenant_is_disabled_and_its_former_status_restored() {
    let cases = [
        (None, SendingStatus::Enabled),
        (Some(SendingStatus::Reinstated), SendingStatus::Reinstated),
    ];
    for (before, after) in cases {
        let stack = Stack::new(OWNER, OWNER, &[EnforcementKind::DisableTenant]).await;
        stack.settings.lock().unwrap().tenant = before;
        stack.mail("bad", 100, 10).await;
        let id = enforcement_ids(&stack.check_and_notify().await).remove(0);
        assert_eq!(stack.settings.lock().unwrap().tenant, Some(SendingStatus::Disabled));
        stack.undo(&id).await.unwrap();
        assert_eq!(stack.settings.lock().unwrap().tenant, Some(after));
    }
}

fn statement(sid: &str, account: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": account}, "Action": "ses:SendEmail", "Resource": "*"})
}

fn policy(statements: &[Value]) -> String {
    format!("{:#}", json!({"Version": "2012-10-17", "Statement": statements}))
}

#[tokio::test]
async fn the_authorization_of_a_delegate_is_revoked_and_restored_verbatim() {
    let stack = Stack::new(DELEGATE, OWNER, EnforcementKind::ALL).await;
    let (delegate, other) = (
        statement("delegate", &json!(DELEGATE)),
        statement("other", &json!("777788889999")),
    );
    let before = BTreeMap::from([
        ("alone".to_owned(), policy(std::slice::from_ref(&delegate))),
        ("both".to_owned(), policy(&[delegate, other.clone()])),
        ("others".to_owned(), policy(&[other])),
        (
            "together".to_owned(),
            policy(&[statement("x", &json!([DELEGATE, "777788889999"]))]),
        ),
    ]);
    stack.settings.lock().unwrap().policies.clone_from(&before);
    stack.mail("bad", 100, 10).await;

    let alerts = stack.check_and_notify().await;
    assert_eq!(alerts[0].accounts, [OWNER.parse().unwrap(), DELEGATE.parse().unwrap()]);
    let mut expected = vec![
        "applied: revoke the delegate's authorization to send from shop.example (change policy both)",
        "applied: revoke the delegate's authorization to send from shop.example (delete policy alone)",
        "not applied: 444455556666 can still send from shop.example: policy together names it together with others",
        "not applied: disable-tenant: it belongs to the sending account, which is not this account",
        "not applied: pause-configuration-set: it belongs to the sending account, which is not this account",
    ];
    let mut found = descriptions(&alerts[0]);
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let revoked = stack.policies();
    assert_eq!(revoked.keys().collect::<Vec<_>>(), ["both", "others", "together"]);
    assert!(!revoked["both"].contains(DELEGATE) && revoked["both"].contains("777788889999"));
    assert_eq!(
        (&revoked["others"], &revoked["together"]),
        (&before["others"], &before["together"])
    );

    let ids = enforcement_ids(&alerts);
    assert_eq!(ids.len(), 2);
    for id in &ids {
        stack.undo(id).await.unwrap();
    }
    assert_eq!(stack.policies(), before);
}

#[tokio::test]
async fn a_repeated_revocation_keeps_statements_that_were_added_since() {
    let mut stack = Stack::new(DELEGATE, OWNER, &[EnforcementKind::RevokeAuthorization]).await;
    let delegate = statement("delegate", &json!(DELEGATE));
    let before = policy(std::slice::from_ref(&delegate));
    stack.settings.lock().unwrap().policies.insert("p".to_owned(), before);
    stack.mail("bad", 100, 10).await;
    stack.settings.lock().unwrap().writes = Behavior::Fails("InternalFailure");
    let id = enforcement_ids(&stack.check_and_notify().await).remove(0);

    let added = statement("added", &json!("777788889999"));
    {
        let mut settings = stack.settings.lock().unwrap();
        settings.writes = Behavior::Succeeds;
        settings
            .policies
            .insert("p".to_owned(), policy(&[delegate.clone(), added.clone()]));
    }
    stack.pass(6);
    assert_eq!(stack.round().await.unknown_outcomes, 0);
    let statements = |text: &str| serde_json::from_str::<Value>(text).unwrap()["Statement"].clone();
    assert_eq!(statements(&stack.policies()["p"]), json!([added]));
    stack.undo(&id).await.unwrap();
    assert_eq!(statements(&stack.policies()["p"]), json!([added, delegate]));
}

/// An invocation stopped after SES had deleted the policy and before it recorded that.
#[tokio::test]
async fn an_interrupted_enforcement_is_completed_and_undone_with_the_policy_from_before() {
    let mut stack = Stack::new(DELEGATE, OWNER, &[EnforcementKind::RevokeAuthorization]).await;
    let before = policy(&[statement("delegate", &json!(DELEGATE))]);
    stack.mail("bad", 100, 10).await;
    let crossing = ReputationState {
        level: Level::Enforce,
        since: stack.now,
        claimed_at: Some(stack.now),
        enforcement_attempted_at: Some(stack.now),
        ..ReputationState::unknown(store::Window::Hour, store::Measure::Bounces)
    };
    let written = stack.store().put_reputation_state(&stack.sender, &crossing).await;
    assert!(written.unwrap());
    let change = EnforcementChange::Policy {
        identity: "shop.example".to_owned(),
        name: "alone".to_owned(),
        before: before.clone(),
        after: None,
    };
    let planned = Enforcement::plan(&stack.sender, &crossing, change);
    stack.store().plan_enforcement(&planned).await.unwrap();

    stack.pass(6);
    let alerts = stack.check_and_notify().await;
    assert_eq!(enforcement_ids(&alerts), std::slice::from_ref(&planned.id));
    assert_eq!(statuses(&stack).await, ["done"]);
    stack.undo(&planned.id).await.unwrap();
    assert_eq!(stack.policies()["alone"], before);
}

/// Sets the status of the only enforcement while SES handles the next PutConfigurationSetSendingOptions.
fn set_status_before_response(stack: &Stack, status: EnforcementStatus) {
    let (store, runtime) = (stack.store().clone(), tokio::runtime::Handle::current());
    let set_status = async move {
        let enforcement = store.enforcements().await.unwrap().remove(0);
        assert!(store.update_enforcement(&enforcement, &status).await.unwrap());
    };
    stack.settings.lock().unwrap().before_response = Some(Box::new(move || {
        tokio::task::block_in_place(|| runtime.block_on(set_status));
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enforcement_that_an_operator_undoes_while_it_is_applied_is_reverted() {
    let stack = Stack::with_bad_campaign().await;
    let undone = EnforcementStatus::Undone {
        at: stack.now,
        by: "olga".to_owned(),
    };
    set_status_before_response(&stack, undone);
    let alerts = stack.check_and_notify().await;
    assert_eq!(
        descriptions(&alerts[0]),
        ["undone by olga: pause configuration set campaigns"]
    );
    let settings = stack.settings.lock().unwrap();
    assert_eq!(settings.calls.len(), 2, "paused and resumed");
    assert!(settings.paused.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_restores_the_setting_again_when_the_enforcement_is_confirmed_in_the_meantime() {
    let stack = Stack::with_bad_campaign().await;
    stack.settings.lock().unwrap().writes = Behavior::SucceedsWithError("InternalFailure");
    let id = enforcement_ids(&stack.check_and_notify().await).remove(0);
    {
        let mut settings = stack.settings.lock().unwrap();
        settings.writes = Behavior::Succeeds;
        settings.calls.clear();
    }
    set_status_before_response(&stack, EnforcementStatus::Done { at: stack.now });
    assert!(matches!(stack.undo(&id).await.unwrap(), Undo::Undone(_)));
    assert_eq!(stack.settings.lock().unwrap().calls.len(), 2, "restored twice");
    assert_eq!(statuses(&stack).await, ["undone"]);
}
