//! "May I mail this address?"

use jiff::Timestamp;
use notification_model::{EmailAddress, normalise_domain};

use super::recipient::{Recipient, SuppressionEntry};
use super::scope::{Scope, SuppressionSource};
use crate::client::{Store, StoreError};

/// Who asks, and for what kind of mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderContext {
    /// The SES tenant that will send.
    pub tenant: Option<String>,
    /// The identity, From address or domain that will send.
    pub identity: Option<String>,
    /// The contact list, or its topic, that the mail belongs to: `list` or `list/topic`.
    pub topic: Option<String>,
}

impl SenderContext {
    /// The scopes whose suppressions concern this sender: `global`, its tenant, and its domain with the domains above
    /// it, because a verified domain also sends for the domains below.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let tenant = self.tenant.clone().map(Scope::Tenant);
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

    /// Whether the mail belongs to a contact list, as a whole.
    fn is_of_list(&self, list: &str) -> bool {
        let asked = self
            .topic
            .as_deref()
            .map(|topic| topic.split('/').next().unwrap_or(topic));
        asked == Some(list)
    }
}

/// A decision that stands between a sender and a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it holds.
    pub scope: Scope,
    /// What it rests on.
    pub source: SuppressionSource,
    /// The decision.
    pub entry: SuppressionEntry,
}

/// The answer for one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The address asked about.
    pub address: EmailAddress,
    /// Everything that stands in the way; empty means: mail.
    pub blocks: Vec<Block>,
}

impl Recipient {
    /// The decisions of one scope that are in force: `blocked`, not expired, and not older than a release.
    pub fn in_force(&self, scope: &Scope, now: Timestamp) -> impl Iterator<Item = Block> {
        let release = self.entries.get(&(scope.clone(), SuppressionSource::Released));
        let released_at = release.map(|release| release.at);
        let own = self
            .entries
            .iter()
            .filter(move |((entry_scope, _), _)| entry_scope == scope);
        own.filter(move |(_, entry)| {
            entry.blocked
                && entry.until.is_none_or(|until| until > now)
                && released_at.is_none_or(|released_at| entry.at > released_at)
        })
        .map(|((scope, source), entry)| Block {
            scope: scope.clone(),
            source: source.clone(),
            entry: entry.clone(),
        })
    }

    /// What stands between this recipient and mail from `context`. Leaving a list or topic stands in the way of its mail
    /// only: who no longer wants the newsletter still gets a password reset.
    #[must_use]
    pub fn blocks(&self, context: &SenderContext, now: Timestamp) -> Vec<Block> {
        let scopes = context.scopes();
        let in_force = scopes.iter().flat_map(|scope| self.in_force(scope, now));
        in_force
            .filter(|block| match &block.source {
                SuppressionSource::List(list) => context.is_of_list(list),
                SuppressionSource::Topic(topic) => context.topic.as_ref() == Some(topic),
                _ => true,
            })
            .collect()
    }
}

impl Store {
    /// Whether `context` may mail each address: one key an address, 100 a request, in the order asked.
    ///
    /// # Errors
    /// When DynamoDB fails. Nothing is known then: don't take it for a yes.
    pub async fn check(
        &self,
        addresses: &[EmailAddress],
        context: &SenderContext,
        now: Timestamp,
    ) -> Result<Vec<CheckResult>, StoreError> {
        let rows = self.recipients(addresses).await?;
        let answer = |address: &EmailAddress| CheckResult {
            address: address.clone(),
            blocks: rows
                .get(address.key())
                .map(|row| row.blocks(context, now))
                .unwrap_or_default(),
        };
        Ok(addresses.iter().map(answer).collect())
    }
}
