//! The response to a request, in the payload format 2.0.

use std::collections::BTreeMap;

use serde::Serialize;

/// A response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// The header fields, in lower case.
    pub headers: BTreeMap<&'static str, &'static str>,
    /// The page.
    pub body: String,
    /// Always false: the page is text.
    pub is_base64_encoded: bool,
}

impl Response {
    /// A page. It loads nothing, its form can be sent only to its own address, and no cache or search engine keeps it.
    #[must_use]
    pub fn page(status_code: u16, page: &str) -> Self {
        let policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
        Self {
            status_code,
            headers: BTreeMap::from([
                ("content-type", "text/html; charset=utf-8"),
                ("cache-control", "no-store"),
                ("content-security-policy", policy),
                // The address of the page contains the token.
                ("referrer-policy", "no-referrer"),
                ("x-content-type-options", "nosniff"),
                ("x-robots-tag", "noindex"),
            ]),
            body: page.to_owned(),
            is_base64_encoded: false,
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The response to `HEAD`.
    #[must_use]
    pub fn without_body(self) -> Self {
        Self {
            body: String::new(),
            ..self
        }
    }
}
