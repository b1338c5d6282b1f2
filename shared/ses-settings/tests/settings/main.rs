//! Settings against SES and SNS behind mocked clients.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod apply;
mod check;
mod fake_ses;
mod pull;
mod scenario;
