//! Wiring: subscriber, configuration, clients, `run`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use embedded_metrics::Metrics;
use feedback::effects::{Effects, Mirror};
use feedback::metrics::NAMESPACE;
use feedback::policy::Policy;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use ledger::Ledger;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    intake::start_log("feedback", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let policy = Policy::from_env(|name| std::env::var(name).ok())?;
    let table = std::env::var("TABLE_NAME").context("environment variable TABLE_NAME: expected the table's name")?;
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let effects = Arc::new(Effects {
        ledger: Ledger::new(aws_sdk_dynamodb::Client::new(&config), table),
        policy,
        mirror: std::env::var("MIRROR_QUEUE_URL")
            .ok()
            .filter(|url| !url.is_empty())
            .map(|url| mirror(&config, url)),
    });

    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let effects = effects.clone();
        async move {
            let now = Timestamp::now();
            let mut metrics = Metrics::default();
            let answer = feedback::handle(&event.payload, &effects, &mut metrics, now).await;
            metrics.emit(NAMESPACE, now);
            answer.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}

fn mirror(config: &SdkConfig, queue_url: String) -> Mirror {
    // A notification is not to wait for it.
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(Duration::from_secs(3))
        .build();
    let config = aws_sdk_sqs::config::Builder::from(config)
        .timeout_config(timeouts)
        .build();
    Mirror::new(aws_sdk_sqs::Client::from_conf(config), queue_url)
}
