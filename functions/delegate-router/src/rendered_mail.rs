//! A mail ready to send, in plain text and HTML. Pure.

use serde_json::Value;

/// Maximum number of characters of a text that a remote party wrote.
const MAX_CHARACTERS: usize = 300;

/// The last line of every mail.
pub(crate) const FOOTER: &str = "You receive this mail because a route of Postroom names your address. \
                                 The operator of Postroom for these identities can change that.";

/// A mail ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// The subject.
    pub subject: String,
    /// The body in plain text.
    pub text: String,
    /// The same body in HTML.
    pub html: String,
}

impl RenderedMail {
    /// The mail of an alert in JSON. `None` without subject or text.
    #[must_use]
    pub fn of_alert(alert: &str) -> Option<Self> {
        let alert: Value = serde_json::from_str(alert).ok()?;
        let (subject, text) = (alert.get("subject")?.as_str()?, alert.get("text")?.as_str()?);
        let html = format!("<p style=\"white-space:pre-line\">{}</p>\n", escaped(text));
        Some(Self {
            subject: single_line(subject),
            text: format!("{text}\n{FOOTER}\n"),
            html: html_page(&html),
        })
    }
}

/// An HTML page with this content and the footer.
pub(crate) fn html_page(content: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif;max-width:48em\">\
         {content}<p style=\"color:#666\">{FOOTER}</p></body></html>\n"
    )
}

/// Replaces the characters that HTML interprets.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A text of a remote party as one line of limited length.
pub(crate) fn single_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_CHARACTERS)
        .collect();
    if text.chars().nth(MAX_CHARACTERS).is_some() {
        line.push('…');
    }
    line.trim().to_owned()
}
