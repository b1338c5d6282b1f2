//! Whether a message may be sent: the rule of `docs/before-you-send.md`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::state::Entries;

/// Scope, source and id of an entry that blocks.
pub type BlockingEntry = (String, String, String);

/// The entries that block a message of these scopes and this topic (`list/topic`) at a time.
#[must_use]
pub fn blocking_entries(
    entries: &Entries,
    scopes: &[String],
    topic: Option<&str>,
    now: Timestamp,
) -> BTreeSet<BlockingEntry> {
    let mut blocking = BTreeSet::new();
    for ((scope, source), entry) in entries {
        let released = entries.get(&(scope.clone(), "released".to_owned()));
        let blocks = scopes.contains(scope)
            && entry.blocked
            && entry.until.is_none_or(|until| until > now)
            && released.is_none_or(|released| released.at < entry.at)
            && concerns_topic(source, topic);
        if blocks {
            blocking.insert((scope.clone(), source.clone(), entry.id.clone()));
        }
    }
    blocking
}

/// Whether an entry of this source concerns mail about the topic. Only `list` and `topic` entries are limited.
fn concerns_topic(source: &str, topic: Option<&str>) -> bool {
    match source.split_once(':') {
        Some(("list", list)) => topic.and_then(|topic| topic.split('/').next()) == Some(list),
        Some(("topic", wanted)) => topic == Some(wanted),
        _ => true,
    }
}
