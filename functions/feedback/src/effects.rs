//! Applies actions: the only module of this function that awaits AWS.

mod deliveries;
mod observations;
mod statistics;
mod streaks;

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use store::{AnswerEvent, Store, StoreError};

use crate::decide::Action;
use crate::observation::Observation;
use crate::policy::Policy;
use streaks::Streaks;

pub use streaks::StreakChange;

/// What actions are applied to.
#[derive(Debug, Clone)]
pub struct Effects {
    /// The table.
    pub store: Store,
    /// The feedback policy.
    pub policy: Policy,
}

/// The records whose deferred actions failed, by index, with the error.
pub type DeferredFailure = (BTreeSet<usize>, StoreError);

impl Effects {
    /// Applies the actions of one notification that are not [deferred](Action::is_deferred). Returns the streaks that
    /// changed.
    ///
    /// # Errors
    /// If DynamoDB fails. The same actions can be applied again.
    pub async fn apply(&self, actions: &[Action], now: Timestamp) -> Result<Vec<StreakChange>, StoreError> {
        let changes = try_join_all(actions.iter().map(|action| self.apply_one(action, now))).await?;
        Ok(changes.into_iter().flatten().collect())
    }

    /// Applies the deferred actions of a batch, each given with the index of its record. Returns the streaks that changed
    /// and the records that failed.
    pub async fn apply_deferred(&self, actions: &[(usize, Action)]) -> (Vec<StreakChange>, Vec<DeferredFailure>) {
        let streaks = self.streaks();
        let (mut failures, (changes, delivery_failures)) = futures_util::join!(
            statistics::count_batches(&self.store, &self.policy, actions),
            deliveries::record(&self.store, &self.policy, &streaks, actions),
        );
        failures.extend(delivery_failures);
        (changes, failures)
    }

    /// Writes what the records of a batch show about SES's settings, each given with the index of its record. Returns the
    /// records that failed.
    pub async fn record(&self, observations: &[(usize, Observation)]) -> Vec<DeferredFailure> {
        observations::record(&self.store, observations).await
    }

    async fn apply_one(&self, action: &Action, now: Timestamp) -> Result<Vec<StreakChange>, StoreError> {
        match action {
            Action::RecordSuppression {
                address,
                scope,
                source,
                entry,
                history,
            } => {
                self.store
                    .record_suppression(address, scope, source, entry, now)
                    .await?;
                self.store.append_history(address, history).await?;
            }
            Action::AddBounce {
                address,
                scope,
                series,
                bounce,
                history,
            } => {
                self.store.append_history(address, history).await?;
                let row = self.store.add_bounce(address, scope, *series, bounce, now).await?;
                // The bounce may be that of a delivery that voided other bounces.
                return self.streaks().update_all(address, scope, row).await;
            }
            Action::AppendHistory { address, history } => self.store.append_history(address, history).await?,
            Action::CountEvent(event) => {
                let expires_at = self.policy.statistics.end_or_max(event.at);
                self.store.count_event(event, expires_at).await?;
            }
            Action::CountBouncedAnswer {
                address,
                message_id,
                at,
            } => {
                for name in [Some(address.key()), address.domain()].into_iter().flatten() {
                    self.store
                        .count_answer(AnswerEvent::Bounced, name, message_id, *at)
                        .await?;
                }
            }
            Action::CountInBatch { .. } | Action::RecordDelivery { .. } | Action::Acknowledge { .. } => {}
        }
        Ok(Vec::new())
    }

    fn streaks(&self) -> Streaks<'_> {
        Streaks {
            store: &self.store,
            policy: &self.policy,
        }
    }
}
