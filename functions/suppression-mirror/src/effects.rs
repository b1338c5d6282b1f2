//! The calls: the only place here that awaits AWS.

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::delete_suppressed_destination::DeleteSuppressedDestinationError;
use aws_sdk_sesv2::operation::put_suppressed_destination::PutSuppressedDestinationError;
use aws_sdk_sesv2::types::SuppressionListReason;
use jiff::Timestamp;
use lambda_kit::LazyClient;
use store::{MirrorAction, MirrorReason, MirrorRequest, Store, StoreError};

use crate::decide::{List, Step, decide};
use crate::policy::Policy;

/// How often a row may change under one request before it goes back to the queue.
const ROUNDS: usize = 4;

/// Most requests one schedule's event sends: about what the lane can take until the next.
const ENDED_AT_ONCE: usize = 1000;

/// Where requests take effect.
#[derive(Debug, Clone)]
pub struct Effects {
    /// SES. Without retries: the queue has them.
    pub ses: aws_sdk_sesv2::Client,
    /// The table.
    pub store: Store,
    /// SQS, for what has ended.
    pub queue: LazyClient<aws_sdk_sqs::Client>,
    /// The lane's own queue.
    pub queue_url: String,
    /// What goes where, and how fast.
    pub policy: Policy,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mirrored {
    /// How many calls SES got.
    pub calls: usize,
    /// Why there was nothing (more) to do.
    pub because: &'static str,
}

/// Why a request goes back to the queue, and in the end to the dead-letter queue. SES's own message is left out, as it
/// may quote the address.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// Worth another try.
    #[error("{operation}: throttled by SES ({code}); the queue tries again")]
    Throttled {
        /// The call.
        operation: &'static str,
        /// SES's word for it.
        code: String,
    },
    /// Another try will not help.
    #[error(
        "{operation}: SES finds the request bad ({code}): the address is malformed, or the tenant keeps no list of its own"
    )]
    Malformed {
        /// The call.
        operation: &'static str,
        /// SES's word for it.
        code: String,
    },
    /// Another try will not help until somebody does something.
    #[error(
        "{operation}: SES refuses ({code}): check that the function's role allows the call and that the account has \
         production access"
    )]
    Refused {
        /// The call.
        operation: &'static str,
        /// SES's word for it.
        code: String,
    },
    /// Another try will not help unless the tenant is made.
    #[error("PutSuppressedDestination: SES knows no such tenant")]
    NoSuchTenant,
    /// Perhaps worth another try.
    #[error("{operation}: {cause}")]
    Failed {
        /// The call.
        operation: &'static str,
        /// In words, or SES's code.
        cause: String,
    },
    /// Somebody changes this recipient all the time.
    #[error("the recipient's row kept changing")]
    Unsettled,
    /// The row could not be read, or the end of a decision not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Effects {
    /// Brings one address on one list in line with the table.
    ///
    /// After each call the row is read again: a request that was overtaken while SES took its time undoes what it did.
    /// Whoever reads last has seen the last decision, so the list ends up as the table has it.
    ///
    /// # Errors
    /// When SES or DynamoDB do not do their part. The request can be tried again.
    pub async fn mirror(&self, request: &MirrorRequest, now: Timestamp) -> Result<Mirrored, MirrorError> {
        let mut request = request.clone();
        let mut calls = 0;
        for _ in 0..ROUNDS {
            let row = self.store.recipient(&request.address).await?.unwrap_or_default();
            match decide(&request, &row, &self.policy, now) {
                Step::Leave { because } => {
                    let because = if calls == 0 { because } else { "the table says so" };
                    return Ok(Mirrored { calls, because });
                }
                Step::Put { list, until } => {
                    request.action = MirrorAction::Delete;
                    // First, so that nothing stays on the list whose end nobody knows.
                    if let Some(until) = until {
                        self.store.put_mirror_end(&request, until).await?;
                    }
                    self.put(&list, request.address.key(), request.reason).await?;
                    calls += 1;
                }
                Step::Delete { list, spellings } => {
                    request.action = MirrorAction::Put;
                    for spelling in &spellings {
                        self.delete(&list, spelling).await?;
                        calls += 1;
                    }
                }
            }
        }
        Err(MirrorError::Unsettled)
    }

    /// Sends a request for every decision on SES's lists that has ended, and answers how many.
    ///
    /// # Errors
    /// When SQS or DynamoDB fail. What was sent may be sent again.
    pub async fn request_ended(&self, now: Timestamp) -> Result<usize, MirrorError> {
        let ended = self.store.mirror_ends(now, ENDED_AT_ONCE).await?;
        for end in &ended {
            let message = self.queue.send_message().queue_url(&self.queue_url);
            let sent = message.message_body(end.request.to_json()).send().await;
            sent.map_err(|error| failed("SendMessage", &error))?;
            self.store.forget_mirror_end(end).await?;
        }
        Ok(ended.len())
    }

    async fn put(&self, list: &List, address: &str, reason: MirrorReason) -> Result<(), MirrorError> {
        self.pause().await;
        let reason = match reason {
            MirrorReason::Bounce => SuppressionListReason::Bounce,
            MirrorReason::Complaint => SuppressionListReason::Complaint,
        };
        let put = self.ses.put_suppressed_destination().set_tenant_name(tenant(list));
        match put.email_address(address).reason(reason).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(list, List::Tenant(_))
                    && error
                        .as_service_error()
                        .is_some_and(PutSuppressedDestinationError::is_not_found_exception) =>
            {
                Err(MirrorError::NoSuchTenant)
            }
            Err(error) => Err(failed("PutSuppressedDestination", &error)),
        }
    }

    async fn delete(&self, list: &List, address: &str) -> Result<(), MirrorError> {
        self.pause().await;
        let delete = self.ses.delete_suppressed_destination().set_tenant_name(tenant(list));
        match delete.email_address(address).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteSuppressedDestinationError::is_not_found_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed("DeleteSuppressedDestination", &error)),
        }
    }

    /// The wait before each call, not just between two: a new sandbox does not know when another one called last, but
    /// as each call holds one of the lane's two places for the whole pace, two places with two seconds each make at
    /// most one call a second.
    async fn pause(&self) {
        tokio::time::sleep(self.policy.pace).await;
    }
}

fn tenant(list: &List) -> Option<String> {
    match list {
        List::Account => None,
        List::Tenant(name) => Some(name.clone()),
    }
}

fn failed<E: ProvideErrorMetadata, R>(operation: &'static str, error: &SdkError<E, R>) -> MirrorError {
    let Some(code) = error.code().map(str::to_owned) else {
        let cause = match error {
            SdkError::TimeoutError(_) => "no answer in time",
            SdkError::DispatchFailure(_) => "no connection",
            SdkError::ConstructionFailure(_) => "the request could not be built",
            _ => "an answer that cannot be read",
        };
        return MirrorError::Failed {
            operation,
            cause: cause.to_owned(),
        };
    };
    let in_sandbox = error
        .message()
        .is_some_and(|message| message.to_lowercase().contains("production access"));
    match code.as_str() {
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" => MirrorError::Throttled { operation, code },
        "AccessDeniedException" | "AccessDenied" => MirrorError::Refused { operation, code },
        _ if in_sandbox => MirrorError::Refused { operation, code },
        "BadRequestException" => MirrorError::Malformed { operation, code },
        _ => MirrorError::Failed { operation, cause: code },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_sesv2::operation::put_suppressed_destination::PutSuppressedDestinationOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use store::{MirrorReason, Store};
    use tokio::time::Instant;

    use super::Effects;
    use crate::decide::List;
    use crate::policy::Policy;

    #[tokio::test(start_paused = true)]
    async fn every_call_waits_its_turn() {
        let put = mock!(aws_sdk_sesv2::Client::put_suppressed_destination)
            .then_output(|| PutSuppressedDestinationOutput::builder().build());
        let effects = Effects {
            ses: mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, [&put]),
            store: Store::new(mock_dynamodb(), "unused"),
            queue: mock_client!(aws_sdk_sqs, []).into(),
            queue_url: String::new(),
            policy: Policy::default(),
        };
        let start = Instant::now();
        for call in 1..=3 {
            let put = effects.put(&List::Account, "jane@example.net", MirrorReason::Bounce);
            put.await.unwrap();
            assert_eq!(start.elapsed(), Duration::from_secs(2 * call));
        }
    }

    fn mock_dynamodb() -> aws_sdk_dynamodb::Client {
        let config =
            aws_sdk_dynamodb::Config::builder().behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }
}
