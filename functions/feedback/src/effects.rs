//! Applies actions to the store: the only place here that awaits AWS.

mod mirror;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use store::{
    DeliveredBatch, HistoryEntry, Recipient, Scope, SenderBatch, SoftBounce, Store, StoreError, StreakWrite,
    SuppressionEntry, SuppressionSource,
};

use crate::decide::Action;
use crate::policy::{Policy, SuppressionPeriod};
use crate::streak;

pub use mirror::Mirror;

/// Where actions take effect.
#[derive(Debug, Clone)]
pub struct Effects {
    /// The table.
    pub store: Store,
    /// The numbers.
    pub policy: Policy,
    /// The way to SES's own suppression lists; `None` leaves them alone.
    pub mirror: Option<Mirror>,
}

/// What became of one recipient's streak of soft bounces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreakChange {
    /// It now suppresses, or for longer.
    Suppressed,
    /// A delivery ended its suppression.
    Recovered,
}

/// What is left of a notification's actions once those that concern it alone took effect.
#[derive(Debug, Default)]
pub struct Applied {
    /// Better done for the whole batch.
    pub deferred: Vec<Action>,
    /// The streaks that changed.
    pub streaks: Vec<StreakChange>,
}

/// What became of a batch's deliveries.
#[derive(Debug, Default)]
pub struct Delivered {
    /// The records whose share failed, by index.
    pub failures: Vec<(BTreeSet<usize>, StoreError)>,
    /// The streaks that changed.
    pub streaks: Vec<StreakChange>,
}

impl Effects {
    /// Applies what concerns one notification alone. What is better done for the whole batch comes back.
    ///
    /// # Errors
    /// When DynamoDB fails. Everything can be applied again.
    pub async fn apply(&self, actions: Vec<Action>, now: Timestamp) -> Result<Applied, StoreError> {
        let (deferred, at_once): (Vec<_>, Vec<_>) = actions
            .into_iter()
            .partition(|action| matches!(action, Action::CountInBatch { .. } | Action::Delivered { .. }));
        let streaks = try_join_all(at_once.iter().map(|action| self.apply_one(action, now))).await?;
        Ok(Applied {
            deferred,
            streaks: streaks.into_iter().flatten().collect(),
        })
    }

    async fn apply_one(&self, action: &Action, now: Timestamp) -> Result<Option<StreakChange>, StoreError> {
        match action {
            Action::WriteEntry {
                address,
                scope,
                source,
                entry,
                history,
            } => {
                self.store.record(address, scope, source, entry, now).await?;
                self.store.append_history(address, history).await?;
                self.mirror(address, source, history).await;
            }
            Action::SoftBounce {
                address,
                scope,
                bounce,
                history,
            } => {
                self.store.append_history(address, history).await?;
                let row = self.store.add_soft_bounce(address, scope, bounce, now).await?;
                return self.settle(address, scope, row).await;
            }
            Action::AppendHistory { address, history } => self.store.append_history(address, history).await?,
            Action::CountEvent(event) => {
                let expires_at = self.end(self.policy.statistics, event.at);
                self.store.count_event(event, expires_at).await?;
            }
            Action::CountInBatch { .. } | Action::Delivered { .. } | Action::Acknowledge { .. } => {}
        }
        Ok(None)
    }

    /// Counts for the whole batch; one request per sender, line and ten minutes. `actions` come with the index of the
    /// record they belong to; the answer names the records whose count could not be written.
    pub async fn count(&self, actions: &[(usize, Action)]) -> Vec<(BTreeSet<usize>, StoreError)> {
        let mut batches: Vec<(SenderBatch, Timestamp, BTreeSet<usize>)> = Vec::new();
        for (index, action) in actions {
            let Action::CountInBatch {
                sender,
                stream,
                kind,
                at,
                message_id,
                recipient,
            } = action
            else {
                continue;
            };
            let known = batches.iter().position(|(batch, ..)| batch.takes(sender, stream, *at));
            let position = known.unwrap_or_else(|| {
                batches.push((
                    SenderBatch::new(sender.clone(), stream.clone(), *at),
                    *at,
                    BTreeSet::new(),
                ));
                batches.len() - 1
            });
            if let Some((batch, _, records)) = batches.get_mut(position) {
                batch.add(*kind, message_id, recipient);
                records.insert(*index);
            }
        }
        let mut failures = Vec::new();
        for (batch, at, records) in batches {
            if let Err(error) = self
                .store
                .count_batch(&batch, self.end(self.policy.statistics, at))
                .await
            {
                failures.push((records, error));
            }
        }
        failures
    }

    /// Ends the streaks of everyone a batch was delivered to; see [`DeliveredBatch`] for why the batch is written before
    /// the rows are read.
    pub async fn deliver(&self, actions: &[(usize, Action)]) -> Delivered {
        let mut batches: Vec<(DeliveredBatch, Timestamp, BTreeSet<usize>)> = Vec::new();
        // Only the newest delivery of a recipient in a scope matters.
        let mut newest: BTreeMap<(String, Scope), (EmailAddress, Timestamp, BTreeSet<usize>)> = BTreeMap::new();
        for (index, action) in actions {
            let Action::Delivered { address, scope, at } = action else {
                continue;
            };
            let known = batches.iter().position(|(batch, ..)| batch.takes(scope, *at));
            let position = known.unwrap_or_else(|| {
                batches.push((DeliveredBatch::new(scope.clone(), *at), *at, BTreeSet::new()));
                batches.len() - 1
            });
            if let Some((batch, _, records)) = batches.get_mut(position) {
                batch.add(address, *at);
                records.insert(*index);
            }
            let entry = newest.entry((address.key().to_owned(), scope.clone()));
            let (_, latest, records) = entry.or_insert_with(|| (address.clone(), *at, BTreeSet::new()));
            *latest = (*latest).max(*at);
            records.insert(*index);
        }
        let mut outcome = Delivered::default();
        if newest.is_empty() {
            return outcome;
        }
        for (batch, at, records) in batches {
            let expires_at = self.end(self.policy.deliveries, at);
            if let Err(error) = self.store.put_deliveries(&batch, expires_at).await {
                outcome.failures.push((records, error));
            }
        }
        let addresses: Vec<EmailAddress> = newest.values().map(|(address, ..)| address.clone()).collect();
        let rows = match self.store.recipients(&addresses).await {
            Ok(rows) => rows,
            Err(error) => {
                let all = newest.into_values().flat_map(|(.., records)| records).collect();
                outcome.failures.push((all, error));
                return outcome;
            }
        };
        for ((key, scope), (address, at, records)) in newest {
            let Some(row) = rows.get(&key) else { continue };
            match self.end_streak(&address, &scope, at, row).await {
                Ok(change) => outcome.streaks.extend(change),
                Err(error) => outcome.failures.push((records, error)),
            }
        }
        outcome
    }

    /// Notes a delivery, unless the row knows of it, and settles the streak in any case: an earlier try may have come no
    /// further than the note.
    async fn end_streak(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        at: Timestamp,
        row: &Recipient,
    ) -> Result<Option<StreakChange>, StoreError> {
        let known = row.delivered_at.get(scope).is_some_and(|known| *known >= at);
        let changed = if known {
            None
        } else {
            self.store.record_delivery(address, scope, at).await?
        };
        self.settle(address, scope, changed.unwrap_or_else(|| row.clone()))
            .await
    }

    /// Brings the streak's register in line with the soft bounces and deliveries known. Without anything to change it
    /// makes no request.
    async fn settle(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        mut row: Recipient,
    ) -> Result<Option<StreakChange>, StoreError> {
        loop {
            let live = row.live_soft_bounces(scope);
            let streak = streak::classify(&live, &self.policy.streak);
            let wanted = streak.as_ref().map(|streak| streak_entry(address, streak));
            let register = row.entries.get(&(scope.clone(), SuppressionSource::Streak));
            let changes = register != wanted.as_ref();
            if !changes && row.soft_bounces.get(scope).map_or(0, Vec::len) == live.len() {
                return Ok(None);
            }
            // A delivery from before the row existed is known to its batch only. Noting it leaves only soft bounces after
            // it, so this comes round once.
            if streak.is_some()
                && let Some(at) = self.delivery_before_the_row(address, scope, &row, &live).await?
                && let Some(noted) = self.store.record_delivery(address, scope, at).await?
            {
                row = noted;
                continue;
            }
            let history = changes.then(|| self.streak_history(scope, &row, wanted.as_ref(), register));
            // First the explanation: after the register is written, another try would find nothing to do.
            if let Some(history) = &history {
                self.store.append_history(address, history).await?;
            }
            let settled = self.store.settle_streak(address, scope, &row, wanted.as_ref()).await?;
            return Ok(match (settled, history) {
                (StreakWrite::Written, Some(history)) => {
                    self.mirror(address, &SuppressionSource::Streak, &history).await;
                    Some(if wanted.is_some() {
                        StreakChange::Suppressed
                    } else {
                        StreakChange::Recovered
                    })
                }
                (StreakWrite::Written, None) | (StreakWrite::Overtaken, _) => None,
            });
        }
    }

    async fn delivery_before_the_row(
        &self,
        address: &EmailAddress,
        scope: &Scope,
        row: &Recipient,
        live: &[SoftBounce],
    ) -> Result<Option<Timestamp>, StoreError> {
        let (Some(first), Some(created_at)) = (live.first(), row.created_at) else {
            return Ok(None);
        };
        // The row bears the time at which its invocation began, or that of a person's clock.
        let to = created_at
            .checked_add(SignedDuration::from_hours(1))
            .unwrap_or(created_at);
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

    async fn mirror(&self, address: &EmailAddress, source: &SuppressionSource, history: &HistoryEntry) {
        let Some(mirror) = &self.mirror else { return };
        if let Some(request) = crate::mirror::request(address, source, history, &self.policy) {
            mirror.send(&request).await;
        }
    }

    fn streak_history(
        &self,
        scope: &Scope,
        row: &Recipient,
        wanted: Option<&SuppressionEntry>,
        before: Option<&SuppressionEntry>,
    ) -> HistoryEntry {
        let recovered_at = row.delivered_at.get(scope).copied();
        let (at, id) = match (wanted, before) {
            (Some(entry), _) => (entry.at, entry.id.clone()),
            (None, Some(entry)) => (recovered_at.unwrap_or(entry.at), entry.id.clone()),
            (None, None) => (recovered_at.unwrap_or_default(), "-".to_owned()),
        };
        HistoryEntry {
            at,
            id,
            kind: if wanted.is_some() { "streak" } else { "recovered" }.to_owned(),
            reason: wanted.map_or_else(
                || "a delivery or a release ended the streak".to_owned(),
                |entry| entry.reason.clone(),
            ),
            scope: scope.clone(),
            suppresses: wanted.is_some(),
            evidence: BTreeMap::new(),
            expires_at: match wanted {
                Some(entry) => entry.until,
                None => self.policy.history.end(at),
            },
        }
    }

    fn end(&self, period: SuppressionPeriod, from: Timestamp) -> Timestamp {
        period.end(from).unwrap_or(Timestamp::MAX)
    }
}

fn streak_entry(address: &EmailAddress, streak: &streak::Streak) -> SuppressionEntry {
    let until = match streak.until {
        Some(until) => format!("until {}", until.strftime("%Y-%m-%d")),
        None => "for good".to_owned(),
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
