//! The routes.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::admission::{require_session, require_write};
use crate::console::Console;
use crate::page::error_page;
use crate::{assets, explain, guard, inbound, recipient, recipient_changes, senders, sign_in, suppressions};

/// Returns the routes of a console. The guard is around all of them, and around the answer to an unknown path.
pub fn router(console: Console) -> Router {
    let changes = Router::new()
        .route("/recipient/release", post(recipient_changes::release))
        .route("/recipient/suppress", post(recipient_changes::suppress))
        .route_layer(from_fn_with_state(console.clone(), require_write));
    let private = Router::new()
        .route("/", get(recipient::show))
        .route("/suppressions", get(suppressions::show))
        .route("/senders", get(senders::show))
        .route("/inbound", get(inbound::show))
        .route("/explain", get(explain::show).post(explain::explain_payload))
        .route("/sign-out", post(sign_in::sign_out))
        .merge(changes)
        .route_layer(from_fn_with_state(console.clone(), require_session));
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::exchange))
        .route("/assets/style.css", get(assets::style))
        .route("/assets/sign-in.js", get(assets::sign_in_script))
        .merge(private)
        .fallback(async || error_page(StatusCode::NOT_FOUND, "There is no such page."))
        .layer(from_fn_with_state(console.clone(), guard::guard))
        .with_state(console)
}
