//! Makes the steps of a plan.
//!
//! Before a write the setting is read again: when it is already as configured, nothing is written; when it is neither as
//! configured nor as the plan found it, it was changed meanwhile, and the object is left alone. After the write it is read
//! once more. So a run that was killed at any call is continued by planning and applying again.

use std::collections::BTreeSet;

use crate::client::SesSettings;
use crate::error::SettingsError;
use crate::field::{Field, NotificationType, Object, Part};
use crate::plan::{Proofs, Purpose, Step, is_forwarding_off};
use crate::settings::Reading;
use crate::value::Value;

/// How often a setting is read after a write until it has the new value, because SES may answer with the old one for a
/// moment.
const READS_AFTER_WRITE: usize = 3;

/// What came of a step.
#[derive(Debug)]
pub enum Outcome {
    /// The setting was written, and read back.
    Applied,
    /// The setting was as configured, so nothing was written.
    AlreadyApplied,
    /// The setting was changed since the plan. It is left as it is, and so is the rest of the object.
    ChangedMeanwhile {
        /// The value that was found.
        found: Value,
    },
    /// Feedback forwarding stays on, because a topic is not known to work.
    Unproven {
        /// The notification types without a topic that is known to work.
        missing: Vec<NotificationType>,
    },
    /// SES accepted the write, but still returns another value.
    NotEffective {
        /// The value that was found.
        found: Value,
    },
    /// A call failed. No further step is made.
    Failed(SettingsError),
    /// The step was not made, because an earlier one failed.
    NotAttempted,
}

impl Outcome {
    /// Whether the setting is as configured.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Applied | Self::AlreadyApplied)
    }
}

/// A step and what came of it.
#[derive(Debug)]
pub struct StepResult {
    /// The step.
    pub step: Step,
    /// What came of it.
    pub outcome: Outcome,
}

/// The last thing that was read, valid until the next call.
struct Fresh {
    object: Object,
    part: Part,
    reading: Reading,
}

impl SesSettings {
    /// Makes the steps of a plan in their order. `progress` receives each result and the number of steps that follow.
    ///
    /// After a failed call the remaining steps are not attempted; after a setting that was changed meanwhile only those of
    /// its object are not.
    pub async fn apply(
        &self,
        steps: &[Step],
        proofs: &Proofs,
        mut progress: impl FnMut(&StepResult, usize),
    ) -> Vec<StepResult> {
        let mut results = Vec::new();
        let (mut stopped, mut left_alone) = (false, BTreeSet::new());
        let mut fresh = None;
        for (index, step) in steps.iter().enumerate() {
            let outcome = if stopped || left_alone.contains(&step.change.object) {
                Outcome::NotAttempted
            } else {
                self.apply_step(step, proofs, &mut fresh)
                    .await
                    .unwrap_or_else(Outcome::Failed)
            };
            match &outcome {
                Outcome::Failed(_) => stopped = true,
                Outcome::ChangedMeanwhile { .. } | Outcome::NotEffective { .. } => {
                    left_alone.insert(step.change.object.clone());
                }
                _ => {}
            }
            let result = StepResult {
                step: step.clone(),
                outcome,
            };
            progress(&result, steps.len() - index - 1);
            results.push(result);
        }
        results
    }

    async fn apply_step(
        &self,
        step: &Step,
        proofs: &Proofs,
        fresh: &mut Option<Fresh>,
    ) -> Result<Outcome, SettingsError> {
        let change = &step.change;
        let part = change.field.part();
        let known = fresh
            .take()
            .filter(|known| known.object == change.object && known.part == part);
        let reading = match known {
            Some(known) => known.reading,
            None => self.read_part(&change.object, part).await?,
        };
        let found = reading.get(&change.field).unwrap_or(Value::Absent);
        let keep = |reading: Reading| Fresh {
            object: change.object.clone(),
            part,
            reading,
        };
        if found == change.after && step.purpose == Purpose::Change {
            *fresh = Some(keep(reading));
            return Ok(Outcome::AlreadyApplied);
        }
        if found != change.before {
            *fresh = Some(keep(reading));
            return Ok(Outcome::ChangedMeanwhile { found });
        }
        if is_forwarding_off(change) {
            let missing = unproven(change.object.name(), &reading, proofs);
            if !missing.is_empty() {
                *fresh = Some(keep(reading));
                return Ok(Outcome::Unproven { missing });
            }
        }
        let written = self.write(change).await;
        let reads = if written.is_ok() { READS_AFTER_WRITE } else { 1 };
        let (reading, found) = self.read_until(step, part, reads).await?;
        *fresh = Some(keep(reading));
        Ok(match written {
            // A write without a response, or whose repetition was rejected, may have taken effect.
            _ if found == change.after && (written.is_ok() || step.purpose == Purpose::Change) => Outcome::Applied,
            Ok(()) => Outcome::NotEffective { found },
            Err(error) => Outcome::Failed(error),
        })
    }

    /// Reads a setting after a write until it has the new value, a limited number of times.
    async fn read_until(&self, step: &Step, part: Part, reads: usize) -> Result<(Reading, Value), SettingsError> {
        let mut attempt = 1;
        loop {
            let reading = self.read_part(&step.change.object, part).await?;
            let found = reading.get(&step.change.field).unwrap_or(Value::Absent);
            if found == step.change.after || attempt == reads {
                return Ok((reading, found));
            }
            attempt += 1;
        }
    }
}

/// The types without a topic that is known to work, of the two that SES needs when forwarding is off.
fn unproven(identity: &str, reading: &Reading, proofs: &Proofs) -> Vec<NotificationType> {
    let is_unproven = |kind: &NotificationType| match reading.get(&Field::Topic(*kind)) {
        Some(Value::Text(topic)) => !proofs.contains(identity, *kind, &topic),
        _ => true,
    };
    [NotificationType::Bounce, NotificationType::Complaint]
        .into_iter()
        .filter(is_unproven)
        .collect()
}
