//! Wiring: subscriber, configuration, clients, `run`.

use std::sync::Arc;

use anyhow::Context;
use aws_sdk_sesv2::config::retry::RetryConfig;
use jiff::Timestamp;
use lambda_kit::{Aws, LazyClient, timeouts};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use store::Store;
use suppression_mirror::effects::Effects;
use suppression_mirror::policy::Policy;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_kit::start_log("suppression_mirror", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let policy = Policy::from_env(|name| std::env::var(name).ok())?;
    let table = std::env::var("TABLE_NAME").context("environment variable TABLE_NAME: expected the table's name")?;
    let queue_url =
        std::env::var("MIRROR_QUEUE_URL").context("environment variable MIRROR_QUEUE_URL: expected the queue's URL")?;
    let aws = Aws::from_env(|name| std::env::var(name).ok())?;
    // The queue retries; a retry here would be one more call within the second.
    let ses = aws_sdk_sesv2::config::Builder::from(aws.config())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts::ses())
        .build();
    let effects = Arc::new(Effects {
        ses: aws_sdk_sesv2::Client::from_conf(ses),
        store: Store::new(aws_sdk_dynamodb::Client::new(aws.config()), table),
        queue: LazyClient::of(aws.config(), aws_sdk_sqs::Client::new),
        queue_url,
        policy,
    });
    aws.open_table_connection();

    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let effects = effects.clone();
        async move {
            suppression_mirror::handle(&event.payload, &effects, Timestamp::now())
                .await
                .map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
