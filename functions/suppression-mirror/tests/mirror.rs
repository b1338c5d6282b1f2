//! The function with an embedded DynamoDB and mocked responses of SES and SQS.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "../../../tests/template/watched_metrics.rs"]
mod watched_metrics;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::operation::delete_suppressed_destination::{
    DeleteSuppressedDestinationError, DeleteSuppressedDestinationOutput,
};
use aws_sdk_sesv2::operation::put_suppressed_destination::{
    PutSuppressedDestinationError, PutSuppressedDestinationOutput,
};
use aws_sdk_sesv2::types::error::{NotFoundException, TooManyRequestsException};
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{MirrorAction, MirrorReason, MirrorRequest, Scope, Store, SuppressionEntry, SuppressionSource};
use suppression_mirror::effects::Effects;
use suppression_mirror::metrics::NAMESPACE;
use suppression_mirror::policy::{MirrorTo, Policy};

const RECIPIENT: &str = "Jane@example.net";

/// The calls to a service, in order.
type Calls = Arc<Mutex<Vec<String>>>;

struct Mirror {
    effects: Effects,
    store: Store,
    sent: Calls,
}

impl Mirror {
    async fn new(ses: &[&Rule]) -> Self {
        let (store, ..) = store::testing::fresh().await;
        let sent = Calls::default();
        let seen = sent.clone();
        let send = mock!(aws_sdk_sqs::Client::send_message).then_compute_output(move |request| {
            seen.lock().unwrap().push(request.message_body().unwrap().to_owned());
            SendMessageOutput::builder().build()
        });
        let effects = Effects {
            ses: mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, ses, |config| {
                config.retry_config(RetryConfig::disabled())
            }),
            store: store.clone(),
            queue: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&send]).into(),
            queue_url: "https://sqs.example/mirror".to_owned(),
            policy: Policy {
                mirror_to: MirrorTo::Tenant,
                unsubscribes: false,
                pace: Duration::ZERO,
            },
        };
        Self { effects, store, sent }
    }

    async fn record(&self, scope: &str, source: SuppressionSource, blocked: bool, until: Option<Timestamp>) {
        record(&self.store, scope, source, blocked, until).await;
    }

    async fn handle(&self, requests: &[(MirrorAction, &str)]) -> Result<Value, String> {
        let record = |(index, (action, scope)): (usize, &(MirrorAction, &str))| {
            json!({
                "eventSource": "aws:sqs", "messageId": format!("record-{index}"), "body": request(*action, scope).to_json(),
            })
        };
        let event = json!({"Records": requests.iter().enumerate().map(record).collect::<Vec<_>>()});
        let response =
            suppression_mirror::handle(&event, &self.effects, &mut Metrics::default(), Timestamp::now()).await;
        response
            .map(|response| serde_json::to_value(&response).unwrap())
            .map_err(|error| error.to_string())
    }

    async fn error(&self, action: MirrorAction, scope: &str) -> String {
        let outcome = self.effects.mirror(&request(action, scope), Timestamp::now()).await;
        outcome.unwrap_err().to_string()
    }
}

async fn record(store: &Store, scope: &str, source: SuppressionSource, blocked: bool, until: Option<Timestamp>) {
    let now = Timestamp::now();
    let entry = SuppressionEntry {
        at: now,
        id: format!("m{}", now.as_nanosecond()),
        blocked,
        until,
        reason: "a reason".to_owned(),
        address: RECIPIENT.to_owned(),
        evidence: BTreeMap::new(),
    };
    let address = EmailAddress::parse(RECIPIENT).unwrap();
    let scope: Scope = scope.parse().unwrap();
    assert!(
        store
            .record_suppression(&address, &scope, &source, &entry, now)
            .await
            .unwrap()
    );
    // Entries are ordered by milliseconds.
    tokio::time::sleep(Duration::from_millis(2)).await;
}

fn request(action: MirrorAction, scope: &str) -> MirrorRequest {
    MirrorRequest {
        action,
        address: EmailAddress::parse(RECIPIENT).unwrap(),
        scope: scope.parse().unwrap(),
        reason: MirrorReason::Bounce,
        at: Timestamp::now(),
        id: "m1".to_owned(),
    }
}

/// Mocks of SES that accept and record every call.
fn accepting_ses(calls: &Calls) -> [Rule; 2] {
    let (put, deleted) = (calls.clone(), calls.clone());
    let format_call = |verb: &str, address: Option<&str>, tenant: Option<&str>| {
        format!("{verb} {} {}", address.unwrap(), tenant.unwrap_or("-"))
    };
    [
        mock!(aws_sdk_sesv2::Client::put_suppressed_destination).then_compute_output(move |request| {
            let call = format_call("put", request.email_address(), request.tenant_name());
            put.lock().unwrap().push(call);
            PutSuppressedDestinationOutput::builder().build()
        }),
        mock!(aws_sdk_sesv2::Client::delete_suppressed_destination).then_compute_output(move |request| {
            let call = format_call("delete", request.email_address(), request.tenant_name());
            deleted.lock().unwrap().push(call);
            DeleteSuppressedDestinationOutput::builder().build()
        }),
    ]
}

fn take(calls: &Calls) -> Vec<String> {
    std::mem::take(&mut *calls.lock().unwrap())
}

fn no_failures() -> Result<Value, String> {
    Ok(json!({"batchItemFailures": []}))
}

#[tokio::test]
async fn a_suppression_is_put_on_its_list_and_a_release_deletes_every_spelling() {
    let calls = Calls::default();
    let [put, delete] = accepting_ses(&calls);
    let mirror = Mirror::new(&[&put, &delete]).await;

    mirror
        .record("tenant:acme", SuppressionSource::Manual, true, None)
        .await;
    let requests = [(MirrorAction::Put, "tenant:acme"), (MirrorAction::Put, "tenant:acme")];
    assert_eq!(mirror.handle(&requests).await, no_failures());
    assert_eq!(take(&calls), ["put jane@example.net acme", "put jane@example.net acme"]);

    mirror
        .record("tenant:acme", SuppressionSource::Manual, false, None)
        .await;
    // The release is handled before a duplicate of the suppression.
    let requests = [
        (MirrorAction::Delete, "tenant:acme"),
        (MirrorAction::Put, "tenant:acme"),
    ];
    assert_eq!(mirror.handle(&requests).await, no_failures());
    assert_eq!(
        take(&calls),
        ["delete Jane@example.net acme", "delete jane@example.net acme"]
    );

    mirror.record("global", SuppressionSource::Manual, true, None).await;
    assert_eq!(mirror.handle(&[(MirrorAction::Put, "global")]).await, no_failures());
    assert_eq!(take(&calls), ["put jane@example.net -"], "the account's list");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_is_undone_if_the_recipient_was_released_during_the_call() {
    let calls = Calls::default();
    let [_, delete] = accepting_ses(&calls);
    let (store, ..) = store::testing::fresh().await;
    let other = store.clone();
    // The recipient is released during the call to SES.
    let put = mock!(aws_sdk_sesv2::Client::put_suppressed_destination).then_compute_output(move |_| {
        let store = other.clone();
        let release = async move { record(&store, "global", SuppressionSource::Manual, false, None).await };
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| runtime.block_on(release));
        PutSuppressedDestinationOutput::builder().build()
    });
    let mut mirror = Mirror::new(&[&put, &delete]).await;
    mirror.effects.store = store.clone();
    mirror.store = store;
    mirror.record("global", SuppressionSource::Manual, true, None).await;

    assert_eq!(mirror.handle(&[(MirrorAction::Put, "global")]).await, no_failures());
    assert_eq!(take(&calls), ["delete Jane@example.net -", "delete jane@example.net -"]);
}

#[tokio::test]
async fn deleting_an_address_that_is_not_on_the_list_succeeds() {
    let delete = mock!(aws_sdk_sesv2::Client::delete_suppressed_destination)
        .then_error(|| DeleteSuppressedDestinationError::NotFoundException(NotFoundException::builder().build()));
    let mirror = Mirror::new(&[&delete]).await;
    assert_eq!(mirror.handle(&[(MirrorAction::Delete, "global")]).await, no_failures());
    assert_eq!(
        delete.num_calls(),
        2,
        "the spelling of the request and the normalised one"
    );
}

#[tokio::test]
async fn an_error_of_ses_fails_its_record_and_names_the_cause_without_the_address() {
    let cases = [
        (429, "TooManyRequestsException", "throttled"),
        (400, "BadRequestException", "malformed"),
        (404, "NotFoundException", "no such tenant"),
        (403, "AccessDeniedException", "production access"),
        (500, "InternalFailure", "InternalFailure"),
    ];
    for (status, code, expected) in cases {
        let put = mock!(aws_sdk_sesv2::Client::put_suppressed_destination).then_http_response(move || {
            let body = json!({"message": "jane@example.net is refused"}).to_string();
            let mut response = HttpResponse::new(status.try_into().unwrap(), body.into());
            response.headers_mut().insert("x-amzn-errortype", code);
            response
        });
        let mirror = Mirror::new(&[&put]).await;
        mirror
            .record("tenant:acme", SuppressionSource::Streak, true, None)
            .await;
        let error = mirror.error(MirrorAction::Put, "tenant:acme").await;
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("jane"), "{error}");
        assert_eq!(put.num_calls(), 1, "the queue retries, not the client");
        let failed = mirror.handle(&[(MirrorAction::Put, "tenant:acme")]).await;
        assert_eq!(
            failed,
            Ok(json!({"batchItemFailures": [{"itemIdentifier": "record-0"}]}))
        );
    }
}

#[tokio::test]
async fn throttling_fails_only_the_throttled_record() {
    let put = mock!(aws_sdk_sesv2::Client::put_suppressed_destination).then_compute_response(|request| {
        match request.tenant_name() {
            None => MockResponse::Error(PutSuppressedDestinationError::TooManyRequestsException(
                TooManyRequestsException::builder().build(),
            )),
            Some(_) => MockResponse::Output(PutSuppressedDestinationOutput::builder().build()),
        }
    });
    let mirror = Mirror::new(&[&put]).await;
    mirror.record("global", SuppressionSource::Manual, true, None).await;
    mirror
        .record("tenant:acme", SuppressionSource::Manual, true, None)
        .await;
    let requests = [(MirrorAction::Put, "tenant:acme"), (MirrorAction::Put, "global")];
    let expected = json!({"batchItemFailures": [{"itemIdentifier": "record-1"}]});
    assert_eq!(mirror.handle(&requests).await, Ok(expected));
}

#[tokio::test]
async fn a_suppression_that_ended_is_deleted_from_the_list() {
    let calls = Calls::default();
    let [put, delete] = accepting_ses(&calls);
    let mirror = Mirror::new(&[&put, &delete]).await;
    let until = Timestamp::now() + SignedDuration::from_hours(24);
    mirror
        .record("tenant:acme", SuppressionSource::Streak, true, Some(until))
        .await;
    assert_eq!(
        mirror.handle(&[(MirrorAction::Put, "tenant:acme")]).await,
        no_failures()
    );
    assert_eq!(take(&calls), ["put jane@example.net acme"]);

    let scheduled = json!({
        "id": "e1", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {},
    });
    let run_schedule = async |now| {
        let mut metrics = Metrics::default();
        let response = suppression_mirror::handle(&scheduled, &mirror.effects, &mut metrics, now)
            .await
            .unwrap();
        let emitted = watched_metrics::emitted(&metrics, NAMESPACE);
        assert_eq!(emitted, watched_metrics::watched("suppression-mirror"));
        response
    };
    let _ = run_schedule(until - SignedDuration::from_hours(1)).await;
    assert!(take(&mirror.sent).is_empty(), "the suppression is still active");
    let _ = run_schedule(until + SignedDuration::from_hours(1)).await;
    let sent: Vec<Value> = take(&mirror.sent)
        .iter()
        .map(|body| serde_json::from_str(body).unwrap())
        .collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["action"], "delete");
    assert_eq!(sent[0]["scope"], "tenant:acme");
    let _ = run_schedule(until + SignedDuration::from_hours(2)).await;
    assert!(take(&mirror.sent).is_empty(), "each request is sent once");
}

#[tokio::test]
async fn an_unreadable_request_fails_only_its_record() {
    let mirror = Mirror::new(&[]).await;
    let record = |id: &str, body: &str| json!({"eventSource": "aws:sqs", "messageId": id, "body": body});
    let good = request(MirrorAction::Put, "global").to_json();
    let event = json!({"Records": [record("good", &good), record("bad", "not JSON"), record("old", "{}")]});
    let mut metrics = Metrics::default();
    let response = suppression_mirror::handle(&event, &mirror.effects, &mut metrics, Timestamp::now())
        .await
        .unwrap();
    let lines = metrics.lines(NAMESPACE, Timestamp::now());
    assert_eq!(
        (&lines[0]["Kind"], &lines[0]["RecordFailures"]),
        (&json!("handler"), &json!(2))
    );
    assert_eq!(
        serde_json::to_value(&response).unwrap(),
        json!({"batchItemFailures": [{"itemIdentifier": "bad"}, {"itemIdentifier": "old"}]})
    );
}
