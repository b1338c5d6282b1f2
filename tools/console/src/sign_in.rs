//! Signing in and out.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use crate::console::Console;
use crate::form::{Form, read_fields};
use crate::page::{Page, error_page};
use crate::sign_in_page::sign_in_page;

/// `GET /sign-in`.
pub(crate) async fn show() -> Page {
    sign_in_page(StatusCode::OK, "/", None)
}

/// `POST /sign-in`: exchanges the token for a cookie.
pub(crate) async fn exchange(State(console): State<Console>, request: Request) -> Response {
    let fields = match read_fields(request).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    let next = local_path(fields.get("next"));
    let session = match console.access().sign_in(fields.get("token")) {
        Ok(Some(session)) => session,
        Ok(None) => {
            let problem = "The token is wrong or was used. Press Enter in the terminal for another one.";
            return sign_in_page(StatusCode::FORBIDDEN, next, Some(problem)).into_response();
        }
        Err(error) => return error_page(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()).into_response(),
    };
    let name = console.cookie_name();
    let cookie = format!("{name}={}; HttpOnly; SameSite=Strict; Path=/", session.reveal());
    with_cookie(Redirect::to(next).into_response(), &cookie)
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(State(console): State<Console>, _: Form) -> Response {
    console.access().sign_out();
    let name = console.cookie_name();
    let cookie = format!("{name}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    with_cookie(Redirect::to("/sign-in").into_response(), &cookie)
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// A path of the console, or `/` for anything else: `//host` and `/\host` are other sites to a browser.
fn local_path(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| (b'!'..=b'~').contains(&byte))
        && next.parse::<Uri>().is_ok();
    if is_local { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn only_a_path_of_the_console_follows_the_sign_in() {
        assert_eq!(
            local_path("/recipient?address=a%40b.example"),
            "/recipient?address=a%40b.example"
        );
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "evil",
            "/a\r\nb",
            "/a b",
            "/\t/x",
        ] {
            assert_eq!(local_path(other), "/", "{other:?}");
        }
    }
}
