//! Lambda function: compares the settings of SES with those that `postroomctl apply` applied, sends one alert for each
//! difference and one when it is gone, and with `REPAIR=on` sets again what SES itself removed.
//!
//! Scheduled event -> applied settings of the table -> settings of SES -> [`differences`] -> alerts and repairs by
//! [`effects::Effects`] -> error if something failed.
//!
//! - The notification settings of all identities are compared in each round. Policies, default configuration sets, event
//!   destinations and topics take a call each; a round makes [`effects::SINGLE_READS`] of them and the next one continues.
//! - A change by a person is never repaired. SES's own removal is recognised by its state
//!   ([`ses_settings::is_removal_by_ses`]): a person can make the same state by hand. Therefore a repair is made only while
//!   the topic works, at most [`MAX_REPAIRS`] times an hour, and SES itself refuses a topic to which it cannot publish.

pub mod alert;
pub mod differences;
pub mod effects;
pub mod metrics;
pub mod settings;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::Value as Json;
use ses_settings::{Field, Part, Reading, is_removal_by_ses};
use store::Drift;

use crate::alert::{Alert, AlertKind};
use crate::differences::{Differences, Expected, differences_from_json, differences_to_json};
use crate::effects::{Effects, Repair};
use crate::metrics::{count_alert, count_check_failure, count_compared, count_drifted};

/// How many repairs of an identity are begun in an hour.
pub const MAX_REPAIRS: usize = 2;

/// Handles the event of the schedule, `{"postroom":"compare-settings"}`, at the time `now`, and adds to the metrics.
///
/// # Errors
/// When the event is another one, when the table or SES cannot be read, or when an object, an alert or a repair fails. The
/// other objects are compared.
pub async fn handle(event: &Json, effects: &Effects, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<()> {
    let kind = event.get("postroom").and_then(Json::as_str);
    anyhow::ensure!(
        kind == Some("compare-settings"),
        "unknown event: expected the schedule's {{\"postroom\":\"compare-settings\"}}"
    );
    // Boxed: the clients make the futures deep.
    let failed = Box::pin(compare_all(effects, metrics, now)).await;
    let failed = failed.inspect_err(|_| count_check_failure(metrics))?;
    metrics.scheduled_run("compare-settings");
    anyhow::ensure!(failed == 0, "failed for {failed} objects; the log names them");
    Ok(())
}

/// Returns how many objects failed.
async fn compare_all(effects: &Effects, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<usize> {
    let (applied, drifts) = effects.rows().await?;
    let mut drifts: BTreeMap<String, Drift> = drifts.into_iter().map(|drift| (drift.object.clone(), drift)).collect();
    let (mut expected, mut failed) = (Vec::new(), 0);
    for row in &applied {
        match Expected::of_row(row, now) {
            Ok(Some(one)) => expected.push(one),
            // Its drift is looked at when the run is over.
            Ok(None) => drop(drifts.remove(&row.object)),
            Err(error) => {
                tracing::error!(object = row.object, %error, "the applied settings of an object cannot be read");
                count_check_failure(metrics);
                drifts.remove(&row.object);
                failed += 1;
            }
        }
    }
    let (actual, failures) = effects.read(&expected).await?;
    for (object, error) in &failures {
        tracing::error!(object = object.to_string(), %error, "the settings of an object cannot be read");
        count_check_failure(metrics);
    }
    failed += failures.len();
    for one in &expected {
        let before = drifts.remove(&one.object.to_string());
        let reading = actual.get(&one.object);
        if reading.is_some() {
            count_compared(metrics);
        }
        let compared = compare(one, reading, before, effects, metrics, now);
        if let Err(error) = Box::pin(compared).await {
            let error = format!("{error:#}");
            tracing::error!(object = one.object.to_string(), error, "an alert or a repair failed");
            count_check_failure(metrics);
            failed += 1;
        }
    }
    // Objects that left the configuration.
    for object in drifts.keys() {
        effects.store.delete_drift(object).await?;
    }
    Ok(failed)
}

/// Compares an object, repairs it where that is allowed, and alerts about what changed since the last round.
async fn compare(
    expected: &Expected,
    reading: Option<&Reading>,
    before: Option<Drift>,
    effects: &Effects,
    metrics: &mut Metrics,
    now: Timestamp,
) -> anyhow::Result<()> {
    let known = before.as_ref().map(|drift| differences_from_json(&drift.fields));
    let mut differences = expected.differences(reading, &known.unwrap_or_default());
    let mut drift = before.clone().unwrap_or_else(|| Drift {
        object: expected.object.to_string(),
        fields: "{}".to_owned(),
        notified: None,
        since: now,
        repairs: "[]".to_owned(),
    });
    let mut repairs = recent_repairs(&drift.repairs, now);
    drift.repairs = times_to_json(&repairs);
    let is_by_ses = reading.is_some_and(|reading| is_removal_by_ses(&expected.fields, reading));
    let is_unfinished = !repairs.is_empty() && only_forwarding(&differences);
    let (mut note, mut was_repaired) = (None, false);
    if effects.settings.repair
        && (is_by_ses || is_unfinished)
        && let Some(reading) = reading
    {
        let repair = repair(expected, reading, is_by_ses, &mut repairs, &mut drift, effects, now).await?;
        tracing::info!(object = drift.object, ?repair, "a repair of what SES removed");
        note = Some(repair_note(&repair));
        if !matches!(repair, Repair::NotPossible(_)) {
            let fresh = effects.ses.read_part(&expected.object, Part::Notifications).await?;
            differences = expected.differences(Some(&fresh), &differences);
            was_repaired = repair == Repair::Done;
        }
    } else if is_by_ses {
        note = Some("It is not repaired, because the stack has SettingsRepair=off.".to_owned());
    }
    if !differences.is_empty() {
        count_drifted(metrics);
    }
    let text = differences_to_json(&differences);
    if drift.fields != text {
        drift.since = now;
    }
    let is_new = !differences.is_empty() && drift.notified.as_ref() != Some(&text);
    let kind = if was_repaired && differences.is_empty() {
        Some(AlertKind::Repaired)
    } else if is_new && is_by_ses {
        Some(AlertKind::RemovedBySes)
    } else if is_new {
        Some(AlertKind::Drift)
    } else if differences.is_empty() && drift.notified.is_some() {
        Some(AlertKind::AllClear)
    } else {
        None
    };
    drift.fields.clone_from(&text);
    if let Some(kind) = kind {
        // Before the alert: when it fails, the next round knows since when and sends it under the same id.
        effects.store.put_drift(&drift).await?;
        let context = &effects.settings.context;
        let alert = Alert::new(
            kind,
            &expected.object,
            context,
            drift.since,
            &differences,
            note.as_deref(),
        );
        effects.notify(&alert).await?;
        tracing::info!(
            object = drift.object,
            kind = kind.as_str(),
            "sent an alert about settings"
        );
        count_alert(metrics, kind.as_str());
        drift.notified = (!differences.is_empty()).then_some(text);
    }
    if differences.is_empty() && repairs.is_empty() {
        if before.is_some() || kind.is_some() {
            effects.store.delete_drift(&drift.object).await?;
        }
    } else if before.as_ref() != Some(&drift) {
        effects.store.put_drift(&drift).await?;
    }
    Ok(())
}

/// Repairs an identity unless the topics do not work or it was repaired too often. The time is recorded before the first
/// write, so a repair that is interrupted counts.
async fn repair(
    expected: &Expected,
    reading: &Reading,
    is_new: bool,
    repairs: &mut Vec<Timestamp>,
    drift: &mut Drift,
    effects: &Effects,
    now: Timestamp,
) -> anyhow::Result<Repair> {
    if is_new {
        if repairs.len() >= MAX_REPAIRS {
            return Ok(Repair::NotPossible(format!(
                "it was repaired {MAX_REPAIRS} times in the last hour"
            )));
        }
        let obstacles = effects.obstacles(&expected.fields).await?;
        if !obstacles.is_empty() {
            return Ok(Repair::NotPossible(obstacles.join("; ")));
        }
        repairs.push(now);
        drift.repairs = times_to_json(repairs);
        effects.store.put_drift(drift).await?;
    }
    let started = repairs.last().copied().unwrap_or(now);
    effects
        .repair(&expected.object, &expected.fields, reading, started)
        .await
}

fn repair_note(repair: &Repair) -> String {
    match repair {
        Repair::Done => "It was repaired.".to_owned(),
        Repair::Unproven => {
            "The topics are set again. Forwarding stays on until the message of SES arrives through them.".to_owned()
        }
        Repair::NotPossible(reason) => format!("It was not repaired: {reason}."),
    }
}

/// Whether nothing but feedback forwarding differs.
fn only_forwarding(differences: &Differences) -> bool {
    !differences.is_empty() && differences.keys().all(|field| *field == Field::FeedbackForwarding)
}

fn recent_repairs(text: &str, now: Timestamp) -> Vec<Timestamp> {
    let times: Vec<String> = serde_json::from_str(text).unwrap_or_default();
    let hour_ago = now - SignedDuration::from_hours(1);
    let times = times.iter().filter_map(|time| time.parse().ok());
    times.filter(|time: &Timestamp| *time > hour_ago).collect()
}

fn times_to_json(times: &[Timestamp]) -> String {
    let times: Vec<String> = times.iter().map(ToString::to_string).collect();
    serde_json::json!(times).to_string()
}
