//! A bad campaign, from the first alert to the undoing, on an embedded DynamoDB and a mocked SES that remembers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::create_email_identity_policy::CreateEmailIdentityPolicyOutput;
use aws_sdk_sesv2::operation::delete_email_identity_policy::DeleteEmailIdentityPolicyOutput;
use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput;
use aws_sdk_sesv2::operation::get_email_identity_policies::GetEmailIdentityPoliciesOutput;
use aws_sdk_sesv2::operation::get_reputation_entity::{GetReputationEntityError, GetReputationEntityOutput};
use aws_sdk_sesv2::operation::get_tenant::GetTenantOutput;
use aws_sdk_sesv2::operation::put_configuration_set_sending_options::{
    PutConfigurationSetSendingOptionsError, PutConfigurationSetSendingOptionsOutput,
};
use aws_sdk_sesv2::operation::update_email_identity_policy::UpdateEmailIdentityPolicyOutput;
use aws_sdk_sesv2::operation::update_reputation_entity_customer_managed_status::UpdateReputationEntityCustomerManagedStatusOutput;
use aws_sdk_sesv2::types::error::NotFoundException;
use aws_sdk_sesv2::types::{ReputationEntity, SendingOptions, SendingStatus, StatusRecord, Tenant};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use reputation::{Alert, ReputationMonitor, Undo, UndoError, undo};
use serde_json::{Value, json};
use store::{
    Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus, EventKind, Level, ReputationState, Sender,
    SenderBatch, SenderEvent, SendingStream, Store, ThresholdTable, Thresholds,
};

const OWNER: &str = "111122223333";
const DELEGATE: &str = "444455556666";
const TENANT_ARN: &str = "arn:aws:ses:us-east-1:111122223333:tenant/acme/tn-1";

/// What SES has: configuration sets that may send, the tenant's status, the identity's policies.
#[derive(Debug, Default)]
struct Things {
    paused: BTreeSet<String>,
    refuses_to_pause: bool,
    tenant: Option<SendingStatus>,
    policies: BTreeMap<String, String>,
    calls: Vec<&'static str>,
}

type Shared = Arc<Mutex<Things>>;

fn ses(things: &Shared) -> Client {
    let mut rules = configuration_sets(things);
    rules.extend(tenants(things));
    rules.extend(policies(things));
    mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, rules.iter().collect::<Vec<_>>())
}

fn configuration_sets(things: &Shared) -> Vec<Rule> {
    let (one, two) = (things.clone(), things.clone());
    let get = mock!(Client::get_configuration_set).then_compute_output(move |input| {
        let paused = one
            .lock()
            .unwrap()
            .paused
            .contains(input.configuration_set_name().unwrap());
        let options = SendingOptions::builder().sending_enabled(!paused).build();
        GetConfigurationSetOutput::builder().sending_options(options).build()
    });
    let put = mock!(Client::put_configuration_set_sending_options).then_compute_response(move |input| {
        let mut things = two.lock().unwrap();
        if things.refuses_to_pause {
            let refusal = NotFoundException::builder().message("no such set").build();
            return MockResponse::Error(PutConfigurationSetSendingOptionsError::NotFoundException(refusal));
        }
        things.calls.push("PutConfigurationSetSendingOptions");
        let name = input.configuration_set_name().unwrap().to_owned();
        match input.sending_enabled() {
            Some(true) => things.paused.remove(&name),
            _ => things.paused.insert(name),
        };
        MockResponse::Output(PutConfigurationSetSendingOptionsOutput::builder().build())
    });
    vec![get, put]
}

fn tenants(things: &Shared) -> Vec<Rule> {
    let (one, two) = (things.clone(), things.clone());
    let get = mock!(Client::get_tenant).then_output(|| {
        let tenant = Tenant::builder().tenant_arn(TENANT_ARN).build();
        GetTenantOutput::builder().tenant(tenant).build()
    });
    let status = mock!(Client::get_reputation_entity).then_compute_response(move |_| {
        let Some(status) = one.lock().unwrap().tenant.clone() else {
            let refusal = NotFoundException::builder().message("nothing on record").build();
            return MockResponse::Error(GetReputationEntityError::NotFoundException(refusal));
        };
        let record = StatusRecord::builder().status(status).build();
        let entity = ReputationEntity::builder().customer_managed_status(record).build();
        MockResponse::Output(GetReputationEntityOutput::builder().reputation_entity(entity).build())
    });
    let update = mock!(Client::update_reputation_entity_customer_managed_status)
        .match_requests(|input| input.reputation_entity_reference() == Some(TENANT_ARN))
        .then_compute_output(move |input| {
            two.lock().unwrap().tenant = input.sending_status().cloned();
            UpdateReputationEntityCustomerManagedStatusOutput::builder().build()
        });
    vec![get, status, update]
}

fn policies(things: &Shared) -> Vec<Rule> {
    let (one, two, three, four) = (things.clone(), things.clone(), things.clone(), things.clone());
    let get = mock!(Client::get_email_identity_policies).then_compute_output(move |_| {
        let policies: HashMap<_, _> = one.lock().unwrap().policies.clone().into_iter().collect();
        GetEmailIdentityPoliciesOutput::builder()
            .set_policies(Some(policies))
            .build()
    });
    let update = mock!(Client::update_email_identity_policy).then_compute_output(move |input| {
        let (name, text) = (
            input.policy_name().unwrap().to_owned(),
            input.policy().unwrap().to_owned(),
        );
        let mut things = two.lock().unwrap();
        things.calls.push("UpdateEmailIdentityPolicy");
        things.policies.insert(name, text).unwrap();
        UpdateEmailIdentityPolicyOutput::builder().build()
    });
    let delete = mock!(Client::delete_email_identity_policy).then_compute_output(move |input| {
        let mut things = three.lock().unwrap();
        things.calls.push("DeleteEmailIdentityPolicy");
        things.policies.remove(input.policy_name().unwrap());
        DeleteEmailIdentityPolicyOutput::builder().build()
    });
    let create = mock!(Client::create_email_identity_policy).then_compute_output(move |input| {
        let (name, text) = (
            input.policy_name().unwrap().to_owned(),
            input.policy().unwrap().to_owned(),
        );
        let mut things = four.lock().unwrap();
        things.calls.push("CreateEmailIdentityPolicy");
        assert!(things.policies.insert(name, text).is_none());
        CreateEmailIdentityPolicyOutput::builder().build()
    });
    vec![get, update, delete, create]
}

struct Scene {
    watch: ReputationMonitor,
    things: Shared,
    sender: Sender,
    now: Timestamp,
}

impl Scene {
    /// `account` sends from the owner's identity; the watch runs in `own`.
    async fn new(account: &str, own: &str, enforcements: &[EnforcementKind]) -> Self {
        let (store, ..) = store::testing::fresh().await;
        let lines = Thresholds {
            enforcements: enforcements.iter().copied().collect(),
            ..Thresholds::default()
        };
        store.put_thresholds(None, &lines).await.unwrap();
        let things = Shared::default();
        Self {
            watch: ReputationMonitor {
                store,
                ses: ses(&things).into(),
                account: own.parse().unwrap(),
            },
            things,
            sender: format!("{OWNER}/{account}/shop.example").parse().unwrap(),
            now: Timestamp::now(),
        }
    }

    fn store(&self) -> &Store {
        &self.watch.store
    }

    /// So many recipients mailed through `campaigns`, for the tenant acme, and so many of them bounced.
    async fn mails(&self, id: &str, recipients: u64, hard: u64) {
        let line = SendingStream {
            configuration_set: Some("campaigns".to_owned()),
            tenant: Some("acme".to_owned()),
        };
        let expires_at = self.now + SignedDuration::from_hours(100);
        let mut batch = SenderBatch::new(self.sender.clone(), line.clone(), self.now);
        for recipient in 0..recipients {
            batch.add(EventKind::Send, id, &recipient.to_string());
        }
        self.store().count_batch(&batch, expires_at).await.unwrap();
        for recipient in 0..hard {
            let event = SenderEvent {
                sender: self.sender.clone(),
                stream: line.clone(),
                kind: EventKind::Hard,
                at: self.now,
                message_id: id.to_owned(),
                recipient: EmailAddress::parse(&format!("r{recipient}@example.net")),
                is_claim: false,
            };
            self.store().count_event(&event, expires_at).await.unwrap();
        }
    }

    async fn look(&self) -> Vec<Alert> {
        let round = self.watch.round(self.now).await.unwrap();
        assert!(round.failures.is_empty(), "{:?}", round.failures);
        round.alerts
    }

    async fn look_and_tell(&self) -> Vec<Alert> {
        let alerts = self.look().await;
        for alert in &alerts {
            self.watch.mark_notified(alert).await.unwrap();
        }
        alerts
    }

    async fn undo(&self, id: &str) -> Result<Undo, UndoError> {
        undo(self.store(), &self.watch.ses, id, "olga", self.now).await
    }

    fn pass(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    fn policies(&self) -> BTreeMap<String, String> {
        self.things.lock().unwrap().policies.clone()
    }
}

fn levels(alerts: &[Alert]) -> Vec<(&'static str, Level)> {
    alerts
        .iter()
        .map(|alert| (alert.state.window.as_str(), alert.state.level))
        .collect()
}

fn enforcements(alerts: &[Alert]) -> Vec<String> {
    alerts
        .iter()
        .flat_map(|alert| {
            alert
                .enforcements
                .iter()
                .filter_map(|enforcement| enforcement.enforcement.clone())
        })
        .collect()
}

#[tokio::test]
async fn a_bad_campaign_alerts_once_is_paused_and_undone_by_one_command() {
    let mut scene = Scene::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
    scene.mails("first", 300, 0).await;
    assert_eq!(scene.look().await, []);

    scene.mails("bad", 100, 40).await;
    let alerts = scene.look_and_tell().await;
    assert_eq!(levels(&alerts), [("hour", Level::Enforce), ("day", Level::Enforce)]);
    assert_eq!(alerts[0].accounts, [OWNER.parse().unwrap()], "one party that is both");
    assert!(scene.things.lock().unwrap().paused.contains("campaigns"));
    assert_eq!(
        enforcements(&alerts).len(),
        1,
        "the second window finds it paused already: {alerts:#?}"
    );
    assert!(
        alerts[0]
            .text()
            .contains("40 hard bounces among 400 recipients within 1 hour, 10.00 %. The line is 5 %.")
    );
    let id = enforcements(&alerts).remove(0);
    assert!(alerts[0].text().contains(&format!("postroomctl watch undo {id}")));
    assert_eq!(alerts[0].to_json()["alertType"], "Enforcement");

    scene.pass(6);
    scene.mails("worse", 100, 90).await;
    assert_eq!(scene.look().await, [], "the same crossing, even worse");
    let recorded = scene.store().enforcement(&id).await.unwrap().unwrap();
    assert!(matches!(recorded.status, EnforcementStatus::Done { .. }));
    assert_eq!((recorded.figures.count, recorded.figures.volume), (40, 400));

    assert!(matches!(scene.undo(&id).await.unwrap(), Undo::Undone(_)));
    assert!(scene.things.lock().unwrap().paused.is_empty());
    scene.things.lock().unwrap().calls.clear();
    assert!(matches!(scene.undo(&id).await.unwrap(), Undo::Already(_)));
    assert!(scene.things.lock().unwrap().calls.is_empty(), "undone once");
    assert!(matches!(
        scene.undo("20260101T000000Z-00000000").await,
        Err(UndoError::Unknown(_))
    ));

    // 90 minutes on, no mail came: the hour is under its line, an hour later it is clear.
    scene.pass(90);
    assert_eq!(scene.look().await, []);
    scene.pass(60);
    assert_eq!(levels(&scene.look_and_tell().await), [("hour", Level::Normal)]);
    assert_eq!(
        scene.store().senders_with_alerts().await.unwrap().len(),
        1,
        "the day is not"
    );
    scene.pass(25 * 60);
    assert_eq!(scene.look().await, []);
    scene.pass(24 * 60);
    assert_eq!(
        levels(&scene.look_and_tell().await),
        [("day", Level::Normal)],
        "though nobody sends any more"
    );
    assert!(scene.store().senders_with_alerts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_round_names_the_worst_senders_and_judges_nobody_by_a_handful() {
    let mut scene = Scene::new(OWNER, OWNER, &[]).await;
    for (identity, mails, bounces) in [
        ("good", 400, 4),
        ("bad", 200, 30),
        ("spotless", 300, 0),
        ("small", 2, 2),
    ] {
        scene.sender.identity = identity.to_owned();
        scene.mails(identity, mails, bounces).await;
    }
    let round = scene.watch.round(scene.now).await.unwrap();
    let worst: Vec<_> = round.worst.iter().map(|rates| rates.sender.identity.as_str()).collect();
    assert_eq!(worst, ["bad", "good"]);
}

#[tokio::test]
async fn concurrent_invocations_alert_once() {
    let scene = Scene::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
    scene.mails("bad", 100, 40).await;
    let lines = scene.store().thresholds().await.unwrap();
    let looks = (0..8).map(|_| {
        let (watch, sender, lines, now) = (scene.watch.clone(), scene.sender.clone(), lines.clone(), scene.now);
        tokio::spawn(async move { watch.check(&sender, &lines, now).await.unwrap() })
    });
    let mut alerts = Vec::new();
    for look in looks.collect::<Vec<_>>() {
        alerts.extend(look.await.unwrap());
    }
    assert_eq!(alerts.len(), 1, "one for the hour; the day has too little mail");
    assert_eq!(
        scene.things.lock().unwrap().calls,
        ["PutConfigurationSetSendingOptions"]
    );
}

#[tokio::test]
async fn an_alert_nobody_told_is_told_again_and_the_act_is_not_done_again() {
    let mut scene = Scene::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
    scene.mails("bad", 100, 40).await;
    let first = scene.look().await;
    scene.pass(4);
    assert_eq!(scene.look().await, [], "somebody is at it");
    scene.pass(2);
    let again = scene.look_and_tell().await;
    assert_eq!(
        again
            .iter()
            .map(|alert| (&alert.id, &alert.enforcements))
            .collect::<Vec<_>>(),
        first
            .iter()
            .map(|alert| (&alert.id, &alert.enforcements))
            .collect::<Vec<_>>()
    );
    assert_eq!(scene.things.lock().unwrap().calls.len(), 1);
    // The first one wakes up and reports late: nothing comes of it.
    scene.watch.mark_notified(&first[0]).await.unwrap();
    scene.pass(10);
    assert_eq!(scene.look().await, []);
}

#[tokio::test]
async fn a_person_is_not_overruled() {
    let mut scene = Scene::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
    scene.mails("bad", 100, 40).await;
    let id = enforcements(&scene.look_and_tell().await).remove(0);
    scene.undo(&id).await.unwrap();
    scene.pass(5);
    scene.mails("more", 200, 80).await;
    let alerts = scene.look_and_tell().await;
    assert_eq!(levels(&alerts), [("day", Level::Enforce)]);
    assert_eq!(enforcements(&alerts), Vec::<String>::new());
    assert!(alerts[0].text().contains("a person undid it"), "{}", alerts[0].text());
    assert!(scene.things.lock().unwrap().paused.is_empty());
}

#[tokio::test]
async fn what_ses_refuses_is_told_and_cannot_be_undone() {
    let scene = Scene::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
    scene.things.lock().unwrap().refuses_to_pause = true;
    scene.mails("bad", 100, 40).await;
    let alerts = scene.look().await;
    assert!(
        alerts[0].text().contains("failed, PutConfigurationSetSendingOptions"),
        "{}",
        alerts[0].text()
    );
    let enforcements = scene.store().enforcements().await.unwrap();
    assert!(matches!(enforcements[0].status, EnforcementStatus::Failed { .. }));
    assert!(matches!(
        scene.undo(&enforcements[0].id).await,
        Err(UndoError::NeverDone(_))
    ));
}

#[tokio::test]
async fn a_tenant_is_suspended_and_gets_its_former_status_back() {
    let cases = [
        (None, SendingStatus::Enabled),
        (Some(SendingStatus::Reinstated), SendingStatus::Reinstated),
    ];
    for (before, after) in cases {
        let scene = Scene::new(OWNER, OWNER, &[EnforcementKind::DisableTenant]).await;
        scene.things.lock().unwrap().tenant = before;
        scene.mails("bad", 100, 40).await;
        let id = enforcements(&scene.look_and_tell().await).remove(0);
        assert_eq!(scene.things.lock().unwrap().tenant, Some(SendingStatus::Disabled));
        scene.undo(&id).await.unwrap();
        assert_eq!(scene.things.lock().unwrap().tenant, Some(after));
    }
}

fn statement(sid: &str, account: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": account}, "Action": "ses:SendEmail", "Resource": "*"})
}

fn policy(statements: &[Value]) -> String {
    format!("{:#}", json!({"Version": "2012-10-17", "Statement": statements}))
}

#[tokio::test]
async fn the_delegates_authorization_is_withdrawn_and_given_back_to_the_letter() {
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
    scene.things.lock().unwrap().policies.clone_from(&before);
    scene.mails("bad", 100, 40).await;

    let alerts = scene.look_and_tell().await;
    assert_eq!(alerts[0].accounts, [OWNER.parse().unwrap(), DELEGATE.parse().unwrap()]);
    assert!(
        alerts[0]
            .text()
            .contains("444455556666 can still send from shop.example: policy together"),
        "{}",
        alerts[0].text()
    );
    let now = scene.policies();
    assert_eq!(now.keys().collect::<Vec<_>>(), ["both", "others", "together"]);
    assert!(!now["both"].contains(DELEGATE) && now["both"].contains("777788889999"));
    assert_eq!(
        (&now["others"], &now["together"]),
        (&before["others"], &before["together"])
    );

    let ids = enforcements(&alerts);
    assert_eq!(ids.len(), 2);
    for id in &ids {
        scene.undo(id).await.unwrap();
    }
    assert_eq!(scene.policies(), before);
}

/// An invocation that died after SES had changed the policy, before it could say so.
#[tokio::test]
async fn an_act_that_was_cut_short_is_finished_with_the_policy_it_found() {
    let mut scene = Scene::new(DELEGATE, OWNER, &[EnforcementKind::RevokeAuthorization]).await;
    let before = policy(&[statement("delegate", &json!(DELEGATE))]);
    scene.mails("bad", 100, 40).await;
    let crossing = ReputationState {
        level: Level::Enforce,
        since: scene.now,
        claimed_at: Some(scene.now),
        ..ReputationState::unknown(store::Window::Hour, store::Measure::Bounces)
    };
    assert!(
        scene
            .store()
            .put_reputation_state(&scene.sender, &crossing)
            .await
            .unwrap()
    );
    assert!(
        scene
            .store()
            .put_reputation_state(&scene.sender, &crossing)
            .await
            .unwrap(),
        "the answer got lost, and the SDK tried again"
    );
    let other = ReputationState {
        claimed_at: Some(scene.now + SignedDuration::from_secs(1)),
        ..crossing.clone()
    };
    assert!(!scene.store().put_reputation_state(&scene.sender, &other).await.unwrap());
    let change = EnforcementChange::Policy {
        identity: "shop.example".to_owned(),
        name: "alone".to_owned(),
        before: before.clone(),
        after: None,
    };
    let planned = Enforcement::plan(&scene.sender, &crossing, change);
    scene.store().plan_enforcement(&planned).await.unwrap();

    scene.pass(6);
    let alerts = scene.look_and_tell().await;
    assert_eq!(enforcements(&alerts), std::slice::from_ref(&planned.id));
    assert!(matches!(
        scene.store().enforcement(&planned.id).await.unwrap().unwrap().status,
        EnforcementStatus::Done { .. }
    ));
    scene.undo(&planned.id).await.unwrap();
    assert_eq!(scene.policies()["alone"], before);
}

#[tokio::test]
async fn lines_are_kept_and_forgotten() {
    let (store, ..) = store::testing::fresh().await;
    assert_eq!(store.thresholds().await.unwrap(), ThresholdTable::default());
    let mut strict = Thresholds {
        enforcements: EnforcementKind::ALL.iter().copied().collect(),
        ..Thresholds::default()
    };
    strict.bounces.warn = "0.25 %".parse().unwrap();
    let parties = store::SenderMatch {
        owner: Some(OWNER.parse().unwrap()),
        account: None,
        identity: Some("news@shop.example".into()),
    };
    store.put_thresholds(None, &Thresholds::default()).await.unwrap();
    store.put_thresholds(Some(&parties), &strict).await.unwrap();
    let kept = store.thresholds().await.unwrap();
    assert_eq!(kept.default, Some(Thresholds::default()));
    assert_eq!(kept.overrides, [(parties.clone(), strict)]);
    store.delete_thresholds(Some(&parties)).await.unwrap();
    store.delete_thresholds(None).await.unwrap();
    assert_eq!(store.thresholds().await.unwrap(), ThresholdTable::default());
}
