//! The HTTP client of the SDK clients: injects faults and delays, and delivers requests to the services.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::fault::Fault;
use super::request::SentRequest;
use super::response::{internal_error, throttling_error};
use super::services::Services;
use super::simulated::SimulatedAws;

impl HttpClient for SimulatedAws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SimulatedAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = SentRequest::of(&request);
        let mut services = self.services();
        services.figures.add("requests", 1);
        let fault = services.draw_fault(&request);
        services.trace(|| {
            format!(
                "    {} {}{}",
                request.operation(),
                fault.map_or(String::new(), |fault| format!("{fault:?} ")),
                request.describe_item()
            )
        });
        let (polls_before, polls_after) = (services.rng.u8(..4), services.rng.u8(..4));
        drop(services);
        HttpConnectorFuture::new(InFlightRequest {
            aws: self.clone(),
            request: Some(request),
            fault,
            polls_before,
            polls_after,
            response: None,
            mail: None,
        })
    }
}

type ResponseResult = Result<HttpResponse, ConnectorError>;

/// A request that takes some polls to reach the service and some more until the client has the response. A request that is
/// dropped before it reaches the service may still take effect later.
struct InFlightRequest {
    aws: SimulatedAws,
    request: Option<SentRequest>,
    fault: Option<Fault>,
    polls_before: u8,
    polls_after: u8,
    response: Option<ResponseResult>,
    /// The mail that this request sent.
    mail: Option<usize>,
}

impl Future for InFlightRequest {
    type Output = ResponseResult;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls_before > 0 {
            self.polls_before -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(request) = self.request.take() {
            let aws = self.aws.clone();
            let mut services = aws.services();
            self.response = apply(&mut services, request, self.fault);
            self.mail = services.take_sent_mail();
        }
        if self.polls_after > 0 {
            self.polls_after -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.response.take() {
            Some(response) => {
                if let (Ok(_), Some(mail)) = (&response, self.mail) {
                    self.aws.services().mark_mail_answered(mail);
                }
                Poll::Ready(response)
            }
            None => Poll::Pending,
        }
    }
}

/// Applies the request, with the injected fault if there is one. Returns `None` if the client receives no response.
fn apply(services: &mut Services, request: SentRequest, fault: Option<Fault>) -> Option<ResponseResult> {
    let connection_error = || Err(ConnectorError::io("the connection broke".into()));
    match fault {
        None => Some(Ok(services.serve(&request, false))),
        Some(Fault::Throttled) => Some(Ok(throttling_error(&request))),
        Some(Fault::InternalError) => Some(Ok(internal_error(&request))),
        Some(Fault::RequestLost) => Some(connection_error()),
        Some(Fault::ResponseLost) => {
            let _ = services.serve(&request, false);
            Some(connection_error())
        }
        Some(Fault::TimedOut) => {
            services.add_late_request(request);
            Some(Err(ConnectorError::timeout("no response in time".into())))
        }
        Some(Fault::Hangs) => {
            if services.rng.bool() {
                let _ = services.serve(&request, false);
            }
            None
        }
        Some(Fault::PartialBatch) => Some(Ok(services.serve(&request, true))),
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        let Some(request) = self.request.take() else {
            return;
        };
        let mut services = self.aws.services();
        if services.faults.is_enabled() && services.rng.bool() {
            services.trace(|| format!("    {} is still in flight", request.operation()));
            services.add_late_request(request);
        }
    }
}
