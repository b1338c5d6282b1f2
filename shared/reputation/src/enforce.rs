//! Plans and applies the enforcements of one crossing.

use aws_sdk_sesv2::Client;
use jiff::{SignedDuration, Timestamp};
use store::{
    Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus, ReputationState, Sender, Store, StoreError,
    Thresholds,
};

use crate::alert::EnforcementReport;
use crate::change;
use crate::plan::plan;
use crate::requests::EnforcementRequest;

/// How long an enforcement that an operator undid is not repeated against the same object.
pub const MANUAL_OVERRIDE_PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// The result of enforcing.
#[derive(Debug, Default)]
pub(crate) struct Enforced {
    /// One report for each enforcement and for each request that was not applied.
    pub(crate) reports: Vec<EnforcementReport>,
    /// Requests and enforcements whose outcome is unknown. They have to be repeated.
    pub(crate) unknown_outcomes: usize,
}

impl Enforced {
    fn add_unknown_outcome(&mut self, report: EnforcementReport) {
        self.unknown_outcomes += 1;
        self.reports.push(report);
    }
}

/// The sender and crossing that enforcements belong to, and where they are applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enforcer<'a> {
    pub(crate) store: &'a Store,
    pub(crate) ses: &'a Client,
    pub(crate) sender: &'a Sender,
    pub(crate) crossing: &'a ReputationState,
    pub(crate) now: Timestamp,
}

impl Enforcer<'_> {
    /// Plans the requests, then applies everything planned for the crossing, including what an earlier invocation planned.
    /// `thresholds` name the kinds that are configured.
    ///
    /// # Errors
    /// When DynamoDB fails. Failures of SES are in the reports.
    pub(crate) async fn enforce(
        &self,
        requests: &[EnforcementRequest],
        thresholds: &Thresholds,
    ) -> Result<Enforced, StoreError> {
        let mut enforced = Enforced::default();
        let known = self.store.enforcements_of(self.sender).await?;
        for request in requests {
            self.plan(request, &known, &mut enforced).await?;
        }
        for enforcement in self.store.enforcements_of(self.sender).await? {
            if enforcement.is_of(self.crossing) {
                let is_configured = thresholds.enforcements.contains(&enforcement.change.kind());
                self.carry_out(enforcement, is_configured, &mut enforced).await?;
            }
        }
        Ok(enforced)
    }

    async fn plan(
        &self,
        request: &EnforcementRequest,
        known: &[Enforcement],
        enforced: &mut Enforced,
    ) -> Result<(), StoreError> {
        let kind = request.kind();
        let plan = match plan(self.ses, request).await {
            Ok(plan) => plan,
            Err(error) if error.is_rejection() => {
                enforced
                    .reports
                    .push(not_applied(format!("not applied: {}: {error}", kind.as_str())));
                return Ok(());
            }
            Err(error) => {
                tracing::warn!(kind = kind.as_str(), %error, "failed to plan an enforcement, a later round repeats it");
                let text = format!("not applied yet, repeated later: {}: {error}", kind.as_str());
                enforced.add_unknown_outcome(not_applied(text));
                return Ok(());
            }
        };
        for change in plan.changes {
            if self.was_undone(&change, known) {
                let (kind, object) = (kind.as_str(), change.object());
                let text = format!("not applied: {kind} {object}: an operator undid it within the last 24 hours");
                enforced.reports.push(not_applied(text));
            } else {
                let enforcement = Enforcement::plan(self.sender, self.crossing, change);
                self.store.plan_enforcement(&enforcement).await?;
            }
        }
        // When the crossing is enforced again, its first enforcement has changed the settings: the remark is about itself.
        if !self.has_enforcement(kind, known) {
            let remark = plan.remark.map(|remark| not_applied(format!("not applied: {remark}")));
            enforced.reports.extend(remark);
        }
        Ok(())
    }

    fn was_undone(&self, change: &EnforcementChange, known: &[Enforcement]) -> bool {
        known.iter().any(|enforcement| {
            let EnforcementStatus::Undone { at, .. } = &enforcement.status else {
                return false;
            };
            let known_change = (enforcement.change.kind(), enforcement.change.object());
            self.now.duration_since(*at) < MANUAL_OVERRIDE_PERIOD && known_change == (change.kind(), change.object())
        })
    }

    fn has_enforcement(&self, kind: EnforcementKind, known: &[Enforcement]) -> bool {
        let same = |enforcement: &Enforcement| enforcement.is_of(self.crossing) && enforcement.change.kind() == kind;
        known.iter().any(same)
    }

    /// Applies an enforcement that is planned and configured, and reports it.
    async fn carry_out(
        &self,
        mut enforcement: Enforcement,
        is_configured: bool,
        enforced: &mut Enforced,
    ) -> Result<(), StoreError> {
        if enforcement.status == EnforcementStatus::Planned && is_configured {
            let status = match change::apply(self.ses, &enforcement.change).await {
                Ok(()) => EnforcementStatus::Done { at: self.now },
                Err(error) if error.is_rejection() => {
                    tracing::error!(enforcement = enforcement.id, %error, "SES rejected an enforcement");
                    EnforcementStatus::Failed {
                        at: self.now,
                        error: error.to_string(),
                    }
                }
                Err(error) => {
                    tracing::warn!(enforcement = enforcement.id, %error, "the outcome of an enforcement is unknown, a later round repeats it");
                    let text = format!(
                        "outcome unknown, repeated later: {}: {error}",
                        describe(&enforcement.change)
                    );
                    enforced.add_unknown_outcome(applied(enforcement.id, text));
                    return Ok(());
                }
            };
            enforcement = self.record(enforcement, status).await?;
        }
        enforced.reports.push(report(enforcement));
        Ok(())
    }

    /// Writes the status of an enforcement that was planned. Returns the enforcement as it is in the table afterwards.
    async fn record(&self, mut enforcement: Enforcement, status: EnforcementStatus) -> Result<Enforcement, StoreError> {
        if self.store.update_enforcement(&enforcement, &status).await? {
            enforcement.status = status;
            return Ok(enforcement);
        }
        let known = self.store.enforcements_of(self.sender).await?;
        let current = known.into_iter().find(|other| other.id == enforcement.id);
        let current = current.unwrap_or(enforcement);
        if matches!(current.status, EnforcementStatus::Undone { .. }) {
            // An operator undid the enforcement between its planning and this call to SES. The manual override wins.
            if let Err(error) = change::revert(self.ses, &current.change).await {
                tracing::error!(
                    enforcement = current.id,
                    %error,
                    "an enforcement was undone while it was applied and could not be reverted: compare the setting in SES"
                );
            }
        }
        Ok(current)
    }
}

fn report(enforcement: Enforcement) -> EnforcementReport {
    let text = describe(&enforcement.change);
    match &enforcement.status {
        EnforcementStatus::Planned => applied(enforcement.id, format!("outcome unknown: {text}")),
        EnforcementStatus::Done { .. } => applied(enforcement.id, format!("applied: {text}")),
        EnforcementStatus::Failed { error, .. } => not_applied(format!("failed: {text}: {error}")),
        EnforcementStatus::Undone { by, .. } => not_applied(format!("undone by {by}: {text}")),
    }
}

fn describe(change: &EnforcementChange) -> String {
    match change {
        EnforcementChange::ConfigurationSet { name } => format!("pause configuration set {name}"),
        EnforcementChange::Tenant { name, .. } => format!("disable tenant {name}"),
        EnforcementChange::Policy {
            identity, name, after, ..
        } => {
            let how = if after.is_some() { "change" } else { "delete" };
            format!("revoke the delegate's authorization to send from {identity} ({how} policy {name})")
        }
    }
}

fn applied(id: String, description: String) -> EnforcementReport {
    EnforcementReport {
        id: Some(id),
        description,
    }
}

fn not_applied(description: String) -> EnforcementReport {
    EnforcementReport { id: None, description }
}
