//! A running console: the table it shows, what it may do, and who may use it.

use std::sync::Arc;

use store::Store;

use crate::access::Access;

/// What a console shows and may do.
#[derive(Debug)]
pub struct Settings {
    /// The stack's table.
    pub store: Store,
    /// The lines in the head of each page, each with a name: the table, the Region, the account and the caller.
    pub context: Vec<(&'static str, String)>,
    /// The loopback port.
    pub port: u16,
    /// Whether the console may change anything.
    pub is_writable: bool,
}

/// A console that [`router`](crate::router) serves. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Console(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    access: Access,
}

impl Console {
    /// Creates a console that no one can use before [`sign_in_link`](Self::sign_in_link).
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner {
            settings,
            access: Access::new(),
        }))
    }

    /// Creates a link that signs a browser in, once. The token is in the fragment, which a browser sends to no server. An
    /// unused link before it no longer works.
    ///
    /// # Errors
    /// If the operating system has no random numbers.
    pub fn sign_in_link(&self) -> Result<String, getrandom::Error> {
        let token = self.access().new_sign_in_token()?;
        Ok(format!("http://{}/sign-in#{}", self.authority(), token.reveal()))
    }

    /// Returns when no signed-in browser has used the console for [`IDLE_LIMIT`](crate::IDLE_LIMIT).
    pub async fn idle(&self) {
        self.access().idle().await;
    }

    /// The only accepted `Host`.
    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.settings().port)
    }

    /// Browsers send the cookies of one port to all ports of the host, so the name has the port.
    pub(crate) fn cookie_name(&self) -> String {
        format!("postroom-console-{}", self.settings().port)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.settings.store
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }
}
