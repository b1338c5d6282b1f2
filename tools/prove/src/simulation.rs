//! The simulation: queues, clock and function processes handle a scenario among faults and kills.

mod digest_schedule;
mod disturbance;
mod invocation;
mod kill_after;
mod operator;
mod pause;
mod process;
mod queues;
mod reputation_schedule;
mod run;
mod world;

pub(crate) use disturbance::Disturbance;
pub(crate) use kill_after::KillAfter;
pub(crate) use process::new_store;
pub use run::{Options, run};
