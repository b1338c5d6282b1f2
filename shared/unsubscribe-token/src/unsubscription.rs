//! What a valid token changes in the table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use store::{HistoryEntry, Store, StoreError, SuppressionEntry, SuppressionSource};

use crate::format::{Token, UnsubscribeFrom};

/// How a recipient unsubscribed.
#[derive(Debug, Clone, Copy)]
pub struct Unsubscription<'a> {
    /// The id of the mail or request.
    pub id: &'a str,
    /// When it arrived.
    pub at: Timestamp,
    /// The way, for the reason: `by mail`, `with one click`.
    pub way: &'a str,
}

/// Writes the suppression entry and the history entry. They are the same as for an unsubscribe through SES's list management,
/// in the source of their own that unsubscribes have. Returns whether the recipient is newly unsubscribed.
///
/// A token that says when it was issued unsubscribes as of that time, so that a later subscription or release wins. Recording
/// the same unsubscription again changes nothing.
///
/// # Errors
/// If DynamoDB fails. The call can be repeated.
pub async fn record(
    store: &Store,
    token: &Token,
    unsubscription: &Unsubscription<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (source, unsubscribed_from) = match token.unsubscribe_from() {
        UnsubscribeFrom::Everything => (SuppressionSource::Unsubscribe, "all mail".to_owned()),
        UnsubscribeFrom::List(list) => (
            SuppressionSource::List(list.clone()),
            format!("all mail of contact list {list}"),
        ),
        UnsubscribeFrom::Topic { list, topic } => {
            let topic = format!("{list}/{topic}");
            (SuppressionSource::Topic(topic.clone()), format!("topic {topic}"))
        }
    };
    let Unsubscription { id, at, way } = *unsubscription;
    let reason = format!("unsubscribed from {unsubscribed_from} {way} with a valid token");
    let mut evidence = BTreeMap::from([
        ("messageId".to_owned(), id.to_owned()),
        ("subscriptionSource".to_owned(), "List-Unsubscribe".to_owned()),
    ]);
    evidence.extend(
        token
            .issued_at()
            .map(|issued| ("issuedAt".to_owned(), issued.to_string())),
    );
    let entry = SuppressionEntry {
        at: token.issued_at().map_or(at, |issued| issued.min(at)),
        id: id.to_owned(),
        blocked: true,
        until: None,
        reason: reason.clone(),
        address: token.address().as_str().to_owned(),
        evidence: evidence.clone(),
    };
    let history = HistoryEntry {
        at,
        id: id.to_owned(),
        kind: match &source {
            SuppressionSource::Unsubscribe => source.to_string(),
            list_or_topic => format!("unsubscribe-{list_or_topic}"),
        },
        reason,
        scope: token.scope().clone(),
        suppresses: true,
        evidence,
        expires_at: None,
    };
    let (address, scope) = (token.address(), token.scope());
    let is_new = store.record_suppression(address, scope, &source, &entry, now).await?;
    store.append_history(address, &history).await?;
    Ok(is_new)
}
