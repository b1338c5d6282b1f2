//! The keys of unsubscribe tokens: read when the first token comes, and again now and then, because secrets are rotated.

use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use tokio::sync::Mutex;

use super::Failure;
use crate::token::Keys;

/// How long a rotation may go unnoticed.
const KEEP: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct KeyStore {
    secret: Option<String>,
    read: Mutex<Option<(Keys, Instant)>>,
}

impl KeyStore {
    pub(super) fn new(secret: Option<String>) -> Self {
        Self {
            secret,
            read: Mutex::default(),
        }
    }

    /// The current key and, for tokens made before the last rotation, the previous one.
    pub(super) async fn keys(&self, client: &Client) -> Result<Keys, Failure> {
        let secret = self
            .secret
            .as_ref()
            .ok_or(Failure::Unconfigured("UNSUBSCRIBE_SECRET_ARN"))?;
        let mut read = self.read.lock().await;
        if let Some((keys, at)) = read.as_ref()
            && at.elapsed() < KEEP
        {
            return Ok(keys.clone());
        }
        let current = version(client, secret, "AWSCURRENT").await?;
        let current = current.ok_or(Failure::Keys(crate::token::InvalidKeys::Missing))?;
        let mut keys = Keys::parse(&current)?;
        if let Some(previous) = version(client, secret, "AWSPREVIOUS").await? {
            keys = keys.with_previous(Keys::parse(&previous)?);
        }
        *read = Some((keys.clone(), Instant::now()));
        Ok(keys)
    }
}

/// A version's text, unless there is no such version: a secret that was never rotated has no previous one.
async fn version(client: &Client, secret: &str, stage: &str) -> Result<Option<String>, Failure> {
    let answer = client
        .get_secret_value()
        .secret_id(secret)
        .version_stage(stage)
        .send()
        .await;
    match answer {
        Ok(output) => Ok(output.secret_string),
        Err(error) => match error.as_service_error() {
            Some(GetSecretValueError::ResourceNotFoundException(_)) if stage == "AWSPREVIOUS" => Ok(None),
            _ => Err(Failure::of("GetSecretValue", &error)),
        },
    }
}
