//! The services and settings that actions use.

use store::Store;
use tokio::sync::Semaphore;
use unsubscribe_token::KeyCache;

use super::bounce_pacer::BouncePacer;
use super::clients::Clients;
use crate::settings::Settings;

/// The services and settings that actions use.
#[derive(Debug)]
pub struct Effects {
    /// The configuration.
    pub settings: Settings,
    pub(super) store: Store,
    pub(super) clients: Clients,
    /// `None` without `UNSUBSCRIBE_SECRET_ARN`.
    pub(super) unsubscribe_keys: Option<KeyCache>,
    pub(super) bounce_pacer: BouncePacer,
    /// Large mails are sent one at a time.
    pub(super) large_mail: Semaphore,
}

impl Effects {
    /// Effects on this table and these services.
    #[must_use]
    pub fn new(store: Store, clients: Clients, settings: Settings) -> Self {
        Self {
            unsubscribe_keys: settings.unsubscribe_secret.clone().map(KeyCache::new),
            bounce_pacer: BouncePacer::default(),
            large_mail: Semaphore::new(1),
            store,
            clients,
            settings,
        }
    }
}
