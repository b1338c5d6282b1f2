//! Crossings of thresholds and their alerts, on an embedded DynamoDB and a mocked SES.

mod support;

use store::{EnforcementKind, EnforcementStatus, Level};
use support::{OWNER, Scene, enforcement_ids, levels};

#[tokio::test]
async fn a_bad_campaign_sends_one_alert_and_one_all_clear_per_window() {
    let mut scene = Scene::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
    scene.mail("first", 300, 0).await;
    assert_eq!(scene.check().await, []);

    scene.mail("bad", 100, 40).await;
    let alerts = scene.check_and_notify().await;
    assert_eq!(levels(&alerts), [("hour", Level::Enforce), ("day", Level::Enforce)]);
    assert_eq!(
        alerts[0].accounts,
        [OWNER.parse().unwrap()],
        "owner and sending account are the same account"
    );
    let text = alerts[0].text();
    assert!(
        text.contains("40 hard bounces among 400 recipients within 1 hour, 10.00 %. The threshold is 5 %."),
        "{text}"
    );
    assert_eq!(alerts[0].to_json()["alertType"], "Enforcement");

    scene.pass(6);
    scene.mail("worse", 100, 90).await;
    assert_eq!(scene.check().await, [], "a worse rate is the same crossing");

    // 90 minutes later without mail the rate of the hour is below its threshold; the all-clear follows an hour later.
    scene.pass(90);
    assert_eq!(scene.check().await, []);
    scene.pass(60);
    assert_eq!(levels(&scene.check_and_notify().await), [("hour", Level::Normal)]);
    assert_eq!(
        scene.store().senders_with_alerts().await.unwrap().len(),
        1,
        "the rate of the day is still high"
    );
    scene.pass(25 * 60);
    assert_eq!(scene.check().await, []);
    scene.pass(24 * 60);
    assert_eq!(
        levels(&scene.check_and_notify().await),
        [("day", Level::Normal)],
        "although the sender sends no mail any more"
    );
    assert!(scene.store().senders_with_alerts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_round_names_the_senders_with_the_worst_rates_and_enough_recipients() {
    let mut scene = Scene::new(OWNER, OWNER, &[]).await;
    for (identity, recipients, hard_bounces) in [
        ("good", 400, 4),
        ("bad", 200, 30),
        ("spotless", 300, 0),
        ("small", 2, 2),
    ] {
        scene.sender.identity = identity.to_owned();
        scene.mail(identity, recipients, hard_bounces).await;
    }
    let round = scene.round().await;
    let worst: Vec<_> = round.worst.iter().map(|rates| rates.sender.identity.as_str()).collect();
    assert_eq!(worst, ["bad", "good"]);
    assert_eq!(round.checked, 4);
}

#[tokio::test]
async fn concurrent_invocations_return_one_alert() {
    let scene = Scene::with_bad_campaign().await;
    let thresholds = scene.store().thresholds().await.unwrap();
    let checks = (0..8).map(|_| {
        let (monitor, sender, now) = (scene.monitor.clone(), scene.sender.clone(), scene.now);
        let thresholds = thresholds.clone();
        tokio::spawn(async move { monitor.check(&sender, &thresholds, now).await.unwrap() })
    });
    let mut alerts = Vec::new();
    for check in checks.collect::<Vec<_>>() {
        alerts.extend(check.await.unwrap().alerts);
    }
    assert_eq!(
        levels(&alerts),
        [("hour", Level::Enforce)],
        "the day has too few recipients"
    );
    let calls = &scene.settings.lock().unwrap().calls;
    assert_eq!(*calls, ["PutConfigurationSetSendingOptions"]);
}

#[tokio::test]
async fn an_alert_that_was_not_marked_is_returned_again_and_enforced_once() {
    let mut scene = Scene::with_bad_campaign().await;
    let first = scene.check().await;
    scene.pass(4);
    assert_eq!(scene.check().await, [], "the claim has not expired");
    scene.pass(2);
    let again = scene.check_and_notify().await;
    let content = |alerts: &[reputation::Alert]| -> Vec<_> {
        let content = alerts
            .iter()
            .map(|alert| (alert.id.clone(), alert.enforcements.clone()));
        content.collect()
    };
    assert_eq!(content(&again), content(&first));
    assert_eq!(scene.settings.lock().unwrap().calls.len(), 1);

    // The first invocation marks its alert late, which has no effect.
    scene.monitor.mark_notified(&first[0]).await.unwrap();
    scene.pass(10);
    assert_eq!(scene.check().await, []);
    let id = enforcement_ids(&first).remove(0);
    let enforcement = scene.store().enforcement(&id).await.unwrap().unwrap();
    assert!(matches!(enforcement.status, EnforcementStatus::Done { .. }));
}
