//! Which enforcements a crossing of the enforcement threshold calls for. Pure.

use notification_model::AccountId;
use store::{
    EnforcementKind, Figures, Level, Measure, ReputationState, SenderRates, SendingStream, Thresholds, Window,
};

use crate::levels::{figures, level, threshold};

/// A restriction to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnforcementRequest {
    /// Disable the sending of this configuration set.
    PauseConfigurationSet(String),
    /// Disable the sending of this tenant.
    DisableTenant(String),
    /// Revoke the authorization of a delegate to send from an identity.
    RevokeAuthorization {
        /// The identity, in SES's spelling.
        identity: String,
        /// The account of the delegate.
        delegate: AccountId,
    },
}

impl EnforcementRequest {
    /// The kind of the enforcement.
    #[must_use]
    pub fn kind(&self) -> EnforcementKind {
        match self {
            Self::PauseConfigurationSet(_) => EnforcementKind::PauseConfigurationSet,
            Self::DisableTenant(_) => EnforcementKind::DisableTenant,
            Self::RevokeAuthorization { .. } => EnforcementKind::RevokeAuthorization,
        }
    }
}

/// The enforcements that a crossing calls for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnforcementRequests {
    /// The restrictions to apply.
    pub requests: Vec<EnforcementRequest>,
    /// Configured enforcements that do not apply to the sender, each as `KIND: reason`.
    pub not_applicable: Vec<String>,
}

/// The configured enforcements against a sender that crossed the enforcement threshold, as the account `own` can apply
/// them. None at a lower level.
#[must_use]
pub fn enforcement_requests(
    rates: &SenderRates,
    thresholds: &Thresholds,
    crossing: &ReputationState,
    own: &AccountId,
) -> EnforcementRequests {
    let mut result = EnforcementRequests::default();
    if crossing.level != Level::Enforce {
        return result;
    }
    let sends_from_own_account = rates.sender.account == own.as_str();
    for kind in &thresholds.enforcements {
        match kind {
            EnforcementKind::PauseConfigurationSet | EnforcementKind::DisableTenant if !sends_from_own_account => {
                result.add_not_applicable(*kind, "it belongs to the sending account, which is not this account");
            }
            EnforcementKind::PauseConfigurationSet => {
                let names = responsible(rates, thresholds, crossing.measure, |stream| {
                    stream.configuration_set.as_deref()
                });
                result.add(*kind, names, EnforcementRequest::PauseConfigurationSet);
            }
            EnforcementKind::DisableTenant => {
                let names = responsible(rates, thresholds, crossing.measure, |stream| stream.tenant.as_deref());
                result.add(*kind, names, EnforcementRequest::DisableTenant);
            }
            EnforcementKind::RevokeAuthorization => result.add_revocation(rates, own),
        }
    }
    result
}

impl EnforcementRequests {
    fn add(&mut self, kind: EnforcementKind, names: Vec<String>, request: impl Fn(String) -> EnforcementRequest) {
        if names.is_empty() {
            self.add_not_applicable(kind, "no single one is responsible for the figures");
        }
        self.requests.extend(names.into_iter().map(request));
    }

    fn add_revocation(&mut self, rates: &SenderRates, own: &AccountId) {
        let kind = EnforcementKind::RevokeAuthorization;
        let sender = &rates.sender;
        let delegate = sender
            .account
            .parse::<AccountId>()
            .ok()
            .filter(|account| account != own);
        match delegate {
            _ if sender.owner != own.as_str() => {
                self.add_not_applicable(kind, "the identity belongs to another account");
            }
            None => self.add_not_applicable(kind, "the sender is the identity owner or unknown"),
            Some(delegate) => self.requests.push(EnforcementRequest::RevokeAuthorization {
                identity: sender.identity.clone(),
                delegate,
            }),
        }
    }

    fn add_not_applicable(&mut self, kind: EnforcementKind, reason: &str) {
        self.not_applicable.push(format!("{}: {reason}", kind.as_str()));
    }
}

/// The configuration sets or tenants responsible for the figures: those that reach the enforcement threshold themselves, or
/// else the one with more than half of the bounces or complaints.
fn responsible(
    rates: &SenderRates,
    thresholds: &Thresholds,
    measure: Measure,
    name: impl Fn(&SendingStream) -> Option<&str>,
) -> Vec<String> {
    let mut by_name: Vec<(&str, Figures)> = Vec::new();
    let mut total = 0;
    for (stream, counts) in &rates.day_by_stream {
        let figures = figures(counts, measure);
        total += figures.count;
        let Some(name) = name(stream) else { continue };
        match by_name.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => {
                sum.count += figures.count;
                sum.volume += figures.volume;
            }
            None => by_name.push((name, figures)),
        }
    }
    let threshold = threshold(thresholds, measure);
    let names_where = |condition: &dyn Fn(Figures) -> bool| -> Vec<String> {
        let matching = by_name.iter().filter(|(_, figures)| condition(*figures));
        matching.map(|(name, _)| (*name).to_owned()).collect()
    };
    let at_threshold = names_where(&|figures| level(figures, Window::Day, threshold) == Level::Enforce);
    if at_threshold.is_empty() {
        names_where(&|figures| figures.count * 2 > total)
    } else {
        at_threshold
    }
}
