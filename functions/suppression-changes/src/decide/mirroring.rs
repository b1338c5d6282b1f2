//! The requests to the suppression mirror that a change of a row calls for.
//!
//! The mirror reads the row again before it changes a list of SES, so a request that is not needed costs one read. A request
//! that is missing leaves the list wrong.

use std::collections::BTreeSet;

use notification_model::EmailAddress;
use store::{
    ActiveSuppression, MirrorAction, MirrorReason, MirrorRequest, Recipient, Scope, SuppressionEntry, SuppressionSource,
};

use crate::stream::RowChange;

pub(super) fn of(change: &RowChange, old: &Recipient, new: &Recipient, unsubscribes: bool) -> Vec<MirrorRequest> {
    let both = old.entries.keys().chain(new.entries.keys());
    // SES has no suppression list for the forwards of a mailbox.
    let scopes: BTreeSet<&Scope> = both
        .map(|(scope, _)| scope)
        .filter(|scope| !matches!(scope, Scope::Forward(_)))
        .collect();
    let comparison = |scope| Comparison {
        change,
        scope,
        old,
        new,
        unsubscribes,
    };
    scopes
        .into_iter()
        .filter_map(|scope| comparison(scope).request())
        .collect()
}

/// One scope of a row before and after a change.
struct Comparison<'a> {
    change: &'a RowChange,
    scope: &'a Scope,
    old: &'a Recipient,
    new: &'a Recipient,
    unsubscribes: bool,
}

impl Comparison<'_> {
    fn request(&self) -> Option<MirrorRequest> {
        let before = self.mirrored(self.old);
        let after = self.mirrored(self.new);
        if (before != after || self.is_republished())
            && let Some(suppression) = after.last()
        {
            return Some(self.put_or_delete(MirrorAction::Put, &suppression.source, &suppression.entry));
        }
        if let Some(release) = self.new_entry(&SuppressionSource::Released) {
            return Some(self.put_or_delete(MirrorAction::Delete, &SuppressionSource::Released, release));
        }
        // SES adds the recipient of a complaint to its list, but does not remove it when the complaint is withdrawn.
        let complaint = self.new_entry(&SuppressionSource::Complaint);
        if let Some(withdrawal) = complaint.filter(|complaint| !complaint.blocked) {
            return Some(self.put_or_delete(MirrorAction::Delete, &SuppressionSource::Complaint, withdrawal));
        }
        if self.is_republished() {
            let ended = self.new.entries.iter().find(|((scope, source), entry)| {
                let entry = (*entry).clone();
                let (scope, source) = (scope.clone(), source.clone());
                scope == *self.scope && ActiveSuppression { scope, source, entry }.is_mirrored(self.unsubscribes)
            });
            return ended.map(|((_, source), entry)| self.put_or_delete(MirrorAction::Delete, source, entry));
        }
        let ended = before.last().filter(|_| after.is_empty())?;
        Some(self.put_or_delete(MirrorAction::Delete, &ended.source, &ended.entry))
    }

    /// Whether an operator asks for the state of the row.
    fn is_republished(&self) -> bool {
        self.new.republished_at.is_some() && self.new.republished_at != self.old.republished_at
    }

    fn mirrored(&self, row: &Recipient) -> Vec<ActiveSuppression> {
        let active = row.active_in(self.scope, self.change.at);
        let mut mirrored: Vec<_> = active.filter(|it| it.is_mirrored(self.unsubscribes)).collect();
        mirrored.sort_by_key(|suppression| suppression.entry.at);
        mirrored
    }

    /// Returns the entry of a source if the change wrote it.
    fn new_entry(&self, source: &SuppressionSource) -> Option<&SuppressionEntry> {
        let key = (self.scope.clone(), source.clone());
        let entry = self.new.entries.get(&key)?;
        (self.is_republished() || self.old.entries.get(&key) != Some(entry)).then_some(entry)
    }

    fn put_or_delete(
        &self,
        action: MirrorAction,
        source: &SuppressionSource,
        entry: &SuppressionEntry,
    ) -> MirrorRequest {
        MirrorRequest {
            action,
            address: EmailAddress::parse(&entry.address).unwrap_or_else(|| self.change.address.clone()),
            scope: self.scope.clone(),
            reason: match source {
                SuppressionSource::Complaint | SuppressionSource::List(_) | SuppressionSource::Unsubscribe => {
                    MirrorReason::Complaint
                }
                _ => MirrorReason::Bounce,
            },
            at: entry.at,
            id: entry.id.clone(),
        }
    }
}
