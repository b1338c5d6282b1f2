//! Reads, writes and acts: the only place here that awaits AWS.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::types::{ReputationEntityType, SendingStatus};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use lambda_clients::Lazily;
use ledger::{
    Act, ActKind, ActStatus, Deed, Ledger, LedgerError, Level, LinesTable, Sender, SenderRates, Tally, WatchState,
};
use notification_model::AccountId;

use crate::alert::{ActReport, Alert};
use crate::decide::{Wish, decide, wishes};
use crate::policy;

/// How long an act that a person undid is not done again to the same object.
pub const PERSONS_WORD: SignedDuration = SignedDuration::from_hours(24);

/// Senders that are looked at at one time, so that thousands fit into an invocation.
const AT_ONCE: usize = 16;

/// Senders that a round names as the worst.
pub const WORST: usize = 10;

/// Recipients a day without whom a sender's rates say little: one bounce of one mail is 100 %.
const TELLING_RECIPIENTS: u64 = 100;

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
    #[error("no act {0} is known")]
    Unknown(String),
    /// SES had refused it.
    #[error("act {0} was never done: there is nothing to undo")]
    NeverDone(String),
    /// The table failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// SES refused; the act is still in force.
    #[error(transparent)]
    Ses(#[from] SesError),
}

/// What undoing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// It was undone.
    Undone(Act),
    /// It had been undone before.
    Already(Act),
}

/// One look at everyone.
#[derive(Debug, Default)]
pub struct Round {
    /// To be told to the parties, each followed by [`Watch::told`].
    pub alerts: Vec<Alert>,
    /// Who could not be looked at.
    pub failures: Vec<(Sender, LedgerError)>,
    /// Whose rates of the day come nearest to AWS's review lines, the worst first: [`WORST`] at most.
    pub worst: Vec<SenderRates>,
}

/// Where the watch reads and acts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The table.
    pub ledger: Ledger,
    /// SES of the Region that sends.
    pub ses: Lazily<Client>,
    /// The account this runs in: the only one it can act in.
    pub account: AccountId,
}

impl Watch {
    /// Looks at everyone who sent within 24 hours or is not calm yet. To be called every few minutes.
    ///
    /// # Errors
    /// When DynamoDB fails before anyone was looked at.
    pub async fn round(&self, now: Timestamp) -> Result<Round, LedgerError> {
        let lines = self.ledger.lines().await?;
        let mut senders = self.ledger.watched().await?;
        senders.extend(self.ledger.senders(now).await?);
        let mut round = Round::default();
        let lines = &lines;
        let mut checked = stream::iter(senders)
            .map(|sender| async move { (self.look(&sender, lines, now).await, sender) })
            .buffered(AT_ONCE);
        while let Some((seen, sender)) = checked.next().await {
            match seen {
                Ok((alerts, rates)) => {
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
    pub async fn check(&self, sender: &Sender, lines: &LinesTable, now: Timestamp) -> Result<Vec<Alert>, LedgerError> {
        self.look(sender, lines, now).await.map(|(alerts, _)| alerts)
    }

    async fn look(
        &self,
        sender: &Sender,
        lines: &LinesTable,
        now: Timestamp,
    ) -> Result<(Vec<Alert>, SenderRates), LedgerError> {
        let lines = lines.of(sender);
        let rates = self.ledger.sender_rates(sender, now).await?;
        let states = self.ledger.watch_states(sender).await?;
        let mut alerts = Vec::new();
        for step in decide(&rates, &lines, &states, now) {
            if !self.ledger.put_watch_state(sender, &step.state).await? || !step.tell {
                continue;
            }
            let state = WatchState {
                version: step.state.version + 1,
                ..step.state
            };
            let wishes = wishes(&rates, &lines, &state, &self.account);
            let mut acts = self.act(sender, &state, wishes.acts, now).await?;
            acts.extend(wishes.left.into_iter().map(not_done));
            tracing::warn!(
                owner = sender.owner,
                account = sender.account,
                window = state.window.as_str(),
                measure = state.measure.as_str(),
                level = state.level.as_str(),
                count = state.figures.count,
                recipients = state.figures.volume,
                acts = acts.len(),
                "a sender crossed a line"
            );
            alerts.push(Alert::new(sender, state, &lines, acts));
        }
        Ok((alerts, rates))
    }

    /// Ends an alert: its parties have been told. Without it another invocation tells them again.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn told(&self, alert: &Alert) -> Result<(), LedgerError> {
        let state = WatchState {
            claimed_at: None,
            ..alert.state.clone()
        };
        // Whoever wrote since has newer news, and tells them.
        self.ledger.put_watch_state(&alert.sender, &state).await.map(|_| ())
    }

    /// Plans, then does what is planned: also what an invocation that died had planned for the same crossing.
    async fn act(
        &self,
        sender: &Sender,
        crossing: &WatchState,
        wishes: Vec<Wish>,
        now: Timestamp,
    ) -> Result<Vec<ActReport>, LedgerError> {
        let mut reports = Vec::new();
        if crossing.level != Level::Act {
            return Ok(reports);
        }
        let known = self.ledger.acts_of(sender).await?;
        let is_undone = |deed: &Deed| {
            known.iter().any(|act| {
                matches!(&act.status, ActStatus::Undone { at, .. } if now.duration_since(*at) < PERSONS_WORD)
                    && (act.deed.kind(), act.deed.object()) == (deed.kind(), deed.object())
            })
        };
        for wish in wishes {
            match self.deeds(&wish).await {
                Ok(plan) => {
                    for deed in plan.deeds {
                        if is_undone(&deed) {
                            reports.push(not_done(format!(
                                "{} {}: a person undid it within the last 24 hours",
                                deed.kind().as_str(),
                                deed.object()
                            )));
                        } else {
                            self.ledger.plan_act(&Act::plan(sender, crossing, deed)).await?;
                        }
                    }
                    // Told again, an act of this crossing is no longer to be done: what it found before stands.
                    let again = known
                        .iter()
                        .any(|act| act.is_of(crossing) && act.deed.kind() == kind_of(&wish));
                    reports.extend(plan.left.filter(|_| !again).map(not_done));
                }
                Err(error) => reports.push(not_done(format!("{}: {error}", kind_of(&wish).as_str()))),
            }
        }
        for act in self.ledger.acts_of(sender).await? {
            if act.is_of(crossing) {
                reports.push(self.carry_out(act, now).await?);
            }
        }
        Ok(reports)
    }

    async fn carry_out(&self, mut act: Act, now: Timestamp) -> Result<ActReport, LedgerError> {
        if act.status == ActStatus::Planned {
            let status = match self.apply(&act.deed).await {
                Ok(()) => ActStatus::Done { at: now },
                Err(error) => {
                    tracing::error!(act = act.id, %error, "an act failed");
                    ActStatus::Failed {
                        at: now,
                        error: error.to_string(),
                    }
                }
            };
            self.ledger.move_act(&act, &status).await?;
            act.status = status;
        }
        let what = deed_words(&act.deed);
        Ok(match &act.status {
            ActStatus::Failed { error, .. } => not_done(format!("{what}: failed, {error}")),
            ActStatus::Undone { by, .. } => not_done(format!("{what}: undone by {by}")),
            ActStatus::Planned | ActStatus::Done { .. } => ActReport {
                act: Some(act.id),
                says: what,
            },
        })
    }

    /// What exactly a wish comes to, given how things are at SES.
    async fn deeds(&self, wish: &Wish) -> Result<Plan, SesError> {
        match wish {
            Wish::PauseConfigurationSet(name) => {
                let answer = self
                    .ses
                    .get_configuration_set()
                    .configuration_set_name(name)
                    .send()
                    .await;
                let answer = answer.map_err(|error| failed("GetConfigurationSet", error))?;
                let sends = answer.sending_options().is_none_or(|options| options.sending_enabled());
                Ok(match sends {
                    true => Plan::of(Deed::ConfigurationSet { name: name.clone() }),
                    false => Plan::nothing(format!("configuration set {name} was paused already")),
                })
            }
            Wish::SuspendTenant(name) => self.suspend(name).await,
            Wish::WithdrawPolicy { identity, delegate } => self.withdraw(identity, delegate).await,
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
            before => Plan::of(Deed::Tenant {
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
                plan.deeds.push(Deed::Policy {
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
        } else if plan.deeds.is_empty() {
            plan.left = Some(format!("no policy of {identity} names {delegate}"));
        }
        Ok(plan)
    }

    async fn apply(&self, deed: &Deed) -> Result<(), SesError> {
        match deed {
            Deed::ConfigurationSet { name } => set_sending(&self.ses, name, false).await,
            Deed::Tenant { arn, .. } => set_status(&self.ses, arn, SendingStatus::Disabled).await,
            Deed::Policy {
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
            Deed::Policy {
                identity,
                name,
                after: Some(after),
                ..
            } => update_policy(&self.ses, identity, name, after).await,
        }
    }
}

/// Takes an act back, however often it is asked to; who asked is recorded. Needs no [`Watch`]: people do this, from
/// anywhere.
///
/// # Errors
/// When there is nothing to undo, or AWS fails; then the act is still in force, as far as anyone knows.
pub async fn undo(ledger: &Ledger, ses: &Client, id: &str, by: &str, now: Timestamp) -> Result<Undo, UndoError> {
    let Some(mut act) = ledger.act(id).await? else {
        return Err(UndoError::Unknown(id.to_owned()));
    };
    match &act.status {
        ActStatus::Undone { .. } => return Ok(Undo::Already(act)),
        ActStatus::Failed { .. } => return Err(UndoError::NeverDone(id.to_owned())),
        // Planned and never confirmed: it may have been done.
        ActStatus::Planned | ActStatus::Done { .. } => {}
    }
    match &act.deed {
        Deed::ConfigurationSet { name } => set_sending(ses, name, true).await?,
        Deed::Tenant { arn, before, .. } => set_status(ses, arn, SendingStatus::from(before.as_str())).await?,
        Deed::Policy {
            identity,
            name,
            before,
            after,
        } => give_back(ses, identity, name, before, after.as_deref()).await?,
    }
    let status = ActStatus::Undone {
        at: now,
        by: by.to_owned(),
    };
    ledger.move_act(&act, &status).await?;
    act.status = status;
    Ok(Undo::Undone(act))
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
    deeds: Vec<Deed>,
    left: Option<String>,
}

impl Plan {
    fn of(deed: Deed) -> Self {
        Self {
            deeds: vec![deed],
            left: None,
        }
    }

    fn nothing(why: String) -> Self {
        Self {
            deeds: Vec::new(),
            left: Some(why),
        }
    }
}

fn kind_of(wish: &Wish) -> ActKind {
    match wish {
        Wish::PauseConfigurationSet(_) => ActKind::PauseConfigurationSet,
        Wish::SuspendTenant(_) => ActKind::SuspendTenant,
        Wish::WithdrawPolicy { .. } => ActKind::WithdrawPolicy,
    }
}

fn deed_words(deed: &Deed) -> String {
    match deed {
        Deed::ConfigurationSet { name } => format!("paused the sending of configuration set {name}"),
        Deed::Tenant { name, .. } => format!("suspended the sending of tenant {name}"),
        Deed::Policy {
            identity, name, after, ..
        } => {
            let how = if after.is_some() { "changed" } else { "deleted" };
            format!("withdrew the delegate's authorization to send from {identity} (policy {name} {how})")
        }
    }
}

/// How far a day's rates are on their way to the lines at which AWS reviews an account: 5 % bounces, 0.1 % complaints.
fn badness(day: &Tally) -> f64 {
    if day.volume().is_none_or(|volume| volume < TELLING_RECIPIENTS) {
        return 0.0;
    }
    let share = |rate: Option<f64>, line: f64| rate.unwrap_or_default() / line;
    share(day.bounce_rate(), 0.05).max(share(day.complaint_rate(), 0.001))
}

fn not_done(says: String) -> ActReport {
    ActReport { act: None, says }
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
