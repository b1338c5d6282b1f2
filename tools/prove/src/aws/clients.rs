//! SDK clients that send their requests to the simulated services.

use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
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
            ses: self.ses().into(),
        }
    }
}

impl SimulatedAws {
    /// The client of SES for the reputation monitor.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::from_conf(config!(aws_sdk_sesv2, self))
    }

    /// The clients of the inbound function, with the retries that its own clients have.
    #[must_use]
    pub fn inbound_clients(&self) -> inbound::effects::Clients {
        let ses = config!(aws_sdk_sesv2, self).to_builder();
        let ses_v1 = config!(aws_sdk_ses, self).to_builder();
        // A lost response must not cause a second mail.
        inbound::effects::Clients {
            s3: aws_sdk_s3::Client::from_conf(config!(aws_sdk_s3, self)).into(),
            ses: aws_sdk_sesv2::Client::from_conf(ses.retry_config(RetryConfig::disabled()).build()).into(),
            ses_v1: aws_sdk_ses::Client::from_conf(ses_v1.retry_config(RetryConfig::disabled()).build()).into(),
            sns: aws_sdk_sns::Client::from_conf(config!(aws_sdk_sns, self)).into(),
            sqs: self.sqs().into(),
            hand_over: self.sqs().into(),
            secrets: aws_sdk_secretsmanager::Client::from_conf(config!(aws_sdk_secretsmanager, self)).into(),
        }
    }

    /// The clients of the reputation monitor's targets.
    #[must_use]
    pub fn monitor_clients(&self) -> reputation_monitor::effects::Clients {
        reputation_monitor::effects::Clients {
            sns: aws_sdk_sns::Client::from_conf(config!(aws_sdk_sns, self)).into(),
            sqs: self.sqs().into(),
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
