//! Clients of services that most events do without.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use aws_types::SdkConfig;

/// A client that is made when it is first used. Making one takes a fraction of a millisecond of every start, however seldom
/// its service is called. Cheap to clone; all clones are one client.
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
    /// To be made by `make`, which is the `Client::new` of a service.
    pub fn of(config: &SdkConfig, make: fn(&SdkConfig) -> C) -> Self {
        let config = config.clone();
        Self(Arc::new(LazyLock::new(Box::new(move || make(&config)))))
    }
}

impl<C: Send + 'static> From<C> for LazyClient<C> {
    /// One that is made already.
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
