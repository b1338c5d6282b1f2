//! HTTP responses of the simulated services.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::json;

use super::request::SentRequest;

pub(super) fn response(status: u16, body: String) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("a status code");
    HttpResponse::new(status, SdkBody::from(body))
}

/// An error of a service with an XML protocol (SNS).
pub(super) fn xml_error(code: &str, status: u16) -> HttpResponse {
    let body = format!(
        r#"<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>-</Message></Error></ErrorResponse>"#
    );
    response(status, body)
}

/// The throttling error of the request's service.
pub(super) fn throttling_error(request: &SentRequest) -> HttpResponse {
    let code = match request.target.split('.').next() {
        Some("DynamoDB_20120810") => "ProvisionedThroughputExceededException",
        Some("AmazonSQS") => "RequestThrottled",
        _ => "ThrottlingException",
    };
    error(request, code, "Throttled", 400)
}

/// The internal error of the request's service.
pub(super) fn internal_error(request: &SentRequest) -> HttpResponse {
    error(request, "InternalServerError", "InternalError", 500)
}

fn error(request: &SentRequest, json_code: &str, xml_code: &str, status: u16) -> HttpResponse {
    if request.target.is_empty() {
        return xml_error(xml_code, status);
    }
    response(status, json!({"__type": json_code, "message": "-"}).to_string())
}
