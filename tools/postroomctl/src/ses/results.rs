//! What came of the steps, as people read it.

use ses_settings::{Outcome, StepResult};

use crate::text::Text;

/// The steps that are not done, each with what to do; nothing when all are.
pub(crate) fn results_text(results: &[StepResult]) -> anyhow::Result<Text> {
    let mut text = Text::default();
    for StepResult { step, outcome } in results {
        let (object, field) = (&step.change.object, &step.change.field);
        match outcome {
            Outcome::Applied | Outcome::AlreadyApplied => {}
            Outcome::ChangedMeanwhile { found } => writeln!(
                text,
                "not applied: {object}: {field} was changed to {found} since the plan; plan again"
            )?,
            Outcome::Unproven { missing } => {
                let kinds: Vec<&str> = missing.iter().map(|kind| kind.as_str()).collect();
                writeln!(
                    text,
                    "not applied: {object}: feedback forwarding stays on, because SES's message through the topic has not \
                     arrived for: {}; apply again when it has, or pass --assume-proven for a topic that Postroom does not read",
                    kinds.join(", ")
                )?;
            }
            Outcome::NotEffective { found } => writeln!(
                text,
                "not applied: {object}: SES accepted {field} = {}, but returns {found}; plan again",
                step.change.after
            )?,
            Outcome::Failed(error) => writeln!(text, "failed: {object}: {field}: {error}")?,
            Outcome::NotAttempted => writeln!(text, "not attempted: {object}: {field}")?,
        }
    }
    Ok(text)
}
