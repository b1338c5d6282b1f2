//! A function that does nothing, to compare the others with.

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
