//! What becomes of deliveries when targets take, refuse or stumble: through the real clients, with mocked answers.
mod support;

use std::sync::Arc;

use aws_smithy_mocks::mock;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::Redaction;
use support::{A, B, OWNER, PARK_URL, UNROUTED, World, now, route, senders, sqs_event};

const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-router";
const OWNERS_QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/owner-feedback";
const A_TOPIC: &str = "arn:aws:sns:eu-west-1:222233334444:a-feedback";
const B_TOPIC: &str = "arn:aws:sns:us-east-1:333344445555:b-feedback";
const B_BUS: &str = "arn:aws:events:us-east-1:333344445555:event-bus/mail";

fn bounce(message_id: &str, account: &str) -> String {
    json!({
        "notificationType": "Bounce",
        "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-03-02T08:15:32.000Z",
                   "bouncedRecipients": [{"emailAddress": "jane@example.net", "status": "5.1.1"}]},
        "mail": {"timestamp": "2026-03-02T08:15:30.000Z", "messageId": message_id, "source": "news@shop.example",
                 "sourceArn": format!("arn:aws:ses:us-east-1:{OWNER}:identity/shop.example"),
                 "sendingAccountId": account, "destination": ["jane@example.net", "joe@example.net"]},
    })
    .to_string()
}

async fn route_all(world: &World, bodies: &[String]) -> Value {
    world
        .handle(&sqs_event(QUEUE_ARN, bodies), &mut Metrics::default(), now())
        .await
}

fn who(world: &World) -> Vec<String> {
    world.taken().into_iter().map(|taken| taken.by).collect()
}

#[tokio::test]
async fn a_bounce_of_a_delegate_reaches_the_delegate_and_the_owner_and_nobody_else() {
    let world = World::furnished().await;
    route_all(&world, &[bounce("m1", A)]).await;
    assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, 0);
    assert_eq!(who(&world), [A_TOPIC, OWNERS_QUEUE]);
    assert_eq!(
        world.taken_by(OWNERS_QUEUE)[0].body,
        bounce("m1", A),
        "the full view is SES's own text"
    );
    assert!(!world.taken_by(A_TOPIC)[0].body.contains("joe@example.net"));
    assert_eq!(world.digest_items("ops@shop.example").await.len(), 1);
}

#[tokio::test]
async fn a_target_that_refuses_is_parked_and_the_others_got_theirs() {
    for code in ["AuthorizationError", "NotFound", "InvalidParameter"] {
        let world = World::furnished().await;
        world.refuse("a-feedback", code);
        route_all(&world, &[bounce("m1", A)]).await;
        let mut metrics = Metrics::default();
        assert_eq!(
            world.deliver_waiting(&mut metrics).await,
            0,
            "dead_lettered is acknowledged"
        );
        assert_eq!(who(&world), [OWNERS_QUEUE, PARK_URL]);
        let dead_lettered = &world.taken_by(PARK_URL)[0];
        assert_eq!(dead_lettered.attributes["reason"], format!("{code}: no entry"));
        assert_eq!(dead_lettered.attributes["target"], format!("topic:{A_TOPIC}"));

        // An operator mends the topic and moves the message back to the deliver queue.
        world.admit("a-feedback");
        world.given.lock().unwrap().waiting.push(dead_lettered.body.clone());
        assert_eq!(world.deliver_waiting(&mut metrics).await, 0);
        assert_eq!(who(&world), [A_TOPIC, OWNERS_QUEUE, PARK_URL]);
        let dead_lettered = metrics
            .lines(delegate_router::metrics::NAMESPACE, now())
            .into_iter()
            .filter(|line| line["DeadLettered"] == 1);
        assert_eq!(
            dead_lettered.map(|line| line["Target"].clone()).collect::<Vec<_>>(),
            ["topic"]
        );
    }
}

#[tokio::test]
async fn a_target_that_stumbles_is_tried_again_alone() {
    let world = World::furnished().await;
    world.refuse("a-feedback", "Throttled");
    route_all(&world, &[bounce("m1", A)]).await;
    assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, 1);
    assert_eq!(who(&world), [OWNERS_QUEUE], "nothing is dead_lettered for that");
    assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, 1);
    world.admit("a-feedback");
    assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, 0);
    assert_eq!(who(&world), [A_TOPIC, OWNERS_QUEUE], "the owner has it once");
}

#[tokio::test]
async fn a_delivery_that_cannot_be_parked_is_not_lost() {
    let world = World::furnished().await;
    world.refuse("a-feedback", "NotFound");
    world.refuse("postroom-park", "InternalError");
    route_all(&world, &[bounce("m1", A)]).await;
    assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, 1);
}

#[tokio::test]
async fn a_bus_can_refuse_in_an_accepted_request() {
    for (code, dead_lettered, failed) in [
        ("ResourceNotFoundException", 1, 0),
        ("AccessDeniedException", 1, 0),
        ("InternalFailure", 0, 1),
        ("ThrottlingException", 0, 1),
    ] {
        let world = World::furnished().await;
        world.refuse("event-bus/mail", code);
        route_all(&world, &[bounce("m1", B)]).await;
        assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, failed, "{code}");
        assert_eq!(world.taken_by(PARK_URL).len(), dead_lettered, "{code}");
        assert_eq!(world.taken_by(B_TOPIC).len(), 1, "{code}");
        world.admit("event-bus/mail");
        world.deliver_waiting(&mut Metrics::default()).await;
        assert_eq!(world.taken_by(B_BUS).len(), failed, "{code}");
    }
}

#[tokio::test]
async fn a_notification_is_acknowledged_only_when_all_its_deliveries_wait() {
    let world = World::furnished().await;
    world.refuse("entry:m2", "InternalError");
    let bodies: Vec<String> = (0..9).map(|number| bounce(&format!("m{number}"), A)).collect();
    let answer = route_all(&world, &bodies).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    assert_eq!(world.given.lock().unwrap().waiting.len(), 3 * 8);
    assert_eq!(world.given.lock().unwrap().batches, 3, "the batch shares its requests");

    world.refuse("postroom-deliver", "ServiceUnavailable");
    let answer = route_all(&world, &bodies).await;
    assert_eq!(answer, json!({"error": "9 of 9 records failed"}));
}

#[tokio::test]
async fn what_cannot_be_published_as_unrouted_comes_again() {
    let world = World::furnished().await;
    world.refuse("postroom-unrouted", "InternalError");
    let stranger = bounce("m1", A).replace(OWNER, "999900001111");
    let answer = route_all(&world, &[stranger.clone(), bounce("m2", A)]).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "0"}]}));
    world.admit("postroom-unrouted");
    assert_eq!(
        route_all(&world, std::slice::from_ref(&stranger)).await,
        json!({"batchItemFailures": []})
    );
    let unrouted = &world.taken_by(UNROUTED)[0];
    assert_eq!(unrouted.body, stranger);
    assert_eq!(unrouted.attributes["reason"], "no-route");
}

#[tokio::test]
async fn cold_a_batch_reads_once_and_warm_not_at_all() {
    let world = World::furnished().await;
    let bodies: Vec<String> = (0..30)
        .map(|number| bounce(&format!("m{number}"), [A, B, OWNER][number % 3]))
        .collect();
    route_all(&world, &bodies).await;
    assert_eq!(world.requests.take(), [("BatchGetItem".to_owned(), 1)].into());
    let strangers: Vec<String> = bodies.iter().map(|body| body.replace(OWNER, "999900001111")).collect();
    route_all(&world, &strangers).await;
    assert_eq!(world.requests.take(), [("BatchGetItem".to_owned(), 1)].into());
    route_all(&world, &bodies).await;
    route_all(&world, &strangers).await;
    assert!(
        world.requests.take().is_empty(),
        "that there are no routes is remembered too"
    );

    let unsaid: Vec<String> = bodies
        .iter()
        .map(|body| {
            let mut body: Value = serde_json::from_str(body).unwrap();
            body["mail"].as_object_mut().unwrap().remove("sourceArn");
            body["mail"]["sendingAccountId"] = json!(A);
            body.to_string()
        })
        .collect();
    route_all(&world, &unsaid).await;
    assert_eq!(
        world.requests.take(),
        [("BatchGetItem".to_owned(), 1)].into(),
        "the identities of A"
    );
}

#[tokio::test]
async fn one_spoilt_row_fails_those_it_concerns() {
    let world = World::furnished().await;
    spoil(&world).await;
    let answer = route_all(&world, &[bounce("m1", A), bounce("m2", B)]).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "0"}]}));
}

/// A route for A's mail with a target that no version knows.
async fn spoil(world: &World) {
    let key = senders(Some(OWNER), Some(A), Some("shop.example"));
    let mut odd = route("odd", key, "bus:b", Redaction::None);
    odd.target = store::Target::Bus(String::new());
    world.put(vec![odd]).await;
}

#[tokio::test]
async fn fifo_targets_get_the_key_and_one_message_in_order() {
    let world = World::new().await;
    let to = |target: &str| route(target, senders(Some(OWNER), None, None), target, Redaction::None);
    world
        .put(vec![
            to("topic:arn:aws:sns:us-east-1:111122223333:all.fifo"),
            to("queue:arn:aws:sqs:us-east-1:111122223333:all.fifo"),
        ])
        .await;
    route_all(&world, &[bounce("0100-m1-000000", A)]).await;
    assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, 0);
    for taken in world.taken() {
        assert_eq!(taken.attributes["group"], "0100-m1-000000");
        assert_eq!(taken.attributes["deduplication"], taken.attributes["idempotencyKey"]);
    }
    assert_eq!(world.taken().len(), 2);
}

#[tokio::test]
async fn targets_that_make_no_sense_are_parked() {
    for target in [
        "topic:t",
        "queue:arn:aws:sns:us-east-1:111122223333:t",
        "bus:default",
        "email:nobody",
    ] {
        let world = World::new().await;
        world
            .put(vec![route(
                "odd",
                senders(Some(OWNER), None, None),
                target,
                Redaction::None,
            )])
            .await;
        route_all(&world, &[bounce("m1", A)]).await;
        assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, 0);
        assert_eq!(who(&world), [PARK_URL], "{target}");
    }
}

#[tokio::test]
async fn a_target_is_asked_in_its_own_region() {
    let world = World::new().await;
    let to = |target: &str| route(target, senders(Some(OWNER), None, None), target, Redaction::None);
    world
        .put(vec![
            to("topic:arn:aws:sns:eu-west-1:222233334444:t"),
            to("queue:arn:aws:sqs:eu-west-2:222233334444:q"),
            to("bus:arn:aws:events:eu-west-3:222233334444:event-bus/b"),
        ])
        .await;
    route_all(&world, &[bounce("m1", A)]).await;
    world.deliver_waiting(&mut Metrics::default()).await;
    let hosts: Vec<String> = world.given.lock().unwrap().hosts.iter().cloned().collect();
    let expected = ["events.eu-west-3", "sns.eu-west-1", "sqs.eu-west-2", "sqs.us-east-1"];
    assert_eq!(hosts, expected.map(|host| format!("{host}.amazonaws.com")));
}

/// What SNS says on the wire, read by the real client.
#[tokio::test]
async fn answers_are_understood_as_sns_writes_them() {
    let said = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        )
    };
    let published = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let cases = [
        (vec![(200, published.to_owned())], 1, 0, 0),
        (vec![(403, said("AuthorizationError"))], 1, 0, 1),
        (vec![(404, said("NotFound"))], 1, 0, 1),
        // What the client itself does not try again, the queue does.
        (vec![(429, said("Throttled"))], 1, 1, 0),
        (
            vec![(503, said("ServiceUnavailable")), (200, published.to_owned())],
            2,
            0,
            0,
        ),
        (vec![(500, said("InternalError")); 3], 3, 1, 0),
    ];
    for (answers, calls, failed, dead_lettered) in cases {
        let mut sequence = mock!(aws_sdk_sns::Client::publish).sequence();
        for (status, body) in answers.clone() {
            sequence = sequence.http_status(status, Some(body));
        }
        let rule = sequence.build();
        let world = World::with_topics(Arc::default(), &rule).await;
        let target = "topic:arn:aws:sns:us-east-1:222233334444:t";
        world
            .put(vec![route(
                "t",
                senders(Some(OWNER), None, None),
                target,
                Redaction::None,
            )])
            .await;
        route_all(&world, &[bounce("m1", A)]).await;
        assert_eq!(
            world.deliver_waiting(&mut Metrics::default()).await,
            failed,
            "{answers:?}"
        );
        assert_eq!(world.taken_by(PARK_URL).len(), dead_lettered, "{answers:?}");
        assert_eq!(rule.num_calls(), calls, "{answers:?}");
    }
}
