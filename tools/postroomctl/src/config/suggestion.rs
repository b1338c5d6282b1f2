//! Suggestions for misspelled names.

/// The choice that differs least from a text, when it is close enough to be a misspelling.
pub(super) fn closest<'a>(text: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = choices.into_iter().map(|choice| {
        let distance = strsim::damerau_levenshtein(&text.to_lowercase(), &choice.to_lowercase());
        (distance, choice)
    });
    let (distance, choice) = distances.min()?;
    (distance <= 2.max(text.len() / 4) && distance < choice.len()).then_some(choice)
}

/// `; did you mean ...?` when one of the choices is close to the text, else nothing.
pub(super) fn did_you_mean<'a>(text: &str, choices: impl IntoIterator<Item = &'a str>) -> String {
    closest(text, choices)
        .map(|choice| format!("; did you mean {choice}?"))
        .unwrap_or_default()
}
