//! Text of strangers, made safe to show.

/// Appends a text with its control and bidirectional characters escaped. With `keep_line_breaks`, line feeds stay.
pub fn push_escaped(escaped: &mut String, text: &str, keep_line_breaks: bool) {
    for character in text.chars() {
        if is_unsafe(character) && !(character == '\n' && keep_line_breaks) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
}

/// Control characters, line and paragraph separators, and the characters that change the direction of text
/// (<https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>).
#[must_use]
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}
