//! The archive sent again: what is sent, and that it changes nothing.
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

/// Every recorded notification that comes in an SNS envelope, as the archive has it.
fn lines() -> Vec<String> {
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

fn object(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    std::fs::write(&path, packed.finish().unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_envelope_is_sent_as_it_is() {
    let sqs = Sqs::new().await;
    let lines = lines();
    let (first, second) = lines.split_at(20);
    let first = object("first.gz", &format!("{}\n", first.join("\n")));
    // As Firehose makes it of sources that end nothing with a line break.
    let second = object("second.gz", &second.concat());
    let queue = sqs.url(QUEUE);
    let dry = sqs.types(&["replay", "--files", &first, &second, "--dry-run"]).await;
    assert_eq!(dry.0, 0, "{}", dry.2);
    insta::assert_snapshot!("replay_dry_run", dry.1);
    assert!(sqs.bodies(QUEUE).is_empty());

    let sent = sqs
        .types(&[
            "replay", "--files", &first, &second, "--queue", &queue, "--rate", "10000",
        ])
        .await;
    assert_eq!(sent.0, 0, "{}", sent.2);
    assert!(sent.1.ends_with(&format!("{} sent\n", lines.len())), "{}", sent.1);
    assert_eq!(sqs.bodies(QUEUE), lines);
}

#[tokio::test]
async fn types_and_times_choose() {
    let sqs = Sqs::new().await;
    let file = object("chosen.gz", &lines().join("\n"));
    let queue = sqs.url(QUEUE);
    let run = async |more: &[&str]| {
        let before = sqs.bodies(QUEUE).len();
        let arguments = [
            &[
                "replay", "--files", &file, "--queue", &queue, "--rate", "10000", "--json",
            ],
            more,
        ]
        .concat();
        let said = sqs.types(&arguments).await;
        assert_eq!(said.0, 0, "{}", said.2);
        let told: Value = serde_json::from_str(&said.1).unwrap();
        let sent = sqs.bodies(QUEUE).split_off(before);
        assert_eq!(told["sent"], sent.len());
        (told, sent)
    };
    let (told, sent) = run(&["--only", "rendering-failure,complaint"]).await;
    assert!(
        told["chosen"]
            .as_object()
            .unwrap()
            .keys()
            .eq(["Complaint", "Rendering Failure"]),
        "{told}"
    );
    assert!(
        sent.iter()
            .all(|body| body.contains("omplaint") || body.contains("Rendering Failure"))
    );
    let times: Vec<String> = lines()
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
async fn a_bucket_is_read_day_by_day() {
    let sqs = Sqs::new().await;
    let packed = |line: &str| std::fs::read(object("bucket.gz", line)).unwrap();
    let all = lines();
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
    // Arrived the next day; far too late; and of another day, whatever object it is in.
    sqs.put_object(&name(days(1)), packed(line));
    sqs.put_object(&name(days(3)), packed(line));
    sqs.put_object(&name(day), packed(&line.replace(&at(line), "2020-01-01T00:00:00.000Z")));
    let (since, until) = (day.to_string(), days(1).to_string());
    let queue = sqs.url(QUEUE);
    let said = sqs
        .types(&[
            "replay", "--bucket", "b", "--since", &since, "--until", &until, "--queue", &queue,
        ])
        .await;
    assert_eq!(said.0, 0, "{}", said.2);
    assert!(said.1.starts_with("2 object(s) with 2 notification(s)"), "{}", said.1);
    assert_eq!(sqs.bodies(QUEUE), std::slice::from_ref(line));
}

#[tokio::test]
async fn a_replay_that_stopped_goes_on() {
    let sqs = Sqs::new().await;
    let lines = lines();
    let files: Vec<String> = lines
        .chunks(12)
        .enumerate()
        .map(|(index, chunk)| object(&format!("part-{index}.gz"), &chunk.join("\n")))
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
    sqs.refuses("Rendering Failure");
    let stopped = sqs.types(&arguments).await;
    assert_eq!(stopped.0, 3, "{}", stopped.1);
    assert!(stopped.2.contains("start again, which does no harm"), "{}", stopped.2);
    sqs.refuses("nothing in particular");
    let done = sqs.types(&arguments).await;
    assert_eq!(done.0, 0, "{}", done.2);
    assert!(done.1.contains("object(s) were finished before"), "{}", done.1);
    let sent = sqs.bodies(QUEUE);
    assert!(lines.iter().all(|line| sent.contains(line)), "each at least once");
    assert!(
        sent.len() < lines.len() + 12,
        "only the object it stopped in is sent twice"
    );
    let again = sqs.types(&arguments).await;
    assert!(again.1.ends_with("0 sent\n"), "{}", again.1);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_left_out() {
    let sqs = Sqs::new().await;
    let lines = lines();
    let file = object("broken.gz", &format!("{}\n<html>\n{}\n{{\"cut\":", lines[0], lines[1]));
    let said = sqs
        .types(&["replay", "--files", &file, "--queue", &sqs.url(QUEUE)])
        .await;
    assert_eq!(said.0, 1);
    assert!(
        said.1.contains("broken.gz, line 2") && said.1.contains("broken.gz, line 4"),
        "{}",
        said.1
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
        let said = sqs.types(&arguments).await;
        assert_eq!(said.0, 2, "{arguments:?}");
        assert!(said.2.contains(expected), "{arguments:?}: {}", said.2);
    }
}

/// What the queue holds, handled by the feedback function in batches of ten.
async fn handled(bodies: &[String], effects: &Effects, now: Timestamp) {
    for (batch, chunk) in bodies.chunks(10).enumerate() {
        let records: Vec<Value> = chunk
            .iter()
            .enumerate()
            .map(|(index, body)| json!({"eventSource": "aws:sqs", "messageId": format!("{batch}-{index}"), "body": body}))
            .collect();
        // A batch fails only when all of it does; the recorded bad ones are in it too.
        let _ = feedback::handle(&json!({"Records": records}), effects, &mut Metrics::default(), now).await;
    }
}

/// What the table says, attribute by attribute. Sends and deliveries are one row a batch, of which a reader takes the
/// union: each hash is a fact of its own, whichever batch it came in.
fn facts(items: &[HashMap<String, AttributeValue>]) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for item in items {
        let key = |name: &str| item[name].as_s().unwrap().as_str();
        let (pk, sk) = (key("pk"), key("sk"));
        let is_batch = item.values().any(|value| value.as_b().is_ok());
        let sk = if is_batch { sk.rsplit_once('#').unwrap().0 } else { sk };
        // A delivery has its time beside its hash.
        let bytes = if pk.starts_with("DELIVERED#") { 12 } else { 8 };
        for (name, value) in item {
            // A batch's row ends by the times in it, so how long it is kept depends on the batch by seconds.
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
async fn a_replay_changes_nothing_in_the_table() {
    let (store, client, _) = store::testing::fresh().await;
    let effects = Effects {
        store,
        policy: Policy::default(),
        mirror: None,
    };
    let rows = async || {
        let items = client.scan().table_name("postroom").send().await.unwrap();
        facts(&items.items.unwrap_or_default())
    };
    let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
    let file = object("all.gz", &lines().join("\n"));
    handled(&lines(), &effects, now).await;
    let first = rows().await;
    assert!(first.len() > 100, "{}", first.len());

    for (run, more) in [&[][..], &["--only", "bounce,complaint"]].into_iter().enumerate() {
        let sqs = Sqs::new().await;
        let queue = sqs.url(QUEUE);
        let arguments = [
            &["replay", "--files", &file, "--queue", &queue, "--rate", "10000"],
            more,
        ]
        .concat();
        assert_eq!(sqs.types(&arguments).await.0, 0);
        let mut bodies = sqs.bodies(QUEUE);
        // A queue keeps no order.
        bodies.reverse();
        handled(&bodies, &effects, now + SignedDuration::from_hours(24)).await;
        let again = rows().await;
        let differing: Vec<_> = again.symmetric_difference(&first).collect();
        assert!(differing.is_empty(), "run {run}: {differing:#?}");
    }
}
