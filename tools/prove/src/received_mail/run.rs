//! The phases of a seed about received mail.

use super::check::{check_mail, check_nothing_twice};
use super::mail::{InboundScenario, mailboxes};
use super::world::InboundWorld;
use crate::aws::SimulatedAws;
use crate::figures::Figures;
use crate::simulation::{Disturbance, Options, new_store};

/// Runs a seed.
///
/// # Errors
/// What was lost, sent twice or sent without a reason.
pub(crate) async fn run(seed: u64, options: &Options) -> Result<Figures, String> {
    let scenario = InboundScenario::new(seed, options.max_events);
    let aws = SimulatedAws::new(seed, options.trace);
    let store = new_store(&aws);
    for mailbox in mailboxes() {
        store
            .put_mailbox(&mailbox)
            .await
            .expect("no faults during configuration");
    }
    for mail in &scenario.mails {
        aws.services().put_object(&format!("inbound/{}", mail.id), mail.raw());
    }
    let mut world = InboundWorld::new(seed, &scenario, aws);
    let disturbance = Disturbance::draw(&mut world.rng, options.no_faults);
    world.begin(disturbance);
    world.run_until_idle().await?;
    world.end();
    if disturbance == Disturbance::LostTableResponses && world.repeated {
        return Err("an invocation failed or handed over, although only responses of the table were lost".to_owned());
    }
    let redriven = world.redrive();
    world.run_until_idle().await?;
    if !world.dead.is_empty() {
        return Err(format!("dead letters after the redrive: {:?}", world.dead));
    }

    let mut services = world.aws.services();
    check_mail(&scenario, &services, &world.may_be_lost, disturbance.is_none())?;
    check_nothing_twice(&scenario, services.mails())?;
    services.figures.add("mails received", scenario.mails.len() as u64);
    services.figures.add("dead letters redriven", redriven as u64);
    Ok(services.figures.clone())
}
