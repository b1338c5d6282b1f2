//! Wiring: subscriber, configuration, clients, `run`.

use std::sync::Arc;

use anyhow::Context;
use feedback::effects::{Effects, Mirror};
use feedback::metrics::NAMESPACE;
use feedback::policy::Policy;
use jiff::Timestamp;
use lambda_kit::Metrics;
use lambda_kit::{Aws, timeouts};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_kit::start_log("feedback", std::env::var("LOG_LEVEL").ok().as_deref())?;
    let policy = Policy::from_env(|name| std::env::var(name).ok())?;
    let table = std::env::var("TABLE_NAME").context("environment variable TABLE_NAME: expected the table's name")?;
    let aws = Aws::from_env(|name| std::env::var(name).ok())?;
    let effects = Arc::new(Effects {
        store: Store::new(aws_sdk_dynamodb::Client::new(aws.config()), table),
        policy,
        mirror: std::env::var("MIRROR_QUEUE_URL")
            .ok()
            .filter(|url| !url.is_empty())
            .map(|url| mirror(&aws, url)),
    });
    aws.open_table_connection();

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

fn mirror(aws: &Aws, queue_url: String) -> Mirror {
    let config = aws_sdk_sqs::config::Builder::from(aws.config())
        .timeout_config(timeouts::best_effort())
        .build();
    Mirror::new(aws_sdk_sqs::Client::from_conf(config), queue_url)
}
