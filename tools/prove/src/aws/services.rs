//! The state of all simulated services, and which service handles a request.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fastrand::Rng;
use serde_json::Value;

use super::fault::{Fault, FaultSchedule};
use super::request::SentRequest;
use super::table::Table;
use super::targets::{ReceivedMessage, Targets};
use crate::figures::Figures;

/// The state of the simulated services.
pub struct Services {
    table: Table,
    targets: Targets,
    /// Requests whose client timed out or was killed, and which are still to take effect.
    late_requests: Vec<SentRequest>,
    pub(super) rng: Rng,
    pub(super) faults: FaultSchedule,
    /// Writes every step to standard error.
    trace: bool,
    /// Counters of requests and faults.
    pub figures: Figures,
}

impl Services {
    pub(super) fn new(seed: u64, trace: bool) -> Self {
        Self {
            table: Table::new(),
            targets: Targets::default(),
            late_requests: Vec::new(),
            rng: Rng::with_seed(seed ^ 0x5eed_5eed),
            faults: FaultSchedule::default(),
            trace,
            figures: Figures::default(),
        }
    }

    /// Writes a line of the trace.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{}", line());
        }
    }

    /// Whether an event with this probability occurs in this seed.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    /// Every item of the table.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        self.table.items()
    }

    /// Messages that targets, the delivery dead-letter queue and the unrouted topic received.
    #[must_use]
    pub fn received(&self) -> &[ReceivedMessage] {
        &self.targets.received
    }

    /// Digests that SES sent: address and text.
    #[must_use]
    pub fn mails(&self) -> &[(String, String)] {
        &self.targets.mails
    }

    /// Number of messages in the delivery queue.
    #[must_use]
    pub fn enqueued_deliveries(&self) -> usize {
        self.targets.enqueued.len()
    }

    /// Removes and returns the messages in the delivery queue.
    pub fn take_enqueued_deliveries(&mut self) -> Vec<String> {
        self.targets.enqueued.drain(..).collect()
    }

    /// Applies a random number of the late requests, or all of them.
    pub fn apply_late_requests(&mut self, all: bool) {
        while !self.late_requests.is_empty() && (all || self.rng.u8(..3) == 0) {
            let index = self.rng.usize(..self.late_requests.len());
            let request = self.late_requests.swap_remove(index);
            self.trace(|| format!("    {} arrives late: {}", request.operation(), request.describe_item()));
            self.figures
                .add("requests applied after the client timed out or was killed", 1);
            let _ = self.serve(&request, false);
        }
    }

    pub(super) fn add_late_request(&mut self, request: SentRequest) {
        self.late_requests.push(request);
    }

    pub(super) fn draw_fault(&mut self) -> Option<Fault> {
        let fault = self.faults.draw(&mut self.rng);
        if let Some(fault) = fault {
            self.figures.add(fault.figure(), 1);
        }
        fault
    }

    /// Applies a request and returns the response.
    pub(super) fn serve(&mut self, request: &SentRequest, partially: bool) -> HttpResponse {
        if request.target.is_empty() {
            return self.targets.publish(&request.body);
        }
        let body: Value = serde_json::from_slice(&request.body).expect("a request in JSON");
        match request.operation() {
            "SendMessageBatch" => self.targets.send_message_batch(&body, partially, &mut self.rng),
            "SendMessage" => self.targets.send_message(&body),
            "SendEmail" => self.targets.send_email(&body),
            "PutEvents" => self.targets.put_events(&body, partially),
            "BatchGetItem" if partially => self.table.batch_get_partially(body, &mut self.rng),
            operation => {
                let (response, condition_met) = self.table.execute(operation, &request.body);
                if !condition_met {
                    self.figures.add("conditions not met", 1);
                }
                response
            }
        }
    }
}
