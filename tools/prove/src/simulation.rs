//! The simulation: queues, clock and function processes handle a scenario among faults and kills.

mod invocation;
mod kill_after;
mod operator;
mod pause;
mod queues;
mod run;
mod world;

pub use run::{Options, run};
