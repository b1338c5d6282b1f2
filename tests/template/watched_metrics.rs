//! The metrics that alarms watch, for a test of each function: a run of the function emits them with exactly these names and
//! dimensions. `metrics.json` is the list; `test_alarms.py` compares it with the alarms of the templates.

use std::collections::BTreeSet;

use lambda_kit::Metrics;
use serde_json::Value;

/// The watched metrics of a function, such as `RecordFailures{Kind=parse}`.
pub(crate) fn watched(function: &str) -> BTreeSet<String> {
    let functions: Value = serde_json::from_str(include_str!("metrics.json")).expect("metrics.json is JSON");
    let list = functions.pointer(&format!("/{function}/watched")).cloned();
    serde_json::from_value(list.expect("metrics.json has the function")).expect("a list of metrics")
}

/// The metrics as CloudWatch stores them, in the same form, without the dimension `Stack` that each of them has.
pub(crate) fn emitted(metrics: &Metrics, namespace: &str) -> BTreeSet<String> {
    let lines = metrics.lines_of_stack(namespace, "postroom", jiff::Timestamp::UNIX_EPOCH);
    lines.iter().flat_map(of_document).collect()
}

fn of_document(document: &Value) -> Vec<String> {
    let directive = document.pointer("/_aws/CloudWatchMetrics/0").expect("a directive");
    let texts = |list: Option<&Value>, field: &str| -> Vec<String> {
        let items = list.and_then(Value::as_array).into_iter().flatten();
        let text = |item: &Value| item.get(field).unwrap_or(item).as_str().map(str::to_owned);
        items.filter_map(text).collect()
    };
    let mut dimensions = texts(directive.pointer("/Dimensions/0"), "Name");
    assert_eq!(dimensions.remove(0), "Stack", "the first dimension of every metric");
    let values = dimensions.iter().map(|name| {
        let value = document
            .get(name)
            .and_then(Value::as_str)
            .expect("the value of a dimension");
        format!("{name}={value}")
    });
    let values: Vec<String> = values.collect();
    let suffix = match values.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", values.join(",")),
    };
    let names = texts(directive.get("Metrics"), "Name").into_iter();
    names.map(|name| format!("{name}{suffix}")).collect()
}
