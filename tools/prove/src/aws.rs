//! Simulated AWS services in this process. The SDK clients send their requests to an embedded DynamoDB and to recorded
//! targets, without a socket. Faults drawn from the seed are injected between client and service.

mod clients;
mod fault;
mod lagging_index;
mod mail_bucket;
mod request;
mod response;
mod sent_mail;
mod services;
mod ses_settings;
mod simulated;
mod simulated_clock;
mod table;
mod targets;
mod transport;

pub use sent_mail::{SentMail, check_sent_once};
pub use services::Services;
pub use simulated::SimulatedAws;
pub use table::CREATE_TABLE;
pub use targets::{
    ALARM_TOPIC_ARN, DELIVERY_DEAD_LETTER_QUEUE_URL, DELIVERY_QUEUE_URL, INBOUND_QUEUE_URL, ReceivedMessage,
    UNROUTED_TOPIC_ARN,
};
