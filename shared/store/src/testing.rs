//! For tests: an empty table in an embedded DynamoDB, accessed with the AWS SDK over a loopback port.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking if its table cannot be created"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeDeserializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use dynoxide::Database;

use crate::client::Store;

/// Counts the requests by operation, and makes one of them fail.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<RequestLog>>);

#[derive(Debug, Default)]
struct RequestLog {
    sent: BTreeMap<String, usize>,
    fault: Option<(Fault, usize)>,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request does not reach DynamoDB.
    RequestLost,
    /// The request takes effect, but its response does not arrive, and the call fails.
    ResponseLost,
    /// The request takes effect, but the response is an internal error, so the SDK sends the request again.
    InternalErrorAfterEffect,
    /// The call panics, as a bug would.
    Panic,
}

impl Requests {
    /// Returns the number of requests since the last call, by operation.
    #[must_use]
    pub fn take(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.log().sent)
    }

    /// Makes one request fail after `after` further requests. 0 is the next request.
    pub fn fail(&self, fault: Fault, after: usize) {
        self.log().fault = Some((fault, after));
    }

    /// Cancels the fault of [`fail`](Self::fail). Returns whether it had not occurred yet.
    #[must_use]
    pub fn cancel_fault(&self) -> bool {
        self.log().fault.take().is_some()
    }

    fn log(&self) -> std::sync::MutexGuard<'_, RequestLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts down to the fault. Returns an error when it is due.
    fn inject(&self, fault: Fault) -> Result<(), BoxError> {
        let mut log = self.log();
        match &mut log.fault {
            Some((planned, 0)) if *planned == fault => {
                log.fault = None;
                Err("a fault that the test injected".into())
            }
            Some((planned, after)) if *planned == fault => {
                *after -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or("unknown");
        let operation = target.rsplit('.').next().unwrap_or(target).to_owned();
        *self.log().sent.entry(operation).or_default() += 1;
        assert!(self.inject(Fault::Panic).is_ok(), "as a bug would");
        self.inject(Fault::RequestLost)
    }

    fn read_before_deserialization(
        &self,
        _: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.inject(Fault::ResponseLost)
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.inject(Fault::InternalErrorAfterEffect).is_err() {
            let response = context.response_mut();
            *response.status_mut() = 500_u16.try_into()?;
            *response.body_mut() = r#"{"__type": "InternalServerError"}"#.into();
        }
        Ok(())
    }
}

/// Creates a table with the keys and the index of `template.yaml`. Returns a store, its client and the count of its requests.
///
/// # Panics
/// If no loopback port is available or the table cannot be created.
pub async fn fresh() -> (Store, Client, Requests) {
    let (client, requests, _) = serve().await;
    (Store::new(client.clone(), "postroom"), client, requests)
}

/// Creates a table named `postroom`. Returns a store and the endpoint for other processes.
///
/// # Panics
/// If no loopback port is available or the table cannot be created.
pub async fn fresh_with_endpoint() -> (Store, String) {
    let (client, _, endpoint) = serve().await;
    (Store::new(client, "postroom"), endpoint)
}

async fn serve() -> (Client, Requests, String) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a loopback port");
    let endpoint = format!("http://{}", listener.local_addr().expect("a bound port"));
    tokio::spawn(dynoxide::server::serve_on(
        listener,
        Database::memory().expect("an in-memory database"),
    ));

    let requests = Requests::default();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "testing"))
        .endpoint_url(&endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .interceptor(requests.clone())
        .build();
    let client = Client::from_conf(config);
    create_table(&client).await;
    let _ = requests.take();
    (client, requests, endpoint)
}

async fn create_table(client: &Client) {
    let attribute = |name: &str| {
        let definition = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        definition.build().expect("a complete attribute")
    };
    let keys = |hash: &str, range: &str| {
        let key = |name: &str, kind: KeyType| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .expect("a complete key")
        };
        vec![key(hash, KeyType::Hash), key(range, KeyType::Range)]
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name("listing")
        .set_key_schema(Some(keys("listKey", "listSort")))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("a complete index");
    client
        .create_table()
        .table_name("postroom")
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(["pk", "sk", "listKey", "listSort"].map(attribute).to_vec()))
        .set_key_schema(Some(keys("pk", "sk")))
        .global_secondary_indexes(index)
        .send()
        .await
        .expect("a new table");
}
