//! Which targets receive a notification, and how it is redacted.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use delegate_router::action::Action;
use delegate_router::decide::{Facts, decide};
use delegate_router::own_notification::OwnIdentity;
use delegate_router::ownership::identify;
use delegate_router::received::Received;
use notification_model::{SesMessage, parse};
use serde_json::{Value, json};
use store::{Redaction, Route};
use support::{A, B, OWNER, route, senders};

const TOPIC: &str = "topic:arn:aws:sns:us-east-1:111122223333:t";

fn received(mail: Value) -> Received {
    let mut all = json!({
        "timestamp": "2026-03-02T08:15:30.000Z", "messageId": "m1", "source": "news@shop.example",
        "sourceArn": format!("arn:aws:ses:us-east-1:{OWNER}:identity/news@shop.example"), "sendingAccountId": A,
        "destination": ["jane@example.net"],
    });
    all.as_object_mut().unwrap().extend(mail.as_object().unwrap().clone());
    let payload =
        json!({"eventType": "Rendering Failure", "failure": {"errorMessage": "no name"}, "mail": all}).to_string();
    let SesMessage::Notification(notification) = parse(&payload).unwrap() else {
        panic!("a notification")
    };
    Received { notification, payload }
}

fn own_identity() -> OwnIdentity {
    OwnIdentity {
        account: Some(OWNER.parse().unwrap()),
        digest_from: notification_model::EmailAddress::parse("postroom@shop.example"),
    }
}

/// The deliveries as `TARGET: unredacted` or `TARGET: redacted`, or `unrouted: REASON`.
fn decided(received: &Received, routes: &[Route]) -> Vec<String> {
    let facts = Facts {
        ownership: identify(&received.notification.mail, &[]),
        routes: routes.to_vec(),
    };
    let describe = |action: Action| match action {
        Action::Deliver(delivery) if delivery.body == received.payload => format!("{}: unredacted", delivery.target),
        Action::Deliver(delivery) => format!("{}: redacted", delivery.target),
        Action::Unrouted(unrouted) => format!("unrouted: {}", unrouted.reason.as_str()),
    };
    decide(received, &facts, &own_identity())
        .into_iter()
        .map(describe)
        .collect()
}

#[test]
fn the_most_specific_route_of_a_target_determines_the_redaction() {
    let levels = [
        senders(Some(OWNER), Some(A), Some("news@shop.example")),
        senders(Some(OWNER), Some(A), Some("shop.example")),
        senders(Some(OWNER), Some(A), None),
        senders(Some(OWNER), None, Some("news@shop.example")),
        senders(Some(OWNER), None, Some("shop.example")),
        senders(Some(OWNER), None, None),
        senders(None, Some(A), None),
    ];
    for (at, specific) in levels.iter().enumerate() {
        for general in &levels[at + 1..] {
            for (redaction, other, expected) in [
                (Redaction::None, Redaction::Standard, "unredacted"),
                (Redaction::Standard, Redaction::None, "redacted"),
            ] {
                let routes = [
                    route("b", general.clone(), TOPIC, other),
                    route("a", specific.clone(), TOPIC, redaction),
                ];
                assert_eq!(decided(&received(json!({})), &routes), [format!("{TOPIC}: {expected}")]);
            }
        }
        let tied = [
            route("a", specific.clone(), TOPIC, Redaction::None),
            route("b", specific.clone(), TOPIC, Redaction::Standard),
        ];
        assert_eq!(
            decided(&received(json!({})), &tied),
            [format!("{TOPIC}: redacted")],
            "equally specific"
        );
    }
}

#[test]
fn two_spellings_of_an_address_are_one_target() {
    let owner = senders(Some(OWNER), None, None);
    let routes = [
        route("a", owner.clone(), "email:Ops@Shop.example", Redaction::None),
        route("b", owner, "email:Ops <ops@shop.example>", Redaction::None),
    ];
    assert_eq!(decided(&received(json!({})), &routes).len(), 1);
}

#[test]
fn filters_narrow_and_sender_fields_grant_nothing() {
    let owner = || route("r", senders(Some(OWNER), None, None), TOPIC, Redaction::None);
    let with = |change: &dyn Fn(&mut Route)| {
        let mut route = owner();
        change(&mut route);
        route
    };
    let tags = json!({"tags": {"ses:configuration-set": ["campaigns"], "ses:tenant-name": ["acme"]}});
    let insert = |names: &mut std::collections::BTreeSet<String>, name: &str| {
        names.insert(name.to_owned());
    };
    let unredacted = format!("{TOPIC}: unredacted");
    let cases: Vec<(Route, Value, &str)> = vec![
        (
            with(&|route| insert(&mut route.filter.events, "renderingFailure")),
            json!({}),
            &unredacted,
        ),
        (
            with(&|route| insert(&mut route.filter.events, "Rendering Failure")),
            json!({}),
            &unredacted,
        ),
        (
            with(&|route| insert(&mut route.filter.events, "Bounce")),
            json!({}),
            "unrouted: not-wanted",
        ),
        (
            with(&|route| insert(&mut route.filter.tenants, "acme")),
            tags.clone(),
            &unredacted,
        ),
        (
            with(&|route| insert(&mut route.filter.tenants, "beta")),
            tags.clone(),
            "unrouted: not-wanted",
        ),
        (
            with(&|route| insert(&mut route.filter.tenants, "acme")),
            json!({}),
            "unrouted: not-wanted",
        ),
        (
            with(&|route| insert(&mut route.filter.configuration_sets, "campaigns")),
            tags.clone(),
            &unredacted,
        ),
        (
            with(&|route| insert(&mut route.filter.configuration_sets, "Campaigns")),
            tags,
            "unrouted: not-wanted",
        ),
        (
            route("r", senders(None, Some(B), None), TOPIC, Redaction::None),
            json!({}),
            "unrouted: no-route",
        ),
        (
            route(
                "r",
                senders(Some(OWNER), None, Some("other.example")),
                TOPIC,
                Redaction::None,
            ),
            json!({"source": "a@other.example", "tags": {"ses:from-domain": ["other.example"]}}),
            "unrouted: no-route",
        ),
        (
            route("r", senders(Some("999900001111"), None, None), TOPIC, Redaction::None),
            json!({"tags": {"owner": ["999900001111"], "sourceArn": ["arn:aws:ses:us-east-1:999900001111:identity/x"]}}),
            "unrouted: no-route",
        ),
        (
            owner(),
            json!({"sendingAccountId": null}),
            "unrouted: unidentified-accounts",
        ),
    ];
    for (route, mail, expected) in cases {
        assert_eq!(decided(&received(mail.clone()), &[route]), [expected], "{mail}");
    }
}

#[test]
fn notifications_about_our_mails_are_not_mailed_and_other_accounts_cannot_forge_that() {
    let email = route(
        "e",
        senders(Some(OWNER), None, None),
        "email:ops@shop.example",
        Redaction::None,
    );
    let topic = route("t", senders(Some(OWNER), None, None), TOPIC, Redaction::None);
    let signs = [
        json!({"tags": {"postroom": ["digest"]}}),
        json!({"headers": [{"name": "x-postroom-notice", "value": "digest"}]}),
        json!({"source": "Postroom <POSTROOM@shop.example>"}),
    ];
    for sign in signs {
        let mut own = sign.clone();
        own["sendingAccountId"] = json!(OWNER);
        let both = [email.clone(), topic.clone()];
        assert_eq!(
            decided(&received(own.clone()), &both),
            [format!("{TOPIC}: unredacted")],
            "{own}"
        );
        assert_eq!(
            decided(&received(own.clone()), &both[..1]),
            ["unrouted: own-notification"],
            "{own}"
        );
        assert_eq!(
            decided(&received(sign.clone()), &both).len(),
            2,
            "the same sign in mail of another account: {sign}"
        );
    }
}
