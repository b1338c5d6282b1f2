//! Plans and their execution.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ses_settings::NotificationType::{Bounce, Complaint, Delivery};
use ses_settings::{Facts, Field, Object, Outcome, Plan, Proofs, Purpose, StepResult, Value};
use tokio::time::Instant;

use crate::fake_ses::{FakeSes, Kill};
use crate::scenario::{PAUSE, TOPIC, account, agency, desired, identity, make_plan, plan_and_apply, policy, proofs};

fn assert_done(results: &[StepResult]) {
    for result in results {
        assert!(result.outcome.is_done(), "{result:?}");
    }
}

fn fields(plan: &Plan) -> Vec<String> {
    let line = |step: &ses_settings::Step| {
        let kind = match step.change.object {
            Object::Topic(_) => "topic",
            Object::ConfigurationSet(_) => "set",
            Object::Identity(_) => "identity",
        };
        format!(
            "{kind} {}: {}",
            step.change.field,
            if step.change.is_removal() { "remove" } else { "set" }
        )
    };
    plan.steps.iter().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn the_order_is_that_in_which_nothing_is_lost() {
    let ses = account().settings(PAUSE);
    let plan = make_plan(&ses, &desired(), &Facts::default()).await;
    assert_eq!(
        fields(&plan),
        [
            "topic allow-ses: set",
            "topic subscription.sqs arn:aws:sqs:us-east-1:111122223333:postroom-FeedbackQueue: set",
            "set exists: set",
            "set reputation-metrics: set",
            "set suppressed-reasons: set",
            "set event-destination.postroom-feedback: set",
            "identity topics.bounce: set",
            "identity topics.complaint: set",
            "identity topics.delivery: set",
            "identity original-headers.bounce: set",
            "identity configuration-set: set",
            "identity policy.postroom-agency: set",
            "identity policy.postroom-former: remove",
            "identity feedback-forwarding: set",
        ]
    );
    assert_eq!(plan.problems, []);
}

#[tokio::test(start_paused = true)]
async fn after_apply_the_plan_is_empty_and_what_is_not_named_stays() {
    let fake = account();
    let ses = fake.settings(PAUSE);
    let before = fake.state().identities["jane@shop.example"].clone();
    assert_done(&plan_and_apply(&ses, &desired(), Proofs::Assumed).await);
    let again = make_plan(&ses, &desired(), &Facts::default()).await;
    assert_eq!((again.steps, again.problems), (vec![], vec![]));

    let state = fake.state();
    let shop = &state.identities["shop.example"];
    let names: Vec<&str> = shop.policies.keys().map(String::as_str).collect();
    assert_eq!(names, ["by-hand", "postroom-agency"], "only own policies are removed");
    assert_eq!(shop.policies["by-hand"], policy("by-hand"));
    assert!(!shop.forwarding);
    assert_eq!(
        state.identities["jane@shop.example"], before,
        "an identity that is not named"
    );
    assert!(
        state.topics[TOPIC].policy.contains(r#""Sid":"Other""#),
        "other statements stay"
    );
    assert_eq!(state.sets.keys().collect::<Vec<_>>(), ["campaigns", "platform"]);
}

#[tokio::test(start_paused = true)]
async fn each_write_is_between_two_reads_and_calls_are_paced() {
    let fake = account();
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let ses = fake.settings(PAUSE);
    let recorded = times.clone();
    fake.state().hook = Some(Box::new(move |call, _| {
        if !call.contains("arn:aws:sns") {
            recorded.lock().unwrap().push(Instant::now());
        }
    }));
    assert_done(&plan_and_apply(&ses, &desired(), Proofs::Assumed).await);
    let calls = fake.state().calls.clone();
    let is_write = |call: &String| !call.starts_with("Get") && !call.starts_with("List");
    for (index, call) in calls.iter().enumerate().filter(|(_, call)| is_write(call)) {
        let object = call.split(' ').next_back().unwrap();
        for neighbour in [&calls[index - 1], &calls[index + 1]] {
            assert!(
                !is_write(neighbour) && neighbour.contains(object),
                "{call} beside {neighbour}"
            );
        }
    }
    assert_eq!(calls.iter().filter(|call| is_write(call)).count(), 14);
    let times = times.lock().unwrap();
    let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(pauses.clone().count() > 30);
    for pause in pauses {
        assert!(pause >= PAUSE, "{pause:?}");
    }
}

/// The settings after an uninterrupted run, and the number of its calls.
async fn uninterrupted() -> (FakeSes, usize) {
    let fake = account();
    assert_done(&plan_and_apply(&fake.settings(PAUSE), &desired(), Proofs::Assumed).await);
    let calls = fake.state().calls.len();
    (fake, calls)
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_at_any_call_is_continued_by_the_next_one() {
    let (finished, calls) = uninterrupted().await;
    assert!(calls > 40, "{calls}");
    let mut incomplete = 0;
    for kill in (1..=calls).flat_map(|call| [(call, Kill::Before), (call, Kill::After)]) {
        let fake = account();
        fake.state().kill = Some(kill);
        let ses = fake.settings(PAUSE);
        let run = tokio::spawn(async move { plan_and_apply(&ses, &desired(), Proofs::Assumed).await });
        assert!(run.await.unwrap_err().is_panic(), "{kill:?}");
        incomplete += usize::from(fake.state().settings() != finished.state().settings());
        let shop = fake.state().identities["shop.example"].clone();
        assert!(
            shop.forwarding || shop.topics.len() == 3,
            "a bounce would be lost: {kill:?}"
        );

        fake.state().kill = None;
        assert_done(&plan_and_apply(&fake.settings(PAUSE), &desired(), Proofs::Assumed).await);
        assert_eq!(fake.state().settings(), finished.state().settings(), "{kill:?}");
    }
    assert!(incomplete > calls, "the runs were interrupted: {incomplete}");
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_for_and_lost_responses_are_recognized() {
    let (finished, calls) = uninterrupted().await;
    for call in 1..=calls {
        for code in ["Throttling", "TooManyRequestsException", "InternalFailure"] {
            let fake = account();
            fake.state().errors.insert(call, code);
            let start = Instant::now();
            let ses = fake.settings(PAUSE);
            let results = if fake_call_is_sns(&finished, call) {
                // Calls to SNS have the retries of the SDK, which are off in these tests.
                continue;
            } else {
                plan_and_apply(&ses, &desired(), Proofs::Assumed).await
            };
            assert_done(&results);
            assert_eq!(fake.state().settings(), finished.state().settings(), "{code} at {call}");
            assert!(start.elapsed() >= Duration::from_secs(2), "waits");
        }
        if fake_call_is_sns(&finished, call) {
            continue;
        }
        let fake = account();
        fake.state().lost_responses.insert(call, "InternalFailure");
        assert_done(&plan_and_apply(&fake.settings(PAUSE), &desired(), Proofs::Assumed).await);
        assert_eq!(
            fake.state().settings(),
            finished.state().settings(),
            "lost response {call}"
        );
    }
}

fn fake_call_is_sns(finished: &FakeSes, call: usize) -> bool {
    finished.state().calls[call - 1].contains("arn:aws:sns")
}

#[tokio::test(start_paused = true)]
async fn endless_throttling_ends_with_an_error_and_no_further_step() {
    let fake = account();
    let ses = fake.settings(PAUSE);
    let plan = make_plan(&ses, &desired(), &Facts::default()).await;
    let next = fake.state().calls.len() + 10;
    for call in next..next + 20 {
        fake.state().errors.insert(call, "Throttling");
    }
    let results = ses.apply(&plan.steps, &Proofs::Assumed, |_, _| {}).await;
    let failed: Vec<_> = results
        .iter()
        .filter(|one| matches!(one.outcome, Outcome::Failed(_)))
        .collect();
    assert_eq!(failed.len(), 1);
    let Outcome::Failed(error) = &failed[0].outcome else {
        unreachable!()
    };
    assert!(error.is_throttled() && error.code() == "Throttling", "{error}");
    let position = results
        .iter()
        .position(|one| matches!(one.outcome, Outcome::Failed(_)))
        .unwrap();
    let rest = &results[position + 1..];
    assert!(rest.len() > 3 && rest.iter().all(|one| matches!(one.outcome, Outcome::NotAttempted)));
}

#[tokio::test(start_paused = true)]
async fn a_change_by_a_person_between_plan_and_apply_is_noticed_and_left() {
    let fake = account();
    let other = "arn:aws:sns:us-east-1:111122223333:by-hand";
    fake.state().topics.insert(other.to_owned(), Default::default());
    let ses = fake.settings(PAUSE);
    let plan = make_plan(&ses, &desired(), &Facts::default()).await;
    fake.set_topic("shop.example", "Complaint", other);
    let results = ses.apply(&plan.steps, &Proofs::Assumed, |_, _| {}).await;
    let changed: Vec<_> = results
        .iter()
        .filter(|one| matches!(&one.outcome, Outcome::ChangedMeanwhile { found } if found.text() == Some(other)))
        .map(|one| one.step.change.field.to_string())
        .collect();
    assert_eq!(changed, ["topics.complaint"]);
    let shop = fake.state().identities["shop.example"].clone();
    assert_eq!(shop.topics["Complaint"], other);
    assert!(shop.forwarding, "no further step of the identity");
    assert!(!shop.policies.contains_key("postroom-agency"));
    assert!(fake.state().sets.contains_key("campaigns"), "other objects are applied");
}

#[tokio::test(start_paused = true)]
async fn a_change_by_a_person_to_the_desired_value_is_no_conflict() {
    let fake = account();
    let ses = fake.settings(PAUSE);
    let plan = make_plan(&ses, &desired(), &Facts::default()).await;
    fake.set_topic("shop.example", "Complaint", TOPIC);
    let results = ses.apply(&plan.steps, &Proofs::Assumed, |_, _| {}).await;
    assert_done(&results);
    let already = results
        .iter()
        .filter(|one| matches!(one.outcome, Outcome::AlreadyApplied));
    assert_eq!(already.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn forwarding_stays_on_until_both_topics_are_proven() {
    let cases = [
        (proofs("shop.example", &[]), vec![Bounce, Complaint]),
        (proofs("shop.example", &[Complaint, Delivery]), vec![Bounce]),
        (proofs("other.example", &[Bounce, Complaint]), vec![Bounce, Complaint]),
        (proofs("Shop.Example", &[Bounce, Complaint]), vec![]),
        (Proofs::Assumed, vec![]),
    ];
    for (proofs, expected) in cases {
        let fake = account();
        let results = plan_and_apply(&fake.settings(PAUSE), &desired(), proofs).await;
        let last = results.last().unwrap();
        assert_eq!(last.step.change.field, Field::FeedbackForwarding);
        let missing = match &last.outcome {
            Outcome::Unproven { missing } => missing.clone(),
            outcome => {
                assert!(outcome.is_done(), "{outcome:?}");
                vec![]
            }
        };
        assert_eq!(missing, expected);
        assert_eq!(fake.state().identities["shop.example"].forwarding, !expected.is_empty());
        assert_done(&results[..results.len() - 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn topics_that_are_set_but_not_proven_are_set_again_as_a_test() {
    let fake = account();
    let ses = fake.settings(PAUSE);
    plan_and_apply(&ses, &desired(), proofs("shop.example", &[])).await;
    let facts = Facts {
        proofs: proofs("shop.example", &[Bounce]),
        recorded_topic: Some(TOPIC.to_owned()),
    };
    let plan = make_plan(&ses, &desired(), &facts).await;
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.change.field.clone(), step.purpose))
        .collect();
    assert_eq!(
        steps,
        [
            (Field::Topic(Complaint), Purpose::Test),
            (Field::FeedbackForwarding, Purpose::Change)
        ]
    );
    let calls_before = fake.state().calls.len();
    let results = ses.apply(&plan.steps, &facts.proofs, |_, _| {}).await;
    assert!(matches!(results[0].outcome, Outcome::Applied));
    let calls = fake.state().calls[calls_before..].to_vec();
    assert!(
        calls
            .iter()
            .any(|call| call.starts_with("SetIdentityNotificationTopic")),
        "{calls:?}"
    );

    let elsewhere = Facts {
        recorded_topic: Some("arn:aws:sns:us-east-1:111122223333:other".to_owned()),
        ..facts
    };
    let plan = make_plan(&ses, &desired(), &elsewhere).await;
    assert_eq!(
        plan.steps.len(),
        1,
        "only the messages of the stack's topic are recorded"
    );
}

#[tokio::test(start_paused = true)]
async fn grants_changes_and_revocations_leave_nothing_behind() {
    let fake = account();
    let ses = fake.settings(PAUSE);
    let policies = |fake: &FakeSes| fake.state().identities["shop.example"].policies.clone();
    let with = |delegates: Vec<ses_settings::Delegate>| {
        let entry = ses_settings::IdentityEntry {
            names: vec!["shop.example".to_owned()],
            delegates,
            ..Default::default()
        };
        ses_settings::expand(
            &[entry],
            &["shop.example".to_owned()].into(),
            &crate::scenario::context(),
        )
    };
    assert_done(&plan_and_apply(&ses, &with(vec![agency()]), Proofs::default()).await);
    assert!(policies(&fake)["postroom-agency"].contains("news@shop.example"));

    let changed = ses_settings::Delegate {
        from: ["*@shop.example".to_owned()].into(),
        ..agency()
    };
    let results = plan_and_apply(&ses, &with(vec![changed]), Proofs::default()).await;
    assert_eq!(results.len(), 1);
    assert_done(&results);
    assert!(policies(&fake)["postroom-agency"].contains("*@shop.example"));

    assert_done(&plan_and_apply(&ses, &with(vec![]), Proofs::default()).await);
    let left: Vec<String> = policies(&fake).into_keys().collect();
    assert_eq!(left, ["by-hand"]);
}

#[tokio::test(start_paused = true)]
async fn removing_topics_switches_forwarding_on_first() {
    let fake = account();
    let ses = fake.settings(PAUSE);
    assert_done(&plan_and_apply(&ses, &desired(), Proofs::Assumed).await);
    let mut without = desired();
    let fields = without.get_mut(&identity("shop.example")).unwrap();
    for kind in [Bounce, Complaint, Delivery] {
        fields.insert(Field::Topic(kind), Value::Absent);
        fields.remove(&Field::OriginalHeaders(kind));
    }
    fields.insert(Field::FeedbackForwarding, Value::Flag(true));
    let plan = make_plan(&ses, &without, &Facts::default()).await;
    assert_eq!(
        self::fields(&plan),
        [
            "identity feedback-forwarding: set",
            "identity topics.bounce: remove",
            "identity topics.complaint: remove",
            "identity topics.delivery: remove"
        ]
    );
    assert_done(&ses.apply(&plan.steps, &Proofs::default(), |_, _| {}).await);
    assert!(fake.state().identities["shop.example"].topics.is_empty());
}
