//! Reads, writes and acts: the only place here that awaits AWS.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::types::{ReputationEntityType, SendingStatus};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use lambda_kit::LazyClient;
use notification_model::AccountId;
use store::{
    Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus, EventCounts, Level, ReputationState, Sender,
    SenderRates, Store, StoreError, ThresholdTable,
};

use crate::alert::{Alert, EnforcementReport};
use crate::decide::{EnforcementRequest, decide, enforcement_requests};
use crate::policy;

/// How long an act that a person undid is not done again to the same object.
pub const MANUAL_OVERRIDE_PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// Senders that are looked at at one time, so that thousands fit into an invocation.
const AT_ONCE: usize = 16;

/// Senders that a round names as the worst.
pub const WORST: usize = 10;

/// Recipients a day without whom a sender's rates say little: one bounce of one mail is 100 %.
const MIN_RECIPIENTS_FOR_RATE: u64 = 100;

/// SES did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {cause}")]
pub struct SesError {
    operation: &'static str,
    cause: String,
}

/// An act could not be undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is no act of this name.
    #[error("no enforcement {0} is known")]
    Unknown(String),
    /// SES had refused it.
    #[error("enforcement {0} was never done: there is nothing to undo")]
    NeverDone(String),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SES refused; the act is still in force.
    #[error(transparent)]
    Ses(#[from] SesError),
}

/// What undoing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// It was undone.
    Undone(Enforcement),
    /// It had been undone before.
    Already(Enforcement),
}

/// One look at everyone.
#[derive(Debug, Default)]
pub struct Round {
    /// To be told to the parties, each followed by [`ReputationMonitor::mark_notified`].
    pub alerts: Vec<Alert>,
    /// The number of senders that were checked, without the failed ones.
    pub checked: usize,
    /// Who could not be looked at.
    pub failures: Vec<(Sender, StoreError)>,
    /// Whose rates of the day come nearest to AWS's review lines, the worst first: [`WORST`] at most.
    pub worst: Vec<SenderRates>,
}

/// Where the watch reads and acts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReputationMonitor {
    /// The table.
    pub store: Store,
    /// SES of the Region that sends.
    pub ses: LazyClient<Client>,
    /// The account this runs in: the only one it can act in.
    pub account: AccountId,
}

impl ReputationMonitor {
    /// Looks at everyone who sent within 24 hours or is not calm yet. To be called every few minutes.
    ///
    /// # Errors
    /// When DynamoDB fails before anyone was looked at.
    pub async fn round(&self, now: Timestamp) -> Result<Round, StoreError> {
        let lines = self.store.thresholds().await?;
        let mut senders = self.store.senders_with_alerts().await?;
        senders.extend(self.store.senders(now).await?);
        let mut round = Round::default();
        let lines = &lines;
        let mut checked = stream::iter(senders)
            .map(|sender| async move { (self.look(&sender, lines, now).await, sender) })
            .buffered(AT_ONCE);
        while let Some((seen, sender)) = checked.next().await {
            match seen {
                Ok((alerts, rates)) => {
                    round.checked += 1;
                    round.alerts.extend(alerts);
                    round.worst.push(rates);
                    round
                        .worst
                        .sort_by(|one, other| badness(&other.day).total_cmp(&badness(&one.day)));
                    round.worst.truncate(WORST);
                }
                Err(error) => round.failures.push((sender, error)),
            }
        }
        drop(checked);
        round.worst.retain(|rates| badness(&rates.day) > 0.0);
        Ok(round)
    }

    /// Looks at one sender, acts where it was asked to, and returns what the parties have to be told.
    ///
    /// # Errors
    /// When DynamoDB fails. What was claimed and not returned is claimed again after [`CLAIM`](crate::CLAIM).
    pub async fn check(
        &self,
        sender: &Sender,
        lines: &ThresholdTable,
        now: Timestamp,
    ) -> Result<Vec<Alert>, StoreError> {
        self.look(sender, lines, now).await.map(|(alerts, _)| alerts)
    }

    async fn look(
        &self,
        sender: &Sender,
        lines: &ThresholdTable,
        now: Timestamp,
    ) -> Result<(Vec<Alert>, SenderRates), StoreError> {
        let lines = lines.of(sender);
        let rates = self.store.sender_rates(sender, now).await?;
        let states = self.store.reputation_states(sender).await?;
        let mut alerts = Vec::new();
        for step in decide(&rates, &lines, &states, now) {
            if !self.store.put_reputation_state(sender, &step.state).await? || !step.tell {
                continue;
            }
            let state = ReputationState {
                version: step.state.version + 1,
                ..step.state
            };
            let enforcement_requests = enforcement_requests(&rates, &lines, &state, &self.account);
            let mut enforcements = self
                .enforcement(sender, &state, enforcement_requests.enforcements, now)
                .await?;
            enforcements.extend(enforcement_requests.left.into_iter().map(not_done));
            tracing::warn!(
                owner = sender.owner,
                account = sender.account,
                window = state.window.as_str(),
                measure = state.measure.as_str(),
                level = state.level.as_str(),
                count = state.figures.count,
                recipients = state.figures.volume,
                enforcements = enforcements.len(),
                "a sender crossed a line"
            );
            alerts.push(Alert::new(sender, state, &lines, enforcements));
        }
        Ok((alerts, rates))
    }

    /// Ends an alert: its parties have been told. Without it another invocation tells them again.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn mark_notified(&self, alert: &Alert) -> Result<(), StoreError> {
        let state = ReputationState {
            claimed_at: None,
            ..alert.state.clone()
        };
        // Whoever wrote since has newer news, and tells them.
        self.store.put_reputation_state(&alert.sender, &state).await.map(|_| ())
    }

    /// Plans, then does what is planned: also what an invocation that died had planned for the same crossing.
    async fn enforcement(
        &self,
        sender: &Sender,
        crossing: &ReputationState,
        enforcement_requests: Vec<EnforcementRequest>,
        now: Timestamp,
    ) -> Result<Vec<EnforcementReport>, StoreError> {
        let mut reports = Vec::new();
        if crossing.level != Level::Enforce {
            return Ok(reports);
        }
        let known = self.store.enforcements_of(sender).await?;
        let is_undone = |change: &EnforcementChange| {
            known.iter().any(|enforcement| {
                matches!(&enforcement.status, EnforcementStatus::Undone { at, .. } if now.duration_since(*at) < MANUAL_OVERRIDE_PERIOD)
                    && (enforcement.change.kind(), enforcement.change.object()) == (change.kind(), change.object())
            })
        };
        for request in enforcement_requests {
            match self.changes(&request).await {
                Ok(plan) => {
                    for change in plan.changes {
                        if is_undone(&change) {
                            reports.push(not_done(format!(
                                "{} {}: a person undid it within the last 24 hours",
                                change.kind().as_str(),
                                change.object()
                            )));
                        } else {
                            self.store
                                .plan_enforcement(&Enforcement::plan(sender, crossing, change))
                                .await?;
                        }
                    }
                    // Told again, an act of this crossing is no longer to be done: what it found before stands.
                    let again = known.iter().any(|enforcement| {
                        enforcement.is_of(crossing) && enforcement.change.kind() == kind_of(&request)
                    });
                    reports.extend(plan.left.filter(|_| !again).map(not_done));
                }
                Err(error) => reports.push(not_done(format!("{}: {error}", kind_of(&request).as_str()))),
            }
        }
        for enforcement in self.store.enforcements_of(sender).await? {
            if enforcement.is_of(crossing) {
                reports.push(self.carry_out(enforcement, now).await?);
            }
        }
        Ok(reports)
    }

    async fn carry_out(&self, mut enforcement: Enforcement, now: Timestamp) -> Result<EnforcementReport, StoreError> {
        if enforcement.status == EnforcementStatus::Planned {
            let status = match self.apply(&enforcement.change).await {
                Ok(()) => EnforcementStatus::Done { at: now },
                Err(error) => {
                    tracing::error!(enforcement = enforcement.id, %error, "an act failed");
                    EnforcementStatus::Failed {
                        at: now,
                        error: error.to_string(),
                    }
                }
            };
            self.store.update_enforcement(&enforcement, &status).await?;
            enforcement.status = status;
        }
        let what = deed_words(&enforcement.change);
        Ok(match &enforcement.status {
            EnforcementStatus::Failed { error, .. } => not_done(format!("{what}: failed, {error}")),
            EnforcementStatus::Undone { by, .. } => not_done(format!("{what}: undone by {by}")),
            EnforcementStatus::Planned | EnforcementStatus::Done { .. } => EnforcementReport {
                enforcement: Some(enforcement.id),
                says: what,
            },
        })
    }

    /// What exactly a wish comes to, given how things are at SES.
    async fn changes(&self, request: &EnforcementRequest) -> Result<Plan, SesError> {
        match request {
            EnforcementRequest::PauseConfigurationSet(name) => {
                let answer = self
                    .ses
                    .get_configuration_set()
                    .configuration_set_name(name)
                    .send()
                    .await;
                let answer = answer.map_err(|error| failed("GetConfigurationSet", error))?;
                let sends = answer.sending_options().is_none_or(|options| options.sending_enabled());
                Ok(match sends {
                    true => Plan::of(EnforcementChange::ConfigurationSet { name: name.clone() }),
                    false => Plan::nothing(format!("configuration set {name} was paused already")),
                })
            }
            EnforcementRequest::DisableTenant(name) => self.suspend(name).await,
            EnforcementRequest::RevokeAuthorization { identity, delegate } => self.withdraw(identity, delegate).await,
        }
    }

    async fn suspend(&self, name: &str) -> Result<Plan, SesError> {
        let answer = self.ses.get_tenant().tenant_name(name).send().await;
        let answer = answer.map_err(|error| failed("GetTenant", error))?;
        let Some(arn) = answer.tenant().and_then(|tenant| tenant.tenant_arn()) else {
            return Ok(Plan::nothing(format!("tenant {name} has no ARN")));
        };
        let answer = self
            .ses
            .get_reputation_entity()
            .reputation_entity_type(ReputationEntityType::Resource)
            .reputation_entity_reference(arn)
            .send()
            .await;
        let record = match answer {
            Ok(answer) => answer.reputation_entity,
            // SES may know of nothing to record of a tenant yet.
            Err(SdkError::ServiceError(refused)) if refused.err().is_not_found_exception() => None,
            Err(error) => return Err(failed("GetReputationEntity", error)),
        };
        let record = record.and_then(|entity| entity.customer_managed_status);
        let before = record
            .and_then(|record| record.status)
            .unwrap_or(SendingStatus::Enabled);
        Ok(match before {
            SendingStatus::Disabled => Plan::nothing(format!("tenant {name} was suspended already")),
            before => Plan::of(EnforcementChange::Tenant {
                name: name.to_owned(),
                arn: arn.to_owned(),
                before: before.as_str().to_owned(),
            }),
        })
    }

    async fn withdraw(&self, identity: &str, delegate: &AccountId) -> Result<Plan, SesError> {
        let answer = self
            .ses
            .get_email_identity_policies()
            .email_identity(identity)
            .send()
            .await;
        let answer = answer.map_err(|error| failed("GetEmailIdentityPolicies", error))?;
        let mut policies: Vec<_> = answer.policies().into_iter().flatten().collect();
        policies.sort();
        let mut plan = Plan::default();
        let mut shared = Vec::new();
        for (name, text) in policies {
            let withdrawal = policy::withdraw(text, delegate).map_err(|error| SesError {
                operation: "GetEmailIdentityPolicies",
                cause: format!("policy {name}: {error}"),
            })?;
            if let Some(after) = withdrawal.after {
                plan.changes.push(EnforcementChange::Policy {
                    identity: identity.to_owned(),
                    name: name.clone(),
                    before: text.clone(),
                    after,
                });
            }
            if withdrawal.still_allowed {
                shared.push(name.as_str());
            }
        }
        if !shared.is_empty() {
            plan.left = Some(format!(
                "{delegate} can still send from {identity}: policy {} names it together with others",
                shared.join(", ")
            ));
        } else if plan.changes.is_empty() {
            plan.left = Some(format!("no policy of {identity} names {delegate}"));
        }
        Ok(plan)
    }

    async fn apply(&self, change: &EnforcementChange) -> Result<(), SesError> {
        match change {
            EnforcementChange::ConfigurationSet { name } => set_sending(&self.ses, name, false).await,
            EnforcementChange::Tenant { arn, .. } => set_status(&self.ses, arn, SendingStatus::Disabled).await,
            EnforcementChange::Policy {
                identity,
                name,
                after: None,
                ..
            } => {
                let delete = self
                    .ses
                    .delete_email_identity_policy()
                    .email_identity(identity)
                    .policy_name(name);
                let deleted = delete.send().await;
                deleted
                    .map(|_| ())
                    .map_err(|error| failed("DeleteEmailIdentityPolicy", error))
            }
            EnforcementChange::Policy {
                identity,
                name,
                after: Some(after),
                ..
            } => update_policy(&self.ses, identity, name, after).await,
        }
    }
}

/// Takes an act back, however often it is asked to; who asked is recorded. Needs no [`ReputationMonitor`]: people do this, from
/// anywhere.
///
/// # Errors
/// When there is nothing to undo, or AWS fails; then the act is still in force, as far as anyone knows.
pub async fn undo(store: &Store, ses: &Client, id: &str, by: &str, now: Timestamp) -> Result<Undo, UndoError> {
    let Some(mut enforcement) = store.enforcement(id).await? else {
        return Err(UndoError::Unknown(id.to_owned()));
    };
    match &enforcement.status {
        EnforcementStatus::Undone { .. } => return Ok(Undo::Already(enforcement)),
        EnforcementStatus::Failed { .. } => return Err(UndoError::NeverDone(id.to_owned())),
        // Planned and never confirmed: it may have been done.
        EnforcementStatus::Planned | EnforcementStatus::Done { .. } => {}
    }
    match &enforcement.change {
        EnforcementChange::ConfigurationSet { name } => set_sending(ses, name, true).await?,
        EnforcementChange::Tenant { arn, before, .. } => {
            set_status(ses, arn, SendingStatus::from(before.as_str())).await?
        }
        EnforcementChange::Policy {
            identity,
            name,
            before,
            after,
        } => give_back(ses, identity, name, before, after.as_deref()).await?,
    }
    let status = EnforcementStatus::Undone {
        at: now,
        by: by.to_owned(),
    };
    store.update_enforcement(&enforcement, &status).await?;
    enforcement.status = status;
    Ok(Undo::Undone(enforcement))
}

async fn give_back(
    ses: &Client,
    identity: &str,
    name: &str,
    before: &str,
    after: Option<&str>,
) -> Result<(), SesError> {
    let answer = ses.get_email_identity_policies().email_identity(identity).send().await;
    let answer = answer.map_err(|error| failed("GetEmailIdentityPolicies", error))?;
    let current = answer
        .policies()
        .and_then(|policies| policies.get(name))
        .map(String::as_str);
    let whole = policy::restore(current, before, after).map_err(|error| SesError {
        operation: "GetEmailIdentityPolicies",
        cause: format!("policy {name}: {error}"),
    })?;
    match current {
        Some(_) => update_policy(ses, identity, name, &whole).await,
        None => {
            let create = ses
                .create_email_identity_policy()
                .email_identity(identity)
                .policy_name(name);
            let created = create.policy(whole).send().await;
            created
                .map(|_| ())
                .map_err(|error| failed("CreateEmailIdentityPolicy", error))
        }
    }
}

async fn update_policy(ses: &Client, identity: &str, name: &str, text: &str) -> Result<(), SesError> {
    let update = ses
        .update_email_identity_policy()
        .email_identity(identity)
        .policy_name(name);
    let updated = update.policy(text).send().await;
    updated
        .map(|_| ())
        .map_err(|error| failed("UpdateEmailIdentityPolicy", error))
}

async fn set_sending(ses: &Client, configuration_set: &str, enabled: bool) -> Result<(), SesError> {
    let put = ses
        .put_configuration_set_sending_options()
        .configuration_set_name(configuration_set);
    let answer = put.sending_enabled(enabled).send().await;
    answer
        .map(|_| ())
        .map_err(|error| failed("PutConfigurationSetSendingOptions", error))
}

async fn set_status(ses: &Client, arn: &str, status: SendingStatus) -> Result<(), SesError> {
    let answer = ses
        .update_reputation_entity_customer_managed_status()
        .reputation_entity_type(ReputationEntityType::Resource)
        .reputation_entity_reference(arn)
        .sending_status(status)
        .send()
        .await;
    answer
        .map(|_| ())
        .map_err(|error| failed("UpdateReputationEntityCustomerManagedStatus", error))
}

/// What a wish comes to.
#[derive(Debug, Default)]
struct Plan {
    changes: Vec<EnforcementChange>,
    left: Option<String>,
}

impl Plan {
    fn of(change: EnforcementChange) -> Self {
        Self {
            changes: vec![change],
            left: None,
        }
    }

    fn nothing(why: String) -> Self {
        Self {
            changes: Vec::new(),
            left: Some(why),
        }
    }
}

fn kind_of(request: &EnforcementRequest) -> EnforcementKind {
    match request {
        EnforcementRequest::PauseConfigurationSet(_) => EnforcementKind::PauseConfigurationSet,
        EnforcementRequest::DisableTenant(_) => EnforcementKind::DisableTenant,
        EnforcementRequest::RevokeAuthorization { .. } => EnforcementKind::RevokeAuthorization,
    }
}

fn deed_words(change: &EnforcementChange) -> String {
    match change {
        EnforcementChange::ConfigurationSet { name } => format!("paused the sending of configuration set {name}"),
        EnforcementChange::Tenant { name, .. } => format!("suspended the sending of tenant {name}"),
        EnforcementChange::Policy {
            identity, name, after, ..
        } => {
            let how = if after.is_some() { "changed" } else { "deleted" };
            format!("withdrew the delegate's authorization to send from {identity} (policy {name} {how})")
        }
    }
}

/// How far a day's rates are on their way to the lines at which AWS reviews an account: 5 % bounces, 0.1 % complaints.
fn badness(day: &EventCounts) -> f64 {
    if day.volume().is_none_or(|volume| volume < MIN_RECIPIENTS_FOR_RATE) {
        return 0.0;
    }
    let share = |rate: Option<f64>, line: f64| rate.unwrap_or_default() / line;
    share(day.bounce_rate(), 0.05).max(share(day.complaint_rate(), 0.001))
}

fn not_done(says: String) -> EnforcementReport {
    EnforcementReport {
        enforcement: None,
        says,
    }
}

fn failed<E, R>(operation: &'static str, error: SdkError<E, R>) -> SesError
where
    SdkError<E, R>: std::error::Error,
{
    let mut cause = error.to_string();
    let mut inner = std::error::Error::source(&error);
    while let Some(error) = inner {
        cause.push_str(&format!(": {error}"));
        inner = error.source();
    }
    SesError { operation, cause }
}
