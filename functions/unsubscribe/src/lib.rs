//! Lambda function behind a Function URL: one-click unsubscribe, [RFC 8058](https://www.rfc-editor.org/rfc/rfc8058).
//!
//! Request -> [`request::read`] -> token -> [`effects::Effects`] -> [`response::Response`].
//!
//! The URL of a mail is `https://ID.lambda-url.REGION.on.aws/TOKEN`.
//!
//! | request | response | change |
//! |---|---|---|
//! | POST of a mail program or of the page, with `List-Unsubscribe=One-Click` | 200 | unsubscribes |
//! | any other POST | 400 | none |
//! | GET and HEAD | 200, a page with a button that sends the POST | none, because virus scanners follow links |
//! | any other method | 405 | none |
//! | any request without a valid token | 404, for an expired one 410 | none |
//! | too many requests | 429 | none |
//!
//! A Function URL has no limiter, and everyone can call it. A request without a valid token costs one check of a MAC and no
//! request to AWS. A valid token is limited by counters in the table. No response redirects, because a mail program does not
//! follow a redirect of its POST.

pub mod effects;
pub mod metrics;
pub mod page;
pub mod request;
pub mod response;
pub mod settings;

use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::Value;
use unsubscribe_token::Token;

use crate::effects::{Answer, Effects};
use crate::request::{Method, Request};
use crate::response::Response;

/// Answers a request, and adds to the metrics. Never fails: a failure of AWS is the response 503, after which a mail program
/// tries again.
pub async fn handle(event: &Value, effects: &Effects, metrics: &mut Metrics, now: Timestamp) -> Response {
    let request = match request::read(event) {
        Ok(request) => request,
        Err(error) => {
            tracing::warn!(%error, "not a request of a Function URL");
            metrics::count(metrics, "invalid-request");
            return Response::page(400, &page::failure("This request cannot be read."));
        }
    };
    let (response, outcome) = answer(&request, effects, now).await;
    metrics::count(metrics, outcome);
    match request.method {
        Method::Head => response.without_body(),
        _ => response,
    }
}

async fn answer(request: &Request, effects: &Effects, now: Timestamp) -> (Response, &'static str) {
    if request.method == Method::Other {
        let response = Response::page(405, &page::failure("Use the link in the mail."));
        return (response.with_header("allow", "GET, HEAD, POST"), "method-not-allowed");
    }
    let keys = match effects.keys().await {
        Ok(keys) => keys,
        Err(error) => {
            tracing::error!(%error, "the keys of unsubscribe tokens cannot be read");
            return (unavailable(), "failed");
        }
    };
    let token = match Token::read_at(&request.token, &keys, now) {
        Ok(token) => token,
        Err(error) => return invalid_token(error),
    };
    match request.method {
        Method::Get | Method::Head => (Response::page(200, &page::question()), "page"),
        Method::Post if !request.is_one_click => (
            Response::page(400, &page::failure("The request does not ask to unsubscribe.")),
            "invalid-request",
        ),
        Method::Post | Method::Other => match effects.unsubscribe(&token, request, now).await {
            Ok(Answer::Unsubscribed) => (Response::page(200, &page::success()), "unsubscribed"),
            Ok(Answer::Superseded) => (Response::page(200, &page::superseded()), "superseded"),
            Ok(Answer::TooManyRequests) => {
                let response = Response::page(429, &page::failure("Too many requests. Try again in a minute."));
                (response.with_header("retry-after", "60"), "too-many-requests")
            }
            Err(error) => {
                tracing::error!(request_id = request.id, %error, "not unsubscribed");
                (unavailable(), "failed")
            }
        },
    }
}

fn invalid_token(error: unsubscribe_token::TokenError) -> (Response, &'static str) {
    match error {
        unsubscribe_token::TokenError::Expired => {
            let text = "This link has expired. Use the link in a newer mail.";
            (Response::page(410, &page::failure(text)), "expired-token")
        }
        _ => {
            let text = "This link is not valid. Check that the whole link was copied.";
            (Response::page(404, &page::failure(text)), "invalid-token")
        }
    }
}

fn unavailable() -> Response {
    let page = page::failure("This does not work at the moment. Try again in a minute.");
    Response::page(503, &page).with_header("retry-after", "60")
}
