//! The settings of SES: what they should be, what they are, the difference, and the way from one to the other.
//!
//! Settings are pairs of a [`Field`] and a [`Value`] of an [`Object`]: an identity, a configuration set or a topic. All
//! functions but those of [`SesSettings`] are pure.
//!
//! ```text
//! Entries ─desired──> Desired ──┐
//!                     check ◄───┤            ┌──> difference ──> is_removal_by_ses
//! SES ──SesSettings::read──> Actual ─────────┴──> plan ──> Plan ──SesSettings::apply──> SES
//! ```
//!
//! - **Only what is named is touched.** [`Desired`] holds the fields that the configuration names. Of the others only
//!   [own](Field::is_own) ones are removed: policies and event destinations whose name starts with [`OWN_PREFIX`], and the
//!   statement [`TOPIC_STATEMENT_SID`] of topics.
//! - **Only what was read is compared.** A [`Reading`] knows which [parts](Part) of an object it has, so a caller within a
//!   rate limit can read some of them now and others later.
//! - **A write is between two reads.** [`SesSettings::apply`] leaves an object alone that was changed since the plan, and
//!   continues where an interrupted run ended.
//! - **Calls to SES are paced.** [`Pace`] starts at most one call in [`DEFAULT_PAUSE`]. Throttling is waited for. Calls to
//!   SNS are not paced: its limits are far higher.
//!
//! A scheduled comparison reads what it needs and compares:
//!
//! ```no_run
//! use std::collections::BTreeSet;
//! use ses_settings::{Actual, Desired, Object, Pace, Part, SesSettings, difference, is_removal_by_ses};
//!
//! # async fn guard(config: &aws_types::SdkConfig, desired: Desired) -> Result<(), ses_settings::SettingsError> {
//! let ses = SesSettings::from_config(config, Pace::default());
//! let wanted = desired.keys().map(|object| (object.clone(), BTreeSet::from([Part::Notifications]))).collect();
//! let actual: Actual = ses.read(&wanted, |_, _| {}).await?;
//! for change in difference(&desired, &actual) {
//!     let (fields, reading) = (&desired[&change.object], actual.get(&change.object));
//!     let by_ses = reading.is_some_and(|reading| is_removal_by_ses(fields, reading));
//!     println!("{} {}: {} instead of {}, removed by SES: {by_ses}", change.object, change.field, change.before, change.after);
//! }
//! # Ok(())
//! # }
//! ```

mod apply;
mod check;
mod client;
mod context;
mod entries;
mod error;
mod expand;
mod field;
mod pace;
mod plan;
mod policy;
mod read;
mod settings;
mod topic_state;
mod value;
mod write;

pub use apply::{Outcome, StepResult};
pub use check::{
    MAX_EVENT_DESTINATIONS, MAX_POLICIES, MAX_POLICY_BYTES, check, check_destination, check_name, check_policy,
    check_reasons, check_topic,
};
pub use client::SesSettings;
pub use context::Context;
pub use entries::{ConfigurationSetEntry, DestinationEntry, Entries, TopicEntry, UnknownOwnTopic};
pub use error::SettingsError;
pub use expand::{IdentityEntry, TopicChoice, expand, is_pattern, matches_name};
pub use field::{Field, NotificationType, OWN_PREFIX, Object, Part, TOPIC_STATEMENT_SID, UnknownName};
pub use pace::{DEFAULT_PAUSE, Pace};
pub use plan::{
    Facts, LARGE_REMOVAL_FROM, LARGE_REMOVAL_PERCENT, LargeRemoval, Plan, PlanProblem, Proof, Proofs, Purpose, Step,
    large_removals, plan,
};
pub use policy::{Decision, Delegate, InvalidAction, SendAction, SendRequest, canonical, evaluate};
pub use read::IDENTITIES_PER_CALL;
pub use settings::{Actual, Change, Desired, Reading, difference, is_removal_by_ses, object_difference};
pub use value::{EventDestination, Fields, UnreadableFields, Value, fields_from_json, fields_to_json};
