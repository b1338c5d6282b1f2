//! A monitor on an embedded DynamoDB and a mocked SES that keeps its settings.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

pub(crate) mod ses;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use reputation::{Alert, ReputationMonitor, Round, Undo, UndoError, undo};
use store::{EnforcementKind, EventKind, Level, Sender, SenderBatch, SenderEvent, SendingStream, Store, Thresholds};

use ses::{SharedSettings, client};

pub(crate) const OWNER: &str = "111122223333";
pub(crate) const DELEGATE: &str = "444455556666";

pub(crate) struct Scene {
    pub(crate) monitor: ReputationMonitor,
    pub(crate) settings: SharedSettings,
    pub(crate) sender: Sender,
    pub(crate) now: Timestamp,
}

impl Scene {
    /// `account` sends from the owner's identity, and the monitor runs in the account `own`.
    pub(crate) async fn new(account: &str, own: &str, enforcements: &[EnforcementKind]) -> Self {
        let (store, ..) = store::testing::fresh().await;
        let thresholds = Thresholds {
            enforcements: enforcements.iter().copied().collect(),
            ..Thresholds::default()
        };
        store.put_thresholds(None, &thresholds).await.unwrap();
        let settings = SharedSettings::default();
        Self {
            monitor: ReputationMonitor {
                store,
                ses: client(&settings).into(),
                account: own.parse().unwrap(),
            },
            settings,
            sender: format!("{OWNER}/{account}/shop.example").parse().unwrap(),
            now: Timestamp::now(),
        }
    }

    /// The owner sends, and 10 of 100 recipients bounced. Pausing configuration sets is configured.
    pub(crate) async fn with_bad_campaign() -> Self {
        let scene = Self::new(OWNER, OWNER, &[EnforcementKind::PauseConfigurationSet]).await;
        scene.mail("bad", 100, 10).await;
        scene
    }

    pub(crate) fn store(&self) -> &Store {
        &self.monitor.store
    }

    /// Records recipients mailed through the configuration set `campaigns` for the tenant `acme`, and hard bounces.
    pub(crate) async fn mail(&self, message_id: &str, recipients: u64, hard_bounces: u64) {
        let stream = SendingStream {
            configuration_set: Some("campaigns".to_owned()),
            tenant: Some("acme".to_owned()),
        };
        let expires_at = self.now + SignedDuration::from_hours(100);
        let mut batch = SenderBatch::new(self.sender.clone(), stream.clone(), self.now);
        for recipient in 0..recipients {
            batch.add(EventKind::Send, message_id, &recipient.to_string());
        }
        self.store().count_batch(&batch, expires_at).await.unwrap();
        for recipient in 0..hard_bounces {
            let event = SenderEvent {
                sender: self.sender.clone(),
                stream: stream.clone(),
                kind: EventKind::Hard,
                at: self.now,
                message_id: message_id.to_owned(),
                recipient: EmailAddress::parse(&format!("r{recipient}@example.net")),
            };
            self.store().count_event(&event, expires_at).await.unwrap();
        }
    }

    /// Checks all senders. Returns the alerts without sending them.
    pub(crate) async fn check(&self) -> Vec<Alert> {
        self.round().await.alerts
    }

    pub(crate) async fn round(&self) -> Round {
        let round = self.monitor.round(self.now).await.unwrap();
        assert!(round.failures.is_empty(), "{:?}", round.failures);
        round
    }

    /// Checks all senders and marks the alerts as notified.
    pub(crate) async fn check_and_notify(&self) -> Vec<Alert> {
        let alerts = self.check().await;
        for alert in &alerts {
            self.monitor.mark_notified(alert).await.unwrap();
        }
        alerts
    }

    pub(crate) async fn undo(&self, id: &str) -> Result<Undo, UndoError> {
        undo(self.store(), &self.monitor.ses, id, "olga", self.now).await
    }

    pub(crate) fn pass(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    pub(crate) fn policies(&self) -> BTreeMap<String, String> {
        self.settings.lock().unwrap().policies.clone()
    }
}

pub(crate) fn levels(alerts: &[Alert]) -> Vec<(&'static str, Level)> {
    alerts
        .iter()
        .map(|alert| (alert.state.window.as_str(), alert.state.level))
        .collect()
}

/// The ids of the enforcements that can be undone.
pub(crate) fn enforcement_ids(alerts: &[Alert]) -> Vec<String> {
    let reports = alerts.iter().flat_map(|alert| &alert.enforcements);
    reports.filter_map(|report| report.id.clone()).collect()
}
