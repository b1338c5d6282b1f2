//! CloudWatch metrics in the [Embedded Metric Format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
//! JSON lines on standard output that CloudWatch Logs turns into metrics. No call, no latency.
//!
//! Dimensions are words from fixed lists only, never an address, account or identity: each combination is billed.
//!
//! ```
//! use lambda_kit::Metrics;
//!
//! let mut metrics = Metrics::default();
//! metrics.count("Notifications", vec![("Type", "Bounce".to_owned())]);
//! let lines = metrics.lines("Postroom/Feedback", jiff::Timestamp::UNIX_EPOCH);
//! assert_eq!(lines[0]["Notifications"], 1);
//! assert_eq!(lines[0]["Type"], "Bounce");
//! ```

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Values an EMF array may hold.
const MAX_VALUES: usize = 100;

/// Name and value of each dimension of a metric.
pub type Dimensions = Vec<(&'static str, String)>;

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

    /// Notes how long ago something happened that is handled now, for the metric `NotificationAge`.
    pub fn age(&mut self, happened_at: Timestamp, now: Timestamp) {
        self.ages_ms
            .push(now.duration_since(happened_at).as_millis().max(0) as i64);
    }

    /// Adds another share.
    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
        self.ages_ms.extend(other.ages_ms);
    }

    /// The lines to print, one for each combination of dimensions.
    #[must_use]
    pub fn lines(&self, namespace: &str, now: Timestamp) -> Vec<Value> {
        let mut by_dimensions: BTreeMap<&Dimensions, Vec<(&str, Value, &str)>> = BTreeMap::new();
        for ((dimensions, metric), count) in &self.counts {
            by_dimensions
                .entry(dimensions)
                .or_default()
                .push((metric, json!(count), "EventKind"));
        }
        let none = Dimensions::new();
        let counts = by_dimensions
            .into_iter()
            .map(|(dimensions, metrics)| line(namespace, dimensions, &metrics, now));
        let ages = self.ages_ms.chunks(MAX_VALUES).map(|ages| {
            line(
                namespace,
                &none,
                &[("NotificationAge", json!(ages), "Milliseconds")],
                now,
            )
        });
        counts.chain(ages).collect()
    }

    /// Prints the lines. A closed standard output is no reason to fail a batch.
    pub fn emit(&self, namespace: &str, now: Timestamp) {
        let mut out = std::io::stdout().lock();
        for line in self.lines(namespace, now) {
            let _ = writeln!(out, "{line}");
        }
    }
}

fn line(namespace: &str, dimensions: &Dimensions, metrics: &[(&str, Value, &str)], now: Timestamp) -> Value {
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
            "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": [names], "Metrics": definitions}],
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
