//! What every Lambda function of Postroom needs: AWS clients with time-outs, settings from the environment, and metrics.

mod aws;
mod connections;
mod environment;
mod lazy_client;
mod metrics;
pub mod timeouts;

pub use crate::aws::Aws;
pub use crate::environment::BadEnvironment;
pub use crate::lazy_client::LazyClient;
pub use crate::metrics::{Dimensions, Metrics};
