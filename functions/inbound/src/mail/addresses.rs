//! Addresses in header fields.

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};
use notification_model::{EmailAddress, normalise_domain};

use super::decode::{clean, decode, is_decodable, truncate};

const MAX_ADDRESS_BYTES: usize = 320;
const MAX_NAME_CHARS: usize = 300;

/// One mailbox of `From`. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
pub struct Author {
    /// The display name, decoded, without control and direction characters.
    pub name: Option<String>,
    /// The address; `None` if the text at its position is not an address.
    pub address: Option<EmailAddress>,
}

impl std::fmt::Debug for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Author").finish_non_exhaustive()
    }
}

impl From<ParsedMailbox> for Author {
    fn from(mailbox: ParsedMailbox) -> Self {
        // A longer text is not an address, and does not fit into a key of the table.
        let address = mailbox
            .address
            .filter(|address| address.contains('@') && address.len() <= MAX_ADDRESS_BYTES);
        Self {
            name: mailbox.name.map(|name| truncate(&name, MAX_NAME_CHARS)),
            address: address.as_deref().and_then(EmailAddress::parse),
        }
    }
}

/// Whether SES sends to an address. SES accepts neither a quoted local part nor one that is not ASCII.
#[must_use]
pub fn is_sendable(address: &EmailAddress) -> bool {
    sendable_address(address.as_str()).is_some()
}

/// A mailbox in an address list.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ParsedMailbox {
    pub(super) name: Option<String>,
    /// The text at the position of the address. It may not be a valid address.
    pub(super) address: Option<String>,
}

/// Parses an address list. The flag is true if something is lost: a group name, or words without an address.
pub(super) fn parse_mailboxes(line: &str) -> (Vec<ParsedMailbox>, bool) {
    if !is_decodable(line) {
        return (Vec::new(), true);
    }
    let line = format!("{}\n", line.replace(['\r', '\n'], " "));
    let (parsed, is_group) = match MessageStream::new(line.as_bytes()).parse_address() {
        HeaderValue::Address(Address::List(list)) => (list, false),
        HeaderValue::Address(Address::Group(groups)) => {
            (groups.into_iter().flat_map(|group| group.addresses).collect(), true)
        }
        _ => (Vec::new(), !line.trim().is_empty()),
    };
    let mut mailboxes = Vec::new();
    let mut pieces: Vec<String> = Vec::new();
    let mut lost = is_group;
    for Addr { name, address } in parsed {
        let name = name
            .map(|name| clean_name(&decode_quoted(&name)))
            .filter(|name| !name.is_empty());
        let address = address
            .map(|address| clean(&address).trim_matches(['<', '>', ' ']).to_owned())
            .filter(|address| !address.is_empty());
        match (name, address) {
            // `Doe, Jane <jane@example.com>`: the name has an unquoted comma.
            (Some(name), Some(address)) if address.contains('@') => {
                pieces.push(name);
                mailboxes.push(ParsedMailbox {
                    name: Some(std::mem::take(&mut pieces).join(", ")),
                    address: Some(address),
                });
            }
            (name, Some(address)) => {
                lost |= !pieces.is_empty();
                pieces.clear();
                mailboxes.push(ParsedMailbox {
                    name,
                    address: Some(address),
                });
            }
            (Some(name), None) => pieces.push(name),
            (None, None) => {}
        }
    }
    if !pieces.is_empty() {
        lost = true;
        mailboxes.push(ParsedMailbox {
            name: Some(pieces.join(", ")),
            address: None,
        });
    }
    (mailboxes, lost)
}

/// Decodes encoded words within quotes. RFC 2047 forbids them there, but many programs write and read them.
fn decode_quoted(name: &str) -> String {
    if name.contains("=?") {
        decode(name)
    } else {
        name.to_owned()
    }
}

fn clean_name(name: &str) -> String {
    let name = clean(name).replace(['<', '>'], "");
    name.trim_matches(['"', '\'', ',', ' ']).to_owned()
}

/// An address in the form that SES accepts in a header: ASCII, `dot-atom@domain`, the domain in its IDNA form. `None` for
/// any other address: SES rejects a mail that has one ("Missing final '@domain'", "Local address contains dot-dot").
pub(super) fn sendable_address(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let domain = normalise_domain(domain);
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let is_local = local.len() <= 64
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    let is_domain = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label);
    (is_local && is_domain && !local.contains("=?")).then(|| format!("{local}@{domain}"))
}
