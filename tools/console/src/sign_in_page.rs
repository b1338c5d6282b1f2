//! The sign-in page. With JavaScript it takes the token from the fragment of the link; without, the operator types it.

use axum::http::StatusCode;
use maud::{Markup, html};

use crate::page::{Page, public_page};

/// The page, which leads to the path `next`.
pub(crate) fn sign_in_page(status: StatusCode, next: &str, problem: Option<&str>) -> Page {
    let content: Markup = html! {
        h1 { "Sign in" }
        @if let Some(problem) = problem { p .notice .bad role="alert" { (problem) } }
        p { "Open the link that " code { "postroomctl console" } " printed, or enter its token: the characters after " code { "#" } "." }
        form #sign-in method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            label for="token" { "Token" }
            input #token name="token" type="password" required autocomplete="off" autocapitalize="none" spellcheck="false";
            button { "Sign in" }
        }
        p { "A token works once. Press Enter in the terminal for another one." }
        script src="/assets/sign-in.js" {}
    };
    public_page(status, "Sign in", &content)
}
