//! Reads the settings, creates the AWS clients and starts the function.

use std::sync::Arc;

use feedback::effects::Effects;
use feedback::metrics::NAMESPACE;
use feedback::settings::Settings;
use jiff::Timestamp;
use lambda_kit::{Aws, Metrics};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_kit::start_log("feedback", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let aws = Aws::from_env(|name| std::env::var(name).ok())?;
    let effects = Arc::new(Effects {
        store: Store::new(aws_sdk_dynamodb::Client::new(aws.config()), settings.table),
        policy: settings.policy,
    });
    aws.open_table_connection();
    let stack: Arc<str> = lambda_kit::stack_name(|name| std::env::var(name).ok()).into();

    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (effects, stack) = (effects.clone(), stack.clone());
        async move {
            let now = Timestamp::now();
            let mut metrics = Metrics::default();
            let response = feedback::handle(&event.payload, &effects, &mut metrics, now).await;
            metrics.emit(NAMESPACE, &stack, now);
            response.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
