//! Unsubscribes the address that a token names. The `From` field is not used, because anyone can forge it.

use std::collections::BTreeMap;

use store::{HistoryEntry, SuppressionEntry, SuppressionSource};

use super::context::MailContext;
use super::error::ActionError;
use super::outcome::{LogEntry, Outcome};
use super::services::Effects;
use crate::token::{Token, TokenError, UnsubscribeFrom};

impl Effects {
    pub(super) async fn unsubscribe(
        &self,
        context: &MailContext<'_>,
        candidates: &[String],
    ) -> Result<Outcome, ActionError> {
        let keys = self.unsubscribe_keys.keys(&self.clients.secrets).await?;
        let mut closest = TokenError::Malformed;
        for candidate in candidates {
            match Token::read(candidate, &keys) {
                Ok(token) => {
                    self.record_unsubscribe(context, &token).await?;
                    return Ok(Outcome::Done);
                }
                // A subject has many words that are not tokens.
                Err(TokenError::Malformed) => {}
                Err(error) => closest = error,
            }
        }
        context.outcome_log.add(LogEntry::InvalidToken {
            reason: closest.as_str(),
        });
        Ok(Outcome::Rejected(closest.to_string()))
    }

    /// Writes the suppression entry and the history entry. They are the same as for an unsubscribe through SES's list
    /// management. An older mail does not replace a newer entry, and the same mail writes the same entries again.
    async fn record_unsubscribe(&self, context: &MailContext<'_>, token: &Token) -> Result<(), ActionError> {
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
        let mail = &context.received.mail;
        let reason = format!("unsubscribed from {unsubscribed_from} by mail with a valid token");
        let evidence = BTreeMap::from([
            ("messageId".to_owned(), mail.message_id.clone()),
            ("subscriptionSource".to_owned(), "List-Unsubscribe".to_owned()),
        ]);
        let entry = SuppressionEntry {
            at: mail.timestamp,
            id: mail.message_id.clone(),
            blocked: true,
            until: None,
            reason: reason.clone(),
            address: token.address().as_str().to_owned(),
            evidence: evidence.clone(),
        };
        let history = HistoryEntry {
            at: mail.timestamp,
            id: mail.message_id.clone(),
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
        self.store
            .record_suppression(address, scope, &source, &entry, context.now)
            .await?;
        self.store.append_history(address, &history).await?;
        Ok(())
    }
}
