//! Takes the actions of a decision.

use futures_util::{StreamExt, stream};
use notification_model::Received;
use store::IndexedMail;
use tokio::sync::OnceCell;

use super::context::MailContext;
use super::error::{ActionError, UnfinishedActions};
use super::mail_source::MailSource;
use super::outcome::{Outcome, OutcomeLog};
use super::send_again::SendAgain;
use super::services::Effects;
use crate::decide::{Action, ActionKind, Decision, Facts, MailboxDecision};

/// Larger mails are sent one at a time, because sending a mail takes about four times its size in memory.
const SMALL_MAIL_OCTETS: u64 = 1024 * 1024;
const CONCURRENT_ACTIONS: usize = 5;

impl Effects {
    /// Takes every action. `outcome_log` receives each outcome. If an operator sends the mail again, only the actions that
    /// send mail are taken.
    ///
    /// # Errors
    /// If actions failed. A retry takes only the actions that are not done.
    pub async fn apply(
        &self,
        decision: &Decision,
        received: &Received,
        facts: &Facts,
        source: &MailSource,
        outcome_log: &OutcomeLog,
        send_again: Option<&SendAgain>,
    ) -> Result<(), UnfinishedActions> {
        let context = MailContext {
            received,
            facts,
            source,
            now: facts.now,
            outcome_log,
            send_again,
            may_forward: OnceCell::new(),
        };
        let mail_actions = decision.actions.iter().map(|action| (None, action));
        let mailbox_actions = decision
            .mailboxes
            .iter()
            .flat_map(|mailbox| mailbox.actions.iter().map(move |action| (Some(mailbox), action)));
        let (with_body, without_body): (Vec<_>, Vec<_>) = mail_actions
            .chain(mailbox_actions)
            .filter(|(_, action)| send_again.is_none() || action.kind.sends_mail())
            .partition(|(_, action)| action.kind.reads_mail());

        let mut errors = self.take_all(&context, without_body, CONCURRENT_ACTIONS).await;
        if !with_body.is_empty() {
            // A mail of unknown size is in the event, which has at most 150 KB.
            let is_large = source.size().is_some_and(|size| size > SMALL_MAIL_OCTETS);
            let permit = match is_large {
                true => self.large_mail.acquire().await.ok(),
                false => None,
            };
            let concurrency = if is_large { 1 } else { CONCURRENT_ACTIONS };
            errors.extend(self.take_all(&context, with_body, concurrency).await);
            source.release();
            drop(permit);
        }
        UnfinishedActions::from_errors(errors)
    }

    async fn take_all(
        &self,
        context: &MailContext<'_>,
        actions: Vec<(Option<&MailboxDecision>, &Action)>,
        concurrency: usize,
    ) -> Vec<(&'static str, ActionError)> {
        let attempts = actions.into_iter().map(|(mailbox, action)| async move {
            let name = action.kind.name();
            let outcome = self.take(context, mailbox, action).await;
            context.log_outcome(name, outcome.as_ref().map_or_else(ActionError::as_str, Outcome::as_str));
            outcome.err().map(|error| (name, error))
        });
        let errors = stream::iter(attempts).buffer_unordered(concurrency);
        errors.filter_map(std::future::ready).collect().await
    }

    async fn take(
        &self,
        context: &MailContext<'_>,
        mailbox: Option<&MailboxDecision>,
        action: &Action,
    ) -> Result<Outcome, ActionError> {
        let outcome = match (&action.kind, mailbox) {
            (ActionKind::Skip { .. }, _) => Outcome::Skipped,
            (ActionKind::PublishReport, _) => self.publish_report(context).await?,
            // All other actions belong to a mailbox.
            (_, None) => Outcome::Skipped,
            (ActionKind::Index, Some(mailbox)) => {
                self.store.index_mail(&mailbox.row).await?;
                Outcome::Done
            }
            (ActionKind::Forward { to, from, mark }, Some(mailbox)) => {
                self.forward(context, mailbox, to, from, *mark).await?
            }
            (ActionKind::AutoReply { .. }, Some(mailbox)) => self.auto_reply(context, mailbox, &action.kind).await?,
            (ActionKind::Bounce { .. }, Some(mailbox)) => self.bounce(context, mailbox, &action.kind).await?,
            (ActionKind::Unsubscribe { candidates }, Some(_)) => self.unsubscribe(context, candidates).await?,
            (
                ActionKind::Notify {
                    target,
                    summary,
                    content,
                },
                Some(mailbox),
            ) => self.notify(context, mailbox, target, summary, *content).await?,
            (ActionKind::NotifyOwner(notice), Some(mailbox)) => self.notify_owner(context, mailbox, notice).await?,
        };
        if let (Some(reason), Some(mailbox)) = (index_reason(context, &outcome), mailbox) {
            let row = IndexedMail {
                reasons: [format!("{}: {reason}", action.kind.name())].into(),
                ..mailbox.row.clone()
            };
            self.store.index_mail(&row).await?;
        }
        Ok(outcome)
    }
}

/// What the index records of an outcome: why an action was not taken, and that an operator had it taken.
fn index_reason<'a>(context: &MailContext<'_>, outcome: &'a Outcome) -> Option<&'a str> {
    let is_sent = matches!(outcome, Outcome::Done | Outcome::NoticeSent);
    match outcome.reason() {
        None if is_sent && context.send_again.is_some() => Some("sent again for an operator"),
        reason => reason,
    }
}
