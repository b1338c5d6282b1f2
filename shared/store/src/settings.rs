//! SES's settings: what was applied, when each resource last reported, and which topics SES could publish to.

mod applied_settings;
mod drift;
mod last_notifications;
mod ses_resource;
mod topic_proof;

pub use applied_settings::AppliedSettings;
pub use drift::Drift;
pub use last_notifications::{LastNotifications, SeenNotification};
pub use ses_resource::{InvalidSesResource, SesResource};
pub use topic_proof::{ProofSubject, TopicProof};
