//! CloudWatch metrics in the [Embedded Metric Format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
//! JSON lines on standard output that CloudWatch Logs turns into metrics, without a call and without latency.
//!
//! Every metric has the dimension `Stack`, so that two stacks of an account and Region have metrics of their own.
//!
//! The values of a dimension come from a fixed list, never from an address, account or identity, because CloudWatch bills
//! each combination as a metric of its own.
//!
//! # Why not `metrics_cloudwatch_embedded`
//!
//! An EMF array holds at most 100 values. `metrics_cloudwatch_embedded` drops the values of a histogram beyond 100 per
//! flush, and an invocation with a large batch records more. [`Metrics::lines`] writes them in chunks of 100.
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

/// Maximum number of values in an EMF array.
const MAX_VALUES: usize = 100;

/// The name and value of each dimension of a metric.
pub type Dimensions = Vec<(&'static str, String)>;

/// The metrics of one invocation.
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

    /// Adds the time since `occurred_at` to the metric `NotificationAge`, in milliseconds.
    pub fn age(&mut self, occurred_at: Timestamp, now: Timestamp) {
        self.ages_ms
            .push(now.duration_since(occurred_at).as_millis().max(0) as i64);
    }

    /// Counts a completed run of a schedule in the metric `ScheduledRuns` with the dimension `Schedule`. An alarm goes off when
    /// these counts stop.
    pub fn scheduled_run(&mut self, schedule: &'static str) {
        self.count("ScheduledRuns", vec![("Schedule", schedule.to_owned())]);
    }

    /// Adds the metrics of `other`.
    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
        self.ages_ms.extend(other.ages_ms);
    }

    /// Returns the EMF documents, one for each combination of dimensions, without the dimension `Stack`.
    #[must_use]
    pub fn lines(&self, namespace: &str, now: Timestamp) -> Vec<Value> {
        let mut by_dimensions: BTreeMap<&Dimensions, Vec<(&str, Value, &str)>> = BTreeMap::new();
        for ((dimensions, metric), count) in &self.counts {
            by_dimensions
                .entry(dimensions)
                .or_default()
                .push((metric, json!(count), "Count"));
        }
        let no_dimensions = Dimensions::new();
        let counts = by_dimensions
            .into_iter()
            .map(|(dimensions, metrics)| emf_document(namespace, dimensions, &metrics, now));
        let ages = self.ages_ms.chunks(MAX_VALUES).map(|ages| {
            emf_document(
                namespace,
                &no_dimensions,
                &[("NotificationAge", json!(ages), "Milliseconds")],
                now,
            )
        });
        counts.chain(ages).collect()
    }

    /// Returns the EMF documents with the dimension `Stack`, the name of the stack, as the first one.
    #[must_use]
    pub fn lines_of_stack(&self, namespace: &str, stack: &str, now: Timestamp) -> Vec<Value> {
        let mut lines = self.lines(namespace, now);
        for line in &mut lines {
            add_stack(line, stack);
        }
        lines
    }

    /// Prints the EMF documents of [`lines_of_stack`](Self::lines_of_stack) to standard output, one a line. Ignores errors, so
    /// that a closed standard output does not fail a batch.
    pub fn emit(&self, namespace: &str, stack: &str, now: Timestamp) {
        let mut out = std::io::stdout().lock();
        for line in self.lines_of_stack(namespace, stack, now) {
            let _ = writeln!(out, "{line}");
        }
    }
}

/// Adds the dimension `Stack` to an EMF document.
fn add_stack(document: &mut Value, stack: &str) {
    let dimensions = document.pointer_mut("/_aws/CloudWatchMetrics/0/Dimensions/0");
    if let Some(names) = dimensions.and_then(Value::as_array_mut) {
        names.insert(0, json!("Stack"));
    }
    if let Some(fields) = document.as_object_mut() {
        fields.insert("Stack".to_owned(), json!(stack));
    }
}

fn emf_document(namespace: &str, dimensions: &Dimensions, metrics: &[(&str, Value, &str)], now: Timestamp) -> Value {
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
