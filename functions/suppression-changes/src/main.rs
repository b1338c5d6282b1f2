//! Reads the settings, creates the AWS clients and starts the function.

use std::sync::Arc;

use jiff::Timestamp;
use lambda_kit::{Aws, LazyClient, Metrics};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use store::Store;
use suppression_changes::effects::Effects;
use suppression_changes::metrics::NAMESPACE;
use suppression_changes::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_kit::start_log("suppression_changes", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let aws = Aws::from_env(|name| std::env::var(name).ok())?;
    let effects = Arc::new(Effects {
        store: Store::new(aws_sdk_dynamodb::Client::new(aws.config()), &settings.table),
        sns: LazyClient::of(aws.config(), aws_sdk_sns::Client::new),
        sqs: LazyClient::of(aws.config(), aws_sdk_sqs::Client::new),
        settings,
    });
    let stack: Arc<str> = lambda_kit::stack_name(|name| std::env::var(name).ok()).into();

    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (effects, stack) = (effects.clone(), stack.clone());
        async move {
            let now = Timestamp::now();
            let mut metrics = Metrics::default();
            let response = suppression_changes::handle(&event.payload, &effects, &mut metrics, now).await;
            metrics.emit(NAMESPACE, &stack, now);
            response.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
