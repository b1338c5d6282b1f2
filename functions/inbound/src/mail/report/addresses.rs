//! Addresses in reports: typed (RFC 3464), in xtext (RFC 3461), in unitext (RFC 6533).

use notification_model::EmailAddress;

use crate::mail::decode::clean;

/// The address in `rfc822; jane@example.com` or `utf-8; ...`. `None` for other types: they are not mail addresses.
pub(super) fn typed_address(line: &str) -> Option<String> {
    let (kind, address) = line.split_once(';').unwrap_or(("rfc822", line));
    match kind.trim().to_ascii_lowercase().as_str() {
        "rfc822" => parse_address(address),
        "utf-8" => parse_address(&decode_unitext(address)),
        _ => None,
    }
}

/// One address, cleaned. `None` if the text is not an address, or if the provider redacted it.
pub(super) fn parse_address(text: &str) -> Option<String> {
    let address = EmailAddress::parse(&clean(text))?;
    let (local, domain) = address.as_str().rsplit_once('@')?;
    let is_redacted = local.to_ascii_lowercase().contains("redacted") || local.chars().all(|c| c == 'x' || c == '*');
    let is_address = !local.is_empty() && domain.contains('.') && !address.as_str().contains(char::is_whitespace);
    (is_address && !is_redacted && address.as_str().len() <= 320).then(|| address.as_str().to_owned())
}

/// Decodes xtext such as `+2B` (RFC 3461 section 4), which some servers leave in the original recipient. `None` if there is
/// none.
pub(super) fn decode_xtext(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut found = false;
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let is_hex = |hex: &&str| hex.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
        match hex.filter(is_hex).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(octet) if *byte == b'+' => {
                decoded.push(octet);
                rest = after.get(2..).unwrap_or_default();
                found = true;
            }
            _ => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).ok().filter(|_| found)
}

/// Decodes unitext such as `\x{FC}` (RFC 6533 section 3), the ASCII form of a `utf-8` address.
fn decode_unitext(text: &str) -> String {
    let mut pieces = text.split("\\x{");
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece
            .split_once('}')
            .and_then(|(hex, rest)| Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, rest)));
        match code {
            Some((c, rest)) => {
                decoded.push(c);
                decoded.push_str(rest);
            }
            None => decoded.push_str(piece),
        }
    }
    decoded
}
