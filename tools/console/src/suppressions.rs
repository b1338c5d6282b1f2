//! The page of the suppressions of a scope, oldest first.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use operations::{Suppressions, parse_day_or_time, period_text, suppressions_in_force};
use store::Scope;

use crate::access::Session;
use crate::console::Console;
use crate::page::{private_page, visible};
use crate::parameters::{Parameters, query};
use crate::time::time;

/// Suppressions read for a page.
const PAGE: usize = 100;

/// What the page shows.
struct Filter {
    scope: Scope,
    since: Timestamp,
    until: Timestamp,
}

/// `GET /suppressions?scope=...&since=...&until=...`.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = Parameters::read(query.unwrap_or_default().as_bytes());
    let now = Timestamp::now();
    let (status, result) = match Filter::read(&parameters, now) {
        Err(problem) => (
            StatusCode::BAD_REQUEST,
            html! { p .notice .bad role="alert" { (problem) } },
        ),
        Ok(filter) => {
            let range = (filter.since, filter.until);
            match suppressions_in_force(console.store(), &filter.scope, range, PAGE, now).await {
                Ok(found) => (StatusCode::OK, list(&filter, &found, &parameters)),
                Err(error) => (
                    StatusCode::BAD_GATEWAY,
                    html! { p .notice .bad role="alert" { (visible(&error.to_string())) } },
                ),
            }
        }
    };
    let content = html! {
        h1 { "Suppressions" }
        (form(&parameters))
        (result)
    };
    private_page(&console, &session, status, "/suppressions", "Suppressions", &content).into_response()
}

impl Filter {
    fn read(parameters: &Parameters, now: Timestamp) -> Result<Self, &'static str> {
        let scope = parameters.filled("scope").unwrap_or("global");
        let since = parameters
            .filled("since")
            .map_or(Some(Timestamp::UNIX_EPOCH), parse_day_or_time);
        let until = parameters.filled("until").map_or(Some(now), parse_day_or_time);
        let expected_time = "Expected a day such as 2026-03-01 or a time such as 2026-03-01T12:00:00Z.";
        let filter = Self {
            scope: scope
                .parse()
                .map_err(|_| "Expected the scope global, tenant:NAME, domain:NAME or forward:MAILBOX.")?,
            since: since.ok_or(expected_time)?,
            until: until.ok_or(expected_time)?,
        };
        if filter.since > filter.until {
            return Err("Expected a begin before the end.");
        }
        Ok(filter)
    }
}

fn form(parameters: &Parameters) -> Markup {
    html! {
        form method="get" action="/suppressions" {
            label for="scope" { "Scope: global, tenant:NAME, domain:NAME or forward:MAILBOX" }
            input #scope name="scope" value=(visible(parameters.filled("scope").unwrap_or("global"))) autocomplete="off" autocapitalize="none" spellcheck="false";
            label for="since" { "Suppressed at or after (UTC, a day or a time)" }
            input #since name="since" value=(visible(parameters.get("since"))) placeholder="2026-03-01" autocomplete="off";
            label for="until" { "Suppressed at or before (UTC, a day or a time)" }
            input #until name="until" value=(visible(parameters.get("until"))) placeholder="2026-03-08" autocomplete="off";
            button { "Show" }
        }
    }
}

fn list(filter: &Filter, found: &Suppressions, parameters: &Parameters) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Suppressions" {
            table {
                caption { (found.in_force.len()) " in force, oldest first. Times are in UTC." }
                thead { tr {
                    th scope="col" { "Address" } th scope="col" { "Since" } th scope="col" { "Until" }
                    th scope="col" { "Source" } th scope="col" { "Reason" }
                } }
                tbody {
                    @for (address, suppression) in &found.in_force {
                        tr {
                            td { a href=(format!("/?{}", query(&[("address", address)]))) { (visible(address)) } }
                            td { (time(suppression.entry.at)) }
                            td { (period_text(&suppression.entry)) }
                            td { (visible(&suppression.source.to_string())) }
                            td { (visible(&suppression.entry.reason)) }
                        }
                    }
                }
            }
        }
        (more(filter, found, parameters))
    }
}

/// The next part begins at the time of the last entry, because others may have the same time.
fn more(filter: &Filter, found: &Suppressions, parameters: &Parameters) -> Markup {
    let Some(since) = found.more_since else {
        return html! {};
    };
    let (scope, since_text) = (filter.scope.to_string(), since.to_string());
    let next = query(&[
        ("scope", &scope),
        ("since", &since_text),
        ("until", parameters.get("until")),
    ]);
    html! {
        @if since > filter.since { p { a href=(format!("/suppressions?{next}")) { "More, from " (since_text) } } }
        @else {
            p {
                "There may be more, suppressed at the same time. " code { "postroomctl suppression list --limit" } " shows all."
            }
        }
    }
}
