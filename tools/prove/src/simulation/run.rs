//! The phases of a seed.

use std::collections::BTreeSet;

use super::digest_schedule::send_digests;
use super::disturbance::Disturbance;
use super::operator::write_configuration;
use super::queues::Queue;
use super::reputation_schedule::{check_senders, write_thresholds};
use super::world::World;
use crate::check::{check_acknowledged, check_alerts_are_true, check_complete, check_store_reader};
use crate::figures::Figures;
use crate::model::expect;
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
    write_configuration(&world.store, &scenario).await;
    write_thresholds(&world.store).await;
    let disturbance = Disturbance::draw(&mut world.rng, options.no_faults);
    world.begin(disturbance);
    world.run_until_idle().await;
    world.aws.set_fault_rate(0);
    world.kill_percent = 0;

    if disturbance == Disturbance::LostTableResponses {
        world.check_nothing_repeated()?;
    }
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
    check_store_reader(&scenario, &world.store).await?;

    let expected = expect(&scenario, &scenario.all_reports(), &scenario.decisions);
    check_alerts_are_true(world.aws.services().received(), &expected)?;
    if world.rng.u8(..3) == 0 {
        check_senders(&mut world, &scenario, &expected, disturbance).await?;
    }
    send_digests(&mut world, disturbance).await?;

    let mut figures = world.aws.services().figures.clone();
    figures.add("messages published", scenario.publications.len() as u64);
    figures.add("manual decisions", scenario.decisions.len() as u64);
    Ok(figures)
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
