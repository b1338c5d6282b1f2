//! SDK clients that send their requests to the simulated services.

use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use delegate_router::effects::Clients;

use super::simulated::SimulatedAws;
use super::simulated_clock::SimulatedClock;

/// The configuration of a service's client. The services' builders are distinct types without a common trait.
macro_rules! config {
    ($sdk:ident, $aws:expr) => {
        $sdk::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "prove"))
            .retry_partition(retry_partition())
            .time_source(SimulatedClock::start())
            .http_client(SharedHttpClient::new($aws.clone()))
            .build()
    };
}

impl SimulatedAws {
    /// A DynamoDB client.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, self))
    }

    /// An SQS client.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::from_conf(config!(aws_sdk_sqs, self))
    }

    /// The clients of the router.
    #[must_use]
    pub fn router_clients(&self) -> Clients {
        Clients {
            sns: aws_sdk_sns::Client::from_conf(config!(aws_sdk_sns, self)).into(),
            sqs: self.sqs(),
            eventbridge: aws_sdk_eventbridge::Client::from_conf(config!(aws_sdk_eventbridge, self)).into(),
            ses: aws_sdk_sesv2::Client::from_conf(config!(aws_sdk_sesv2, self)).into(),
        }
    }
}

/// A retry partition for one client. The SDK's default is shared by the whole process and would let one seed affect the
/// next.
fn retry_partition() -> RetryPartition {
    RetryPartition::custom("prove")
        .token_bucket(TokenBucket::default())
        .build()
}
