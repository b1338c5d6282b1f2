//! Enforcements: what is applied, what is repeated, and how it is undone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::collections::BTreeMap;

use aws_sdk_sesv2::types::SendingStatus;
use reputation::{Undo, UndoError};
use serde_json::{Value, json};
use store::{Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus, Level, ReputationState};
use support::ses::Answer;
use support::{DELEGATE, OWNER, Scene, enforcement_ids, levels};

/// The statuses of all enforcements.
async fn statuses(scene: &Scene) -> Vec<&'static str> {
    let enforcements = scene.store().enforcements().await.unwrap();
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
    let scene = Scene::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
    scene.mail("bad", 400, 40).await;
    let alerts = scene.check_and_notify().await;
    assert!(scene.settings.lock().unwrap().paused.contains("campaigns"));
    assert_eq!(
        (descriptions(&alerts[0]), descriptions(&alerts[1])),
        (
            vec!["applied: pause configuration set campaigns"],
            vec!["not applied: configuration set campaigns is already paused"]
        )
    );
    let id = enforcement_ids(&alerts).remove(0);
    assert!(alerts[0].text().contains(&format!("postroomctl reputation undo {id}")));
    let recorded = scene.store().enforcement(&id).await.unwrap().unwrap();
    assert!(matches!(recorded.status, EnforcementStatus::Done { .. }));
    assert_eq!((recorded.figures.count, recorded.figures.volume), (40, 400));

    assert!(matches!(scene.undo(&id).await.unwrap(), Undo::Undone(_)));
    assert!(scene.settings.lock().unwrap().paused.is_empty());
    scene.settings.lock().unwrap().calls.clear();
    assert!(matches!(scene.undo(&id).await.unwrap(), Undo::Already(_)));
    assert!(scene.settings.lock().unwrap().calls.is_empty(), "undone once");
    let unknown = scene.undo("20260101T000000Z-00000000").await;
    assert!(matches!(unknown, Err(UndoError::Unknown(_))));
}

#[tokio::test]
async fn an_enforcement_that_an_operator_undid_is_not_repeated_within_24_hours() {
    let mut scene = Scene::with_bad_campaign().await;
    let id = enforcement_ids(&scene.check_and_notify().await).remove(0);
    scene.undo(&id).await.unwrap();
    scene.pass(5);
    scene.mail("more", 200, 10).await;
    let alerts = scene.check_and_notify().await;
    assert_eq!(levels(&alerts), [("day", Level::Enforce)]);
    assert_eq!(
        descriptions(&alerts[0]),
        ["not applied: pause-configuration-set campaigns: an operator undid it within the last 24 hours"]
    );
    assert!(scene.settings.lock().unwrap().paused.is_empty());
}

#[tokio::test]
async fn an_enforcement_that_ses_rejects_is_failed_and_cannot_be_undone() {
    for code in ["NotFoundException", "BadRequestException", "AccessDeniedException"] {
        let mut scene = Scene::with_bad_campaign().await;
        scene.settings.lock().unwrap().writes = Answer::Fails(code);
        let alerts = scene.check_and_notify().await;
        let description = descriptions(&alerts[0]).remove(0);
        assert!(
            description.starts_with(
                "failed: pause configuration set campaigns: PutConfigurationSetSendingOptions: service error"
            ),
            "{description}"
        );
        assert_eq!(statuses(&scene).await, ["failed"]);
        scene.pass(6);
        assert_eq!(scene.round().await.unknown_outcomes, 0);
        assert_eq!(statuses(&scene).await, ["failed"], "not repeated");
        let id = scene.store().enforcements().await.unwrap().remove(0).id;
        assert!(matches!(scene.undo(&id).await, Err(UndoError::NeverDone(_))));
    }
}

#[tokio::test]
async fn an_enforcement_with_an_unknown_outcome_is_repeated_without_another_alert() {
    let answers = [
        Answer::Fails("TooManyRequestsException"),
        Answer::Fails("ThrottlingException"),
        Answer::Fails("InternalFailure"),
        Answer::SucceedsButAnswers("InternalFailure"),
    ];
    for answer in answers {
        let mut scene = Scene::with_bad_campaign().await;
        scene.settings.lock().unwrap().writes = answer;
        let round = scene.round().await;
        assert_eq!(round.unknown_outcomes, 1, "{answer:?}");
        assert_eq!(round.alerts.len(), 1);
        let description = descriptions(&round.alerts[0]).remove(0);
        assert!(
            description.starts_with("outcome unknown, repeated later: pause configuration set campaigns: "),
            "{description}"
        );
        assert_eq!(statuses(&scene).await, ["planned"]);
        scene.monitor.mark_notified(&round.alerts[0]).await.unwrap();

        scene.pass(4);
        assert_eq!(scene.round().await.unknown_outcomes, 0, "the claim has not expired");
        scene.pass(2);
        let round = scene.round().await;
        assert_eq!((round.unknown_outcomes, round.alerts), (1, vec![]), "{answer:?}");

        scene.settings.lock().unwrap().writes = Answer::Succeeds;
        scene.pass(6);
        let round = scene.round().await;
        assert_eq!((round.unknown_outcomes, round.alerts), (0, vec![]), "{answer:?}");
        assert!(scene.settings.lock().unwrap().paused.contains("campaigns"));
        assert_eq!(statuses(&scene).await, ["done"]);

        scene.settings.lock().unwrap().calls.clear();
        scene.pass(6);
        scene.round().await;
        assert!(scene.settings.lock().unwrap().calls.is_empty(), "completed");
    }
}

#[tokio::test]
async fn a_settings_read_that_is_throttled_is_repeated() {
    let mut scene = Scene::with_bad_campaign().await;
    scene.settings.lock().unwrap().reads = Answer::Fails("TooManyRequestsException");
    let round = scene.round().await;
    assert_eq!(round.unknown_outcomes, 1);
    let description = descriptions(&round.alerts[0]).remove(0);
    assert!(
        description.starts_with("not applied yet, repeated later: pause-configuration-set: GetConfigurationSet: "),
        "{description}"
    );
    scene.monitor.mark_notified(&round.alerts[0]).await.unwrap();
    assert!(statuses(&scene).await.is_empty());

    scene.settings.lock().unwrap().reads = Answer::Succeeds;
    scene.pass(6);
    assert_eq!(scene.round().await.unknown_outcomes, 0);
    assert_eq!(statuses(&scene).await, ["done"]);
}

#[tokio::test]
async fn an_enforcement_with_an_unknown_outcome_can_be_undone_and_is_not_repeated_then() {
    let mut scene = Scene::with_bad_campaign().await;
    scene.settings.lock().unwrap().writes = Answer::SucceedsButAnswers("InternalFailure");
    let alerts = scene.check_and_notify().await;
    let id = enforcement_ids(&alerts).remove(0);
    assert!(scene.settings.lock().unwrap().paused.contains("campaigns"));

    let result = scene.undo(&id).await;
    assert!(matches!(result, Err(UndoError::Ses(_))), "SES still does not answer");
    assert_eq!(statuses(&scene).await, ["planned"], "so the command can be repeated");
    scene.settings.lock().unwrap().writes = Answer::Succeeds;
    assert!(matches!(scene.undo(&id).await.unwrap(), Undo::Undone(_)));
    assert!(scene.settings.lock().unwrap().paused.is_empty());
    scene.pass(6);
    assert_eq!(scene.round().await.unknown_outcomes, 0);
    assert!(scene.settings.lock().unwrap().paused.is_empty());
    assert_eq!(statuses(&scene).await, ["undone"]);
}

#[tokio::test]
async fn an_enforcement_is_not_repeated_after_the_all_clear() {
    let mut scene = Scene::with_bad_campaign().await;
    scene.settings.lock().unwrap().writes = Answer::Fails("InternalFailure");
    scene.check_and_notify().await;
    scene.pass(90);
    scene.round().await;
    scene.settings.lock().unwrap().writes = Answer::Succeeds;
    scene.pass(60);
    assert_eq!(levels(&scene.check_and_notify().await), [("hour", Level::Normal)]);
    scene.pass(6);
    assert_eq!(scene.round().await.unknown_outcomes, 0);
    assert!(scene.settings.lock().unwrap().calls.is_empty());
    assert_eq!(statuses(&scene).await, ["planned"]);
}

#[tokio::test]
async fn a_tenant_is_disabled_and_its_former_status_restored() {
    let cases = [
        (None, SendingStatus::Enabled),
        (Some(SendingStatus::Reinstated), SendingStatus::Reinstated),
    ];
    for (before, after) in cases {
        let scene = Scene::new(OWNER, OWNER, &[EnforcementKind::DisableTenant]).await;
        scene.settings.lock().unwrap().tenant = before;
        scene.mail("bad", 100, 10).await;
        let id = enforcement_ids(&scene.check_and_notify().await).remove(0);
        assert_eq!(scene.settings.lock().unwrap().tenant, Some(SendingStatus::Disabled));
        scene.undo(&id).await.unwrap();
        assert_eq!(scene.settings.lock().unwrap().tenant, Some(after));
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
    let scene = Scene::new(DELEGATE, OWNER, EnforcementKind::ALL).await;
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
    scene.settings.lock().unwrap().policies.clone_from(&before);
    scene.mail("bad", 100, 10).await;

    let alerts = scene.check_and_notify().await;
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
    let revoked = scene.policies();
    assert_eq!(revoked.keys().collect::<Vec<_>>(), ["both", "others", "together"]);
    assert!(!revoked["both"].contains(DELEGATE) && revoked["both"].contains("777788889999"));
    assert_eq!(
        (&revoked["others"], &revoked["together"]),
        (&before["others"], &before["together"])
    );

    let ids = enforcement_ids(&alerts);
    assert_eq!(ids.len(), 2);
    for id in &ids {
        scene.undo(id).await.unwrap();
    }
    assert_eq!(scene.policies(), before);
}

#[tokio::test]
async fn a_repeated_revocation_keeps_statements_that_were_added_since() {
    let mut scene = Scene::new(DELEGATE, OWNER, &[EnforcementKind::RevokeAuthorization]).await;
    let delegate = statement("delegate", &json!(DELEGATE));
    let before = policy(std::slice::from_ref(&delegate));
    scene.settings.lock().unwrap().policies.insert("p".to_owned(), before);
    scene.mail("bad", 100, 10).await;
    scene.settings.lock().unwrap().writes = Answer::Fails("InternalFailure");
    let id = enforcement_ids(&scene.check_and_notify().await).remove(0);

    let added = statement("added", &json!("777788889999"));
    {
        let mut settings = scene.settings.lock().unwrap();
        settings.writes = Answer::Succeeds;
        settings
            .policies
            .insert("p".to_owned(), policy(&[delegate.clone(), added.clone()]));
    }
    scene.pass(6);
    assert_eq!(scene.round().await.unknown_outcomes, 0);
    let statements = |text: &str| serde_json::from_str::<Value>(text).unwrap()["Statement"].clone();
    assert_eq!(statements(&scene.policies()["p"]), json!([added]));
    scene.undo(&id).await.unwrap();
    assert_eq!(statements(&scene.policies()["p"]), json!([added, delegate]));
}

/// An invocation stopped after SES had deleted the policy and before it recorded that.
#[tokio::test]
async fn an_interrupted_enforcement_is_completed_and_undone_with_the_policy_from_before() {
    let mut scene = Scene::new(DELEGATE, OWNER, &[EnforcementKind::RevokeAuthorization]).await;
    let before = policy(&[statement("delegate", &json!(DELEGATE))]);
    scene.mail("bad", 100, 10).await;
    let crossing = ReputationState {
        level: Level::Enforce,
        since: scene.now,
        claimed_at: Some(scene.now),
        enforcement_attempted_at: Some(scene.now),
        ..ReputationState::unknown(store::Window::Hour, store::Measure::Bounces)
    };
    let written = scene.store().put_reputation_state(&scene.sender, &crossing).await;
    assert!(written.unwrap());
    let change = EnforcementChange::Policy {
        identity: "shop.example".to_owned(),
        name: "alone".to_owned(),
        before: before.clone(),
        after: None,
    };
    let planned = Enforcement::plan(&scene.sender, &crossing, change);
    scene.store().plan_enforcement(&planned).await.unwrap();

    scene.pass(6);
    let alerts = scene.check_and_notify().await;
    assert_eq!(enforcement_ids(&alerts), std::slice::from_ref(&planned.id));
    assert_eq!(statuses(&scene).await, ["done"]);
    scene.undo(&planned.id).await.unwrap();
    assert_eq!(scene.policies()["alone"], before);
}

/// Sets the status of the only enforcement while SES handles the next PutConfigurationSetSendingOptions.
fn set_status_before_answer(scene: &Scene, status: EnforcementStatus) {
    let (store, runtime) = (scene.store().clone(), tokio::runtime::Handle::current());
    let set_status = async move {
        let enforcement = store.enforcements().await.unwrap().remove(0);
        assert!(store.update_enforcement(&enforcement, &status).await.unwrap());
    };
    scene.settings.lock().unwrap().before_answer = Some(Box::new(move || {
        tokio::task::block_in_place(|| runtime.block_on(set_status));
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enforcement_that_an_operator_undoes_while_it_is_applied_is_reverted() {
    let scene = Scene::with_bad_campaign().await;
    let undone = EnforcementStatus::Undone {
        at: scene.now,
        by: "olga".to_owned(),
    };
    set_status_before_answer(&scene, undone);
    let alerts = scene.check_and_notify().await;
    assert_eq!(
        descriptions(&alerts[0]),
        ["undone by olga: pause configuration set campaigns"]
    );
    let settings = scene.settings.lock().unwrap();
    assert_eq!(settings.calls.len(), 2, "paused and resumed");
    assert!(settings.paused.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_restores_the_setting_again_when_the_enforcement_is_confirmed_in_the_meantime() {
    let scene = Scene::with_bad_campaign().await;
    scene.settings.lock().unwrap().writes = Answer::SucceedsButAnswers("InternalFailure");
    let id = enforcement_ids(&scene.check_and_notify().await).remove(0);
    {
        let mut settings = scene.settings.lock().unwrap();
        settings.writes = Answer::Succeeds;
        settings.calls.clear();
    }
    set_status_before_answer(&scene, EnforcementStatus::Done { at: scene.now });
    assert!(matches!(scene.undo(&id).await.unwrap(), Undo::Undone(_)));
    assert_eq!(scene.settings.lock().unwrap().calls.len(), 2, "restored twice");
    assert_eq!(statuses(&scene).await, ["undone"]);
}
