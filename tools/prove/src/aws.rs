//! Simulated AWS services in this process. The SDK clients send their requests to an embedded DynamoDB and to recorded
//! targets, without a socket. Faults drawn from the seed are injected between client and service.

mod clients;
mod fault;
mod request;
mod response;
mod services;
mod simulated;
mod simulated_clock;
mod table;
mod targets;
mod transport;

pub use services::Services;
pub use simulated::SimulatedAws;
pub use table::CREATE_TABLE;
pub use targets::{
    DELIVERY_DEAD_LETTER_QUEUE_URL, DELIVERY_QUEUE_URL, MIRROR_QUEUE_URL, ReceivedMessage, UNROUTED_TOPIC_ARN,
};
