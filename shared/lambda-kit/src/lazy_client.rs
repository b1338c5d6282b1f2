//! AWS clients that are created on first use.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use aws_types::SdkConfig;

/// A client that is created on first use, for services that most events do not call. Creating a client takes a fraction
/// of a millisecond of every cold start. Clones share one client and are cheap.
///
/// ```
/// # let aws = lambda_kit::Aws::from_env(|_| Some("test".to_owned())).unwrap();
/// use lambda_kit::LazyClient;
///
/// let table = LazyClient::of(aws.config(), aws_sdk_dynamodb::Client::new);
/// let request = table.list_tables();
/// # drop(request);
/// ```
pub struct LazyClient<C>(Arc<LazyLock<C, Box<dyn FnOnce() -> C + Send>>>);

impl<C: 'static> LazyClient<C> {
    /// Creates the client on first use with `new_client`, which is the `Client::new` of a service.
    pub fn of(config: &SdkConfig, new_client: fn(&SdkConfig) -> C) -> Self {
        let config = config.clone();
        Self(Arc::new(LazyLock::new(Box::new(move || new_client(&config)))))
    }
}

impl<C: Send + 'static> From<C> for LazyClient<C> {
    /// Wraps a client that exists already.
    fn from(client: C) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(|| client))))
    }
}

impl<C> Deref for LazyClient<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C> Clone for LazyClient<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for LazyClient<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyClient(..)")
    }
}
