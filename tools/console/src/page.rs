//! The frame of every page: head, navigation, search, and how text of strangers is shown.

use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use operations::push_escaped;

use crate::access::Session;
use crate::console::Console;

/// The name of the field with the token of the session.
pub(crate) const TOKEN_FIELD: &str = "form-token";

/// The pages of the navigation.
const NAVIGATION: [(&str, &str); 5] = [
    ("/", "Recipient"),
    ("/suppressions", "Suppressions"),
    ("/senders", "Senders"),
    ("/inbound", "Inbound"),
    ("/explain", "Explain"),
];

/// A page and its status.
#[derive(Debug)]
pub(crate) struct Page {
    status: StatusCode,
    markup: Markup,
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (self.status, Html(self.markup.into_string())).into_response()
    }
}

/// A page with data, for a signed-in browser.
pub(crate) fn private_page(
    console: &Console,
    session: &Session,
    status: StatusCode,
    path: &str,
    title: &str,
    content: &Markup,
) -> Page {
    let settings = console.settings();
    let body = html! {
        header {
            a .skip href="#content" { "Skip to the content" }
            div .bar {
                p .name { "Postroom" }
                nav aria-label="Pages" {
                    ul {
                        @for (target, name) in NAVIGATION {
                            li { a href=(target) aria-current=[(target == path).then_some("page")] { (name) } }
                        }
                    }
                }
                form method="get" action="/" role="search" {
                    label .hidden for="search" { "Mail address" }
                    input #search name="address" type="search" placeholder="jane@example.net" autocomplete="off" autocapitalize="none" spellcheck="false";
                    button { "Search" }
                }
            }
            div .context {
                dl {
                    @for (name, value) in &settings.context {
                        div { dt { (name) } dd { (visible(value)) } }
                    }
                    div { dt { "Mode" } dd { (if settings.is_writable { "may write" } else { "read-only" }) } }
                }
                form method="post" action="/sign-out" {
                    (token_field(session))
                    button .plain { "Sign out" }
                }
            }
        }
        main #content tabindex="-1" {
            @if let Some(notice) = console.access().take_notice() {
                p .notice .good role="status" { (visible(&notice)) }
            }
            (content)
        }
    };
    Page {
        status,
        markup: document(title, &body),
    }
}

/// A page without data, for any browser.
pub(crate) fn public_page(status: StatusCode, title: &str, content: &Markup) -> Page {
    let body = html! {
        header { div .bar { p .name { "Postroom" } } }
        main #content { (content) }
    };
    Page {
        status,
        markup: document(title, &body),
    }
}

/// A page that says why there is nothing to show.
pub(crate) fn error_page(status: StatusCode, problem: &str) -> Page {
    let content = html! {
        h1 { (status.canonical_reason().unwrap_or("Error")) }
        p role="alert" { (visible(problem)) }
    };
    public_page(status, "Error", &content)
}

/// The page for a link from another site: it has no data, and leads to the page by a click.
pub(crate) fn continue_page(uri: &Uri) -> Page {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    // `//host/path` as a link is another site.
    let target = if target.starts_with("//") { "/" } else { target };
    let content = html! {
        h1 { "Open the console?" }
        p { "A link of another site leads here. Nothing is shown or changed before you open the page." }
        p { a .button href=(target) { "Open the page" } }
    };
    public_page(StatusCode::OK, "Open the console?", &content)
}

/// The hidden field that every form of a signed-in browser has.
pub(crate) fn token_field(session: &Session) -> Markup {
    html! { input type="hidden" name=(TOKEN_FIELD) value=(session.form_token.reveal()); }
}

/// Text with visible control and bidirectional characters. The template escapes the characters of HTML.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    push_escaped(&mut shown, text, true);
    shown
}

fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible(title)) " - Postroom" }
                link rel="stylesheet" href="/assets/style.css";
            }
            body { (body) }
        }
    }
}
