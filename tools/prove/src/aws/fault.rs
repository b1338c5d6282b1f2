//! Faults of requests, drawn from the seed.

use fastrand::Rng;

use super::request::{SentRequest, Service};

/// A fault that a request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The service answers with a throttling error.
    Throttled,
    /// The service answers with an internal error.
    InternalError,
    /// The request does not reach the service.
    RequestLost,
    /// The request takes effect. The client receives no response.
    ResponseLost,
    /// The client times out. The request takes effect later.
    TimedOut,
    /// The client receives no response until Lambda ends the invocation.
    Hangs,
    /// The service processes a part of a batch.
    PartialBatch,
}

impl Fault {
    const ALL: [Self; 7] = [
        Self::Throttled,
        Self::InternalError,
        Self::RequestLost,
        Self::ResponseLost,
        Self::TimedOut,
        Self::Hangs,
        Self::PartialBatch,
    ];

    /// The counter of this fault.
    pub(super) const fn figure(self) -> &'static str {
        match self {
            Self::Throttled => "requests throttled",
            Self::InternalError => "requests answered with an internal error",
            Self::RequestLost => "requests lost",
            Self::ResponseLost => "responses lost",
            Self::TimedOut => "requests timed out and applied later",
            Self::Hangs => "requests without a response until the invocation timed out",
            Self::PartialBatch => "batches processed in part",
        }
    }
}

/// How often faults occur, and the outage in progress.
#[derive(Debug, Default)]
pub(super) struct FaultSchedule {
    /// Requests of 1000 that meet a fault.
    rate_per_1000: u32,
    /// The fault of the outage and the number of requests it still affects.
    outage: Option<(Fault, u32)>,
    /// Only responses of the table are lost, and only those to first attempts: the SDK's retries recover from each of them.
    only_lost_table_responses: bool,
}

impl FaultSchedule {
    pub(super) const fn is_enabled(&self) -> bool {
        self.rate_per_1000 > 0
    }

    /// Sets the rate, ends an outage and returns the previous rate.
    pub(super) fn set_rate(&mut self, rate_per_1000: u32) -> u32 {
        self.outage = None;
        std::mem::replace(&mut self.rate_per_1000, rate_per_1000)
    }

    /// From now on only responses of the table to first attempts are lost.
    pub(super) fn lose_only_table_responses(&mut self) {
        self.only_lost_table_responses = true;
    }

    /// Draws the fault of the next request.
    pub(super) fn draw(&mut self, request: &SentRequest, rng: &mut Rng) -> Option<Fault> {
        if self.only_lost_table_responses {
            let is_candidate = request.service == Service::DynamoDb && request.is_first_attempt;
            let is_lost = is_candidate && rng.u32(..1000) < self.rate_per_1000;
            return is_lost.then_some(Fault::ResponseLost);
        }
        if let Some((fault, remaining)) = self.outage.take() {
            if remaining > 1 {
                self.outage = Some((fault, remaining - 1));
            }
            return Some(fault);
        }
        if rng.u32(..1000) >= self.rate_per_1000 {
            return None;
        }
        let fault = Fault::ALL[rng.usize(..Fault::ALL.len())];
        // The SDK's retries recover from a single fault. An outage lasts longer than they do.
        if fault != Fault::Hangs && rng.u8(..4) == 0 {
            self.outage = Some((fault, rng.u32(2..12)));
        }
        Some(fault)
    }
}
