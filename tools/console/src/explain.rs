//! The page that explains a pasted payload: what the functions do with it, and why.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use operations::{Explanation, InboundContext, Outcome, explain, inputs_of};

use crate::access::Session;
use crate::console::Console;
use crate::form::Form;
use crate::page::{private_page, token_field, visible};

/// `GET /explain`.
pub(crate) async fn show(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    page(&console, &session, StatusCode::OK, "", &html! {})
}

/// `POST /explain`. Changes nothing.
pub(crate) async fn explain_payload(State(console): State<Console>, form: Form) -> Response {
    let payload = form.fields.get("payload");
    let (status, result) = match explanations(&console, payload).await {
        Ok(explanations) => (
            StatusCode::OK,
            html! { @for explanation in &explanations { (record(explanation)) } },
        ),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            html! { p .notice .bad role="alert" { (visible(&format!("{error:#}"))) } },
        ),
    };
    page(&console, &form.session, status, payload, &result)
}

async fn explanations(console: &Console, payload: &str) -> anyhow::Result<Vec<Explanation>> {
    let inputs = inputs_of("payload", payload.as_bytes().to_vec())?;
    let mailboxes = console.store().all_mailboxes().await?;
    explain(&inputs, &InboundContext::from_environment(Some(mailboxes))?)
}

fn page(console: &Console, session: &Session, status: StatusCode, payload: &str, result: &Markup) -> Response {
    let content = html! {
        h1 { "Explain" }
        p {
            "Paste what SES, SNS, SQS or Lambda shows: a notification, a message of a queue, or a Lambda event. Nothing is changed. "
            "Inbound mail is decided with the mailboxes of this table."
        }
        form method="post" action="/explain" {
            (token_field(session))
            label for="payload" { "Payload" }
            textarea #payload name="payload" required spellcheck="false" autocomplete="off" { "\n" (payload) }
            button { "Explain" }
        }
        div role="status" { (result) }
    };
    private_page(console, session, status, "/explain", "Explain", &content).into_response()
}

fn record(explanation: &Explanation) -> Markup {
    html! {
        section .panel {
            h2 { (visible(&explanation.message)) }
            dl .facts {
                dt { "Record" } dd { (visible(&explanation.record)) }
                @if let Some(via) = &explanation.via { dt { "Via" } dd { (visible(via)) } }
                @if let Some(id) = &explanation.message_id { dt { "Message" } dd { (visible(id)) } }
            }
            @if let Some(error) = &explanation.error {
                p .bad { (visible(error)) }
                p { "The record fails and ends in the dead-letter queue." }
            }
            ul { @for found in &explanation.outcomes { (outcome(found)) } }
        }
    }
}

fn outcome(outcome: &Outcome) -> Markup {
    let subject = outcome.subject.as_deref().unwrap_or("the message");
    html! {
        li {
            strong { (visible(subject)) } ": " (visible(&outcome.description))
            @if let Some(explanation) = &outcome.explanation { br; "Because: " (visible(explanation)) }
        }
    }
}
