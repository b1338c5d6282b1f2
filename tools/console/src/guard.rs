//! The checks of every request before any page sees it, and the headers of every response.
//!
//! An attacker is a web page in the operator's browser, or a page that another program serves on another port of this
//! computer. It can make the browser send requests to the console, but it cannot read the operator's terminal.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::console::Console;
use crate::page::{continue_page, error_page};

/// Headers of every response, also of errors. There is no header of CORS, so no other origin can read a response.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// Admits a request or rejects it, and adds the headers of every response.
pub(crate) async fn guard(State(console): State<Console>, request: Request, next: Next) -> Response {
    let mut response = match admit(&console, &request) {
        Ok(()) => next.run(request).await,
        Err(rejection) => *rejection,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn admit(console: &Console, request: &Request) -> Result<(), Box<Response>> {
    // A domain of the attacker that resolves to 127.0.0.1 (DNS rebinding) has its own name in Host.
    let authority = console.authority();
    let of_uri = request.uri().authority().map(|found| found.as_str());
    if single(request.headers(), &header::HOST) != Some(authority.as_str())
        || of_uri.is_some_and(|found| found != authority)
    {
        return Err(rejection(&format!("This console answers only at http://{authority}/.")));
    }
    check_origin(&authority, request)
}

/// A browser says in [`Sec-Fetch-Site`](https://www.w3.org/TR/fetch-metadata/) who caused a request, and no page can change it.
/// `same-site` is another port of this computer.
fn check_origin(authority: &str, request: &Request) -> Result<(), Box<Response>> {
    let headers = request.headers();
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let fetch_header = |name| single(headers, &HeaderName::from_static(name));
    let site = match headers.contains_key("sec-fetch-site") {
        true => Some(fetch_header("sec-fetch-site").unwrap_or("repeated")),
        false => None,
    };
    if !is_reading {
        // With `no-referrer`, a browser sends `Origin: null` with the console's own forms.
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let own = format!("http://{authority}");
        let is_own = origins.all(|origin| origin == own.as_str() || origin == "null");
        return match site {
            Some("same-origin") if is_own => Ok(()),
            None => Err(rejection(
                "The browser does not say where the request comes from (Sec-Fetch-Site). Use a newer browser.",
            )),
            _ => Err(rejection("The request does not come from a page of this console.")),
        };
    }
    match site {
        Some("same-origin" | "none") | None => Ok(()),
        // A link from elsewhere, such as one that a colleague sent. It shows nothing before a click in the console's own page.
        Some("cross-site" | "same-site")
            if fetch_header("sec-fetch-mode") == Some("navigate")
                && fetch_header("sec-fetch-dest") == Some("document") =>
        {
            match request.uri().path() {
                "/sign-in" => Ok(()),
                _ => Err(Box::new(continue_page(request.uri()).into_response())),
            }
        }
        _ => Err(rejection("Another site asked for this page.")),
    }
}

/// The value of a header that occurs once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn rejection(problem: &str) -> Box<Response> {
    Box::new(error_page(StatusCode::FORBIDDEN, problem).into_response())
}
