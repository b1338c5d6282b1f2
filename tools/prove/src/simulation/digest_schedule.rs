//! The schedule that sends digests, and the redrive of digests that SES rejected.

use futures_util::future::join_all;
use jiff::SignedDuration;
use lambda_kit::Metrics;
use serde_json::{Value, json};

use super::disturbance::Disturbance;
use super::invocation::{LAMBDA_TIMEOUT, describe_kill};
use super::kill_after::KillAfter;
use super::queues::Queue;
use super::world::World;
use crate::aws::DELIVERY_DEAD_LETTER_QUEUE_URL;
use crate::check::check_digests;

/// An address to which SES sends nothing in some seeds.
const REFUSED: &str = "eight@news.example";
/// Runs with faults.
const FAULTY_RUNS: usize = 6;

/// Runs the schedule: some times with faults, then until no digest is due. Every digest must be sent, or be a dead letter
/// with the reason while SES rejects it.
///
/// # Errors
/// What was lost or sent too often.
pub(super) async fn send_digests(world: &mut World<'_>, disturbance: Disturbance) -> Result<(), String> {
    let items = world.aws.services().items();
    let is_refused = world.rng.u8(..3) == 0;
    world.aws.services().refuse_mail_to(is_refused.then_some(REFUSED));
    world.clock += SignedDuration::from_hours(3);
    run_until_none_is_due(world, disturbance).await?;
    let rejected = check_dead_letters(world)?;
    world.aws.services().refuse_mail_to(None);
    redrive(world, &rejected).await?;
    check_digests(&items, world.aws.services().mails())
}

async fn run_until_none_is_due(world: &mut World<'_>, disturbance: Disturbance) -> Result<(), String> {
    for run in 0..24 {
        let with_faults = run < FAULTY_RUNS;
        world
            .aws
            .set_fault_rate(if with_faults { disturbance.faults_per_1000() } else { 0 });
        if !with_faults {
            world.aws.services().end_index_lag();
        }
        run_schedule(world, if with_faults { disturbance.kill_percent() } else { 0 }).await;
        if run == 0 && disturbance == Disturbance::LostTableResponses {
            check_all_sent(world).await?;
        }
        world.aws.set_fault_rate(0);
        world.aws.services().apply_late_requests(run == FAULTY_RUNS + 2);
        let due = world.store.due_digests(world.clock).await;
        if !with_faults && due.is_ok_and(|due| due.is_empty()) {
            return Ok(());
        }
        // The claim of a killed run must end.
        world.clock += SignedDuration::from_mins(5);
    }
    Err("digests stay due".to_owned())
}

/// The first run has sent every digest or made it a dead letter, although responses of the table were lost.
async fn check_all_sent(world: &World<'_>) -> Result<(), String> {
    let fault_rate = world.aws.set_fault_rate(0);
    let due = world
        .store
        .due_digests(world.clock - SignedDuration::from_hours(2))
        .await;
    world.aws.set_fault_rate(fault_rate);
    match due.map_err(|error| error.to_string())?.as_slice() {
        [] => Ok(()),
        due => Err(format!(
            "{} digests wait, although only responses of the table were lost",
            due.len()
        )),
    }
}

/// EventBridge invokes the function once, or twice at the same time. A failed invocation is repeated by the schedule.
async fn run_schedule(world: &mut World<'_>, kill_percent: u32) {
    let event = json!({"postroom": "digest"});
    let mut runs = Vec::new();
    for _ in 0..world.rng.usize(1..=2) {
        let is_killed = world.rng.u32(..100) < kill_percent;
        let killed_after = is_killed.then(|| world.rng.u32(1..=60));
        world
            .aws
            .services()
            .trace(|| format!("{} digests are due, {}", world.clock, describe_kill(killed_after)));
        runs.push((world.processes.start_router(&world.aws), killed_after));
    }
    let now = world.clock;
    let runs = runs.iter().map(|(router, killed_after)| {
        let event = &event;
        let handler = async move {
            let mut metrics = Metrics::default();
            delegate_router::handle(event, router, &mut metrics, now).await
        };
        KillAfter::new(tokio::time::timeout(LAMBDA_TIMEOUT, handler), *killed_after)
    });
    let _ = join_all(runs).await;
}

/// The digests in the dead-letter queue: each has the reason, and SES rejected it.
fn check_dead_letters(world: &World<'_>) -> Result<Vec<String>, String> {
    let services = world.aws.services();
    let mut rejected = Vec::new();
    for message in services.received() {
        if message.target != DELIVERY_DEAD_LETTER_QUEUE_URL {
            continue;
        }
        let body: Value = serde_json::from_str(&message.body).expect("a message in JSON");
        if body["postroom"] != "rejected-digest" {
            continue;
        }
        if body["address"] != REFUSED || !message.reason.starts_with("MessageRejected") {
            return Err(format!("a digest is a dead letter for another reason: {message:?}"));
        }
        rejected.push(message.body.clone());
    }
    Ok(rejected)
}

/// An operator moves the rejected digests back to the delivery queue.
async fn redrive(world: &mut World<'_>, rejected: &[String]) -> Result<(), String> {
    for body in rejected {
        let times = (world.clock, world.clock);
        world.queues.send(Queue::Delivery, None, body.clone(), times);
    }
    world.run_until_idle().await;
    match world.queues.dead(Queue::Delivery).count() {
        0 => Ok(()),
        number => Err(format!("{number} rejected digests were not sent after the redrive")),
    }
}
