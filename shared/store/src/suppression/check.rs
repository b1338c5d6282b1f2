//! The check before sending: which suppressions are active for a recipient and a sender.

use jiff::Timestamp;
use notification_model::{EmailAddress, normalise_domain};

use super::entry::SuppressionEntry;
use super::recipient::Recipient;
use super::scope::{Scope, SuppressionSource};
use crate::client::{Store, StoreError};

/// Who sends, and what kind of mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderContext {
    /// The SES tenant. `ACCOUNT/NAME` for a tenant of another account than that of the table.
    pub tenant: Option<String>,
    /// The identity, From address or domain.
    pub identity: Option<String>,
    /// The contact list, or its topic, that the mail belongs to: `list` or `list/topic`.
    pub topic: Option<String>,
}

impl SenderContext {
    /// Returns the scopes that apply to this sender: `global`, its tenant, its domain and the parent domains, because a
    /// verified domain also sends for its subdomains.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let tenant = self.tenant.as_deref().map(Scope::of_tenant);
        let domain = self
            .identity
            .as_deref()
            .map(|identity| match EmailAddress::parse(identity) {
                Some(address) => address
                    .domain()
                    .map_or_else(|| normalise_domain(identity), str::to_owned),
                None => normalise_domain(identity),
            });
        let with_parents = std::iter::successors(domain, |domain| {
            let (_, parent) = domain.split_once('.')?;
            parent.contains('.').then(|| parent.to_owned())
        });
        std::iter::once(Scope::Global)
            .chain(tenant)
            .chain(with_parents.map(Scope::Domain))
            .collect()
    }

    /// Whether the mail belongs to the contact list, with or without a topic.
    fn belongs_to_list(&self, list: &str) -> bool {
        let own_list = self
            .topic
            .as_deref()
            .map(|topic| topic.split('/').next().unwrap_or(topic));
        own_list == Some(list)
    }
}

/// A suppression entry that is active: it stops mail now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveSuppression {
    /// For whom it holds.
    pub scope: Scope,
    /// What caused it.
    pub source: SuppressionSource,
    /// The entry.
    pub entry: SuppressionEntry,
}

/// The result of the check for one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The address.
    pub address: EmailAddress,
    /// The active suppressions. Empty: the address may be mailed.
    pub suppressions: Vec<ActiveSuppression>,
}

impl Recipient {
    /// Returns the active entries of one scope: `blocked`, not expired, and newer than the last release of the scope.
    pub fn active_in(&self, scope: &Scope, now: Timestamp) -> impl Iterator<Item = ActiveSuppression> {
        let release = self.entries.get(&(scope.clone(), SuppressionSource::Released));
        let released_at = release.map(|release| release.at);
        let of_scope = self
            .entries
            .iter()
            .filter(move |((entry_scope, _), _)| entry_scope == scope);
        of_scope
            .filter(move |(_, entry)| {
                entry.blocked
                    && entry.until.is_none_or(|until| until > now)
                    && released_at.is_none_or(|released_at| entry.at > released_at)
            })
            .map(|((scope, source), entry)| ActiveSuppression {
                scope: scope.clone(),
                source: source.clone(),
                entry: entry.clone(),
            })
    }

    /// Returns the suppressions that are active for mail from `context`. An entry of a list or topic stops only the mail of
    /// that list or topic: a recipient who unsubscribed from a newsletter still receives a password reset.
    #[must_use]
    pub fn active_for(&self, context: &SenderContext, now: Timestamp) -> Vec<ActiveSuppression> {
        let scopes = context.scopes();
        let active = scopes.iter().flat_map(|scope| self.active_in(scope, now));
        active
            .filter(|suppression| match &suppression.source {
                SuppressionSource::List(list) => context.belongs_to_list(list),
                SuppressionSource::Topic(topic) => context.topic.as_ref() == Some(topic),
                _ => true,
            })
            .collect()
    }
}

impl Store {
    /// Returns the active suppressions of each address for mail from `context`, in the order of `addresses`. Reads one key
    /// for each address, 100 in a request.
    ///
    /// # Errors
    /// If DynamoDB fails. The suppressions are then unknown, so do not send.
    pub async fn check(
        &self,
        addresses: &[EmailAddress],
        context: &SenderContext,
        now: Timestamp,
    ) -> Result<Vec<CheckResult>, StoreError> {
        let rows = self.recipients(addresses).await?;
        let result = |address: &EmailAddress| CheckResult {
            address: address.clone(),
            suppressions: rows
                .get(address.key())
                .map(|row| row.active_for(context, now))
                .unwrap_or_default(),
        };
        Ok(addresses.iter().map(result).collect())
    }
}
