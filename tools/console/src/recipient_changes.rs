//! Suppressing and releasing a recipient.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use operations::{Decision, parse_address, period_text, read_recipient, recipient_version, scope_text};
use store::{Recipient, Scope};

use crate::console::Console;
use crate::form::Form;
use crate::parameters::{Parameters, query};
use crate::recipient::recipient_page;

/// Why a change is not made.
type Problem = (StatusCode, String);

/// `POST /recipient/release`.
pub(crate) async fn release(State(console): State<Console>, form: Form) -> Response {
    respond(&console, &form, try_release(&console, &form.fields).await).await
}

/// `POST /recipient/suppress`.
pub(crate) async fn suppress(State(console): State<Console>, form: Form) -> Response {
    respond(&console, &form, try_suppress(&console, &form.fields).await).await
}

/// Leads to the recipient, where the notice is shown; a reload does not repeat the change.
async fn respond(console: &Console, form: &Form, result: Result<String, Problem>) -> Response {
    let address = form.fields.get("address");
    match result {
        Ok(notice) => {
            console.access().set_notice(notice);
            Redirect::to(&format!("/?{}", query(&[("address", address)]))).into_response()
        }
        Err((status, problem)) => {
            let page = recipient_page(console, &form.session, address, Some((status, &problem))).await;
            page.into_response()
        }
    }
}

async fn try_release(console: &Console, fields: &Parameters) -> Result<String, Problem> {
    let address = address(fields)?;
    let reason = reason(fields)?;
    let scope = fields.filled("scope").map(parse_scope).transpose()?;
    let recipient = unchanged_recipient(console, fields, &address).await?;
    let decision = Decision::release(&address, &recipient, scope.as_ref(), reason, Timestamp::now());
    if decision.scopes.is_empty() {
        return Ok(format!("{} is not suppressed: nothing to release.", address.key()));
    }
    let scopes: Vec<String> = decision.scopes.iter().map(scope_text).collect();
    apply(
        console,
        &decision,
        format!("{} is released, {}.", address.key(), scopes.join(" and ")),
    )
    .await
}

async fn try_suppress(console: &Console, fields: &Parameters) -> Result<String, Problem> {
    let address = address(fields)?;
    let reason = reason(fields)?;
    let scope = parse_scope(fields.get("scope"))?;
    let now = Timestamp::now();
    let until = fields.filled("days").map(|days| end_after(now, days)).transpose()?;
    unchanged_recipient(console, fields, &address).await?;
    let decision = Decision::suppress(&address, scope.clone(), until, reason, now);
    let period = period_text(&decision.entry);
    apply(
        console,
        &decision,
        format!("{} is suppressed, {}, {period}.", address.key(), scope_text(&scope)),
    )
    .await
}

/// Writes a decision. Returns the notice.
async fn apply(console: &Console, decision: &Decision<'_>, notice: String) -> Result<String, Problem> {
    decision.write(console.store()).await.map_err(failed)?;
    Ok(notice)
}

/// Reads the recipient, if nothing changed since the page of the form was made.
async fn unchanged_recipient(
    console: &Console,
    fields: &Parameters,
    address: &EmailAddress,
) -> Result<Recipient, Problem> {
    let recipient = read_recipient(console.store(), address).await.map_err(failed)?;
    if fields.get("version") == recipient_version(&recipient) {
        return Ok(recipient);
    }
    Err((
        StatusCode::CONFLICT,
        "Nothing was changed: the decisions about this address changed since the page was opened. They are shown below.".to_owned(),
    ))
}

fn address(fields: &Parameters) -> Result<EmailAddress, Problem> {
    parse_address(fields.get("address")).ok_or_else(|| invalid("Expected a mail address."))
}

fn reason(fields: &Parameters) -> Result<&str, Problem> {
    fields
        .filled("reason")
        .ok_or_else(|| invalid("Nothing was changed: enter a reason."))
}

fn parse_scope(text: &str) -> Result<Scope, Problem> {
    text.parse()
        .map_err(|_| invalid("Nothing was changed: expected the scope global, tenant:NAME or domain:NAME."))
}

fn end_after(now: Timestamp, days: &str) -> Result<Timestamp, Problem> {
    let days: Option<i64> = days.parse().ok().filter(|days| (1..=36_500).contains(days));
    days.and_then(|days| now.checked_add(SignedDuration::from_hours(24 * days)).ok())
        .ok_or_else(|| invalid("Nothing was changed: expected 1 to 36500 days."))
}

fn invalid(problem: &str) -> Problem {
    (StatusCode::BAD_REQUEST, problem.to_owned())
}

fn failed(error: store::StoreError) -> Problem {
    (StatusCode::BAD_GATEWAY, error.to_string())
}
