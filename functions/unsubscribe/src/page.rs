//! The pages for a person who opens the link. They contain no text of the request, no address and no script.

/// Asks whether to unsubscribe. The button sends the same POST as a mail program.
#[must_use]
pub fn question() -> String {
    let form = "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
                <p>Do you want to stop receiving this mail?</p><p><button type=\"submit\">Unsubscribe</button></p></form>";
    page("Unsubscribe", form)
}

/// Confirms that the recipient is unsubscribed.
#[must_use]
pub fn success() -> String {
    page("Unsubscribed", "<p>You are unsubscribed. You can close this page.</p>")
}

/// Says that a later subscription wins over the link.
#[must_use]
pub fn superseded() -> String {
    let text = "<p>You subscribed again after this mail was sent. To unsubscribe, use the link in a newer mail.</p>";
    page("Still subscribed", text)
}

/// Says why nothing was changed.
#[must_use]
pub fn failure(text: &str) -> String {
    page("Not unsubscribed", &format!("<p>{}</p>", escape(text)))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title></head>\
         <body><h1>{title}</h1>{body}</body></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
