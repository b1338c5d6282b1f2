//! Takes an action once, however many invocations process the mail.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use store::{ClaimKey, ClaimOutcome};

use super::context::MailContext;
use super::error::ActionError;
use super::outcome::Outcome;
use super::services::Effects;

/// How long a claim is kept. SQS keeps a message for up to 14 days.
const CLAIM_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 15);

/// An action to take once for a mail.
pub(super) struct ActionKey<'a> {
    /// The key of the mailbox, or `-` for an action of the mail.
    pub(super) mailbox: &'a str,
    /// The name of the action.
    pub(super) action: &'static str,
    /// The address, ARN or URL that the action is for, or `-`.
    pub(super) target: &'a str,
    /// What the action is taken once for, if it is not the mail.
    pub(super) once_for: Option<&'a str>,
}

impl Effects {
    /// Takes an action that is not done yet. `attempt` returns the outcome, and a text for the claim. The claim is released
    /// if the action certainly did not take place, so that a retry need not wait until it expires.
    ///
    /// # Errors
    /// If another invocation is taking the action, if the table fails, or if `attempt` fails.
    pub(super) async fn take_once(
        &self,
        context: &MailContext<'_>,
        key: ActionKey<'_>,
        attempt: impl Future<Output = Result<(Outcome, String), ActionError>>,
    ) -> Result<Outcome, ActionError> {
        let action = key.action;
        let repeated = context.send_again.filter(|request| request.repeat);
        let claim = ClaimKey {
            message_id: key.once_for.unwrap_or(&context.received.mail.message_id).to_owned(),
            mailbox: key.mailbox.to_owned(),
            action,
            target: match repeated {
                Some(request) => format!("{} again {}", key.target, request.id),
                None => key.target.to_owned(),
            },
        };
        let now = context.now;
        let expired_before = now.checked_sub(self.settings.claim).unwrap_or(now);
        let expires_at = now.checked_add(CLAIM_RETENTION).unwrap_or(Timestamp::MAX);
        match self.store.claim(&claim, now, expired_before, expires_at).await? {
            ClaimOutcome::AlreadyDone => return Ok(Outcome::AlreadyDone),
            ClaimOutcome::InProgress => return Err(ActionError::InProgress),
            ClaimOutcome::Claimed => {}
        }
        match attempt.await {
            Ok((outcome, text)) => {
                // An error here must not cause a retry: the action would take place twice.
                if let Err(error) = self.store.finish_claim(&claim, now, &text).await {
                    let message_id = &claim.message_id;
                    tracing::warn!(message_id, action, %error, "action done, but its completion was not recorded");
                    context.log_outcome(action, "completion-not-recorded");
                }
                Ok(outcome)
            }
            Err(error) => {
                if error.is_certainly_not_done() {
                    // If the release fails, the claim expires.
                    let _ = self.store.release_claim(&claim, now).await;
                }
                Err(error)
            }
        }
    }
}
