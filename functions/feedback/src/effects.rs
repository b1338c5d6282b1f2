//! Applies actions to the ledger: the only place here that awaits AWS.

mod mirror;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use ledger::{
    DeliveredBatch, Entry, HistoryEntry, Ledger, LedgerError, Origin, Recipient, Scope, SenderBatch, StreakWrite,
};
use notification_model::EmailAddress;

use crate::decide::Action;
use crate::policy::{Lasting, Policy};
use crate::streak;

pub use mirror::Mirror;

/// How often a streak is judged anew because a delivery turned up, before it is left to the next delivery attempt.
const SETTLE_ROUNDS: usize = 4;

/// Where actions take effect.
#[derive(Debug, Clone)]
pub struct Effects {
    /// The table.
    pub ledger: Ledger,
    /// The numbers.
    pub policy: Policy,
    /// The way to SES's own suppression lists; `None` leaves them alone.
    pub mirror: Option<Mirror>,
}

impl Effects {
    /// Applies what concerns one notification alone. What is better done for the whole batch comes back.
    ///
    /// # Errors
    /// When DynamoDB fails. Everything can be applied again.
    pub async fn apply(&self, actions: Vec<Action>, now: Timestamp) -> Result<Vec<Action>, LedgerError> {
        let (later, at_once): (Vec<_>, Vec<_>) = actions
            .into_iter()
            .partition(|action| matches!(action, Action::CountInBatch { .. } | Action::Delivered { .. }));
        try_join_all(at_once.iter().map(|action| self.apply_one(action, now))).await?;
        Ok(later)
    }

    async fn apply_one(&self, action: &Action, now: Timestamp) -> Result<(), LedgerError> {
        match action {
            Action::Record {
                address,
                scope,
                origin,
                entry,
                history,
            } => {
                self.ledger.record(address, scope, origin, entry, now).await?;
                self.ledger.append_history(address, history).await?;
                self.mirror(address, origin, history).await;
                Ok(())
            }
            Action::SoftBounce {
                address,
                scope,
                bounce,
                history,
            } => {
                self.ledger.append_history(address, history).await?;
                let row = self.ledger.add_soft_bounce(address, scope, bounce, now).await?;
                self.settle(address, scope, row).await
            }
            Action::Note { address, history } => self.ledger.append_history(address, history).await,
            Action::Count(event) => {
                self.ledger
                    .count_event(event, self.end(self.policy.statistics, event.at))
                    .await
            }
            Action::CountInBatch { .. } | Action::Delivered { .. } | Action::Acknowledge { .. } => Ok(()),
        }
    }

    /// Counts for the whole batch; one request per sender, line and ten minutes. `actions` come with the index of the
    /// record they belong to; the answer names the records whose count could not be written.
    pub async fn count(&self, actions: &[(usize, Action)]) -> Vec<(BTreeSet<usize>, LedgerError)> {
        let mut batches: Vec<(SenderBatch, Timestamp, BTreeSet<usize>)> = Vec::new();
        for (index, action) in actions {
            let Action::CountInBatch {
                sender,
                line,
                count,
                at,
                message_id,
                recipient,
            } = action
            else {
                continue;
            };
            let known = batches.iter().position(|(batch, ..)| batch.takes(sender, line, *at));
            let position = known.unwrap_or_else(|| {
                batches.push((
                    SenderBatch::new(sender.clone(), line.clone(), *at),
                    *at,
                    BTreeSet::new(),
                ));
                batches.len() - 1
            });
            if let Some((batch, _, records)) = batches.get_mut(position) {
                batch.add(*count, message_id, recipient);
                records.insert(*index);
            }
        }
        let mut failures = Vec::new();
        for (batch, at, records) in batches {
            if let Err(error) = self
                .ledger
                .count_batch(&batch, self.end(self.policy.statistics, at))
                .await
            {
                failures.push((records, error));
            }
        }
        failures
    }

    /// Ends the streaks of everyone a batch was delivered to; see [`DeliveredBatch`] for why the batch is written before
    /// the rows are read. Answers as [`count`](Self::count).
    pub async fn deliver(&self, actions: &[(usize, Action)]) -> Vec<(BTreeSet<usize>, LedgerError)> {
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
        if newest.is_empty() {
            return Vec::new();
        }

        let mut failures = Vec::new();
        for (batch, at, records) in batches {
            if let Err(error) = self
                .ledger
                .put_deliveries(&batch, self.end(self.policy.deliveries, at))
                .await
            {
                failures.push((records, error));
            }
        }
        let addresses: Vec<EmailAddress> = newest.values().map(|(address, ..)| address.clone()).collect();
        let rows = match self.ledger.recipients(&addresses).await {
            Ok(rows) => rows,
            Err(error) => {
                let all = newest.into_values().flat_map(|(.., records)| records).collect();
                failures.push((all, error));
                return failures;
            }
        };
        for ((key, scope), (address, at, records)) in newest {
            let Some(row) = rows.get(&key) else { continue };
            if row.delivered_at.get(&scope).is_some_and(|known| *known >= at) {
                continue;
            }
            if let Err(error) = self.end_streak(&address, &scope, at).await {
                failures.push((records, error));
            }
        }
        failures
    }

    async fn end_streak(&self, address: &EmailAddress, scope: &Scope, at: Timestamp) -> Result<(), LedgerError> {
        match self.ledger.note_delivery(address, scope, at).await? {
            Some(row) => self.settle(address, scope, row).await,
            None => Ok(()),
        }
    }

    /// Brings the streak's register in line with the soft bounces and deliveries known.
    async fn settle(&self, address: &EmailAddress, scope: &Scope, mut row: Recipient) -> Result<(), LedgerError> {
        for _ in 0..SETTLE_ROUNDS {
            let live = row.live_soft_bounces(scope);
            let streak = streak::judge(&live, &self.policy.streak);
            let register = row.entries.get(&(scope.clone(), Origin::Streak));
            let all = row.soft_bounces.get(scope).map_or(0, Vec::len);
            if streak.is_none() && register.is_none() && all == live.len() {
                return Ok(());
            }
            let wanted = streak.as_ref().map(|streak| streak_entry(address, streak));
            if register == wanted.as_ref() && all == live.len() {
                return Ok(());
            }
            // A delivery from before the row existed is known to its batch only.
            if let (Some(_), Some(first), Some(created_at)) = (&streak, live.first(), row.created_at)
                && first.at < created_at
                && let Some(at) = self
                    .ledger
                    .newest_delivery(address, scope, first.at, created_at)
                    .await?
                && let Some(changed) = self.ledger.note_delivery(address, scope, at).await?
            {
                row = changed;
                continue;
            }
            if self.ledger.settle_streak(address, scope, &row, wanted.as_ref()).await? == StreakWrite::Written
                && register != wanted.as_ref()
            {
                let history = self.streak_history(scope, &row, wanted.as_ref(), register);
                // Both are tried: the next attempt finds the streak settled and comes to neither.
                let (written, ()) = futures_util::join!(
                    self.ledger.append_history(address, &history),
                    self.mirror(address, &Origin::Streak, &history)
                );
                written?;
            }
            return Ok(());
        }
        Ok(())
    }

    async fn mirror(&self, address: &EmailAddress, origin: &Origin, history: &HistoryEntry) {
        let Some(mirror) = &self.mirror else { return };
        if let Some(request) = crate::mirror::request(address, origin, history, &self.policy) {
            mirror.send(&request).await;
        }
    }

    fn streak_history(
        &self,
        scope: &Scope,
        row: &Recipient,
        wanted: Option<&Entry>,
        before: Option<&Entry>,
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
                || "a delivery ended the streak".to_owned(),
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

    fn end(&self, lasting: Lasting, from: Timestamp) -> Timestamp {
        lasting.end(from).unwrap_or(Timestamp::MAX)
    }
}

fn streak_entry(address: &EmailAddress, streak: &streak::Streak) -> Entry {
    let until = match streak.until {
        Some(until) => format!("until {}", until.strftime("%Y-%m-%d")),
        None => "for good".to_owned(),
    };
    Entry {
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
