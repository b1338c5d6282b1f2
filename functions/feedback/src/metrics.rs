//! CloudWatch metrics in the [Embedded Metric Format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
//! a JSON line on standard output that CloudWatch Logs turns into metrics. No call, no latency.
//!
//! Dimensions are words from fixed lists only, never an address, account or identity: each combination is billed.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use ledger::Origin;
use notification_model::Notification;
use serde_json::{Map, Value, json};

use crate::decide::Action;
use crate::effects::StreakChange;
use crate::judgement::Judgement;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/Feedback";

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

    /// Counts a notification by type, its judgements by kind and reason, and what was done.
    pub fn notification(&mut self, notification: &Notification, actions: &[Action], now: Timestamp) {
        self.count(
            "Notifications",
            vec![("Type", crate::type_word(&notification.event).to_owned())],
        );
        self.ages_ms
            .push(now.duration_since(notification.occurred_at()).as_millis().max(0) as i64);
        for action in actions {
            let Action::Record { origin, entry, .. } = action else {
                continue;
            };
            let metric = match (origin, entry.blocked) {
                (Origin::SesList, _) => "Echoes",
                (Origin::List(_) | Origin::Topic(_), true) => "OptOuts",
                (Origin::List(_) | Origin::Topic(_), false) => "OptIns",
                (_, true) => "Suppressions",
                (_, false) => "Releases",
            };
            self.count(metric, vec![]);
        }
    }

    /// Counts the streaks that changed.
    pub fn streaks(&mut self, changes: &[StreakChange]) {
        for change in changes {
            let metric = match change {
                StreakChange::Suppressed => "Suppressions",
                StreakChange::Recovered => "Releases",
            };
            self.count(metric, vec![]);
        }
    }

    /// Counts a judgement.
    pub fn judgement(&mut self, judgement: &Judgement) {
        let dimensions = vec![
            ("Kind", judgement.kind.to_string()),
            ("Reason", judgement.reason.to_string()),
        ];
        self.count("Judgements", dimensions);
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
