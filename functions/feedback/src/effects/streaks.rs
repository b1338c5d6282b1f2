//! Keeps the entries that result from series of bounces in step with the bounces and deliveries of the recipient.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use notification_model::EmailAddress;
use store::{
    BounceSeries, DeliveredMessage, HistoryEntry, Recipient, Scope, SeriesBounce, SeriesWrite, Store, StoreError,
    SuppressionEntry,
};

use crate::policy::{Policy, SuppressionPeriod};
use crate::streak::{self, Streak};

/// Maximum difference between `created_at` of a row and the time at which the row was created. `created_at` is the start
/// of the invocation, or the time on an operator's computer.
const CREATION_TOLERANCE: SignedDuration = SignedDuration::from_hours(1);

/// A change of an entry that results from a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreakChange {
    /// The series suppresses the recipient, or does so for longer.
    Suppressed,
    /// A delivery or a release ended the suppression.
    Recovered,
}

/// Updates the entries that result from series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streaks<'a> {
    pub(super) store: &'a Store,
    pub(super) policy: &'a Policy,
}

impl Streaks<'_> {
    /// Records deliveries unless the row has them, and updates the entries. They are updated in either case, because an
    /// earlier attempt may have failed after it had recorded the deliveries.
    pub(super) async fn end(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        delivered: &[DeliveredMessage],
        row: &Recipient,
    ) -> Result<Vec<StreakChange>, StoreError> {
        let recorded = self
            .store
            .record_deliveries(address, scope, delivered, row.clone())
            .await?;
        self.update_all(address, scope, recorded.unwrap_or_else(|| row.clone()))
            .await
    }

    /// Updates the entries of every series of the scope. Sends no request if nothing changes.
    pub(super) async fn update_all(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        mut row: Recipient,
    ) -> Result<Vec<StreakChange>, StoreError> {
        let mut changes = Vec::new();
        for series in BounceSeries::ALL {
            changes.extend(self.update(address, scope, series, &mut row).await?);
        }
        Ok(changes)
    }

    /// Updates the entry from the bounces and deliveries of the row, which is then as the table has it.
    async fn update(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        series: BounceSeries,
        row: &mut Recipient,
    ) -> Result<Option<StreakChange>, StoreError> {
        loop {
            let counted = row.counted(scope, series);
            let streak = streak::evaluate(&counted, self.policy.series(series));
            let target = streak.as_ref().map(|streak| entry_of(address, series, streak));
            let current = row.entries.get(&(scope.clone(), series.source()));
            let is_changed = current != target.as_ref();
            if !is_changed && !row.has_surplus(scope, series) {
                return Ok(None);
            }
            // A delivery before the row existed is only in its batch. After it is recorded, only newer bounces count, so this
            // happens once for each delivery whose own message did not bounce.
            if streak.is_some()
                && let Some(delivered) = self.delivery_before_row(address, scope, row, &counted).await?
                && let Some(updated) = self
                    .store
                    .record_deliveries(address, scope, &[delivered], row.clone())
                    .await?
                && updated != *row
            {
                *row = updated;
                continue;
            }
            let history = is_changed.then(|| self.history(scope, series, row, target.as_ref(), current));
            // The history is written first: once the entry is written, another attempt finds nothing to do.
            if let Some(history) = &history {
                self.store.append_history(address, history).await?;
            }
            let written = self
                .store
                .settle_series(address, scope, series, row, target.as_ref())
                .await?;
            let SeriesWrite::Written(settled) = written else {
                return Ok(None);
            };
            *row = *settled;
            return Ok(history.is_some().then_some(match target {
                Some(_) => StreakChange::Suppressed,
                None => StreakChange::Recovered,
            }));
        }
    }

    /// Returns the newest delivery after the first counted bounce that was recorded before the row existed.
    async fn delivery_before_row(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        row: &Recipient,
        counted: &[SeriesBounce],
    ) -> Result<Option<DeliveredMessage>, StoreError> {
        let (Some(first), Some(created_at)) = (counted.first(), row.created_at) else {
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
        let holds = |delivered: &DeliveredMessage| row.holds(scope, delivered);
        self.store.newest_delivery(address, scope, (from, to), holds).await
    }

    fn history(
        &self,
        scope: &Scope,
        series: BounceSeries,
        row: &Recipient,
        target: Option<&SuppressionEntry>,
        current: Option<&SuppressionEntry>,
    ) -> HistoryEntry {
        let delivered_at = row.delivered_at(scope);
        let (at, id) = match (target, current) {
            (Some(entry), _) => (entry.at, entry.id.clone()),
            (None, Some(entry)) => (delivered_at.unwrap_or(entry.at), entry.id.clone()),
            (None, None) => (delivered_at.unwrap_or_default(), "-".to_owned()),
        };
        HistoryEntry {
            at,
            id,
            kind: match target {
                Some(_) => series.source().to_string(),
                None => "recovered".to_owned(),
            },
            reason: target.map_or_else(
                || format!("a delivery or a release voids the entry {}", series.source()),
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

fn entry_of(address: &EmailAddress, series: BounceSeries, streak: &Streak) -> SuppressionEntry {
    let until = match streak.until {
        Some(until) => format!("until {}", until.strftime("%Y-%m-%d")),
        None => "permanent".to_owned(),
    };
    let what = match series {
        BounceSeries::Soft => format!("{} messages in a row bounced softly", streak.messages),
        BounceSeries::Unconfirmed => format!("unconfirmed hard bounce, {}", streak.detail),
    };
    let mut evidence = BTreeMap::from([
        ("messages".to_owned(), streak.messages.to_string()),
        ("level".to_owned(), streak.level.to_string()),
    ]);
    if !streak.detail.is_empty() {
        evidence.insert("bounce".to_owned(), streak.detail.clone());
    }
    SuppressionEntry {
        at: streak.at,
        id: streak.message_id.clone(),
        blocked: true,
        until: streak.until,
        reason: format!("{what}, suppression {} since the last delivery: {until}", streak.level),
        address: address.as_str().to_owned(),
        evidence,
    }
}
