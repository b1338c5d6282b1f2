//! The page of inbound mail: the newest mails of a mailbox, what was decided about them and why.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use store::{IndexedMail, IndexedSubject, Mailbox, MailboxKey, StoreError};

use crate::access::Session;
use crate::console::Console;
use crate::page::{private_page, visible};
use crate::parameters::{Parameters, query};
use crate::time::time;

/// Mails on a page.
const PAGE: usize = 50;

/// `GET /inbound?mailbox=...&before=...`.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = Parameters::read(query.unwrap_or_default().as_bytes());
    let mailbox = parameters.filled("mailbox").map(str::parse::<MailboxKey>);
    let before = parameters.filled("before").map(str::parse::<Timestamp>);
    let (status, result) = match (mailbox.transpose(), before.transpose()) {
        (Ok(mailbox), Ok(before)) => match report(&console, mailbox.as_ref(), before).await {
            Ok(report) => (StatusCode::OK, report),
            Err(error) => (
                StatusCode::BAD_GATEWAY,
                html! { p .notice .bad role="alert" { (visible(&error.to_string())) } },
            ),
        },
        _ => (
            StatusCode::BAD_REQUEST,
            html! { p .notice .bad role="alert" { "Expected a mailbox (an address, a domain or *) and a time such as 2026-03-01T12:00:00Z." } },
        ),
    };
    let content = html! {
        h1 { "Inbound" }
        form method="get" action="/inbound" {
            label for="mailbox" { "Mailbox: an address, a domain or *. Mail without a mailbox is under its domain." }
            input #mailbox name="mailbox" value=(visible(parameters.get("mailbox"))) autocomplete="off" autocapitalize="none" spellcheck="false";
            button { "Show" }
        }
        (result)
    };
    private_page(&console, &session, status, "/inbound", "Inbound", &content).into_response()
}

async fn report(
    console: &Console,
    mailbox: Option<&MailboxKey>,
    before: Option<Timestamp>,
) -> Result<Markup, StoreError> {
    match mailbox {
        None => Ok(mailbox_list(&console.store().all_mailboxes().await?)),
        Some(mailbox) => Ok(mail_list(mailbox, &console.store().mails(mailbox, before, PAGE).await?)),
    }
}

fn mailbox_list(mailboxes: &BTreeMap<MailboxKey, Mailbox>) -> Markup {
    html! {
        h2 { "Mailboxes" }
        @if mailboxes.is_empty() { p { "No mailbox is configured." } }
        ul {
            @for key in mailboxes.keys().map(ToString::to_string) {
                li { a href=(format!("/inbound?{}", query(&[("mailbox", &key)]))) { (visible(&key)) } }
            }
        }
    }
}

fn mail_list(mailbox: &MailboxKey, mails: &[IndexedMail]) -> Markup {
    let mailbox = mailbox.to_string();
    let last = mails.last().filter(|_| mails.len() == PAGE);
    html! {
        @if mails.is_empty() { p { "No mail in the index of " (visible(&mailbox)) "." } }
        @for mail in mails { (mail_panel(mail)) }
        @if let Some(last) = last {
            p { a href=(format!("/inbound?{}", query(&[("mailbox", &mailbox), ("before", &last.at.to_string())]))) { "Older mails" } }
        }
    }
}

fn mail_panel(mail: &IndexedMail) -> Markup {
    let recipients: Vec<&str> = mail.recipients.iter().map(String::as_str).collect();
    let verdicts = mail.verdicts.iter();
    let verdicts: Vec<String> = verdicts.map(|(name, verdict)| format!("{name} {verdict}")).collect();
    html! {
        section .panel {
            h2 { (visible(&subject_text(mail.subject.as_ref()))) }
            dl .facts {
                dt { "Received" } dd { (time(mail.at)) " UTC" }
                dt { "From" } dd { (visible(mail.from.as_deref().unwrap_or("an unknown sender"))) }
                dt { "Recipients" } dd { (visible(&recipients.join(", "))) }
                dt { "Verdicts" } dd { (visible(&verdicts.join(", "))) }
                dt { "Result" } dd { (mail.verdict_action.as_str()) }
                @for reason in &mail.reasons { dt { "Reason" } dd { (visible(reason)) } }
                dt { "Message" } dd { (visible(&mail.message_id)) }
                @if let Some(at) = &mail.location { dt { "Location" } dd { (visible(&format!("s3://{}/{}", at.bucket, at.key))) } }
            }
        }
    }
}

fn subject_text(subject: Option<&IndexedSubject>) -> String {
    match subject {
        Some(IndexedSubject::Text(text)) => text.clone(),
        Some(IndexedSubject::Hash(hash)) => format!("subject with the hash {hash}"),
        None => "no subject".to_owned(),
    }
}
