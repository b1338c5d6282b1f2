//! The state of a simulation, and its main loop.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use store::Store;

use super::disturbance::Disturbance;
use super::invocation::{Invocation, Outcome, PROCESSES, invoke};
use super::operator::decide;
use super::process::{Process, ProcessSettings, new_store};
use super::queues::{Message, Queue, Queues};
use crate::aws::SimulatedAws;
use crate::journal::Journal;
use crate::scenario::{Batching, EventDetails, ManualDecision, Scenario};

/// The state of a simulation.
pub(super) struct World<'a> {
    scenario: &'a Scenario,
    pub(super) aws: SimulatedAws,
    pub(super) rng: Rng,
    pub(super) clock: Timestamp,
    pub(super) queues: Queues,
    pub(super) journal: Journal,
    /// The operator's access to the table.
    pub(super) store: Store,
    /// Processes that stay warm, with their caches.
    warm: Vec<Process>,
    pub(super) processes: ProcessSettings,
    /// Decisions that are not made yet, the latest first.
    decisions: Vec<ManualDecision>,
    /// Processes of 100 that are killed.
    pub(super) kill_percent: u32,
    /// A message that can be read and was not handled.
    repeated: Option<String>,
}

impl<'a> World<'a> {
    /// A world in which every publication is queued for both functions.
    pub(super) fn new(seed: u64, scenario: &'a Scenario, trace: bool) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0xd1ce);
        let aws = SimulatedAws::new(seed, trace);
        let concurrency = [1, 4, 16][rng.usize(..3)];
        let processes = ProcessSettings::new(scenario, concurrency);
        let mut world = Self {
            store: new_store(&aws),
            warm: Vec::new(),
            processes,
            aws,
            rng,
            clock: if scenario.in_real_time {
                scenario.start
            } else {
                scenario.end
            },
            queues: Queues::default(),
            journal: Journal::default(),
            decisions: scenario.decisions.iter().rev().cloned().collect(),
            kill_percent: 0,
            repeated: None,
            scenario,
        };
        world.queue_publications();
        world
    }

    /// Begins to disturb.
    pub(super) fn begin(&mut self, disturbance: Disturbance) {
        let mut services = self.aws.services();
        services.draw_read_behavior();
        if disturbance == Disturbance::LostTableResponses {
            services.lose_only_table_responses();
        }
        drop(services);
        self.aws.set_fault_rate(disturbance.faults_per_1000());
        self.kill_percent = disturbance.kill_percent();
    }

    /// Every message that can be read was handled when it was received for the first time.
    ///
    /// # Errors
    /// The message that was received again.
    pub(super) fn check_nothing_repeated(&self) -> Result<(), String> {
        match &self.repeated {
            None => Ok(()),
            Some(id) => Err(format!(
                "{id} was not handled, although only responses of the table were lost"
            )),
        }
    }

    fn queue_publications(&mut self) {
        let scenario = self.scenario;
        for queue in [Queue::Feedback, Queue::Router] {
            for (index, publication) in scenario.publications.iter().enumerate() {
                let visible_at = if scenario.in_real_time {
                    publication.published_at
                } else {
                    scenario.end
                };
                let times = (publication.published_at, visible_at);
                self.queues.send(queue, Some(index), publication.body.clone(), times);
            }
        }
    }

    /// Invokes the functions until the queues are empty, all decisions are made and all delayed requests are applied.
    pub(super) async fn run_until_idle(&mut self) {
        loop {
            self.queue_deliveries();
            self.make_due_decisions().await;
            let batches = self.receive();
            if batches.is_empty() {
                if self.advance_clock() {
                    continue;
                }
                let mut services = self.aws.services();
                services.apply_late_requests(true);
                if services.enqueued_deliveries() == 0 {
                    return;
                }
                continue;
            }
            self.invoke(batches).await;
            self.aws.services().apply_late_requests(false);
            self.clock += SignedDuration::from_secs(self.rng.i64(0..30));
        }
    }

    fn queue_deliveries(&mut self) {
        let deliveries = self.aws.services().take_enqueued_deliveries();
        for body in deliveries {
            self.queues.send(Queue::Delivery, None, body, (self.clock, self.clock));
        }
    }

    async fn make_due_decisions(&mut self) {
        while let Some(decision) = self.decisions.pop_if(|decision| decision.decided_at <= self.clock) {
            let fault_rate = self.aws.set_fault_rate(0);
            self.aws
                .services()
                .trace(|| format!("{} an operator decides: {decision:?}", self.clock));
            decide(&self.store, &decision).await;
            self.aws.set_fault_rate(fault_rate);
        }
    }

    /// Moves the clock to the next message or decision. Returns false if there is none.
    fn advance_clock(&mut self) -> bool {
        let next_decision = self.decisions.last().map(|decision| decision.decided_at);
        match self.queues.next_visible_at().into_iter().chain(next_decision).min() {
            Some(next) => {
                self.clock = self.clock.max(next);
                true
            }
            None => false,
        }
    }

    /// Batches for up to [`PROCESSES`] invocations at the same time.
    fn receive(&mut self) -> Vec<(Queue, Vec<Message>)> {
        match self.scenario.batching {
            Batching::Random => self.receive_randomly(),
            Batching::DeliveriesApart => self.receive_deliveries_apart(),
        }
    }

    fn receive_randomly(&mut self) -> Vec<(Queue, Vec<Message>)> {
        let mut batches = Vec::new();
        for _ in 0..self.rng.usize(1..=PROCESSES) {
            let ready = self.queues.ready(self.clock);
            if ready.is_empty() {
                break;
            }
            if self.rng.u8(..50) == 0 {
                batches.push((Queue::Schedule, Vec::new()));
                continue;
            }
            let queue = ready[self.rng.usize(..ready.len())];
            let limit = if self.rng.bool() {
                self.rng.usize(1..=10)
            } else {
                self.rng.usize(1..=60)
            };
            self.receive_batch(queue, limit, |_| true, &mut batches);
        }
        batches
    }

    fn receive_deliveries_apart(&mut self) -> Vec<(Queue, Vec<Message>)> {
        let scenario = self.scenario;
        let is_delivery = |message: &Message| {
            let publication = message.publication.map(|index| &scenario.publications[index]);
            let event = publication.and_then(|publication| publication.reports);
            event.is_some_and(|(index, _)| matches!(scenario.events[index].details, EventDetails::Delivery(_)))
        };
        let mut batches = Vec::new();
        for queue in self.queues.ready(self.clock) {
            self.receive_batch(queue, usize::MAX, is_delivery, &mut batches);
            self.receive_batch(queue, usize::MAX, |message| !is_delivery(message), &mut batches);
            if !batches.is_empty() {
                break;
            }
        }
        batches
    }

    fn receive_batch(
        &mut self,
        queue: Queue,
        limit: usize,
        accepts: impl Fn(&Message) -> bool,
        batches: &mut Vec<(Queue, Vec<Message>)>,
    ) {
        let (batch, dead_lettered) = self.queues.receive(queue, limit, self.clock, &mut self.rng, accepts);
        for id in dead_lettered {
            self.aws
                .services()
                .trace(|| format!("{} {id} is dead-lettered", self.clock));
        }
        if !batch.is_empty() {
            batches.push((queue, batch));
        }
    }

    async fn invoke(&mut self, batches: Vec<(Queue, Vec<Message>)>) {
        let paused = self.choose_paused_process(batches.len());
        let mut invocations = Vec::new();
        for (process, (queue, batch)) in batches.into_iter().enumerate() {
            let killed_after = (self.rng.u32(..100) < self.kill_percent)
                .then(|| self.rng.u32(1..=8 + 6 * u32::try_from(batch.len()).unwrap_or(60)));
            let process_of_queue = self.take_process(queue);
            invocations.push(Invocation {
                queue,
                batch,
                killed_after,
                paused_after: paused.filter(|(paused, _)| *paused == process).map(|(_, polls)| polls),
                process: process_of_queue,
            });
        }
        let ended = invoke(invocations, &self.aws, self.clock).await;
        for (invocation, outcome) in ended {
            self.complete(invocation, &outcome);
        }
    }

    /// A warm process, or a new one.
    fn take_process(&mut self, queue: Queue) -> Process {
        match self.warm.iter().position(|process| process.handles(queue)) {
            Some(index) => self.warm.swap_remove(index),
            None => self.processes.start(queue, &self.aws),
        }
    }

    /// In a race, the process to pause and the number of polls after which it is paused.
    fn choose_paused_process(&mut self, processes: usize) -> Option<(usize, u32)> {
        match self.scenario.batching {
            Batching::Random => None,
            Batching::DeliveriesApart => Some((self.rng.usize(..processes), self.rng.u32(1..=40))),
        }
    }

    /// Acknowledges what the invocation handled. Everything else is delivered again.
    fn complete(&mut self, invocation: Invocation, outcome: &Outcome) {
        // A process that answered may stay warm.
        if matches!(outcome, Outcome::Answered { .. }) && self.rng.bool() {
            self.warm.push(invocation.process);
        }
        // SQS may deliver a message again although it was deleted.
        let delivered_again = self.aws.services().chance(2) && self.kill_percent > 0;
        for message in invocation.batch {
            let handled = outcome.handled(&message.id);
            if handled {
                self.acknowledge(invocation.queue, &message);
            }
            let publication = message.publication.map(|index| &self.scenario.publications[index]);
            if !handled && publication.is_none_or(|publication| !publication.unreadable) {
                self.repeated = Some(message.id.clone());
            }
            if !handled || delivered_again {
                self.aws.services().figures.add("records delivered again", 1);
                self.queues.return_message(invocation.queue, message, self.clock);
            }
        }
    }

    fn acknowledge(&mut self, queue: Queue, message: &Message) {
        self.queues.acknowledge(queue, message);
        match queue {
            Queue::Feedback => self.journal.acknowledged_by_feedback.extend(message.publication),
            Queue::Router => self.journal.acknowledged_by_router.extend(message.publication),
            Queue::Delivery | Queue::Schedule => {}
        }
    }
}
