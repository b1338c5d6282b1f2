//! Unsubscribes the address that a token names. The `From` field is not used, because anyone can forge it.

use unsubscribe_token::{Token, TokenError, Unsubscription, record};

use super::context::MailContext;
use super::error::ActionError;
use super::outcome::{LogEntry, Outcome};
use super::services::Effects;

impl Effects {
    pub(super) async fn unsubscribe(
        &self,
        context: &MailContext<'_>,
        candidates: &[String],
    ) -> Result<Outcome, ActionError> {
        let cache = self.unsubscribe_keys.as_ref();
        let cache = cache.ok_or(ActionError::MissingSetting("UNSUBSCRIBE_SECRET_ARN"))?;
        let keys = cache.keys(&self.clients.secrets).await?;
        let mail = &context.received.mail;
        let mut closest = TokenError::Malformed;
        for candidate in candidates {
            match Token::read_at(candidate, &keys, mail.timestamp) {
                Ok(token) => {
                    let unsubscription = Unsubscription {
                        id: &mail.message_id,
                        at: mail.timestamp,
                        way: "by mail",
                    };
                    record(&self.store, &token, &unsubscription, context.now).await?;
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
}
