//! Reads the settings, creates the AWS clients and starts the function.

use std::sync::Arc;

use aws_sdk_sesv2::config::retry::RetryConfig;
use jiff::Timestamp;
use lambda_kit::{Aws, LazyClient, Metrics, timeouts};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use store::Store;
use suppression_mirror::effects::Effects;
use suppression_mirror::metrics::NAMESPACE;
use suppression_mirror::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_kit::start_log("suppression_mirror", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let aws = Aws::from_env(|name| std::env::var(name).ok())?;
    // The queue retries. A retry of the client would exceed one call a second.
    let ses = aws_sdk_sesv2::config::Builder::from(aws.config())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts::ses())
        .build();
    let effects = Arc::new(Effects {
        ses: aws_sdk_sesv2::Client::from_conf(ses),
        store: Store::new(aws_sdk_dynamodb::Client::new(aws.config()), settings.table),
        queue: LazyClient::of(aws.config(), aws_sdk_sqs::Client::new),
        queue_url: settings.queue_url,
        policy: settings.policy,
    });
    aws.open_table_connection();
    let stack: Arc<str> = lambda_kit::stack_name(|name| std::env::var(name).ok()).into();

    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (effects, stack) = (effects.clone(), stack.clone());
        async move {
            let now = Timestamp::now();
            let mut metrics = Metrics::default();
            let response = suppression_mirror::handle(&event.payload, &effects, &mut metrics, now).await;
            metrics.emit(NAMESPACE, &stack, now);
            response.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
