//! The state of a simulation of received mail, and its main loop.

use std::collections::BTreeSet;

use fastrand::Rng;
use futures_util::future::join_all;
use inbound::effects::Effects;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::invocation::{Ended, Pending, Source, failed_invocation, invoke, queue_event, start};
use super::mail::{InboundScenario, InvokedBy};
use crate::aws::SimulatedAws;
use crate::simulation::Disturbance;

/// Invocations at the same time.
const PROCESSES: usize = 3;
/// Attempts of Lambda for an asynchronous invocation.
const ASYNCHRONOUS_ATTEMPTS: u32 = 3;
/// `MaxReceiveCount` of the inbound queue.
const MAX_RECEIVES: u32 = 5;
const VISIBILITY: SignedDuration = SignedDuration::from_secs(180);

/// The state of a simulation of received mail.
pub(super) struct InboundWorld<'a> {
    scenario: &'a InboundScenario,
    pub(super) aws: SimulatedAws,
    pub(super) rng: Rng,
    pub(super) clock: Timestamp,
    pub(super) pending: Vec<Pending>,
    /// Bodies in the dead-letter queue, each with its mail.
    pub(super) dead: Vec<(usize, String)>,
    /// The mails whose work may be lost: SES does not repeat an invocation that waits.
    pub(super) may_be_lost: BTreeSet<usize>,
    warm: Vec<Effects>,
    kill_percent: u32,
    /// Invocations at the same time.
    processes: usize,
    /// Whether an invocation failed or handed over its work.
    pub(super) repeated: bool,
}

impl<'a> InboundWorld<'a> {
    /// A world in which SES is about to receive every mail.
    pub(super) fn new(seed: u64, scenario: &'a InboundScenario, aws: SimulatedAws) -> Self {
        let mut pending = Vec::new();
        for (mail, received) in scenario.mails.iter().enumerate() {
            for invoked_by in &received.invocations {
                pending.push(Pending {
                    due_at: received.received_at,
                    mail,
                    source: Source::Mail(*invoked_by),
                    event: received.event(*invoked_by),
                    attempts: 0,
                });
            }
        }
        Self {
            clock: pending.first().map_or(Timestamp::UNIX_EPOCH, |first| first.due_at),
            scenario,
            aws,
            rng: Rng::with_seed(seed ^ 0x1b0b),
            pending,
            dead: Vec::new(),
            may_be_lost: BTreeSet::new(),
            warm: Vec::new(),
            kill_percent: 0,
            processes: PROCESSES,
            repeated: false,
        }
    }

    /// Begins to disturb. Invocations run one at a time if only responses of the table are lost: then none may fail.
    pub(super) fn begin(&mut self, disturbance: Disturbance) {
        let mut services = self.aws.services();
        services.draw_read_behavior();
        if disturbance == Disturbance::LostTableResponses {
            services.lose_only_table_responses();
            self.processes = 1;
        }
        drop(services);
        self.aws.set_fault_rate(disturbance.faults_per_1000());
        self.kill_percent = disturbance.kill_percent();
    }

    /// Ends all disturbance.
    pub(super) fn end(&mut self) {
        self.aws.set_fault_rate(0);
        self.kill_percent = 0;
    }

    /// Invokes the function until nothing is pending.
    ///
    /// # Errors
    /// A wrong response to SES.
    pub(super) async fn run_until_idle(&mut self) -> Result<(), String> {
        loop {
            self.receive_handed_over();
            let due = self.take_due();
            if due.is_empty() {
                let Some(next) = self.pending.iter().map(|pending| pending.due_at).min() else {
                    self.aws.services().apply_late_requests(true);
                    self.receive_handed_over();
                    if self.pending.is_empty() {
                        return Ok(());
                    }
                    continue;
                };
                self.clock = self.clock.max(next);
                continue;
            }
            self.invoke(due).await?;
            self.aws.services().apply_late_requests(false);
            self.clock += SignedDuration::from_millis(self.rng.i64(1..30_000));
        }
    }

    /// Moves every dead letter to the inbound queue. Returns their number.
    pub(super) fn redrive(&mut self) -> usize {
        let dead = std::mem::take(&mut self.dead);
        let number = dead.len();
        for (mail, body) in dead {
            self.pending.push(Pending {
                due_at: self.clock,
                mail,
                source: Source::Queue,
                event: queue_event(&body),
                attempts: 0,
            });
        }
        number
    }

    fn receive_handed_over(&mut self) {
        let handed_over = self.aws.services().take_handed_over();
        for (body, delay_seconds) in handed_over {
            self.repeated = true;
            let mail = self.scenario.mails.iter().position(|mail| body.contains(&mail.id));
            self.pending.push(Pending {
                due_at: self.clock + SignedDuration::from_secs(delay_seconds),
                mail: mail.expect("a mail of the scenario"),
                source: Source::Queue,
                event: queue_event(&body),
                attempts: 0,
            });
        }
    }

    fn take_due(&mut self) -> Vec<Pending> {
        self.rng.shuffle(&mut self.pending);
        let mut due = Vec::new();
        let limit = self.rng.usize(1..=self.processes);
        let mut index = 0;
        while index < self.pending.len() && due.len() < limit {
            if self.pending[index].due_at <= self.clock {
                due.push(self.pending.swap_remove(index));
            } else {
                index += 1;
            }
        }
        due
    }

    async fn invoke(&mut self, due: Vec<Pending>) -> Result<(), String> {
        let now = self.clock;
        let mut invocations = Vec::new();
        for pending in due {
            let is_killed = self.rng.u32(..100) < self.kill_percent;
            let killed_after = is_killed.then(|| self.rng.u32(1..=60));
            let effects = self.warm.pop().unwrap_or_else(|| start(&self.aws, &self.scenario.caps));
            self.aws.services().trace(|| {
                let (source, mail) = (pending.source, pending.mail);
                format!("{now} {source:?} invokes for mail {mail}, killed after {killed_after:?} polls")
            });
            invocations.push((pending, effects, killed_after));
        }
        let running = invocations
            .iter()
            .map(|(pending, effects, killed_after)| invoke(pending, effects, now, *killed_after));
        let ended = join_all(running).await;
        for ((pending, effects, _), ended) in invocations.into_iter().zip(ended) {
            self.aws
                .services()
                .trace(|| format!("  mail {}: {ended:?}", pending.mail));
            self.aws.services().figures.add("invocations for received mail", 1);
            if matches!(ended, Ended::Answered { .. }) && self.rng.bool() {
                self.warm.push(effects);
            }
            self.complete(pending, &ended)?;
        }
        Ok(())
    }

    /// Repeats what was not handled, as Lambda and SQS do.
    fn complete(&mut self, mut pending: Pending, ended: &Ended) -> Result<(), String> {
        pending.attempts += 1;
        if let Source::Mail(InvokedBy::WaitingRule) = pending.source {
            return self.complete_waiting(&pending, ended);
        }
        if matches!(ended, Ended::Answered { .. }) {
            return Ok(());
        }
        self.repeated = true;
        let (attempts, wait, body) = match pending.source {
            Source::Mail(_) => {
                let wait = SignedDuration::from_secs(60 * i64::from(pending.attempts));
                (ASYNCHRONOUS_ATTEMPTS, wait, failed_invocation(&pending.event))
            }
            Source::Queue => {
                let body = pending.event["Records"][0]["body"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                (MAX_RECEIVES, VISIBILITY, body)
            }
        };
        if pending.attempts >= attempts {
            self.dead.push((pending.mail, body));
        } else {
            pending.due_at = self.clock + wait;
            self.pending.push(pending);
        }
        Ok(())
    }

    /// SES waits for a disposition and does not repeat the invocation.
    fn complete_waiting(&mut self, pending: &Pending, ended: &Ended) -> Result<(), String> {
        match ended {
            Ended::Interrupted => {
                self.may_be_lost.insert(pending.mail);
                Ok(())
            }
            Ended::Answered {
                response,
                hand_over_failed,
            } if *response == json!({"disposition": "CONTINUE"}) => {
                if *hand_over_failed {
                    self.may_be_lost.insert(pending.mail);
                }
                Ok(())
            }
            other => Err(format!(
                "mail {}: SES waits for a disposition and gets {other:?}",
                pending.mail
            )),
        }
    }
}
