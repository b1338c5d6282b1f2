//! Reads the settings, creates the AWS clients and starts the function.

use std::sync::Arc;

use jiff::Timestamp;
use lambda_kit::{Aws, LazyClient, Metrics, timeouts};
use lambda_runtime::{LambdaEvent, service_fn};
use reputation::ReputationMonitor;
use reputation_monitor::effects::{Clients, Effects};
use reputation_monitor::metrics::NAMESPACE;
use reputation_monitor::settings::Settings;
use serde_json::Value;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_kit::start_log("reputation_monitor", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let aws = Aws::from_env(|name| std::env::var(name).ok())?;
    let ses_config = aws.config().to_builder().timeout_config(timeouts::ses()).build();
    let monitor = ReputationMonitor {
        store: Store::new(aws_sdk_dynamodb::Client::new(aws.config()), &settings.table),
        ses: LazyClient::of(&ses_config, aws_sdk_sesv2::Client::new),
        account: settings.account.clone(),
    };
    let clients = Clients {
        sns: LazyClient::of(aws.config(), aws_sdk_sns::Client::new),
        sqs: LazyClient::of(aws.config(), aws_sdk_sqs::Client::new),
    };
    let effects = Arc::new(Effects::new(monitor, clients, settings));
    aws.open_table_connection();
    let stack: Arc<str> = lambda_kit::stack_name(|name| std::env::var(name).ok()).into();

    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (effects, stack) = (effects.clone(), stack.clone());
        async move {
            let now = Timestamp::now();
            let mut metrics = Metrics::default();
            let result = reputation_monitor::handle(&event.payload, &effects, &mut metrics, now).await;
            metrics.emit(NAMESPACE, &stack, now);
            result.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
