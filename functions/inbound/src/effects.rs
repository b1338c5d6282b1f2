//! Carries out what was decided: with its parts the only place here that awaits AWS.
//!
//! Each action stands alone: what one of them meets does not keep another from its turn. What is done for good (a mail is
//! sent, a machine is told) is claimed in the store first and marked last, so that it is done once however many
//! invocations one mail causes. What is only written is the same however often it is written.

mod clients;
mod failure;
mod handover;
mod keys;
mod notifying;
mod sending;
mod source;
mod unsubscribing;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Mutex;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use notification_model::Received;
use store::{ClaimKey, ClaimOutcome, IndexedMail, Mailbox, MailboxKey, SenderContext, Store};
use tokio::sync::{OnceCell, Semaphore};

use crate::decide::{Action, Decision, Facts, HeadFacts, MailboxDecision, What, addressees, head_of_event, needs_head};
use crate::effects::keys::KeyStore;
use crate::effects::sending::Pace;
use crate::settings::Settings;

pub use clients::Clients;
pub use failure::{Failure, Unfinished};
pub use source::{Source, SourceError};

/// Mails up to this size are sent several at a time; larger ones one by one, whatever they belong to: a mail is in memory
/// four times over while it is sent.
const SMALL_MAIL: u64 = 1024 * 1024;
const SMALL_AT_ONCE: usize = 5;

/// How long a claim is remembered: as long as SQS keeps a message, so that nothing comes back after it.
const CLAIMS_LAST: SignedDuration = SignedDuration::from_hours(24 * 15);

/// Where actions take effect.
#[derive(Debug)]
pub struct Effects {
    /// The configuration.
    pub settings: Settings,
    store: Store,
    clients: Clients,
    keys: KeyStore,
    bounces: Pace,
    large_mails: Semaphore,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It took place.
    Done,
    /// It took place before.
    Before,
    /// A notice went in place of the mail.
    Notice,
    /// It is not to take place, as was decided.
    Skipped,
    /// It is not to take place, as turned out, and why.
    Refused(String),
}

impl Outcome {
    /// One word for metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Before => "before",
            Self::Notice => "notice",
            Self::Skipped => "skipped",
            Self::Refused(_) => "refused",
        }
    }
}

/// What became of every action that was begun: its name, and the outcome in one word.
pub type OutcomeLog = Mutex<Vec<(&'static str, &'static str)>>;

/// A mail at work.
struct Case<'a> {
    received: &'a Received,
    facts: &'a Facts,
    source: &'a Source,
    now: Timestamp,
    outcome_log: &'a OutcomeLog,
    may_forward: OnceCell<bool>,
}

impl Effects {
    /// Effects on this table and these services, with nothing remembered yet.
    #[must_use]
    pub fn new(store: Store, clients: Clients, settings: Settings) -> Self {
        Self {
            keys: KeyStore::new(settings.unsubscribe_secret.clone()),
            bounces: Pace::default(),
            large_mails: Semaphore::new(1),
            store,
            clients,
            settings,
        }
    }

    /// The mailboxes a mail can be for.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn mailboxes(&self, received: &Received) -> Result<BTreeMap<MailboxKey, Mailbox>, Failure> {
        Ok(self.store.mailboxes(&crate::decide::keys_of(received)).await?)
    }

    /// Reads what the decision needs beside SES's event, and no more: the header unless nothing depends on it, and whether
    /// the addresses that would be mailed may be.
    ///
    /// # Errors
    /// When it cannot be read now; the same call can be made again.
    pub async fn facts(
        &self,
        received: &Received,
        mailboxes: BTreeMap<MailboxKey, Mailbox>,
        source: &Source,
        now: Timestamp,
    ) -> Result<Facts, Failure> {
        let limits = &self.settings.limits;
        let head = if !needs_head(received, &mailboxes, &self.settings.policy) || source.is_nowhere() {
            head_of_event(received, limits)
        } else {
            source.head(&self.clients.s3, received, limits).await?
        };
        let mut suppressed = BTreeMap::new();
        for (identity, addresses) in addressees(received, &mailboxes) {
            let context = SenderContext {
                identity,
                ..SenderContext::default()
            };
            for answer in self.store.check(&addresses, &context, now).await? {
                suppressed.extend(answer.suppressions.first().map(|block| {
                    let why = format!("{} in {}", block.source, block.scope);
                    (answer.address.key().to_owned(), why)
                }));
            }
        }
        Ok(Facts {
            mailboxes,
            head,
            size: source.size(),
            location: source.location(),
            suppressed,
            now,
        })
    }

    /// Where a mail is.
    #[must_use]
    pub fn source(&self, received: &Received) -> Source {
        Source::of(received, &self.settings)
    }

    /// Carries out every action. `outcome_log` hears of each, whatever becomes of the others.
    ///
    /// # Errors
    /// When actions are left to be done; those that took place are known as such when it is tried again.
    pub async fn apply(
        &self,
        decision: &Decision,
        received: &Received,
        facts: &Facts,
        source: &Source,
        outcome_log: &OutcomeLog,
    ) -> Result<(), Unfinished> {
        let case = Case {
            received,
            facts,
            source,
            now: facts.now,
            outcome_log,
            may_forward: OnceCell::new(),
        };
        let of_mail = decision.actions.iter().map(|action| (None, action));
        let of_mailboxes = decision
            .mailboxes
            .iter()
            .flat_map(|mailbox| mailbox.actions.iter().map(move |action| (Some(mailbox), action)));
        let (sends, light): (Vec<_>, Vec<_>) = of_mail
            .chain(of_mailboxes)
            .partition(|(_, action)| matches!(action.what, What::Forward { .. } | What::PublishReport));

        let mut failures = self.each(&case, light, SMALL_AT_ONCE).await;
        if !sends.is_empty() {
            // A mail of unknown size was not read before, so it is small enough to be in the event.
            let large = source.size().is_some_and(|size| size > SMALL_MAIL);
            let permit = match large {
                true => self.large_mails.acquire().await.ok(),
                false => None,
            };
            failures.extend(self.each(&case, sends, if large { 1 } else { SMALL_AT_ONCE }).await);
            source.forget();
            drop(permit);
        }
        Unfinished::unless_empty(failures)
    }

    async fn each(
        &self,
        case: &Case<'_>,
        actions: Vec<(Option<&MailboxDecision>, &Action)>,
        at_once: usize,
    ) -> Vec<(&'static str, Failure)> {
        let tries = actions.into_iter().map(|(mailbox, action)| async move {
            let name = action.what.name();
            let outcome = self.one(case, mailbox, action).await;
            let word = outcome.as_ref().map_or_else(Failure::as_str, Outcome::as_str);
            case.count(name, word);
            outcome.err().map(|failure| (name, failure))
        });
        let failures = stream::iter(tries).buffer_unordered(at_once);
        failures.filter_map(std::future::ready).collect().await
    }

    async fn one(
        &self,
        case: &Case<'_>,
        mailbox: Option<&MailboxDecision>,
        action: &Action,
    ) -> Result<Outcome, Failure> {
        let outcome = match (&action.what, mailbox) {
            (What::Skip { .. }, _) => Outcome::Skipped,
            (What::PublishReport, _) => self.publish_report(case).await?,
            // Only a report is nobody's in particular.
            (_, None) => Outcome::Skipped,
            (What::Index, Some(mailbox)) => {
                self.store.index_mail(&mailbox.row).await?;
                Outcome::Done
            }
            (What::Forward { to, from }, Some(mailbox)) => self.forward(case, mailbox, to, from).await?,
            (What::AutoReply { .. }, Some(mailbox)) => self.auto_reply(case, mailbox, &action.what).await?,
            (What::Bounce { .. }, Some(mailbox)) => self.bounce(case, mailbox, &action.what).await?,
            (What::Unsubscribe { candidates }, Some(_)) => self.unsubscribe(case, candidates).await?,
            (What::Notify { target, summary }, Some(mailbox)) => self.notify(case, mailbox, target, summary).await?,
        };
        // What turns out only now is known to people as well.
        if let (Outcome::Refused(reason), Some(mailbox)) = (&outcome, mailbox) {
            let note = IndexedMail {
                reasons: [format!("{}: {reason}", action.what.name())].into(),
                ..mailbox.row.clone()
            };
            self.store.index_mail(&note).await?;
        }
        Ok(outcome)
    }

    /// Does something once. The claim is given back when it surely did not take place, so that the next try need not wait.
    async fn once(
        &self,
        case: &Case<'_>,
        mailbox: &str,
        action: &'static str,
        target: &str,
        enforcement: impl Future<Output = Result<(Outcome, String), Failure>>,
    ) -> Result<Outcome, Failure> {
        let claim = ClaimKey {
            message_id: case.received.mail.message_id.clone(),
            mailbox: mailbox.to_owned(),
            action,
            target: target.to_owned(),
        };
        let lapsed = case.now.checked_sub(self.settings.claim).unwrap_or(case.now);
        let expires_at = case.now.checked_add(CLAIMS_LAST).unwrap_or(Timestamp::MAX);
        match self.store.claim(&claim, case.now, lapsed, expires_at).await? {
            ClaimOutcome::Done => return Ok(Outcome::Before),
            ClaimOutcome::Busy => return Err(Failure::Busy),
            ClaimOutcome::Ours => {}
        }
        match enforcement.await {
            Ok((outcome, words)) => {
                // It took place: to try again because this is not known would do it twice.
                if let Err(error) = self.store.finish_claim(&claim, case.now, &words).await {
                    tracing::warn!(message_id = claim.message_id, action, %error, "done, but not marked as done");
                    case.count(action, "unmarked");
                }
                Ok(outcome)
            }
            Err(failure) => {
                if failure.surely_did_nothing() {
                    // If this fails too, the claim lapses.
                    let _ = self.store.release_claim(&claim, case.now).await;
                }
                Err(failure)
            }
        }
    }
}

impl Case<'_> {
    fn count(&self, action: &'static str, word: &'static str) {
        let mut outcome_log = self
            .outcome_log
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        outcome_log.push((action, word));
    }

    fn head(&self) -> Option<&crate::mail::MailFacts> {
        match &self.facts.head {
            HeadFacts::Read(head) => Some(head),
            HeadFacts::Unreadable(_) | HeadFacts::Unknown => None,
        }
    }
}
