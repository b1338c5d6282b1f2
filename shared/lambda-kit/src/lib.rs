//! What every Lambda function of Postroom needs.
//!
//! | module | what it provides |
//! |---|---|
//! | [`settings`] | typed settings from environment variables |
//! | [`log`] | a JSON log without payloads |
//! | [`Aws`], [`LazyClient`], [`timeouts`] | AWS clients: endpoints, connections, time-outs and retries |
//! | [`pipeline`] | the steps of a batch: read each record, do deferred work once, count failures |
//! | [`Metrics`] | CloudWatch metrics in the Embedded Metric Format |
//! | [`sdk_error_text`], [`sdk_error_code`] | the text of an error of the AWS SDK, for logs and error messages |

mod aws;
mod connections;
mod lazy_client;
pub mod log;
mod metrics;
pub mod pipeline;
mod sdk_error;
pub mod settings;
pub mod timeouts;

pub use crate::aws::Aws;
pub use crate::connections::http_client;
pub use crate::lazy_client::LazyClient;
pub use crate::log::start_log;
pub use crate::metrics::{Dimensions, Metrics};
pub use crate::pipeline::{Handled, Message};
pub use crate::sdk_error::{sdk_error_code, sdk_error_text};
pub use crate::settings::{Environment, InvalidSetting, stack_name};
