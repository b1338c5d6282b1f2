//! HTTP responses of the simulated services.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::json;

use super::request::{SentRequest, Service};

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

/// An error of S3.
pub(super) fn s3_error(code: &str, status: u16) -> HttpResponse {
    response(
        status,
        format!("<Error><Code>{code}</Code><Message>-</Message></Error>"),
    )
}

/// The throttling error of the request's service.
pub(super) fn throttling_error(request: &SentRequest) -> HttpResponse {
    let code = match request.service {
        Service::DynamoDb => "ProvisionedThroughputExceededException",
        Service::Sqs => "RequestThrottled",
        Service::Ses => "TooManyRequestsException",
        Service::EventBridge => "ThrottlingException",
        Service::Query => return xml_error("Throttled", 400),
        Service::S3 => return s3_error("SlowDown", 503),
    };
    json_error(code, 400)
}

/// The internal error of the request's service.
pub(super) fn internal_error(request: &SentRequest) -> HttpResponse {
    match request.service {
        Service::Query => xml_error("InternalError", 500),
        Service::S3 => s3_error("InternalError", 500),
        _ => json_error("InternalServerError", 500),
    }
}

/// An error of a service with a JSON protocol.
pub(super) fn json_error(code: &str, status: u16) -> HttpResponse {
    response(status, json!({"__type": code, "message": "-"}).to_string())
}
