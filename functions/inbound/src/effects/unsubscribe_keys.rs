//! Reads and caches the keys of unsubscribe tokens.

use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use tokio::sync::Mutex;

use super::error::ActionError;
use crate::token::{InvalidKeys, Keys};

/// How long keys are cached. A rotation of the secret takes effect within this time.
const CACHE_PERIOD: Duration = Duration::from_secs(300);

/// The keys of unsubscribe tokens, read at the first token.
#[derive(Debug)]
pub(super) struct KeyCache {
    secret: Option<String>,
    cached: Mutex<Option<(Keys, Instant)>>,
}

impl KeyCache {
    pub(super) fn new(secret: Option<String>) -> Self {
        Self {
            secret,
            cached: Mutex::default(),
        }
    }

    /// The current keys and, for tokens signed before the last rotation, the previous ones.
    ///
    /// # Errors
    /// If the secret is not configured, cannot be read, or has no usable key.
    pub(super) async fn keys(&self, client: &Client) -> Result<Keys, ActionError> {
        let secret = self
            .secret
            .as_ref()
            .ok_or(ActionError::MissingSetting("UNSUBSCRIBE_SECRET_ARN"))?;
        let mut cached = self.cached.lock().await;
        if let Some((keys, at)) = cached.as_ref()
            && at.elapsed() < CACHE_PERIOD
        {
            return Ok(keys.clone());
        }
        let current = version(client, secret, "AWSCURRENT").await?;
        let current = current.ok_or(ActionError::Keys(InvalidKeys::Missing))?;
        let mut keys = Keys::parse(&current)?;
        if let Some(previous) = version(client, secret, "AWSPREVIOUS").await? {
            keys = keys.with_previous(Keys::parse(&previous)?);
        }
        *cached = Some((keys.clone(), Instant::now()));
        Ok(keys)
    }
}

/// The text of a version of the secret. `None` for the previous version of a secret that was never rotated.
async fn version(client: &Client, secret: &str, stage: &str) -> Result<Option<String>, ActionError> {
    let response = client
        .get_secret_value()
        .secret_id(secret)
        .version_stage(stage)
        .send()
        .await;
    match response {
        Ok(output) => Ok(output.secret_string),
        Err(error) => match error.as_service_error() {
            Some(GetSecretValueError::ResourceNotFoundException(_)) if stage == "AWSPREVIOUS" => Ok(None),
            _ => Err(ActionError::of_call("GetSecretValue", &error)),
        },
    }
}
