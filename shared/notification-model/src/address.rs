//! Mail addresses as SES spells them, with one normalised key for each mailbox.

use std::fmt;

use mail_parser::parsers::MessageStream;
use mail_parser::{Address, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A mail address, with or without a display name, as in [RFC 5322 section 3.4](https://www.rfc-editor.org/rfc/rfc5322#section-3.4).
///
/// All spellings of a mailbox have the same [`key`](Self::key): without display name and angle brackets, with the domain in
/// lower case and IDNA (ASCII) form, and with the local part in lower case.
///
/// ```
/// use notification_model::EmailAddress;
///
/// let address = EmailAddress::parse("=?utf-8?q?J=C3=BCrgen?= <Juergen@B\u{fc}cher.Example>").unwrap();
/// assert_eq!(address.name(), Some("J\u{fc}rgen"));
/// assert_eq!(address.as_str(), "Juergen@B\u{fc}cher.Example");
/// assert_eq!(address.key(), "juergen@xn--bcher-kva.example");
/// assert_eq!(address.domain(), Some("xn--bcher-kva.example"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    name: Option<String>,
    address: String,
    key: String,
}

impl EmailAddress {
    /// Reads one address. Returns `None` for an empty address such as `""` or `"<>"`, and for a text with control characters.
    ///
    /// SES reports the text of the sender unchanged, so a text without `@` is accepted. It has no [`domain`](Self::domain).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, address) = match (text.rfind('<'), text.contains('(')) {
            (Some(open), _) => {
                let (name, rest) = text.split_at(open);
                let inner = rest.trim_start_matches('<');
                (decode_name(name), inner.split('>').next().unwrap_or(inner))
            }
            (None, true) => return Self::parse_list(text).into_iter().next(),
            (None, false) => (None, text),
        };
        Self::new(name, address)
    }

    fn new(name: Option<String>, address: &str) -> Option<Self> {
        let address = address.trim();
        if address.is_empty() || address.chars().any(char::is_control) {
            return None;
        }
        Some(Self {
            name,
            address: address.to_owned(),
            key: key_of(address),
        })
    }

    /// Reads the address list of a header, including groups: `Ann <a@example.com>, "Doe, Joe" <j@example.com>`.
    #[must_use]
    pub fn parse_list(text: &str) -> Vec<Self> {
        let line = format!("{}\n", text.replace(['\r', '\n'], " "));
        let HeaderValue::Address(parsed) = MessageStream::new(line.as_bytes()).parse_address() else {
            return Vec::new();
        };
        let mailboxes: Vec<_> = match parsed {
            Address::List(list) => list,
            Address::Group(groups) => groups.into_iter().flat_map(|group| group.addresses).collect(),
        };
        mailboxes
            .into_iter()
            .filter_map(|mailbox| Self::new(mailbox.name.map(|name| without_controls(&name)), &mailbox.address?))
            .collect()
    }

    /// Returns the decoded display name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns `local@domain` as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// Returns the normalised address, which is the same for all spellings of a mailbox.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the normalised domain.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.key.rsplit_once('@').map(|(_, domain)| domain)
    }
}

/// Normalises a domain: lower case, IDNA (ASCII) form, without a trailing dot.
///
/// ```
/// assert_eq!(notification_model::normalise_domain("B\u{fc}cher.Example."), "xn--bcher-kva.example");
/// ```
#[must_use]
pub fn normalise_domain(domain: &str) -> String {
    let domain = domain.trim_end_matches('.');
    // Domain literals and invalid names have no IDNA form and are only converted to lower case. IDNA removes invisible
    // characters, which may leave another trailing dot.
    idna::domain_to_ascii(domain)
        .ok()
        .map(|ascii| ascii.trim_end_matches('.').to_owned())
        .filter(|ascii| !ascii.is_empty())
        .unwrap_or_else(|| domain.to_lowercase())
}

fn key_of(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{}", local.to_lowercase(), normalise_domain(domain)),
        None => address.to_lowercase(),
    }
}

/// Replaces control characters, because an encoded word can contain CR and LF.
fn without_controls(name: &str) -> String {
    name.replace(|c: char| c.is_control(), " ")
}

fn decode_name(text: &str) -> Option<String> {
    let line = format!("{}\n", text.trim().replace(['\r', '\n'], " "));
    let HeaderValue::Text(decoded) = MessageStream::new(line.as_bytes()).parse_unstructured() else {
        return None;
    };
    let name = without_controls(&decoded);
    let name = name.trim().trim_matches('"').trim();
    (!name.is_empty()).then(|| name.to_owned())
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

impl Serialize for EmailAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.name {
            Some(name) => serializer.collect_str(&format_args!(
                "\"{}\" <{}>",
                name.replace(['"', '\\'], ""),
                self.address
            )),
            None => serializer.serialize_str(&self.address),
        }
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("expected a mail address"))
    }
}

#[cfg(test)]
mod tests {
    use super::EmailAddress;

    #[test]
    fn all_spellings_of_a_mailbox_have_the_same_key() {
        let cases = [
            ("user@example.com", Some("user@example.com")),
            ("<User@Example.COM>", Some("user@example.com")),
            ("<<user@example.com>>", Some("user@example.com")),
            ("Doe, John <john@example.com>", Some("john@example.com")),
            (
                "\"Doe, <evil@example.org>\" <john@example.com>",
                Some("john@example.com"),
            ),
            ("john@example.com (John Doe)", Some("john@example.com")),
            ("=?utf-8?B?SsO8cmdlbg==?= <j@example.com>", Some("j@example.com")),
            ("  spaced@example.com  ", Some("spaced@example.com")),
            ("user@example.com.", Some("user@example.com")),
            ("user@example.com.\u{ad}.", Some("user@example.com")),
            ("user@[192.0.2.1]", Some("user@[192.0.2.1]")),
            ("\"odd@local\"@Example.com", Some("\"odd@local\"@example.com")),
            ("postmaster", Some("postmaster")),
            ("user@b\u{fc}cher.example", Some("user@xn--bcher-kva.example")),
            ("user+tag@example.com", Some("user+tag@example.com")),
            ("", None),
            ("<>", None),
            ("a@example.com\r\nBcc: b@example.com", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                EmailAddress::parse(text).as_ref().map(EmailAddress::key),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn names_are_decoded_without_line_breaks() {
        let cases = [
            ("=?utf-8?q?a=0D=0ABcc:_b?= <a@example.com>", Some("a  Bcc: b")),
            ("\"Doe, John\" <a@example.com>", Some("Doe, John")),
            ("a@example.com", None),
        ];
        for (text, expected) in cases {
            assert_eq!(EmailAddress::parse(text).unwrap().name(), expected, "{text}");
            assert_eq!(
                EmailAddress::parse_list(text).first().unwrap().name(),
                expected,
                "{text}"
            );
        }
        // Found by fuzzing.
        assert_eq!(EmailAddress::parse("\0\r(,"), None);
    }

    #[test]
    fn a_text_can_contain_a_list_or_a_group() {
        let keys = |text| {
            EmailAddress::parse_list(text)
                .iter()
                .map(|a| a.key().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            keys("Ann <a@example.com>, b@example.com"),
            ["a@example.com", "b@example.com"]
        );
        assert_eq!(
            keys("team: a@example.com, b@example.com;"),
            ["a@example.com", "b@example.com"]
        );
        assert!(keys("").is_empty());
    }
}
