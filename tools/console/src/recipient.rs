//! The page about a recipient: may it be mailed, why not, and what happened.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use notification_model::EmailAddress;
use operations::{
    active_suppressions, parse_address, period_text, read_recipient, recipient_version, scope_text, suppressed_since,
};
use store::{ActiveSuppression, HistoryEntry, Recipient, Scope, SuppressionSource};

use crate::access::Session;
use crate::console::Console;
use crate::page::{Page, private_page, token_field, visible};
use crate::parameters::Parameters;
use crate::time::time;

/// `GET /?address=...`.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Parameters::read(query.unwrap_or_default().as_bytes());
    recipient_page(&console, &session, query.get("address"), None)
        .await
        .into_response()
}

/// The page for a text that should be an address, with the problem of a change that was not made.
pub(crate) async fn recipient_page(
    console: &Console,
    session: &Session,
    text: &str,
    problem: Option<(StatusCode, &str)>,
) -> Page {
    let status = problem.map_or(StatusCode::OK, |(status, _)| status);
    let (status, report) = match parse_address(text) {
        _ if text.is_empty() => (
            status,
            html! { p { "Enter a mail address to see whether it may be mailed, and why not." } },
        ),
        None => (
            StatusCode::BAD_REQUEST,
            html! { p role="alert" { (visible(text)) " is not a mail address. Expected an address such as jane@example.net." } },
        ),
        Some(address) => match report(console, session, &address).await {
            Ok(report) => (status, report),
            Err(error) => (
                StatusCode::BAD_GATEWAY,
                html! { p .notice .bad role="alert" { (visible(&error.to_string())) } },
            ),
        },
    };
    let content = html! {
        h1 { "Recipient" }
        form method="get" action="/" {
            label for="address" { "Mail address" }
            input #address name="address" type="text" inputmode="email" value=(visible(text)) autocomplete="off" autocapitalize="none" spellcheck="false";
            button { "Look up" }
        }
        @if let Some((_, problem)) = problem { p .notice .bad role="alert" { (visible(problem)) } }
        (report)
    };
    let title = if text.is_empty() { "Recipient" } else { text };
    private_page(console, session, status, "/", title, &content)
}

async fn report(console: &Console, session: &Session, address: &EmailAddress) -> Result<Markup, store::StoreError> {
    let recipient = read_recipient(console.store(), address).await?;
    let history = console.store().history(address).await?;
    let suppressions = active_suppressions(&recipient, Timestamp::now());
    Ok(html! {
        section aria-labelledby="verdict" {
            h2 #verdict { (visible(address.key())) }
            (verdict(&suppressions))
        }
        @for suppression in &suppressions { (decision(suppression, &history)) }
        @if console.settings().is_writable { (changes(session, address, &recipient, &suppressions)) }
        (time_line(&history))
    })
}

fn verdict(suppressions: &[ActiveSuppression]) -> Markup {
    let is_for_all = suppressions.iter().any(|suppression| {
        suppression.scope == Scope::Global
            && !matches!(
                suppression.source,
                SuppressionSource::List(_) | SuppressionSource::Topic(_)
            )
    });
    html! {
        @if is_for_all { p .verdict .bad { "Suppressed: no sender may mail it." } }
        @else if suppressions.is_empty() { p .verdict .good { "Not suppressed: every sender may mail it." } }
        @else { p .verdict .warn { "Suppressed for some mail, which is named below. Other mail may be sent." } }
    }
}

fn decision(suppression: &ActiveSuppression, history: &[HistoryEntry]) -> Markup {
    let entry = &suppression.entry;
    html! {
        section .panel {
            h3 { "Suppressed " (visible(&scope_text(&suppression.scope))) ", " (period_text(entry)) }
            dl .facts {
                dt { "Reason" } dd { (visible(&entry.reason)) }
                dt { "Source" } dd { (visible(&suppression.source.to_string())) }
                dt { "Since" } dd { (time(suppressed_since(suppression, history))) }
                @for (name, value) in &entry.evidence { dt { (visible(name)) } dd { (visible(value)) } }
            }
        }
    }
}

fn changes(
    session: &Session,
    address: &EmailAddress,
    recipient: &Recipient,
    suppressions: &[ActiveSuppression],
) -> Markup {
    let fields = html! {
        (token_field(session))
        input type="hidden" name="address" value=(address.as_str());
        input type="hidden" name="version" value=(recipient_version(recipient));
    };
    let mut scopes: Vec<&Scope> = suppressions.iter().map(|suppression| &suppression.scope).collect();
    scopes.dedup();
    html! {
        @if !suppressions.is_empty() {
            section .panel aria-labelledby="release" {
                h2 #release { "Release" }
                form method="post" action="/recipient/release" {
                    (fields)
                    label for="release-scope" { "For" }
                    select #release-scope name="scope" {
                        option value="" { "every scope in which it is suppressed" }
                        @for scope in scopes { option value=(scope.to_string()) { (visible(&scope_text(scope))) } }
                    }
                    label for="release-reason" { "Reason" }
                    input #release-reason name="reason" required autocomplete="off";
                    button { "Release" }
                }
            }
        }
        section .panel aria-labelledby="suppress" {
            h2 #suppress { "Suppress" }
            form method="post" action="/recipient/suppress" {
                (fields)
                label for="suppress-scope" { "Scope: global, tenant:NAME or domain:NAME" }
                input #suppress-scope name="scope" value="global" required autocomplete="off" autocapitalize="none" spellcheck="false";
                label for="suppress-days" { "Days (empty: permanently)" }
                input #suppress-days name="days" type="number" min="1" max="36500" inputmode="numeric";
                label for="suppress-reason" { "Reason" }
                input #suppress-reason name="reason" required autocomplete="off";
                button { "Suppress" }
            }
        }
    }
}

fn time_line(history: &[HistoryEntry]) -> Markup {
    html! {
        h2 { "History" }
        @if history.is_empty() { p { "No event or decision is recorded." } }
        @else {
            div .scroll tabindex="0" role="region" aria-label="History" {
                table {
                    caption { "Events and decisions, newest first. Times are in UTC." }
                    thead { tr { th scope="col" { "Time" } th scope="col" { "Event" } th scope="col" { "Scope" } th scope="col" { "Reason" } } }
                    tbody {
                        @for entry in history.iter().rev() {
                            tr {
                                td { (time(entry.at)) }
                                td { (visible(&entry.kind)) }
                                td { (visible(&entry.scope.to_string())) }
                                td { (visible(&entry.reason)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
