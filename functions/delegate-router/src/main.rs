//! Reads the settings, creates the AWS clients and starts the function.

use std::sync::Arc;

use delegate_router::effects::{Clients, Effects};
use delegate_router::metrics::NAMESPACE;
use delegate_router::settings::Settings;
use jiff::Timestamp;
use lambda_kit::{Aws, LazyClient, Metrics, timeouts};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_kit::start_log("delegate_router", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let aws = Aws::from_env(|name| std::env::var(name).ok())?;
    let store = Store::new(aws_sdk_dynamodb::Client::new(aws.config()), &settings.table);
    let ses_config = aws.config().to_builder().timeout_config(timeouts::ses()).build();
    let clients = Clients {
        sns: LazyClient::of(aws.config(), aws_sdk_sns::Client::new),
        sqs: aws_sdk_sqs::Client::new(aws.config()),
        eventbridge: LazyClient::of(aws.config(), aws_sdk_eventbridge::Client::new),
        ses: LazyClient::of(&ses_config, aws_sdk_sesv2::Client::new),
    };
    let effects = Arc::new(Effects::new(store, clients, settings));
    aws.open_table_connection();
    let stack: Arc<str> = lambda_kit::stack_name(|name| std::env::var(name).ok()).into();

    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (effects, stack) = (effects.clone(), stack.clone());
        async move {
            let now = Timestamp::now();
            let mut metrics = Metrics::default();
            let response = delegate_router::handle(&event.payload, &effects, &mut metrics, now).await;
            metrics.emit(NAMESPACE, &stack, now);
            response.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
