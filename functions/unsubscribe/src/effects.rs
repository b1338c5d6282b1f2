//! Unsubscribes the recipient that a token names. Only this module awaits AWS.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use lambda_kit::LazyClient;
use sha2::{Digest, Sha256};
use store::{CapPeriod, SendCap, Store, StoreError};
use unsubscribe_token::{KeyCache, KeyError, Keys, Token, Unsubscription, record};

use crate::request::Request;
use crate::settings::Settings;

/// The services that a request needs.
#[derive(Debug)]
pub struct Effects {
    store: Store,
    secrets: LazyClient<aws_sdk_secretsmanager::Client>,
    keys: KeyCache,
    settings: Settings,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The recipient is unsubscribed, now or by an earlier request.
    Unsubscribed,
    /// A subscription or release after the issue of the token wins.
    Superseded,
    /// A cap is reached.
    TooManyRequests,
}

impl Effects {
    /// Effects on this table.
    #[must_use]
    pub fn new(store: Store, secrets: LazyClient<aws_sdk_secretsmanager::Client>, settings: Settings) -> Self {
        Self {
            keys: KeyCache::new(&settings.secret),
            store,
            secrets,
            settings,
        }
    }

    /// The keys of tokens.
    ///
    /// # Errors
    /// If the secret cannot be read, or has no usable key.
    pub async fn keys(&self) -> Result<Keys, KeyError> {
        self.keys.keys(&self.secrets).await
    }

    /// Unsubscribes the recipient of a token, unless a cap is reached.
    ///
    /// # Errors
    /// If DynamoDB fails. The request can be repeated.
    pub async fn unsubscribe(&self, token: &Token, request: &Request, now: Timestamp) -> Result<Answer, StoreError> {
        // The token contains the address, and the key of the counter must not.
        let hashed = HEXLOWER.encode(&Sha256::digest(request.token.to_ascii_lowercase()));
        let caps = [
            (format!("unsubscribe#token#{hashed}"), self.settings.requests_per_token),
            ("unsubscribe#all".to_owned(), self.settings.requests_per_minute),
        ];
        for (counter, limit) in caps {
            let cap = SendCap {
                counter,
                period: CapPeriod::Minute,
                limit,
            };
            if !self.store.count_against_cap(&cap, &request.id, now).await? {
                return Ok(Answer::TooManyRequests);
            }
        }
        let unsubscription = Unsubscription {
            id: &request.id,
            at: now,
            way: "with one click",
        };
        let is_new = record(&self.store, token, &unsubscription, now).await?;
        let recipient = self.store.recipient(token.address()).await?;
        let is_active = recipient.is_some_and(|row| row.active_in(token.scope(), now).next().is_some());
        tracing::info!(request_id = request.id, is_new, is_active, "unsubscribed");
        Ok(match is_active {
            true => Answer::Unsubscribed,
            false => Answer::Superseded,
        })
    }
}
