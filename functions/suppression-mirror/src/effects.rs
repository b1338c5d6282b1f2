//! Calls SES, SQS and DynamoDB: the only module of this function that awaits AWS.

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::delete_suppressed_destination::DeleteSuppressedDestinationError;
use aws_sdk_sesv2::operation::put_suppressed_destination::PutSuppressedDestinationError;
use aws_sdk_sesv2::types::SuppressionListReason;
use jiff::Timestamp;
use lambda_kit::{LazyClient, sdk_error_code};
use store::{MirrorAction, MirrorReason, MirrorRequest, Store, StoreError};

use crate::decide::{List, Step, decide};
use crate::policy::Policy;

/// Maximum number of steps for one request. A row that still changes returns the request to the queue.
const MAX_STEPS: usize = 4;

/// Maximum number of requests that one run of the schedule sends: about as many as are processed until the next run.
const MAX_DUE_REQUESTS: usize = 1000;

/// What requests are applied to.
#[derive(Debug, Clone)]
pub struct Effects {
    /// SES. The client does not retry, because the queue does.
    pub ses: aws_sdk_sesv2::Client,
    /// The table.
    pub store: Store,
    /// SQS, for requests that are due.
    pub queue: LazyClient<aws_sdk_sqs::Client>,
    /// The queue of this function.
    pub queue_url: String,
    /// What is mirrored, and how fast.
    pub policy: Policy,
}

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mirrored {
    /// The number of calls to SES.
    pub calls: usize,
    /// Why nothing (more) had to be done.
    pub reason: &'static str,
}

/// Why a request failed. It returns to the queue and finally moves to the dead-letter queue. The message of SES is left out,
/// because it may quote the address.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// A retry may succeed.
    #[error("{operation}: throttled by SES ({code}); the queue retries the request")]
    Throttled {
        /// The operation.
        operation: &'static str,
        /// The error code.
        code: String,
    },
    /// A retry fails again.
    #[error(
        "{operation}: SES rejected the request ({code}): the address is malformed, or the tenant has no suppression list"
    )]
    Malformed {
        /// The operation.
        operation: &'static str,
        /// The error code.
        code: String,
    },
    /// A retry fails again until the permissions or the account change.
    #[error(
        "{operation}: SES denied the call ({code}): check that the role of the function allows it and that the account has \
         production access"
    )]
    Denied {
        /// The operation.
        operation: &'static str,
        /// The error code.
        code: String,
    },
    /// A retry fails again until the tenant is created.
    #[error("PutSuppressedDestination: no such tenant in SES")]
    NoSuchTenant,
    /// A retry may succeed.
    #[error("{operation}: {cause}")]
    Failed {
        /// The operation.
        operation: &'static str,
        /// The error code, or what happened if SES did not respond.
        cause: String,
    },
    /// The row of the recipient changed after each step.
    #[error("the row of the recipient kept changing")]
    Unsettled,
    /// The row could not be read, or the end of a suppression could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Effects {
    /// Changes one address on one list of SES as the table requires.
    ///
    /// The row is read again after each call. If the row changed during the call, the change of the list is undone. The last
    /// request to read the row has seen the last change of the table, so the list finally agrees with the table.
    ///
    /// # Errors
    /// If SES or DynamoDB fails. The request can be retried.
    pub async fn mirror(&self, request: &MirrorRequest, now: Timestamp) -> Result<Mirrored, MirrorError> {
        let mut request = request.clone();
        let mut calls = 0;
        for _ in 0..MAX_STEPS {
            let row = self.store.recipient(&request.address).await?.unwrap_or_default();
            match decide(&request, &row, &self.policy, now) {
                Step::Skip { reason } => {
                    let reason = if calls == 0 {
                        reason
                    } else {
                        "the list agrees with the table"
                    };
                    return Ok(Mirrored { calls, reason });
                }
                Step::Put { list, until } => {
                    request.action = MirrorAction::Delete;
                    // Before the call, so that no entry of the list is left without a record of its end.
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

    /// Sends a request for each mirrored suppression that has ended. Returns the number of requests.
    ///
    /// # Errors
    /// If SQS or DynamoDB fails. Requests may be sent more than once.
    pub async fn send_due_requests(&self, now: Timestamp) -> Result<usize, MirrorError> {
        let due = self.store.due_mirror_ends(now, MAX_DUE_REQUESTS).await?;
        for end in &due {
            let message = self.queue.send_message().queue_url(&self.queue_url);
            let sent = message.message_body(end.request.to_json()).send().await;
            sent.map_err(|error| mirror_error("SendMessage", &error))?;
            self.store.delete_mirror_end(end).await?;
        }
        Ok(due.len())
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
            Err(error) => Err(mirror_error("PutSuppressedDestination", &error)),
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
            Err(error) => Err(mirror_error("DeleteSuppressedDestination", &error)),
        }
    }

    /// Waits before each call, because a new execution environment does not know when another one made its last call. At
    /// most two environments run at the same time, so a pause of two seconds results in at most one call a second.
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

fn mirror_error<E: ProvideErrorMetadata, R>(operation: &'static str, error: &SdkError<E, R>) -> MirrorError {
    let code = sdk_error_code(error);
    let in_sandbox = error
        .message()
        .is_some_and(|message| message.to_lowercase().contains("production access"));
    match code.as_str() {
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" => MirrorError::Throttled { operation, code },
        "AccessDeniedException" | "AccessDenied" => MirrorError::Denied { operation, code },
        _ if in_sandbox => MirrorError::Denied { operation, code },
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
    async fn each_call_waits_for_the_pace() {
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
