//! The forms of the console's own pages.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::access::Session;
use crate::console::Console;
use crate::page::{TOKEN_FIELD, error_page};
use crate::parameters::Parameters;

/// The largest form in bytes. A payload of SQS has up to 1 MiB, and encoding can triple it.
const MAX_FORM: usize = 4 * 1024 * 1024;

/// The fields of a form of a signed-in browser, which has the token of its session.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) fields: Parameters,
    pub(crate) session: Session,
}

impl FromRequest<Console> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, _: &Console) -> Result<Self, Self::Rejection> {
        let session = request.extensions().get::<Session>().cloned();
        let fields = read_fields(request).await?;
        match session {
            Some(session) if session.form_token.matches(fields.get(TOKEN_FIELD)) => Ok(Self { fields, session }),
            _ => Err(error_page(
                StatusCode::FORBIDDEN,
                "The form is not of this session. Open the page again.",
            )
            .into_response()),
        }
    }
}

/// Reads the fields of a form.
///
/// # Errors
/// The response to what is no form, or too large.
pub(crate) async fn read_fields(request: Request) -> Result<Parameters, Response> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(error_page(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Expected a form.").into_response());
    }
    match to_bytes(request.into_body(), MAX_FORM).await {
        Ok(bytes) => Ok(Parameters::read(&bytes)),
        Err(_) => Err(error_page(StatusCode::PAYLOAD_TOO_LARGE, "The form is larger than 4 MiB.").into_response()),
    }
}
