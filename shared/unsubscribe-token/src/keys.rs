//! The keys that sign unsubscribe tokens.

use std::fmt;

use store::Scope;

/// The keys of unsubscribe tokens. The first key for a scope signs; a token signed with any key for its scope is valid.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

#[derive(Clone)]
struct Key {
    /// The tenant whose tokens the key signs. `None`: any scope.
    tenant: Option<String>,
    octets: Vec<u8>,
}

/// Why a text has no usable keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// The text is empty.
    #[error("expected at least one key, one per line")]
    Missing,
    /// A key is shorter than 32 characters.
    #[error("expected keys of at least 32 characters; for example from `openssl rand -hex 32`")]
    TooShort,
    /// The secret is in the key-value form of Secrets Manager.
    #[error("expected plain text, not JSON")]
    Json,
    /// All keys are those of tenants.
    #[error("expected at least one key without a tenant")]
    OnlyTenants,
}

impl Keys {
    /// Parses keys, one per line. White space around a key is ignored. A line `tenant:NAME KEY` has a key that signs only
    /// tokens of this tenant, so that the program of a tenant cannot unsubscribe the recipients of others.
    ///
    /// # Errors
    /// If there is no key for every scope, or a key is too short.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        if text.trim_start().starts_with('{') {
            return Err(InvalidKeys::Json);
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<Key> = lines.map(read_line).collect();
        if keys.is_empty() {
            return Err(InvalidKeys::Missing);
        }
        if keys.iter().any(|key| key.octets.len() < 32) {
            return Err(InvalidKeys::TooShort);
        }
        if keys.iter().all(|key| key.tenant.is_some()) {
            return Err(InvalidKeys::OnlyTenants);
        }
        Ok(Self(keys))
    }

    /// Adds the previous keys, whose tokens stay valid.
    #[must_use]
    pub fn with_previous(mut self, previous: Self) -> Self {
        self.0.extend(previous.0);
        self
    }

    /// The key that signs tokens of a scope: that of the tenant, or else the first without a tenant.
    pub(super) fn signing_key(&self, scope: &Scope) -> Option<&[u8]> {
        let tenant = tenant_of(Some(scope));
        let of_tenant = self
            .0
            .iter()
            .find(|key| key.tenant.is_some() && key.tenant.as_deref() == tenant);
        let key = of_tenant.or_else(|| self.0.iter().find(|key| key.tenant.is_none()));
        key.map(|key| key.octets.as_slice())
    }

    /// Every key whose tokens are valid in a scope. `None`: a payload without a readable scope.
    pub(super) fn valid_for(&self, scope: Option<&Scope>) -> impl Iterator<Item = &[u8]> {
        let tenant = tenant_of(scope).map(str::to_owned);
        let keys = self.0.iter();
        keys.filter(move |key| key.tenant.is_none() || key.tenant == tenant)
            .map(|key| key.octets.as_slice())
    }
}

fn tenant_of(scope: Option<&Scope>) -> Option<&str> {
    match scope {
        Some(Scope::Tenant(name)) => Some(name),
        _ => None,
    }
}

fn read_line(line: &str) -> Key {
    let of_tenant = line
        .strip_prefix("tenant:")
        .and_then(|rest| rest.split_once(char::is_whitespace));
    match of_tenant {
        Some((tenant, key)) => Key {
            tenant: Some(tenant.to_owned()),
            octets: key.trim().as_bytes().to_vec(),
        },
        None => Key {
            tenant: None,
            octets: line.as_bytes().to_vec(),
        },
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key(s)", self.0.len())
    }
}
