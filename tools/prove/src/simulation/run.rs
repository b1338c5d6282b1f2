//! The phases of a seed.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use lambda_kit::Metrics;
use serde_json::json;

use super::invocation::{LAMBDA_TIMEOUT, describe_kill};
use super::kill_after::KillAfter;
use super::operator::write_configuration;
use super::queues::Queue;
use super::world::World;
use crate::check::{check_acknowledged, check_complete, check_digests, check_store_reader};
use crate::figures::Figures;
use crate::scenario::Scenario;

/// How a seed is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Only the first events of the scenario.
    pub max_events: Option<usize>,
    /// Write every step to standard error.
    pub trace: bool,
    /// Without faults and kills. A seed that still fails is not caused by the handling of faults.
    pub no_faults: bool,
}

/// Runs a seed.
///
/// # Errors
/// A difference between the result and the reference model.
pub async fn run(seed: u64, options: &Options) -> Result<Figures, String> {
    let scenario = Scenario::new(seed, options.max_events);
    let mut world = World::new(seed, &scenario, options.trace);
    write_configuration(&world.feedback.store, &scenario).await;
    let (fault_rate, kill_percent) = fault_and_kill_rates(&mut world, options);

    world.aws.set_fault_rate(fault_rate);
    world.kill_percent = kill_percent;
    world.run_until_idle().await;
    world.aws.set_fault_rate(0);
    world.kill_percent = 0;

    world.queues.check_nothing_lost()?;
    let dead_deliveries = world.queues.dead(Queue::Delivery);
    world.journal.dead_deliveries = dead_deliveries.map(|message| message.body.clone()).collect();
    let items = world.aws.services().items();
    check_acknowledged(&scenario, &items, world.aws.services().received(), &world.journal)?;

    // An operator redrives the dead letters after the faults are over.
    let redriven = world.queues.redrive(world.clock);
    world
        .aws
        .services()
        .figures
        .add("dead letters redriven", redriven as u64);
    world.run_until_idle().await;
    world.queues.check_nothing_lost()?;
    check_dead_letters(&world, &scenario)?;
    let items = world.aws.services().items();
    check_complete(&scenario, &items, world.aws.services().received())?;
    check_store_reader(&scenario, &world.feedback.store).await?;

    send_digests(&mut world, fault_rate, kill_percent).await?;
    check_digests(&items, world.aws.services().mails())?;

    let mut figures = world.aws.services().figures.clone();
    figures.add("messages published", scenario.publications.len() as u64);
    figures.add("manual decisions", scenario.decisions.len() as u64);
    Ok(figures)
}

/// Faults of 1000 requests and kills of 100 invocations.
fn fault_and_kill_rates(world: &mut World<'_>, options: &Options) -> (u32, u32) {
    match (options.no_faults, world.rng.u8(..6)) {
        (true, _) | (_, 0) => (0, 0),
        (_, 1) => (20, 0),
        (_, 2) => (0, 40),
        (_, 3) => (60, 20),
        (_, 4) => (150, 10),
        _ => (300, 30),
    }
}

/// Only unreadable messages are dead letters.
fn check_dead_letters(world: &World<'_>, scenario: &Scenario) -> Result<(), String> {
    for queue in Queue::ALL {
        let dead: BTreeSet<Option<usize>> = world.queues.dead(queue).map(|message| message.publication).collect();
        let publications = scenario.publications.iter().enumerate();
        let unreadable: BTreeSet<Option<usize>> = publications
            .filter(|(_, publication)| publication.unreadable && queue != Queue::Delivery)
            .map(|(index, _)| Some(index))
            .collect();
        if dead != unreadable {
            return Err(format!("{queue:?}: dead letters {dead:?}, unreadable {unreadable:?}"));
        }
    }
    Ok(())
}

/// Runs the schedule that sends digests: six times with faults, then until none is due.
async fn send_digests(world: &mut World<'_>, fault_rate: u32, kill_percent: u32) -> Result<(), String> {
    world.clock += SignedDuration::from_hours(3);
    let event = json!({"postroom": "digest"});
    for round in 0..24 {
        let with_faults = round < 6;
        world.aws.set_fault_rate(if with_faults { fault_rate } else { 0 });
        let is_killed = with_faults && world.rng.u32(..100) < kill_percent;
        let killed_after = is_killed.then(|| world.rng.u32(1..=60));
        let router = world.new_router();
        let mut metrics = Metrics::default();
        world
            .aws
            .services()
            .trace(|| format!("{} digests are due, {}", world.clock, describe_kill(killed_after)));
        let handler = delegate_router::handle(&event, &router, &mut metrics, world.clock);
        let handler = tokio::time::timeout(LAMBDA_TIMEOUT, handler);
        // A failed run is repeated by the schedule.
        let _ = KillAfter::new(handler, killed_after).await;
        world.aws.set_fault_rate(0);
        world.aws.services().apply_late_requests(round == 8);
        let due = world.feedback.store.due_digests(world.clock).await;
        if !with_faults && due.is_ok_and(|due| due.is_empty()) {
            return Ok(());
        }
        // The claim of a killed run must end.
        world.clock += SignedDuration::from_mins(5);
    }
    Err("digests stay due".to_owned())
}
