//! Events of the EventBridge source `aws.ses` that are not about a mail.

use serde_json::Value;

/// Returns whether an `eventType` is one of
/// [CloudTrail](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
pub(crate) fn is_cloudtrail(event_type: &str) -> bool {
    ["AwsApiCall", "AwsServiceEvent", "AwsConsoleAction", "AwsConsoleSignIn"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(event_type))
}

/// Describes the `detail` of an event in one line.
pub(crate) fn describe_detail(detail: &Value) -> Option<String> {
    match detail.get("eventName").and_then(Value::as_str) {
        Some(operation) => Some(operation.to_owned()),
        None => describe_data(detail.get("data")?),
    }
}

/// Describes the `data` of a detail: the text of a recommendation, or a sending status with its cause.
pub(crate) fn describe_data(data: &Value) -> Option<String> {
    if let Some(text) = data.as_str() {
        return Some(text.to_owned());
    }
    let record = data.get("record")?;
    let texts = [data.get("origin"), record.get("status"), record.get("cause")];
    let texts: Vec<&str> = texts.into_iter().flatten().filter_map(Value::as_str).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
