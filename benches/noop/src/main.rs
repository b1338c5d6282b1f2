//! A Lambda function that does nothing: the baseline of the start benchmark.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        drop(event);
        Ok::<_, Error>(Value::Null)
    }))
    .await
}
