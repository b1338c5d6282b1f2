//! The EMF documents: one for each combination of dimensions, at most 100 values in each.

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::json;

#[test]
fn counts_with_the_same_dimensions_share_a_document() {
    let mut metrics = Metrics::default();
    metrics.count("Suppressions", vec![]);
    metrics.count("Suppressions", vec![]);
    metrics.count("Releases", vec![]);
    metrics.count("Notifications", vec![("Type", "Bounce".to_owned())]);
    let documents = metrics.lines("Postroom/Feedback", Timestamp::UNIX_EPOCH);
    assert_eq!(
        documents,
        [
            json!({
                "_aws": {
                    "Timestamp": 0,
                    "CloudWatchMetrics": [{
                        "Namespace": "Postroom/Feedback",
                        "Dimensions": [[]],
                        "Metrics": [
                            {"Name": "Releases", "Unit": "Count"},
                            {"Name": "Suppressions", "Unit": "Count"},
                        ],
                    }],
                },
                "Releases": 1,
                "Suppressions": 2,
            }),
            json!({
                "_aws": {
                    "Timestamp": 0,
                    "CloudWatchMetrics": [{
                        "Namespace": "Postroom/Feedback",
                        "Dimensions": [["Type"]],
                        "Metrics": [{"Name": "Notifications", "Unit": "Count"}],
                    }],
                },
                "Type": "Bounce",
                "Notifications": 1,
            }),
        ]
    );
}

#[test]
fn no_age_is_lost_beyond_the_limit_of_an_array() {
    let now = Timestamp::UNIX_EPOCH;
    let mut metrics = Metrics::default();
    for ms in 0..250 {
        metrics.age(now - SignedDuration::from_millis(ms), now);
    }
    let documents = metrics.lines("Postroom/Feedback", now);
    let ages = documents
        .iter()
        .filter_map(|document| document["NotificationAge"].as_array());
    let lengths: Vec<usize> = ages.clone().map(Vec::len).collect();
    assert_eq!(lengths, [100, 100, 50]);
    assert!(ages.flatten().filter_map(|age| age.as_i64()).eq(0..250));
}

#[test]
fn a_time_in_the_future_has_age_zero() {
    let now = Timestamp::UNIX_EPOCH;
    let mut metrics = Metrics::default();
    metrics.age(now + SignedDuration::from_secs(5), now);
    let documents = metrics.lines("Postroom/Feedback", now);
    assert_eq!(documents[0]["NotificationAge"], json!([0]));
}

#[test]
fn merged_metrics_are_the_sum() {
    let mut metrics = Metrics::default();
    metrics.count("Suppressions", vec![]);
    let mut other = Metrics::default();
    other.count("Suppressions", vec![]);
    other.age(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    metrics.merge(other);
    let documents = metrics.lines("Postroom/Feedback", Timestamp::UNIX_EPOCH);
    assert_eq!(documents[0]["Suppressions"], 2);
    assert_eq!(documents[1]["NotificationAge"], json!([0]));
}

#[test]
fn every_document_of_a_stack_has_its_name_as_the_first_dimension() {
    let mut metrics = Metrics::default();
    metrics.count("RecordFailures", vec![("Kind", "parse".to_owned())]);
    metrics.age(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    metrics.scheduled_run("digest");
    let documents = metrics.lines_of_stack("Postroom/Feedback", "postroom-2", Timestamp::UNIX_EPOCH);
    let dimensions: Vec<_> = documents
        .iter()
        .map(|document| document["_aws"]["CloudWatchMetrics"][0]["Dimensions"].clone())
        .collect();
    assert_eq!(
        dimensions,
        [
            json!([["Stack", "Kind"]]),
            json!([["Stack", "Schedule"]]),
            json!([["Stack"]])
        ]
    );
    assert!(documents.iter().all(|document| document["Stack"] == "postroom-2"));
    assert_eq!(documents[0]["RecordFailures"], 1);
    assert_eq!(
        (&documents[1]["Schedule"], &documents[1]["ScheduledRuns"]),
        (&json!("digest"), &json!(1))
    );
}
