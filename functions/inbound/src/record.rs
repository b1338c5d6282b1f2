//! Processes one record.

use std::sync::{Mutex, PoisonError};

use intake::{Record, RecordKind, Via};
use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::SesMessage;
use tokio::time::Instant;

use crate::decide;
use crate::effects::{Effects, OutcomeLog, SendAgain};
use crate::metrics::{count_actions, count_decision};
use crate::record_error::{Cause, RecordError};
use crate::verdict::{Disposition, default_disposition};

/// Processes a record until a deadline. An error has the disposition that is known by then.
pub(crate) async fn process_record(
    deadline: Instant,
    record: Record,
    effects: &Effects,
    metrics: &Mutex<Metrics>,
    now: Timestamp,
) -> Result<Disposition, RecordError> {
    let known = Mutex::new(None);
    let outcome_log = OutcomeLog::default();
    let processing = process(&record, effects, &known, &outcome_log, metrics, now);
    let result = tokio::time::timeout_at(deadline, processing).await;
    let disposition = known.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
    count_actions(&mut metrics, outcome_log);
    match result {
        Ok(Ok(())) => Ok(disposition.unwrap_or(Disposition::Continue)),
        Ok(Err(cause)) => Err(RecordError { cause, disposition }),
        Err(_) => {
            metrics.count("TimeBudgetExceeded", vec![]);
            let cause = Cause::TimeBudgetExceeded;
            Err(RecordError { cause, disposition })
        }
    }
}

/// Reads the facts, decides, and takes the actions. `known` is set as soon as a disposition is known.
async fn process(
    record: &Record,
    effects: &Effects,
    known: &Mutex<Option<Disposition>>,
    outcome_log: &OutcomeLog,
    metrics: &Mutex<Metrics>,
    now: Timestamp,
) -> Result<(), Cause> {
    let set_known = |disposition| *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(disposition);
    if record.kind != RecordKind::Notification {
        tracing::info!(kind = %record.kind, "acknowledged an SNS set-up message");
        return Ok(());
    }
    let received = match notification_model::parse(&record.payload)? {
        SesMessage::Received(received) => received,
        SesMessage::Setup(setup) => {
            let kind = setup.as_str();
            tracing::info!(kind, "acknowledged an SES set-up message");
            return Ok(());
        }
        SesMessage::Notification(_) => return Err(Cause::SentMail),
    };
    set_known(default_disposition(&received.receipt));
    let mailboxes = effects.mailboxes(&received).await?;
    set_known(decide::disposition(&received, &mailboxes, None));
    let source = effects.mail_source(&received);
    let facts = effects.facts(&received, mailboxes, &source, now).await?;
    let decision = decide::decide(&received, &facts, &effects.settings.policy);
    set_known(decision.disposition);
    // Only this stack and its operators can send to the queue.
    let send_again = (record.provenance.via == Via::SqsRaw)
        .then(|| SendAgain::read(&record.payload))
        .flatten();
    {
        let mut metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
        count_decision(&mut metrics, &received, &facts, &decision);
    }
    tracing::info!(
        message_id = received.mail.message_id,
        disposition = decision.disposition.as_str(),
        mailboxes = decision.mailboxes.len(),
        "decided"
    );
    let applied = effects.apply(&decision, &received, &facts, &source, outcome_log, send_again.as_ref());
    Ok(applied.await?)
}
