//! Message ids in `Message-ID`, `References` and `In-Reply-To`.

use super::{Field, HeaderBlock};

/// Message ids with their angle brackets. Ids that are not printable ASCII are left out.
pub(super) fn message_ids(line: &str) -> Vec<String> {
    line.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(id, _)| id.trim()))
        .filter(|id| (1..=500).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
        .filter(|id| !id.contains("=?"))
        .map(|id| format!("<{id}>"))
        .collect()
}

/// The id of the mail itself.
pub(super) fn own_message_id(header: &HeaderBlock<'_>) -> Option<String> {
    let line = header.get("Message-ID").map(Field::unfolded)?;
    message_ids(&line).pop()
}

/// The ids of `References`, else of `In-Reply-To`, oldest first.
pub(super) fn references(header: &HeaderBlock<'_>) -> Vec<String> {
    let field = header.get("References").or_else(|| header.get("In-Reply-To"));
    field.map(|field| message_ids(&field.unfolded())).unwrap_or_default()
}
