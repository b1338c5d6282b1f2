//! Lambda function: what happens to mail that arrives.
//!
//! Event -> records -> received mail -> facts -> [`decide`] -> [`effects`] -> the disposition that SES waits for.

pub mod decide;
pub mod effects;
pub mod mail;
pub mod metrics;
pub mod settings;
pub mod token;
pub mod verdict;
