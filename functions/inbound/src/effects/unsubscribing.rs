//! Unsubscribes whom a token names, never whom From names.

use std::collections::BTreeMap;

use store::{HistoryEntry, SuppressionEntry, SuppressionSource};

use super::{Case, Effects, Failure, Outcome};
use crate::token::{Leaves, Token, TokenError};

impl Effects {
    pub(super) async fn unsubscribe(&self, case: &Case<'_>, candidates: &[String]) -> Result<Outcome, Failure> {
        let keys = self.keys.keys(&self.clients.secrets).await?;
        let mut why = TokenError::Shape;
        for candidate in candidates {
            match Token::read(candidate, &keys) {
                Ok(token) => {
                    self.record(case, &token).await?;
                    return Ok(Outcome::Done);
                }
                // A subject has many words; the one that came closest to a token says what was wrong with it.
                Err(TokenError::Shape) => {}
                Err(error) => why = error,
            }
        }
        let word = match why {
            TokenError::Shape => "token-shape",
            TokenError::Mac => "token-mac",
            TokenError::Content(_) => "token-content",
        };
        case.count("token", word);
        Ok(Outcome::Refused(format!("not unsubscribed: {why}")))
    }

    /// The same registers, history and words as for SES's own list management. A newer decision is not undone by an older
    /// mail, and the same mail again writes the same.
    async fn record(&self, case: &Case<'_>, token: &Token) -> Result<(), Failure> {
        let (source, what) = match token.leaves() {
            Leaves::Everything => (SuppressionSource::Unsubscribe, "all mail".to_owned()),
            Leaves::List(list) => (
                SuppressionSource::List(list.clone()),
                format!("all mail of contact list {list}"),
            ),
            Leaves::Topic { list, topic } => {
                let topic = format!("{list}/{topic}");
                (SuppressionSource::Topic(topic.clone()), format!("topic {topic}"))
            }
        };
        let mail = &case.received.mail;
        let reason = format!("left {what} by mail, with a valid token");
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
            .record_suppression(address, scope, &source, &entry, case.now)
            .await?;
        self.store.append_history(address, &history).await?;
        Ok(())
    }
}
