//! A request that a client has sent.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

/// A service, as far as requests and errors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    DynamoDb,
    Sqs,
    EventBridge,
    /// SES API v2.
    Ses,
    S3,
    /// A service with the query protocol: SNS, and SES API v1.
    Query,
}

/// A request on its way to a service.
#[derive(Debug, Clone)]
pub(super) struct SentRequest {
    pub(super) service: Service,
    /// Whether the SDK sends the request for the first time.
    pub(super) is_first_attempt: bool,
    /// The operation. Of SES API v2: the method and the path below `/v2/email/`. Of S3: the key of the object.
    operation: String,
    pub(super) body: Vec<u8>,
}

impl SentRequest {
    /// DynamoDB, SQS and EventBridge name the operation in a header, SES API v2 in the path, the query protocol in the body.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let path = request.uri().split_once("/v2/email/").map(|(_, path)| path);
        let (service, operation) = match (target.split_once('.'), path) {
            (Some((service, operation)), _) => {
                let service = match service {
                    "DynamoDB_20120810" => Service::DynamoDb,
                    "AmazonSQS" => Service::Sqs,
                    _ => Service::EventBridge,
                };
                (service, operation.to_owned())
            }
            (None, Some("outbound-emails")) => (Service::Ses, "SendEmail".to_owned()),
            (None, Some(path)) => (Service::Ses, format!("{} {path}", request.method())),
            (None, None) if request.uri().contains(".s3.") => {
                let path = request.uri().split('/').skip(3).collect::<Vec<_>>().join("/");
                (Service::S3, path.split('?').next().unwrap_or_default().to_owned())
            }
            (None, None) => {
                let action = form_urlencoded::parse(&body).find(|(name, _)| name == "Action");
                let action = action.map(|(_, action)| action.into_owned());
                (Service::Query, action.expect("a request of the query protocol"))
            }
        };
        let attempt = request.headers().get("amz-sdk-request").unwrap_or_default();
        Self {
            service,
            is_first_attempt: attempt.starts_with("attempt=1"),
            operation,
            body,
        }
    }

    pub(super) fn operation(&self) -> &str {
        &self.operation
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
