//! CloudWatch metrics in the [Embedded Metric Format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
//! a JSON line on standard output that CloudWatch Logs turns into metrics. No call, no latency.
//!
//! Dimensions are words from fixed lists only, never an address, account or identity: each combination is billed.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use ledger::Target;
use notification_model::{Event, Notification};
use serde_json::{Map, Value, json};

use crate::decide::Action;
use crate::delivery::Delivery;
use crate::effects::Delivered;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/DelegateRouter";

/// Values an EMF array may hold.
const MAX_AGES: usize = 100;

type Dimensions = Vec<(&'static str, String)>;

/// What one invocation adds to the metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    counts: BTreeMap<(Dimensions, &'static str), u64>,
    ages_ms: Vec<i64>,
}

impl Metrics {
    /// Adds one to a metric.
    pub fn count(&mut self, metric: &'static str, dimensions: Dimensions) {
        *self.counts.entry((dimensions, metric)).or_default() += 1;
    }

    /// A notification by type, how old it is, and where it goes.
    #[must_use]
    pub fn of(notification: &Notification, actions: &[Action], now: Timestamp) -> Self {
        let mut metrics = Self::default();
        let name = match &notification.event {
            Event::Other(_) => "Other",
            event => event.name(),
        };
        metrics.count("Notifications", vec![("Type", name.to_owned())]);
        metrics
            .ages_ms
            .push(now.duration_since(notification.occurred_at()).as_millis().max(0) as i64);
        metrics.went(actions);
        metrics
    }

    /// Counts what became of a delivery.
    pub fn delivered(&mut self, delivery: &Delivery, end: Delivered) {
        let metric = match end {
            Delivered::Taken => "Delivered",
            Delivered::Parked => "Parked",
        };
        self.count(metric, vec![("Target", kind(&delivery.target))]);
    }

    /// Counts an alert that was told, and where it went.
    pub fn told(&mut self, kind: &str, actions: &[Action]) {
        self.count("Alerts", vec![("Kind", kind.to_owned())]);
        self.went(actions);
    }

    fn went(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Deliver(delivery) => self.count("Routed", vec![("Target", self::kind(&delivery.target))]),
                Action::Unrouted(unrouted) => {
                    self.count("Unrouted", vec![("Reason", unrouted.reason.as_str().to_owned())]);
                }
            }
        }
    }

    /// Adds another invocation's share.
    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
        self.ages_ms.extend(other.ages_ms);
    }

    /// The lines to print, one for each combination of dimensions.
    #[must_use]
    pub fn lines(&self, now: Timestamp) -> Vec<Value> {
        let mut by_dimensions: BTreeMap<&Dimensions, Vec<(&str, Value, &str)>> = BTreeMap::new();
        for ((dimensions, metric), count) in &self.counts {
            by_dimensions
                .entry(dimensions)
                .or_default()
                .push((metric, json!(count), "Count"));
        }
        let mut lines: Vec<Value> = by_dimensions
            .into_iter()
            .map(|(dimensions, metrics)| line(dimensions, &metrics, now))
            .collect();
        for ages in self.ages_ms.chunks(MAX_AGES) {
            lines.push(line(
                &Vec::new(),
                &[("NotificationAge", json!(ages), "Milliseconds")],
                now,
            ));
        }
        lines
    }

    /// Prints the lines. A closed standard output is no reason to fail a batch.
    pub fn emit(&self, now: Timestamp) {
        let mut out = std::io::stdout().lock();
        for line in self.lines(now) {
            let _ = writeln!(out, "{line}");
        }
    }
}

fn kind(target: &Target) -> String {
    let kind = match target {
        Target::Topic(_) => "topic",
        Target::Queue(_) => "queue",
        Target::Bus(_) => "bus",
        Target::Email(_) => "email",
    };
    kind.to_owned()
}

fn line(dimensions: &Dimensions, metrics: &[(&str, Value, &str)], now: Timestamp) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let definitions: Vec<Value> = metrics
        .iter()
        .map(|(name, _, unit)| json!({"Name": name, "Unit": unit}))
        .collect();
    let mut fields = Map::new();
    fields.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": definitions}],
        }),
    );
    fields.extend(
        dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value))),
    );
    fields.extend(
        metrics
            .iter()
            .map(|(name, value, _)| ((*name).to_owned(), value.clone())),
    );
    Value::Object(fields)
}
