//! The scenario of a seed: what happens to mail, what SES publishes, what operators decide and which routes exist.

mod accepted_then_bounced;
mod bounce_case;
mod decision;
mod event;
mod generator;
mod notification;
mod participants;
mod publication;
mod race;
mod random;
mod random_event;
mod route;

pub use bounce_case::{BounceCase, EventKind, RecipientOutcome};
pub use decision::ManualDecision;
pub use event::{BouncedRecipient, Channel, EventDetails, Report, ScenarioEvent};
pub use generator::{Batching, Scenario};
pub use notification::SECRET;
pub use participants::{HOME_ACCOUNT, TARGETS};
pub use publication::Publication;
pub use route::ScenarioRoute;
