//! What notifications say about SES's settings: when each resource last reported, and which topics SES could publish to.

mod last_notifications;
mod ses_resource;
mod topic_proof;

pub use last_notifications::{LastNotifications, SeenNotification};
pub use ses_resource::{InvalidSesResource, SesResource};
pub use topic_proof::{ProofSubject, TopicProof};
