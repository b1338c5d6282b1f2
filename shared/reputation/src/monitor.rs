//! Checks senders: reads their rates, writes their states, enforces.

use aws_sdk_sesv2::Client;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use lambda_kit::LazyClient;
use notification_model::AccountId;
use store::{ReputationState, Sender, SenderRates, Store, StoreError, ThresholdTable, Thresholds};

use crate::alert::{Alert, EnforcementReport};
use crate::decide::{Step, decide};
use crate::enforce::{Enforced, Enforcer};
use crate::requests::enforcement_requests;
use crate::round::Round;

/// Senders that are checked at the same time.
const CONCURRENT_CHECKS: usize = 16;

/// Checks senders against their thresholds. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReputationMonitor {
    /// The table.
    pub store: Store,
    /// SES in the Region of the stack.
    pub ses: LazyClient<Client>,
    /// The AWS account of the stack. Enforcement is limited to it.
    pub account: AccountId,
}

/// The result of checking one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderCheck {
    /// The alerts to send.
    pub alerts: Vec<Alert>,
    /// The rates of the sender.
    pub rates: SenderRates,
    /// The number of enforcements whose outcome is unknown. A later check repeats them.
    pub unknown_outcomes: usize,
}

impl ReputationMonitor {
    /// Checks every sender that mailed within 24 hours or whose level is not normal. To be called every few minutes.
    ///
    /// # Errors
    /// When DynamoDB fails before the first sender is checked.
    pub async fn round(&self, now: Timestamp) -> Result<Round, StoreError> {
        let thresholds = self.store.thresholds().await?;
        let mut senders = self.store.senders_with_alerts().await?;
        senders.extend(self.store.senders(now).await?);
        let thresholds = &thresholds;
        let mut checks = stream::iter(senders)
            .map(|sender| async move { (self.check(&sender, thresholds, now).await, sender) })
            .buffered(CONCURRENT_CHECKS);
        let mut round = Round::default();
        while let Some((result, sender)) = checks.next().await {
            match result {
                Ok(check) => {
                    round.checked += 1;
                    round.unknown_outcomes += check.unknown_outcomes;
                    round.alerts.extend(check.alerts);
                    round.add_rates(check.rates);
                }
                Err(error) => round.failures.push((sender, error)),
            }
        }
        Ok(round)
    }

    /// Checks one sender, and enforces what is configured.
    ///
    /// # Errors
    /// When DynamoDB fails. An alert that was claimed and not returned is claimed again after [`CLAIM`](crate::CLAIM).
    pub async fn check(
        &self,
        sender: &Sender,
        thresholds: &ThresholdTable,
        now: Timestamp,
    ) -> Result<SenderCheck, StoreError> {
        let thresholds = thresholds.of(sender);
        let rates = self.store.sender_rates(sender, now).await?;
        let states = self.store.reputation_states(sender).await?;
        let steps = decide(&rates, &thresholds, &states, now);
        let mut check = SenderCheck {
            alerts: Vec::new(),
            rates,
            unknown_outcomes: 0,
        };
        for step in steps {
            if self.store.put_reputation_state(sender, &step.state).await? {
                self.follow_up(step, &thresholds, &mut check, now).await?;
            }
        }
        Ok(check)
    }

    /// Marks an alert as notified. An alert that is not marked is returned again by a later round.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn mark_notified(&self, alert: &Alert) -> Result<(), StoreError> {
        let state = ReputationState {
            claimed_at: None,
            ..alert.state.clone()
        };
        // If the condition fails, another invocation has written a newer state and sends its alert.
        self.store.put_reputation_state(&alert.sender, &state).await.map(|_| ())
    }

    /// Does the work of a step whose state was written.
    async fn follow_up(
        &self,
        step: Step,
        thresholds: &Thresholds,
        check: &mut SenderCheck,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut state = ReputationState {
            version: step.state.version + 1,
            ..step.state
        };
        let mut reports = Vec::new();
        if step.enforce {
            let enforced = self.enforce(&check.rates, thresholds, &state, now).await?;
            check.unknown_outcomes += enforced.unknown_outcomes;
            if enforced.unknown_outcomes == 0 {
                state.enforcement_attempted_at = None;
            }
            reports = enforced.reports;
        }
        let sender = &check.rates.sender;
        if step.notify {
            log_crossing(sender, &state, reports.len());
            let alert = Alert::new(sender, state, thresholds, reports);
            check.alerts.push(alert);
        } else if step.enforce && state.enforcement_attempted_at.is_none() {
            tracing::info!(
                owner = sender.owner,
                account = sender.account,
                enforcements = reports.len(),
                "completed the enforcements of a crossing"
            );
            self.store.put_reputation_state(sender, &state).await?;
        }
        Ok(())
    }

    async fn enforce(
        &self,
        rates: &SenderRates,
        thresholds: &Thresholds,
        crossing: &ReputationState,
        now: Timestamp,
    ) -> Result<Enforced, StoreError> {
        let requests = enforcement_requests(rates, thresholds, crossing, &self.account);
        let enforcer = Enforcer {
            store: &self.store,
            ses: &self.ses,
            sender: &rates.sender,
            crossing,
            now,
        };
        let mut enforced = enforcer.enforce(&requests.requests, thresholds).await?;
        let not_applicable = requests.not_applicable.into_iter();
        enforced.reports.extend(not_applicable.map(|reason| EnforcementReport {
            id: None,
            description: format!("not applied: {reason}"),
        }));
        Ok(enforced)
    }
}

fn log_crossing(sender: &Sender, state: &ReputationState, enforcements: usize) {
    tracing::warn!(
        owner = sender.owner,
        account = sender.account,
        window = state.window.as_str(),
        measure = state.measure.as_str(),
        level = state.level.as_str(),
        count = state.figures.count,
        recipients = state.figures.volume,
        enforcements,
        "a sender crossed a threshold"
    );
}
