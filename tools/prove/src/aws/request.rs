//! A request that a client has sent.

use serde_json::Value;

/// A request on its way to a service.
#[derive(Debug, Clone)]
pub(super) struct SentRequest {
    /// Service and operation, as in the header `x-amz-target`. Empty for SNS, which names the action in the body.
    pub(super) target: String,
    pub(super) body: Vec<u8>,
}

impl SentRequest {
    pub(super) fn operation(&self) -> &str {
        match self.target.rsplit('.').next() {
            Some("") | None => "Publish",
            Some(operation) => operation,
        }
    }

    /// Keys and condition of a DynamoDB request, for the trace.
    pub(super) fn describe_item(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let key = body.get("Key").or_else(|| body.get("Item"));
        let text = |name: &str| key.and_then(|key| key[name]["S"].as_str()).unwrap_or_default();
        let condition = body.get("ConditionExpression").and_then(Value::as_str);
        format!(
            "{} {} {}",
            text("pk"),
            text("sk"),
            condition.map_or(String::new(), |condition| format!("if {condition}"))
        )
    }
}
