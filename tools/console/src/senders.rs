//! The page of senders: worst first, with rates and thresholds.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use operations::{RatedCounts, counts_text, sender_text, senders_worst_first, stream_text};
use store::{EventCounts, SenderRates, Threshold, ThresholdTable};

use crate::access::Session;
use crate::console::Console;
use crate::page::{private_page, visible};

/// A rate of fewer recipients is shown as of low volume, as `postroomctl reputation senders` does without `--minimum`.
const MINIMUM: u64 = 50;

/// `GET /senders`.
pub(crate) async fn show(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    let (status, list) = match read(&console).await {
        Ok((senders, thresholds)) => (StatusCode::OK, list(&senders, &thresholds)),
        Err(error) => (
            StatusCode::BAD_GATEWAY,
            html! { p .notice .bad role="alert" { (visible(&error.to_string())) } },
        ),
    };
    let content = html! {
        h1 { "Senders" }
        p {
            "The senders of the last 24 hours, worst first. AWS reviews an account at 5 % bounces or 0.1 % complaints, and pauses it at 10 % or 0.5 %."
        }
        (list)
    };
    private_page(&console, &session, status, "/senders", "Senders", &content).into_response()
}

async fn read(console: &Console) -> Result<(Vec<SenderRates>, ThresholdTable), store::StoreError> {
    let senders = senders_worst_first(console.store(), Timestamp::now()).await?;
    Ok((senders, console.store().thresholds().await?))
}

fn list(senders: &[SenderRates], thresholds: &ThresholdTable) -> Markup {
    html! {
        @if senders.is_empty() { p { "No sender in the last 24 hours." } }
        @for rates in senders { (sender(rates, thresholds)) }
    }
}

fn sender(rates: &SenderRates, thresholds: &ThresholdTable) -> Markup {
    let thresholds = thresholds.of(&rates.sender);
    let name = sender_text(&rates.sender);
    html! {
        section .panel {
            h2 { (visible(&name)) }
            div .scroll tabindex="0" role="region" aria-label=(format!("Rates of {}", visible(&name))) {
                table {
                    thead { tr {
                        th scope="col" { "Period" }
                        th scope="col" .number { "Recipients" }
                        th scope="col" { "Bounces" }
                        th scope="col" { "Complaints" }
                        th scope="col" { "Events" }
                    } }
                    tbody {
                        @for (period, counts) in [("1 hour", &rates.hour), ("24 hours", &rates.day)] {
                            (row(period, &RatedCounts::new(counts, MINIMUM)))
                        }
                    }
                }
            }
            p .muted {
                "Thresholds: bounces " (threshold_text(&thresholds.bounces)) "; complaints " (threshold_text(&thresholds.complaints)) "."
            }
            (streams(rates))
        }
    }
}

fn row(period: &str, rated: &RatedCounts<'_>) -> Markup {
    let counts = rated.counts;
    let volume = counts
        .volume()
        .map_or_else(|| "-".to_owned(), |volume| volume.to_string());
    html! {
        tr {
            th scope="row" { (period) }
            td .number { (volume) }
            td { (rate(counts.bounce_rate(), rated.bounces)) }
            td { (rate(counts.complaint_rate(), rated.complaints)) }
            td { (counts_text(counts)) }
        }
    }
}

/// The rating is in words too, because a color alone is no information for everyone.
fn rate(rate: Option<f64>, rating: &str) -> Markup {
    let class = match rating {
        "PAUSE RATE" | "REVIEW RATE" => "bad",
        "warning" => "warn",
        "healthy" => "good",
        _ => "muted",
    };
    html! {
        @if let Some(rate) = rate { (format!("{:.2} %", rate * 100.0)) " " }
        span class=(class) { (rating) }
    }
}

fn streams(rates: &SenderRates) -> Markup {
    let named = rates
        .day_by_stream
        .iter()
        .filter_map(|(stream, counts)| Some((stream_text(stream)?, counts)));
    let named: Vec<(String, &EventCounts)> = named.collect();
    html! {
        @if !named.is_empty() {
            h3 { "Sending streams, 24 hours" }
            ul { @for (name, counts) in named { li { (visible(&name)) ": " (counts_text(counts)) } } }
        }
    }
}

fn threshold_text(threshold: &Threshold) -> String {
    format!("warn {}, enforce {}", threshold.warn, threshold.enforce)
}
