//! Suppressions that end by time, with an embedded DynamoDB and a mocked topic.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
use aws_sdk_sns::types::error::NotFoundException;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{Scope, Store, SuppressionEntry, SuppressionSource};
use suppression_changes::effects::Effects;
use suppression_changes::settings::Settings;

type Published = Arc<Mutex<Vec<Value>>>;

struct Ends {
    effects: Effects,
    published: Published,
}

impl Ends {
    async fn new() -> Self {
        let (store, ..) = store::testing::fresh().await;
        let published = Published::default();
        let seen = published.clone();
        let publish = mock!(aws_sdk_sns::Client::publish).then_compute_output(move |request| {
            let notice = serde_json::from_str(request.message().unwrap()).unwrap();
            seen.lock().unwrap().push(notice);
            PublishOutput::builder().build()
        });
        Self {
            effects: effects(store, &publish),
            published,
        }
    }

    /// Writes an entry of `tenant:acme` and handles the change of the row, as the stream reports it.
    async fn record(&self, address: &str, source: SuppressionSource, at: &str, until: Option<&str>) {
        self.record_late(address, source, at, until, at).await;
    }

    /// As `record`, but the function receives the change at `now`.
    async fn record_late(&self, address: &str, source: SuppressionSource, at: &str, until: Option<&str>, now: &str) {
        let entry = SuppressionEntry {
            at: time(at),
            id: format!("m-{at}"),
            blocked: source != SuppressionSource::Released,
            until: until.map(time),
            reason: "a reason".to_owned(),
            address: address.to_owned(),
            evidence: BTreeMap::new(),
        };
        let address = EmailAddress::parse(address).unwrap();
        let scope = Scope::Tenant("acme".to_owned());
        let recorded = self
            .effects
            .store
            .record_suppression(&address, &scope, &source, &entry, time(at));
        assert!(recorded.await.unwrap());
        let mut attributes = json!({
            "at": {"S": at}, "id": {"S": entry.id}, "blocked": {"BOOL": entry.blocked}, "reason": {"S": entry.reason},
            "address": {"S": entry.address},
        });
        if let Some(until) = entry.until {
            attributes["until"] = json!({"N": until.as_second().to_string()});
        }
        let image = json!({format!("tenant:acme|{source}"): {"M": attributes}});
        let event = json!({"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {
            "Keys": {"pk": {"S": format!("RECIPIENT#{}", address.key())}, "sk": {"S": "SUPPRESSION"}},
            "SequenceNumber": "111", "ApproximateCreationDateTime": time(at).as_second(), "NewImage": image,
        }}]});
        let handled = self.handle(&event, now).await;
        assert_eq!(handled.unwrap(), json!({"batchItemFailures": []}));
    }

    async fn handle(&self, event: &Value, now: &str) -> Result<Value, String> {
        let handled = suppression_changes::handle(event, &self.effects, &mut Metrics::default(), time(now)).await;
        handled.map_err(|error| error.to_string())
    }

    /// Runs the schedule and returns `address state since` of each notice since the last call.
    async fn run(&self, now: &str) -> Vec<String> {
        self.handle(&json!({"postroom": "ends"}), now).await.unwrap();
        self.take()
    }

    fn take(&self) -> Vec<String> {
        let notices = std::mem::take(&mut *self.published.lock().unwrap());
        let text = |notice: &Value, field: &str| notice[field].as_str().unwrap().to_owned();
        let line = |notice| ["address", "state", "since"].map(|field| text(notice, field)).join(" ");
        let mut lines: Vec<String> = notices.iter().map(line).collect();
        lines.sort();
        lines
    }
}

fn effects(store: Store, publish: &Rule) -> Effects {
    Effects {
        store,
        sns: mock_client!(aws_sdk_sns, RuleMode::MatchAny, [publish]).into(),
        sqs: mock_client!(aws_sdk_sqs, []).into(),
        settings: Settings {
            table: "postroom".to_owned(),
            topic_arn: Some("arn:aws:sns:eu-west-1:111122223333:suppressions".to_owned()),
            mirror_queue_url: None,
            mirror_unsubscribes: false,
            dead_letter_queue_url: String::new(),
        },
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const START: &str = "2026-03-02T08:00:00.000Z";
const END: &str = "2026-03-09T08:00:00.000Z";
const JANE: &str = "jane@example.net";

#[tokio::test]
async fn an_end_is_published_once_when_it_has_come() {
    let ends = Ends::new().await;
    ends.record(JANE, SuppressionSource::Streak, START, Some(END)).await;
    assert_eq!(ends.run(START).await, [format!("{JANE} suppressed {START}")]);
    assert_eq!(ends.run("2026-03-09T07:59:59Z").await, [""; 0]);
    assert_eq!(ends.run("2026-03-09T08:00:01Z").await, [format!("{JANE} ended {END}")]);
    assert_eq!(ends.run("2026-03-09T08:05:01Z").await, [""; 0]);
}

#[tokio::test]
async fn an_end_is_not_lost_if_the_schedule_does_not_run_for_days() {
    let ends = Ends::new().await;
    ends.run(START).await;
    ends.record(JANE, SuppressionSource::Streak, START, Some(END)).await;
    ends.take();
    assert_eq!(ends.run("2026-03-14T11:00:00Z").await, [format!("{JANE} ended {END}")]);
    assert_eq!(ends.run("2026-03-14T11:05:00Z").await, [""; 0]);
    let first = ends.effects.store.first_hour_of_ends().await.unwrap().unwrap();
    assert_eq!(
        first.as_second() / 3600,
        time("2026-03-14T10:00:00Z").as_second() / 3600
    );
}

#[tokio::test]
async fn an_end_that_the_function_learns_of_late_is_published() {
    let ends = Ends::new().await;
    ends.run("2026-03-10T12:00:00Z").await;
    // The stream of the table waited for a week.
    ends.record_late(
        JANE,
        SuppressionSource::Streak,
        START,
        Some(END),
        "2026-03-10T12:00:00Z",
    )
    .await;
    ends.take();
    assert_eq!(ends.run("2026-03-10T12:05:00Z").await, [format!("{JANE} ended {END}")]);
}

#[tokio::test]
async fn another_suppression_of_the_scope_or_an_earlier_release_is_no_end() {
    let ends = Ends::new().await;
    ends.record(JANE, SuppressionSource::Streak, START, Some(END)).await;
    ends.record(JANE, SuppressionSource::Manual, START, None).await;
    ends.record("john@example.net", SuppressionSource::Streak, START, Some(END))
        .await;
    let released = "2026-03-05T08:00:00.000Z";
    ends.record("john@example.net", SuppressionSource::Released, released, None)
        .await;
    ends.take();
    assert_eq!(ends.run("2026-03-09T08:00:01Z").await, [""; 0]);
}

#[tokio::test]
async fn more_ends_than_a_page_are_all_published() {
    let ends = Ends::new().await;
    for number in 0..130 {
        let address = format!("r{number:03}@example.net");
        ends.record(&address, SuppressionSource::Streak, START, Some(END)).await;
    }
    ends.take();
    let published = ends.run("2026-03-09T08:00:01Z").await;
    assert_eq!(published.len(), 130);
    assert!(published.iter().all(|line| line.ends_with(&format!("ended {END}"))));
}

#[tokio::test]
async fn if_the_topic_fails_the_next_run_publishes_the_end() {
    let mut ends = Ends::new().await;
    ends.record(JANE, SuppressionSource::Streak, START, Some(END)).await;
    ends.take();
    let missing = mock!(aws_sdk_sns::Client::publish)
        .then_error(|| PublishError::NotFoundException(NotFoundException::builder().build()));
    let failing = effects(ends.effects.store.clone(), &missing);
    let working = std::mem::replace(&mut ends.effects, failing);
    let run = json!({"postroom": "ends"});
    let error = ends.handle(&run, "2026-03-09T08:00:01Z").await.unwrap_err();
    assert!(error.starts_with("Publish: "), "{error}");
    ends.effects = working;
    assert_eq!(ends.run("2026-03-09T08:05:01Z").await, [format!("{JANE} ended {END}")]);
}

#[tokio::test]
async fn a_later_suppression_has_a_greater_version_than_the_end() {
    let ends = Ends::new().await;
    ends.record(JANE, SuppressionSource::Streak, START, Some(END)).await;
    ends.run("2026-03-09T08:00:01Z").await;
    let end = time(END);
    let of_end = suppression_changes::notice::version(end, "0");
    assert!(of_end < suppression_changes::notice::version(end, "1"));
    assert!(of_end > suppression_changes::notice::version(end - SignedDuration::from_secs(1), &"9".repeat(40)));
}
