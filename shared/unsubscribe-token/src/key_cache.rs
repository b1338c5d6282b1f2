//! Reads and caches the keys of unsubscribe tokens.

use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use lambda_kit::sdk_error_code;
use tokio::sync::Mutex;

use crate::keys::{InvalidKeys, Keys};

/// How long keys are cached. A rotation of the secret takes effect within this time.
const CACHE_PERIOD: Duration = Duration::from_secs(300);

/// The keys of unsubscribe tokens, read from Secrets Manager at the first token.
#[derive(Debug)]
pub struct KeyCache {
    secret: String,
    cached: Mutex<Option<(Keys, Instant)>>,
}

/// The keys cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Secrets Manager returned an error or did not respond.
    #[error("GetSecretValue: {code}")]
    Service {
        /// The error code, or the kind of failure.
        code: String,
    },
    /// The secret has no usable keys.
    #[error("secret of the unsubscribe tokens: {0}")]
    Keys(#[from] InvalidKeys),
}

impl KeyCache {
    /// A cache of the keys in the secret with this ARN or name.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secret: secret.into(),
            cached: Mutex::default(),
        }
    }

    /// The current keys and, for tokens signed before the last rotation, the previous ones.
    ///
    /// # Errors
    /// If the secret cannot be read, or has no usable key.
    pub async fn keys(&self, client: &Client) -> Result<Keys, KeyError> {
        let mut cached = self.cached.lock().await;
        if let Some((keys, at)) = cached.as_ref()
            && at.elapsed() < CACHE_PERIOD
        {
            return Ok(keys.clone());
        }
        let current = self.version(client, "AWSCURRENT").await?;
        let mut keys = Keys::parse(&current.ok_or(InvalidKeys::Missing)?)?;
        if let Some(previous) = self.version(client, "AWSPREVIOUS").await? {
            keys = keys.with_previous(Keys::parse(&previous)?);
        }
        *cached = Some((keys.clone(), Instant::now()));
        Ok(keys)
    }

    /// The text of a version of the secret. `None` for the previous version of a secret that was never rotated.
    async fn version(&self, client: &Client, stage: &str) -> Result<Option<String>, KeyError> {
        let request = client.get_secret_value().secret_id(&self.secret).version_stage(stage);
        match request.send().await {
            Ok(output) => Ok(output.secret_string),
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) if stage == "AWSPREVIOUS" => Ok(None),
                _ => Err(KeyError::Service {
                    code: sdk_error_code(&error),
                }),
            },
        }
    }
}
