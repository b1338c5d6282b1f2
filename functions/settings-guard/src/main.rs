//! Reads the settings, creates the AWS clients and starts the function.

use std::sync::Arc;

use jiff::Timestamp;
use lambda_kit::{Aws, LazyClient, Metrics};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use ses_settings::{Pace, SesSettings};
use settings_guard::effects::Effects;
use settings_guard::metrics::NAMESPACE;
use settings_guard::settings::Settings;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_kit::start_log("settings_guard", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let aws = Aws::from_env(|name| std::env::var(name).ok())?;
    let effects = Arc::new(Effects {
        store: Store::new(aws_sdk_dynamodb::Client::new(aws.config()), &settings.table),
        ses: SesSettings::from_config(aws.config(), Pace::default()),
        sns: LazyClient::of(aws.config(), aws_sdk_sns::Client::new),
        settings,
    });
    aws.open_table_connection();
    let stack: Arc<str> = lambda_kit::stack_name(|name| std::env::var(name).ok()).into();

    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (effects, stack) = (effects.clone(), stack.clone());
        async move {
            let now = Timestamp::now();
            let mut metrics = Metrics::default();
            let handled = settings_guard::handle(&event.payload, &effects, &mut metrics, now);
            let result = Box::pin(handled).await;
            metrics.emit(NAMESPACE, &stack, now);
            result.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
