//! What a request needs before a page handles it: a session, and for a change a console that may write.

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::access::Session;
use crate::console::Console;
use crate::page::error_page;
use crate::sign_in_page::sign_in_page;

/// Asks a browser without a session to sign in, and leads it to the page that it asked for afterwards.
pub(crate) async fn require_session(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    let Some(session) = session(&console, &request) else {
        let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
        let page = request.uri().path_and_query().filter(|_| is_reading);
        return sign_in_page(StatusCode::UNAUTHORIZED, page.map_or("/", |page| page.as_str()), None).into_response();
    };
    request.extensions_mut().insert(session);
    next.run(request).await
}

/// Rejects a change by a console that only reads.
pub(crate) async fn require_write(State(console): State<Console>, request: Request, next: Next) -> Response {
    if console.settings().is_writable {
        return next.run(request).await;
    }
    error_page(
        StatusCode::FORBIDDEN,
        "This console only reads. Start it with --write to change something.",
    )
    .into_response()
}

fn session(console: &Console, request: &Request) -> Option<Session> {
    let name = console.cookie_name();
    let cookies = request.headers().get_all(header::COOKIE).iter();
    let pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let mut values = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name);
    let (_, value) = values.next()?;
    console.access().session(value)
}
