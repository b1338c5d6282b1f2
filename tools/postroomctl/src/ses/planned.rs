//! What differs between the configuration and SES, and the steps that make it equal.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};

use anyhow::bail;
use ses_settings::{
    Actual, Desired, Entries, Facts, Fields, LargeRemoval, Object, Part, Plan, PlanProblem, Reading, StepResult, check,
    large_removals, plan,
};
use store::Store;

use super::access::SesAccess;
use super::applied::AppliedObjects;
use super::proofs::{self, ProofArgs};
use super::sections::ses_sections;
use crate::aws_error::AwsError;
use crate::plan::Section;

/// The settings of the configuration, those of SES, and the way from one to the other.
pub(crate) struct SesPlan {
    access: SesAccess,
    desired: Desired,
    actual: Actual,
    plan: Plan,
    applied: AppliedObjects,
    /// Objects that left the configuration and do not exist.
    gone: Vec<Object>,
    /// Warnings about patterns.
    unmatched: Vec<String>,
}

impl SesPlan {
    /// Checks the entries without a call, then reads what they name.
    pub(crate) async fn read(entries: &Entries, access: SesAccess, store: &Store) -> anyhow::Result<Self> {
        // Without the identities that patterns match, which only a call tells.
        check_offline(entries, &BTreeSet::new(), &access)?;
        let existing = if entries.names_identities() {
            access.settings.identities().await.map_err(AwsError::from)?
        } else {
            BTreeSet::new()
        };
        let mut desired = check_offline(entries, &existing, &access)?;
        let unmatched = entries.unmatched_patterns(&existing).into_iter();
        let unmatched = unmatched
            .map(|pattern| format!("identity: no identity in SES matches {pattern}"))
            .collect();
        let applied = AppliedObjects::read(store).await?;
        for object in applied.objects().filter(|object| entries.has_kind_of(object)) {
            desired.entry(object.clone()).or_default();
        }
        let wanted = wanted(&desired, &applied);
        let actual = access
            .settings
            .read(&wanted, show_progress)
            .await
            .map_err(AwsError::from)?;
        let gone = remove_gone(&mut desired, &actual);
        let facts = Facts {
            proofs: proofs::received(store, &desired).await?,
            recorded_topic: access.context.own_topic.clone(),
        };
        let plan = plan(&desired, &actual, &facts);
        Ok(Self {
            access,
            desired,
            actual,
            plan,
            applied,
            gone,
            unmatched,
        })
    }

    /// The changes by object, as `plan` shows them.
    pub(crate) fn sections(&self) -> Vec<Section> {
        ses_sections(&self.plan, &self.actual)
    }

    /// What prevents that the configuration is applied.
    pub(crate) fn problems(&self) -> &[PlanProblem] {
        &self.plan.problems
    }

    /// Patterns that match nothing, and changes that cannot be undone.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let objects: BTreeSet<&Object> = self
            .plan
            .steps
            .iter()
            .filter(|step| step.change.object.is_legacy() && step.change.is_removal())
            .map(|step| &step.change.object)
            .collect();
        let text = |object: &&Object| {
            format!("{object}: SES does not let removed legacy cross-account notifications be created again")
        };
        self.unmatched.iter().cloned().chain(objects.iter().map(text)).collect()
    }

    /// The removals that need force.
    pub(crate) fn large_removals(&self) -> Vec<LargeRemoval> {
        large_removals(&self.plan, &self.actual)
    }

    /// Makes the steps, and records what was applied. Before feedback forwarding is switched off, it waits for the messages
    /// with which SES proves the topics.
    pub(crate) async fn apply(&self, store: &Store, args: &ProofArgs) -> anyhow::Result<Vec<StepResult>> {
        self.applied.begin(&self.desired, store).await?;
        let first_last = self
            .plan
            .steps
            .iter()
            .position(|step| proofs::needs_proof(&step.change));
        let (steps, last) = self.plan.steps.split_at(first_last.unwrap_or(self.plan.steps.len()));
        let settings = &self.access.settings;
        let none = ses_settings::Proofs::default();
        let mut results = settings.apply(steps, &none, show_result).await;
        let is_stopped = results
            .iter()
            .any(|result| matches!(result.outcome, ses_settings::Outcome::Failed(_)));
        let left_alone: BTreeSet<&Object> = results
            .iter()
            .filter(|result| !result.outcome.is_done())
            .map(|result| &result.step.change.object)
            .collect();
        let (held, last): (Vec<_>, Vec<_>) = last
            .iter()
            .cloned()
            .partition(|step| is_stopped || left_alone.contains(&step.change.object));
        if !last.is_empty() {
            let proofs = args.wait(store, &last, &self.desired).await?;
            results.extend(settings.apply(&last, &proofs, show_result).await);
        }
        results.extend(held.into_iter().map(|step| StepResult {
            step,
            outcome: ses_settings::Outcome::NotAttempted,
        }));
        self.applied.forget(&self.gone, store).await?;
        self.applied.finish(&self.desired, &results, store).await?;
        Ok(results)
    }
}

/// The desired settings, after the checks that need no call.
fn check_offline(entries: &Entries, existing: &BTreeSet<String>, access: &SesAccess) -> anyhow::Result<Desired> {
    let Ok(desired) = entries.desired(existing, &access.context) else {
        bail!(
            "the configuration names the topic \"postroom\": pass its ARN with --topic-arn (the stack's output TopicArn)"
        );
    };
    let problems = check(&desired, &access.context);
    if problems.is_empty() {
        Ok(desired)
    } else {
        bail!("the settings of SES are invalid:{}", problems_text(&problems));
    }
}

/// One line for each problem, each after a line break.
pub(crate) fn problems_text(problems: &[PlanProblem]) -> String {
    let lines = problems
        .iter()
        .map(|problem| format!("\n  {}: {}", problem.object, problem.message));
    lines.collect()
}

/// What is read of each object: the parts of the fields that are desired, and of those that were applied and may be left.
fn wanted(desired: &Desired, applied: &AppliedObjects) -> BTreeMap<Object, BTreeSet<Part>> {
    let parts = |(object, fields): (&Object, &Fields)| {
        let mut parts: BTreeSet<Part> = fields.keys().map(ses_settings::Field::part).collect();
        parts.extend(applied.own_parts(object));
        (object.clone(), parts)
    };
    desired.iter().map(parts).collect()
}

/// Removes the objects that the configuration no longer names and that do not exist: nothing is left of them.
fn remove_gone(desired: &mut Desired, actual: &Actual) -> Vec<Object> {
    let is_gone = |object: &Object| actual.get(object).is_none_or(Reading::is_missing);
    let gone: Vec<Object> = desired
        .iter()
        .filter(|(object, fields)| fields.is_empty() && is_gone(object))
        .map(|(object, _)| object.clone())
        .collect();
    desired.retain(|object, _| !gone.contains(object));
    gone
}

/// Shows how much is read, on a terminal only.
pub(crate) fn show_progress(done: usize, total: usize) {
    let mut stderr = std::io::stderr();
    if total > 3 && stderr.is_terminal() {
        let end = if done == total { "\n" } else { "" };
        let _ = write!(stderr, "\rreading SES: {done} of {total}{end}");
        let _ = stderr.flush();
    }
}

fn show_result(result: &StepResult, remaining: usize) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let change = &result.step.change;
        let line = format!("{} {}; {remaining} to go", change.object, change.field);
        let _ = writeln!(stderr, "{}", crate::text::escape_message(&line));
    }
}
