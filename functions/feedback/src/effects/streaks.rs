//! Keeps the streak entry of a recipient in step with its soft bounces and deliveries.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use store::{
    HistoryEntry, Recipient, Scope, SoftBounce, Store, StoreError, StreakWrite, SuppressionEntry, SuppressionSource,
};

use super::mirror_queue::MirrorQueue;
use crate::policy::{Policy, SuppressionPeriod};
use crate::streak::{self, Streak};

/// Maximum difference between `created_at` of a row and the time at which the row was created. `created_at` is the start
/// of the invocation, or the time on an operator's computer.
const CREATION_TOLERANCE: SignedDuration = SignedDuration::from_hours(1);

/// A change of a recipient's streak entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreakChange {
    /// The streak suppresses the recipient, or does so for longer.
    Suppressed,
    /// A delivery or a release ended the suppression.
    Recovered,
}

/// Updates streak entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streaks<'a> {
    pub(super) store: &'a Store,
    pub(super) policy: &'a Policy,
    pub(super) mirror: Option<&'a MirrorQueue>,
}

impl Streaks<'_> {
    /// Records a delivery unless the row has it, and updates the streak entry. The entry is updated in either case, because
    /// an earlier attempt may have failed after it had recorded the delivery.
    pub(super) async fn end(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        at: Timestamp,
        row: &Recipient,
    ) -> Result<Option<StreakChange>, StoreError> {
        let is_recorded = row.delivered_at.get(scope).is_some_and(|recorded| *recorded >= at);
        let updated = if is_recorded {
            None
        } else {
            self.store.record_delivery(address, scope, at).await?
        };
        self.update(address, scope, updated.unwrap_or_else(|| row.clone()))
            .await
    }

    /// Updates the streak entry from the soft bounces and deliveries of the row. Sends no request if nothing changes.
    pub(super) async fn update(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        mut row: Recipient,
    ) -> Result<Option<StreakChange>, StoreError> {
        loop {
            let live = row.live_soft_bounces(scope);
            let streak = streak::evaluate(&live, &self.policy.streak);
            let target = streak.as_ref().map(|streak| streak_entry(address, streak));
            let current = row.entries.get(&(scope.clone(), SuppressionSource::Streak));
            let is_changed = current != target.as_ref();
            if !is_changed && row.soft_bounces.get(scope).map_or(0, Vec::len) == live.len() {
                return Ok(None);
            }
            // A delivery before the row existed is only in its batch. After it is recorded, only newer soft bounces are
            // live, so this happens once.
            if streak.is_some()
                && let Some(at) = self.delivery_before_row(address, scope, &row, &live).await?
                && let Some(updated) = self.store.record_delivery(address, scope, at).await?
            {
                row = updated;
                continue;
            }
            let history = is_changed.then(|| self.history(scope, &row, target.as_ref(), current));
            // The history is written first: once the entry is written, another attempt finds nothing to do.
            if let Some(history) = &history {
                self.store.append_history(address, history).await?;
            }
            let written = self.store.settle_streak(address, scope, &row, target.as_ref()).await?;
            let (StreakWrite::Written, Some(history)) = (written, history) else {
                return Ok(None);
            };
            if let Some(mirror) = self.mirror {
                let source = SuppressionSource::Streak;
                mirror.send_change(address, &source, &history, self.policy).await;
            }
            return Ok(Some(match target {
                Some(_) => StreakChange::Suppressed,
                None => StreakChange::Recovered,
            }));
        }
    }

    /// Returns the newest delivery after the first live soft bounce that was recorded before the row existed.
    async fn delivery_before_row(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        row: &Recipient,
        live: &[SoftBounce],
    ) -> Result<Option<Timestamp>, StoreError> {
        let (Some(first), Some(created_at)) = (live.first(), row.created_at) else {
            return Ok(None);
        };
        let to = created_at.checked_add(CREATION_TOLERANCE).unwrap_or(created_at);
        let oldest_kept = match self.policy.deliveries {
            SuppressionPeriod::Days(days) => to
                .checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
                .unwrap_or(to),
            SuppressionPeriod::Permanent => first.at,
        };
        let from = first.at.max(oldest_kept);
        if from >= to {
            return Ok(None);
        }
        self.store.newest_delivery(address, scope, from, to).await
    }

    fn history(
        &self,
        scope: &Scope,
        row: &Recipient,
        target: Option<&SuppressionEntry>,
        current: Option<&SuppressionEntry>,
    ) -> HistoryEntry {
        let delivered_at = row.delivered_at.get(scope).copied();
        let (at, id) = match (target, current) {
            (Some(entry), _) => (entry.at, entry.id.clone()),
            (None, Some(entry)) => (delivered_at.unwrap_or(entry.at), entry.id.clone()),
            (None, None) => (delivered_at.unwrap_or_default(), "-".to_owned()),
        };
        HistoryEntry {
            at,
            id,
            kind: if target.is_some() { "streak" } else { "recovered" }.to_owned(),
            reason: target.map_or_else(
                || "a delivery or a release ended the streak".to_owned(),
                |entry| entry.reason.clone(),
            ),
            scope: scope.clone(),
            suppresses: target.is_some(),
            evidence: BTreeMap::new(),
            expires_at: match target {
                Some(entry) => entry.until,
                None => self.policy.history.end(at),
            },
        }
    }
}

fn streak_entry(address: &EmailAddress, streak: &Streak) -> SuppressionEntry {
    let until = match streak.until {
        Some(until) => format!("until {}", until.strftime("%Y-%m-%d")),
        None => "permanent".to_owned(),
    };
    SuppressionEntry {
        at: streak.at,
        id: streak.message_id.clone(),
        blocked: true,
        until: streak.until,
        reason: format!(
            "{} messages in a row bounced softly, suppression {} since the last delivery: {until}",
            streak.messages, streak.level
        ),
        address: address.as_str().to_owned(),
        evidence: BTreeMap::from([
            ("messages".to_owned(), streak.messages.to_string()),
            ("level".to_owned(), streak.level.to_string()),
        ]),
    }
}
