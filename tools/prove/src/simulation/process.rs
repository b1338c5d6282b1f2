//! Processes of the functions. A process has clients and caches of its own, and may stay warm.

use std::time::Duration;

use delegate_router::effects::Effects as RouterEffects;
use delegate_router::settings::Settings as RouterSettings;
use feedback::effects::Effects as FeedbackEffects;
use feedback::policy::{Policy, SuppressionPeriod};
use jiff::SignedDuration;
use notification_model::EmailAddress;
use reputation::ReputationMonitor;
use reputation_monitor::effects::Effects as MonitorEffects;
use reputation_monitor::settings::Settings as MonitorSettings;
use store::Store;

use super::queues::Queue;
use crate::aws::{
    ALARM_TOPIC_ARN, DELIVERY_DEAD_LETTER_QUEUE_URL, DELIVERY_QUEUE_URL, SimulatedAws, UNROUTED_TOPIC_ARN,
};
use crate::scenario::{HOME_ACCOUNT, Scenario};

/// A process that handles batches of one function.
#[derive(Debug)]
pub(super) enum Process {
    /// The feedback function.
    Feedback(Box<FeedbackEffects>),
    /// The router.
    Router(Box<RouterEffects>),
    /// The reputation monitor.
    Monitor(Box<MonitorEffects>),
}

impl Process {
    /// Whether this process handles the batches of a queue.
    pub(super) fn handles(&self, queue: Queue) -> bool {
        match self {
            Self::Feedback(_) => queue == Queue::Feedback,
            Self::Router(_) => matches!(queue, Queue::Router | Queue::Delivery),
            Self::Monitor(_) => queue == Queue::Schedule,
        }
    }
}

/// What the processes of a seed have in common.
#[derive(Debug)]
pub(super) struct ProcessSettings {
    policy: Policy,
    router: RouterSettings,
}

impl ProcessSettings {
    pub(super) fn new(scenario: &Scenario, concurrency: usize) -> Self {
        Self {
            policy: Policy {
                concurrency,
                // The longest scenarios exceed the default period.
                deliveries: SuppressionPeriod::Days(if scenario.days > 80 { 400 } else { 90 }),
                account: HOME_ACCOUNT.parse().ok(),
                ..Policy::default()
            },
            router: router_settings(concurrency),
        }
    }

    /// A new process for the batches of a queue.
    pub(super) fn start(&self, queue: Queue, aws: &SimulatedAws) -> Process {
        match queue {
            Queue::Feedback => Process::Feedback(Box::new(FeedbackEffects {
                store: new_store(aws),
                policy: self.policy.clone(),
            })),
            Queue::Router | Queue::Delivery => Process::Router(Box::new(self.start_router(aws))),
            Queue::Schedule => Process::Monitor(Box::new(start_monitor(aws, None))),
        }
    }

    /// A new process of the router.
    pub(super) fn start_router(&self, aws: &SimulatedAws) -> RouterEffects {
        RouterEffects::new(new_store(aws), aws.router_clients(), self.router.clone())
    }
}

/// A new process of the reputation monitor. Without a queue, alerts are only published.
pub(super) fn start_monitor(aws: &SimulatedAws, alert_queue_url: Option<&str>) -> MonitorEffects {
    let account = HOME_ACCOUNT.parse().expect("an account");
    let monitor = ReputationMonitor {
        store: new_store(aws),
        ses: aws.ses().into(),
        account,
    };
    let settings = MonitorSettings {
        table: "postroom".to_owned(),
        account: HOME_ACCOUNT.parse().expect("an account"),
        alarm_topic_arn: Some(ALARM_TOPIC_ARN.to_owned()),
        alert_queue_url: alert_queue_url.map(str::to_owned),
    };
    MonitorEffects::new(monitor, aws.monitor_clients(), settings)
}

/// A store with caches of its own.
pub(crate) fn new_store(aws: &SimulatedAws) -> Store {
    Store::new(aws.dynamodb(), "postroom")
}

fn router_settings(concurrency: usize) -> RouterSettings {
    RouterSettings {
        table: "postroom".to_owned(),
        account: HOME_ACCOUNT.parse().expect("an account"),
        delivery_queue_url: DELIVERY_QUEUE_URL.to_owned(),
        dead_letter_queue_url: DELIVERY_DEAD_LETTER_QUEUE_URL.to_owned(),
        unrouted_topic_arn: UNROUTED_TOPIC_ARN.to_owned(),
        digest_from: EmailAddress::parse("postroom@house.example"),
        digest_window: SignedDuration::from_hours(1),
        route_cache: Duration::from_secs(60),
        route_cache_keys: 1000,
        concurrency,
    }
}
