//! Explanations as text.

use operations::Explanation;

use crate::text::Text;

pub(super) fn explanations_text(explanations: &[Explanation]) -> anyhow::Result<Text> {
    let mut text = Text::default();
    for (index, explanation) in explanations.iter().enumerate() {
        if index > 0 {
            writeln!(text)?;
        }
        write_explanation(&mut text, explanation)?;
    }
    if explanations.is_empty() {
        writeln!(text, "nothing to do: an event without records")?;
    }
    Ok(text)
}

fn write_explanation(text: &mut Text, explanation: &Explanation) -> std::fmt::Result {
    writeln!(text, "{}", explanation.message)?;
    let via = explanation
        .via
        .as_ref()
        .map_or_else(String::new, |via| format!(" via {via}"));
    let id = explanation.message_id.as_ref();
    let id = id.map_or_else(String::new, |id| format!(", message {id}"));
    writeln!(text, "  record {}{via}{id}", explanation.record)?;
    if let Some(error) = &explanation.error {
        writeln!(text, "  {}: {error}", explanation.position)?;
        writeln!(text, "      the record fails and ends in the dead-letter queue")?;
    }
    for outcome in &explanation.outcomes {
        let subject = outcome.subject.as_deref().unwrap_or("the message");
        writeln!(text, "  {subject}: {}", outcome.description)?;
        if let Some(explanation) = &outcome.explanation {
            writeln!(text, "      because: {explanation}")?;
        }
        for line in outcome.content.iter().flat_map(|content| content.lines()) {
            writeln!(text, "      | {line}")?;
        }
    }
    Ok(())
}
