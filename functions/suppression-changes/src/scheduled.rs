//! The schedule: publishes that suppressions have ended.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use lambda_kit::Metrics;
use store::{DueEnd, Recipient, hours_of_ends};
use tokio::time::Instant;

use crate::decide::ended;
use crate::effects::{EffectError, Effects};
use crate::metrics::count_notice;
use crate::notice::State;

/// Ends that are read at once: as many as a request for rows of recipients has keys.
const PAGE: usize = 100;
/// Ends that are handled at the same time.
const CONCURRENT_ENDS: usize = 10;
/// A run stops after this time, well within the timeout of 60 seconds. The next run continues.
const TIME_BUDGET: Duration = Duration::from_secs(40);

/// Publishes the ends that have come. Returns the number of rows that were handled.
///
/// # Errors
/// If a service fails. The ends that were not handled stay in the table for the next run.
pub(crate) async fn publish_ends(
    effects: &Effects,
    metrics: &mut Metrics,
    now: Timestamp,
) -> Result<usize, EffectError> {
    let started = Instant::now();
    let first = effects.store.first_hour_of_ends().await?;
    let mut handled = 0;
    let mut first_open = None;
    for (hour, is_open) in hours_of_ends(first, now) {
        loop {
            let due = effects.store.due_suppression_ends(hour, now, PAGE).await?;
            publish_page(effects, metrics, &due, now).await?;
            handled += due.len();
            if due.len() < PAGE {
                break;
            }
            if started.elapsed() > TIME_BUDGET {
                tracing::warn!(handled, "the time of the run is over: the next run continues");
                return Ok(handled);
            }
        }
        if is_open {
            first_open = first_open.or(Some(hour));
        }
    }
    if let Some(hour) = first_open.filter(|hour| Some(*hour) != first) {
        effects.store.put_first_hour_of_ends(hour).await?;
    }
    Ok(handled)
}

async fn publish_page(
    effects: &Effects,
    metrics: &mut Metrics,
    due: &[DueEnd],
    now: Timestamp,
) -> Result<(), EffectError> {
    let addresses: Vec<_> = due.iter().map(|due| due.end.address.clone()).collect();
    let rows = effects.store.recipients(&addresses).await?;
    let missing = Recipient::default();
    let published: Vec<bool> = stream::iter(due)
        .map(|due| publish(effects, due, rows.get(due.end.address.key()).unwrap_or(&missing), now))
        .buffer_unordered(CONCURRENT_ENDS)
        .try_collect()
        .await?;
    for _ in published.iter().filter(|is_published| **is_published) {
        count_notice(metrics, State::Ended);
    }
    Ok(())
}

/// Publishes an end, unless the recipient is still suppressed, and then deletes its row.
async fn publish(effects: &Effects, due: &DueEnd, row: &Recipient, now: Timestamp) -> Result<bool, EffectError> {
    let notice = ended(&due.end, row, now);
    if let Some(notice) = &notice {
        effects.publish(notice).await?;
    }
    effects.store.delete_suppression_end(due).await?;
    Ok(notice.is_some())
}
