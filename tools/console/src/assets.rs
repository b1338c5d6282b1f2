//! The style sheet and the script, which are part of the program.

use axum::http::header;
use axum::response::IntoResponse;

const STYLE: &str = include_str!("../assets/style.css");
const SIGN_IN: &str = include_str!("../assets/sign-in.js");

/// `GET /assets/style.css`.
pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// `GET /assets/sign-in.js`.
pub(crate) async fn sign_in_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SIGN_IN)
}
