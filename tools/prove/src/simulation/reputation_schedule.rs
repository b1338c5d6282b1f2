//! The schedule of the reputation monitor, and an operator who undoes its enforcements.
//!
//! The monitor looks at the scenario from several times. At each time it runs among faults and then without them, within the
//! same ten minutes, so that the figures stay the same: every crossing must then have exactly one alert.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use store::{EnforcementKind, Rate, Store, Threshold, Thresholds};

use super::disturbance::Disturbance;
use super::invocation::{Invocation, invoke};
use super::process::{Process, start_monitor};
use super::queues::Queue;
use super::world::World;
use crate::aws::DELIVERY_QUEUE_URL;
use crate::check::check_alerts;
use crate::model::{ENFORCE_PERCENT, Expected, MIN_RECIPIENTS, ReputationModel, WARN_PERCENT, bucket_start};
use crate::scenario::{HOME_ACCOUNT, Scenario};

/// Seconds within the ten minutes at which the monitor runs among faults.
const FAULTY_RUNS: [i64; 4] = [30, 60, 90, 120];
/// Seconds at which it runs without faults: claims of the runs before have ended.
const CLEAN_RUNS: [i64; 2] = [480, 540];
/// Minutes between two times. With these, no sum of them is near the length of a window.
const GAPS: [i64; 3] = [40, 120, 26 * 60];

/// Writes thresholds that scenarios with few events reach.
pub(super) async fn write_thresholds(store: &Store) {
    let percent = |percent: usize| Rate::parts_per_million(u32::try_from(percent).unwrap_or_default() * 10_000);
    let threshold = Threshold {
        warn: percent(WARN_PERCENT),
        enforce: percent(ENFORCE_PERCENT),
        min_hour_recipients: MIN_RECIPIENTS as u64,
        min_day_recipients: MIN_RECIPIENTS as u64,
        min_events: 1,
    };
    let thresholds = Thresholds {
        bounces: threshold,
        complaints: threshold,
        enforcements: [EnforcementKind::PauseConfigurationSet].into(),
    };
    store
        .put_thresholds(None, &thresholds)
        .await
        .expect("no faults during configuration");
}

/// Runs the monitor at several times of the scenario, and undoes its enforcements.
///
/// # Errors
/// A missing, wrong or repeated alert; an enforcement that is missing, was not recorded first, or cannot be undone.
pub(super) async fn check_senders(
    world: &mut World<'_>,
    scenario: &Scenario,
    expected: &Expected,
    disturbance: Disturbance,
) -> Result<(), String> {
    // What live runs found depends on the order in which events arrived.
    undo_enforcements(world, scenario.end).await?;
    world.aws.services().delete_rows("REPUTATION#");
    world.aws.services().resume_configuration_sets();
    let mut model = ReputationModel::default();
    for time in times(world, scenario, expected) {
        let alerts_before = world.aws.services().received().len();
        for second in FAULTY_RUNS {
            world.aws.set_fault_rate(disturbance.faults_per_1000());
            run(
                world,
                time + SignedDuration::from_secs(second),
                disturbance.kill_percent(),
            )
            .await;
            world.aws.set_fault_rate(0);
            world.aws.services().apply_late_requests(false);
        }
        world.aws.services().apply_late_requests(true);
        for second in CLEAN_RUNS {
            world.aws.services().copy_index();
            run(world, time + SignedDuration::from_secs(second), 0).await;
        }
        let alerts = model.check(expected, time, HOME_ACCOUNT);
        world
            .aws
            .services()
            .figures
            .add("alerts of the reputation monitor", alerts.len() as u64);
        let services = world.aws.services();
        check_alerts(&services.received()[alerts_before..], &alerts).map_err(|error| format!("at {time}: {error}"))?;
        let paused: BTreeSet<String> = model.paused.iter().map(|set| (*set).to_owned()).collect();
        if services.paused_configuration_sets() != paused {
            let found = services.paused_configuration_sets();
            return Err(format!("at {time}: paused {found:?}, expected {paused:?}"));
        }
    }
    undo_enforcements(world, scenario.end).await
}

/// Ascending times, each the start of ten minutes. The first one is that of an event, at which a sender crosses a threshold if there is
/// such an event.
fn times(world: &mut World<'_>, scenario: &Scenario, expected: &Expected) -> Vec<Timestamp> {
    let is_crossing = |time: Timestamp| {
        !ReputationModel::default()
            .check(expected, time, HOME_ACCOUNT)
            .is_empty()
    };
    let starts = scenario.events.iter().map(|event| bucket_start(event.occurred_at));
    let all: Vec<Timestamp> = starts.collect();
    let crossings: Vec<Timestamp> = all.iter().copied().filter(|time| is_crossing(*time)).collect();
    let starts = if crossings.is_empty() { all } else { crossings };
    if starts.is_empty() {
        return Vec::new();
    }
    let mut time = starts[world.rng.usize(..starts.len())];
    let mut times = vec![time];
    for _ in 0..world.rng.usize(0..=3) {
        time += SignedDuration::from_mins(GAPS[world.rng.usize(..GAPS.len())]);
        times.push(time);
    }
    times
}

/// One or two invocations at the same time.
async fn run(world: &mut World<'_>, now: Timestamp, kill_percent: u32) {
    let mut invocations = Vec::new();
    for _ in 0..world.rng.usize(1..=2) {
        let is_killed = world.rng.u32(..100) < kill_percent;
        invocations.push(Invocation {
            queue: Queue::Schedule,
            batch: Vec::new(),
            killed_after: is_killed.then(|| world.rng.u32(1..=80)),
            paused_after: None,
            process: Process::Monitor(Box::new(start_monitor(&world.aws, Some(DELIVERY_QUEUE_URL)))),
        });
    }
    let _ = invoke(invocations, &world.aws, now).await;
}

/// An operator undoes every enforcement. Afterwards no configuration set is paused.
async fn undo_enforcements(world: &mut World<'_>, now: Timestamp) -> Result<(), String> {
    let without_record = world.aws.services().paused_without_record().first().cloned();
    if let Some(set) = without_record {
        return Err(format!(
            "{set} was paused before the table had an enforcement against it"
        ));
    }
    world.aws.services().copy_index();
    let store = &world.store;
    let enforcements = store.enforcements().await.map_err(|error| error.to_string())?;
    let ses = world.aws.ses();
    let undone = enforcements
        .iter()
        .map(|enforcement| reputation::undo(store, &ses, &enforcement.id, "olga", now));
    for result in join_all(undone).await {
        result.map_err(|error| format!("an enforcement cannot be undone: {error}"))?;
    }
    let paused = world.aws.services().paused_configuration_sets();
    if !paused.is_empty() {
        return Err(format!("paused although every enforcement is undone: {paused:?}"));
    }
    Ok(())
}
