//! `postroomctl replay`: which notifications are sent, and that they change nothing in the table.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "support/sqs.rs"]
mod sqs;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use feedback::effects::Effects;
use feedback::policy::Policy;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::{Value, json};
use sqs::Sqs;

const QUEUE: &str = "postroom-FeedbackQueue-A1";

/// The recorded notifications in SNS envelopes, as the archive holds them.
fn archived_envelopes() -> Vec<String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir("../../events/feedback")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let event: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let records = event["Records"].as_array().cloned().unwrap_or_default();
        let bodies = records
            .iter()
            .filter_map(|record| record["body"].as_str().map(str::to_owned));
        lines.extend(bodies.filter(|body| body.contains("\"TopicArn\"") && !body.contains('\n')));
    }
    assert!(lines.len() > 30, "{}", lines.len());
    lines
}

/// Writes a compressed object of the archive, and returns its path.
fn write_object(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    std::fs::write(&path, packed.finish().unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_envelope_is_sent_unchanged() {
    let sqs = Sqs::new().await;
    let lines = archived_envelopes();
    let (first, second) = lines.split_at(20);
    let first = write_object("first.gz", &format!("{}\n", first.join("\n")));
    // Firehose adds no line breaks between records.
    let second = write_object("second.gz", &second.concat());
    let queue = sqs.url(QUEUE);
    let dry_run = sqs.run(&["replay", "--files", &first, &second, "--dry-run"]).await;
    assert_eq!(dry_run.exit_code, 0, "{}", dry_run.stderr);
    insta::assert_snapshot!("replay_dry_run", dry_run.stdout);
    assert!(sqs.bodies(QUEUE).is_empty());

    let sent = sqs
        .run(&[
            "replay", "--files", &first, &second, "--queue", &queue, "--rate", "10000",
        ])
        .await;
    assert_eq!(sent.exit_code, 0, "{}", sent.stderr);
    assert!(
        sent.stdout.ends_with(&format!("{} sent\n", lines.len())),
        "{}",
        sent.stdout
    );
    assert_eq!(sqs.bodies(QUEUE), lines);
}

#[tokio::test]
async fn types_and_times_select_notifications() {
    let sqs = Sqs::new().await;
    let file = write_object("selected.gz", &archived_envelopes().join("\n"));
    let queue = sqs.url(QUEUE);
    let run = async |options: &[&str]| {
        let before = sqs.bodies(QUEUE).len();
        let arguments = [
            &[
                "replay", "--files", &file, "--queue", &queue, "--rate", "10000", "--json",
            ],
            options,
        ]
        .concat();
        let outcome = sqs.run(&arguments).await;
        assert_eq!(outcome.exit_code, 0, "{}", outcome.stderr);
        let counts = outcome.json();
        let sent = sqs.bodies(QUEUE).split_off(before);
        assert_eq!(counts["sent"], sent.len());
        (counts, sent)
    };
    let (counts, sent) = run(&["--only", "rendering-failure,complaint"]).await;
    assert!(
        counts["selected"]
            .as_object()
            .unwrap()
            .keys()
            .eq(["Complaint", "Rendering Failure"]),
        "{counts}"
    );
    assert!(
        sent.iter()
            .all(|body| body.contains("omplaint") || body.contains("Rendering Failure"))
    );
    let times: Vec<String> = archived_envelopes()
        .iter()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["Timestamp"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let middle = times[times.len() / 2].clone();
    let (_, early) = run(&["--until", &middle]).await;
    let (_, late) = run(&["--since", &middle]).await;
    assert_eq!(early.len() + late.len(), times.len());
    assert!(!late.is_empty());
}

#[tokio::test]
async fn the_objects_of_a_period_are_read_from_a_bucket() {
    let sqs = Sqs::new().await;
    let packed = |line: &str| std::fs::read(write_object("bucket.gz", line)).unwrap();
    let all = archived_envelopes();
    let at = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["Timestamp"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let line = &all[0];
    let day: jiff::civil::Date = at(line).get(..10).unwrap().parse().unwrap();
    let name = |day: jiff::civil::Date| format!("notifications/{}/x.gz", day.strftime("%Y/%m/%d"));
    let days = |count: i64| day.checked_add(jiff::Span::new().days(count)).unwrap();
    // In the object of the next day; in an object outside the period; published outside the period.
    sqs.put_object(&name(days(1)), packed(line));
    sqs.put_object(&name(days(3)), packed(line));
    sqs.put_object(&name(day), packed(&line.replace(&at(line), "2020-01-01T00:00:00.000Z")));
    let (since, until) = (day.to_string(), days(1).to_string());
    let queue = sqs.url(QUEUE);
    let outcome = sqs
        .run(&[
            "replay", "--bucket", "b", "--since", &since, "--until", &until, "--queue", &queue,
        ])
        .await;
    assert_eq!(outcome.exit_code, 0, "{}", outcome.stderr);
    assert!(
        outcome.stdout.starts_with("2 object(s) with 2 notification(s)"),
        "{}",
        outcome.stdout
    );
    assert_eq!(sqs.bodies(QUEUE), std::slice::from_ref(line));
}

#[tokio::test]
async fn a_failed_replay_continues_after_the_last_completed_object() {
    let sqs = Sqs::new().await;
    let lines = archived_envelopes();
    let files: Vec<String> = lines
        .chunks(12)
        .enumerate()
        .map(|(index, chunk)| write_object(&format!("part-{index}.gz"), &chunk.join("\n")))
        .collect();
    let progress = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("replay.done");
    let _ = std::fs::remove_file(&progress);
    let queue = sqs.url(QUEUE);
    let mut arguments = vec![
        "replay",
        "--queue",
        &queue,
        "--rate",
        "10000",
        "--progress",
        progress.to_str().unwrap(),
        "--files",
    ];
    arguments.extend(files.iter().map(String::as_str));
    sqs.reject("Rendering Failure");
    let stopped = sqs.run(&arguments).await;
    assert_eq!(stopped.exit_code, 3, "{}", stopped.stdout);
    assert!(stopped.stderr.contains("run the command again"), "{}", stopped.stderr);
    sqs.reject("no such text");
    let done = sqs.run(&arguments).await;
    assert_eq!(done.exit_code, 0, "{}", done.stderr);
    assert!(
        done.stdout.contains("object(s) skipped: already completed"),
        "{}",
        done.stdout
    );
    let sent = sqs.bodies(QUEUE);
    assert!(lines.iter().all(|line| sent.contains(line)), "each at least once");
    assert!(
        sent.len() < lines.len() + 12,
        "only the object in which it failed is sent twice"
    );
    let again = sqs.run(&arguments).await;
    assert!(again.stdout.ends_with("0 sent\n"), "{}", again.stdout);
}

#[tokio::test]
async fn unreadable_lines_are_reported_and_skipped() {
    let sqs = Sqs::new().await;
    let lines = archived_envelopes();
    let file = write_object("broken.gz", &format!("{}\n<html>\n{}\n{{\"cut\":", lines[0], lines[1]));
    let outcome = sqs.run(&["replay", "--files", &file, "--queue", &sqs.url(QUEUE)]).await;
    assert_eq!(outcome.exit_code, 1);
    assert!(
        outcome.stdout.contains("broken.gz, line 2") && outcome.stdout.contains("broken.gz, line 4"),
        "{}",
        outcome.stdout
    );
    assert_eq!(sqs.bodies(QUEUE), lines[..2]);
    for (arguments, expected) in [
        (vec!["replay", "--files", "x"], "expected --queue"),
        (vec!["replay", "--dry-run"], "expected --bucket"),
        (
            vec!["replay", "--dry-run", "--bucket", "b"],
            "expected --since with --bucket",
        ),
        (vec!["replay", "--since", "yesterday"], "expected a day such as"),
    ] {
        let outcome = sqs.run(&arguments).await;
        assert_eq!(outcome.exit_code, 2, "{arguments:?}");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}

/// Handles messages with the feedback function in batches of ten.
async fn handle_all(bodies: &[String], effects: &Effects, now: Timestamp) {
    for (batch, chunk) in bodies.chunks(10).enumerate() {
        let records: Vec<Value> = chunk
            .iter()
            .enumerate()
            .map(|(index, body)| json!({"eventSource": "aws:sqs", "messageId": format!("{batch}-{index}"), "body": body}))
            .collect();
        // Fails when all records of a batch fail: the recorded events include invalid ones.
        let _ = feedback::handle(&json!({"Records": records}), effects, &mut Metrics::default(), now).await;
    }
}

/// The attributes of the table. Sends and deliveries are one row for each batch, whose union a reader takes: each hash is a
/// fact, in whichever batch it is.
fn facts(items: &[HashMap<String, AttributeValue>]) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for item in items {
        let key = |name: &str| item[name].as_s().unwrap().as_str();
        let (pk, sk) = (key("pk"), key("sk"));
        let is_batch = item.values().any(|value| value.as_b().is_ok());
        let sk = if is_batch { sk.rsplit_once('#').unwrap().0 } else { sk };
        // A delivery is a hash with a time.
        let bytes = if pk.starts_with("DELIVERED#") { 12 } else { 8 };
        for (name, value) in item {
            // The expiry of a batch row depends on the times in the batch.
            if name == "pk" || name == "sk" || is_batch && name == "expiresAt" {
                continue;
            }
            let values: Vec<String> = match value {
                AttributeValue::B(hashes) => hashes.as_ref().chunks(bytes).map(|hash| format!("{hash:?}")).collect(),
                other => vec![plain(other).to_string()],
            };
            facts.extend(values.iter().map(|value| format!("{pk} {sk} {name} {value}")));
        }
    }
    facts
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, plain(value))).collect();
            json!(sorted)
        }
        AttributeValue::Ss(set) => json!(set.iter().collect::<BTreeSet<_>>()),
        other => json!(format!("{other:?}")),
    }
}

#[tokio::test]
async fn a_replay_does_not_change_the_table() {
    let (store, client, _) = store::testing::fresh().await;
    let effects = Effects {
        store,
        policy: Policy::default(),
    };
    let rows = async || {
        let items = client.scan().table_name("postroom").send().await.unwrap();
        facts(&items.items.unwrap_or_default())
    };
    // After every recorded event, because a time in the future is replaced by the present.
    let now: Timestamp = "2026-08-10T12:00:00Z".parse().unwrap();
    let file = write_object("all.gz", &archived_envelopes().join("\n"));
    handle_all(&archived_envelopes(), &effects, now).await;
    let first = rows().await;
    assert!(first.len() > 100, "{}", first.len());

    for (run, options) in [&[][..], &["--only", "bounce,complaint"]].into_iter().enumerate() {
        let sqs = Sqs::new().await;
        let queue = sqs.url(QUEUE);
        let arguments = [
            &["replay", "--files", &file, "--queue", &queue, "--rate", "10000"],
            options,
        ]
        .concat();
        assert_eq!(sqs.run(&arguments).await.exit_code, 0);
        let mut bodies = sqs.bodies(QUEUE);
        // A standard queue does not keep the order.
        bodies.reverse();
        handle_all(&bodies, &effects, now + SignedDuration::from_hours(24)).await;
        let again = rows().await;
        let differing: Vec<_> = again.symmetric_difference(&first).collect();
        assert!(differing.is_empty(), "run {run}: {differing:#?}");
    }
}
