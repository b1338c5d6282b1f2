//! From a bounce to the mail that a person reads, and that it is sent once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::{Value, json};
use support::{A, B, OWNER, World, now, sqs_event};

const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-router";
const OPS: &str = "ops@shop.example";

fn told(number: usize, account: &str, kind: &str, object: Value) -> String {
    let recipient = format!("reader{number}@example.net");
    json!({
        "notificationType": kind,
        kind.to_lowercase(): object,
        "mail": {"timestamp": "2026-03-02T08:15:30.000Z", "messageId": format!("m{number}"),
                 "source": "news@shop.example", "sendingAccountId": account, "destination": [recipient],
                 "sourceArn": format!("arn:aws:ses:us-east-1:{OWNER}:identity/shop.example")},
    })
    .to_string()
}

fn bounce(number: usize, account: &str, bounce_type: &str, diagnostic: &str) -> String {
    let recipients = json!([{"emailAddress": format!("reader{number}@example.net"), "diagnosticCode": diagnostic}]);
    let object = json!({"bounceType": bounce_type, "bounceSubType": "General", "timestamp": "2026-03-02T08:15:32Z",
                        "bouncedRecipients": recipients});
    told(number, account, "Bounce", object)
}

fn complaint(number: usize, account: &str) -> String {
    let recipients = json!([{"emailAddress": "joe@example.net"}, {"emailAddress": "jane@example.net"}]);
    let object = json!({"timestamp": "2026-03-02T08:16:00Z", "complaintFeedbackType": "abuse",
                        "complainedRecipients": recipients});
    told(number, account, "Complaint", object)
}

async fn collect(world: &World, bodies: &[String]) {
    for chunk in bodies.chunks(10) {
        let answer = world
            .handle(&sqs_event(QUEUE_ARN, chunk), &mut Metrics::default(), now())
            .await;
        assert_eq!(answer, json!({"batchItemFailures": []}));
        assert_eq!(world.deliver_waiting(&mut Metrics::default()).await, 0);
    }
}

async fn digest_run(world: &World, at: &str) -> Value {
    let at: Timestamp = at.parse().unwrap();
    world
        .handle(&json!({"postroom": "digest"}), &mut Metrics::default(), at)
        .await
}

#[tokio::test]
async fn a_bad_campaign_is_one_mail() {
    let world = World::furnished().await;
    let mut bodies: Vec<String> = (0..25)
        .map(|number| bounce(number, A, "Permanent", "smtp; 550 5.1.1 <b>user</b> unknown"))
        .collect();
    bodies.extend((25..27).map(|number| bounce(number, B, "Transient", "smtp; 452 4.2.2 mailbox full\r\nBcc: x")));
    bodies.push(complaint(27, A));
    bodies.push(bounce(28, OWNER, "Permanent", ""));
    collect(&world, &bodies).await;
    collect(&world, &bodies[..3]).await;
    assert_eq!(world.digest_items(OPS).await.len(), 29, "told again it is no news");

    assert_eq!(digest_run(&world, "2026-03-02T09:01:59Z").await, json!(null));
    assert!(
        world.taken_by(OPS).is_empty(),
        "the window's last lines may be on their way"
    );
    assert_eq!(digest_run(&world, "2026-03-02T09:02:01Z").await, json!(null));
    assert_eq!(digest_run(&world, "2026-03-02T10:00:00Z").await, json!(null));
    let mails = world.taken_by(OPS);
    assert_eq!(mails.len(), 1);
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        let mut attributes = mails[0].attributes.clone();
        let html = attributes.remove("html").unwrap();
        insta::assert_snapshot!("digest_text", mails[0].body);
        insta::assert_snapshot!("digest_html", html);
        insta::assert_json_snapshot!("digest_envelope", attributes);
    });
}

#[tokio::test]
async fn two_runs_at_a_time_send_once() {
    let world = World::furnished().await;
    collect(&world, &[bounce(1, A, "Permanent", "")]).await;
    let at = "2026-03-02T09:10:00Z";
    futures_util::join!(digest_run(&world, at), digest_run(&world, at));
    assert_eq!(world.taken_by(OPS).len(), 1);
}

#[tokio::test]
async fn a_digest_that_failed_is_sent_by_a_later_run_and_keeps_no_other_back() {
    let world = World::furnished().await;
    let mut also = support::route(
        "also",
        support::senders(Some(OWNER), None, Some("shop.example")),
        "email:zoe@shop.example",
        store::Redaction::None,
    );
    also.filter.events.insert("bounce".to_owned());
    let ops = store::RouteKey::new(also.senders.clone()).unwrap();
    let mut routes = world
        .store
        .routes_for(std::slice::from_ref(&ops))
        .await
        .unwrap()
        .remove(&ops)
        .unwrap();
    routes.push(also);
    world.store.put_routes(&ops, &routes).await.unwrap();

    collect(&world, &[bounce(1, A, "Permanent", "")]).await;
    world.refuse(OPS, "MessageRejected");
    let answer = digest_run(&world, "2026-03-02T09:10:00Z").await;
    assert_eq!(answer, json!({"error": "1 of 2 digests were not sent"}));
    assert_eq!(world.taken_by("zoe@shop.example").len(), 1);

    world.admit(OPS);
    digest_run(&world, "2026-03-02T09:20:00Z").await;
    assert!(world.taken_by(OPS).is_empty(), "the first run may still be at it");
    digest_run(&world, "2026-03-02T10:10:00Z").await;
    assert_eq!(world.taken_by(OPS).len(), 1);
    assert_eq!(world.taken_by("zoe@shop.example").len(), 1);
}

#[tokio::test]
async fn a_line_never_goes_into_a_window_that_was_sent() {
    let world = World::furnished().await;
    let digest = store::DigestKey {
        address: OPS.to_owned(),
        window: "2026-03-02T08:00:00Z".parse().unwrap(),
    };
    let expires_at = now() + SignedDuration::from_hours(1);
    assert!(world.store.open_digest(&digest, expires_at).await.unwrap());
    assert!(world.store.claim_digest(&digest, now(), now()).await.unwrap());

    collect(&world, &[bounce(1, A, "Permanent", "")]).await;
    assert!(world.digest_items(OPS).await.is_empty());
    digest_run(&world, "2026-03-02T10:10:00Z").await;
    assert_eq!(world.taken_by(OPS).len(), 1, "it is in the next");
}
