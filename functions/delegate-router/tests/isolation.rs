//! For any fields that a sender controls, no target receives a notification of an account it was not granted, and no
//! notification is lost.
//!
//! The reference implementation, [`entitled`], uses neither route keys nor the store: it reads the accounts from the JSON.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use delegate_router::action::Action;
use delegate_router::decide::{Facts, decide};
use delegate_router::delivery::Delivery;
use delegate_router::ownership::identify;
use delegate_router::received::Received;
use lambda_kit::Metrics;
use notification_model::{SesMessage, parse};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use store::{Redaction, RegisteredIdentity, Route, RouteFilter};
use support::{DEAD_LETTER_QUEUE, OWNER, UNROUTED_TOPIC, World, now, route, senders, settings, sqs_event};

const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-router";
const ACCOUNTS: [&str; 4] = [OWNER, "222233334444", "333344445555", "444455556666"];
const DOMAINS: [&str; 3] = ["shop.example", "news.example", "victim.example"];
const EVENTS: [&str; 4] = ["Bounce", "Complaint", "Delivery", "Open"];
/// Names that a sender chooses for configuration sets and tenants. Some look like keys of our table.
const NAMES: [&str; 5] = ["campaigns", "acme", "*", "111122223333#*#*", "ROUTE#*#222233334444#*"];
const SECRET: &str = "only-in-unredacted-notifications";
const TARGETS: [&str; 8] = [
    "topic:arn:aws:sns:us-east-1:111122223333:one",
    "topic:arn:aws:sns:eu-west-1:222233334444:two",
    "queue:arn:aws:sqs:us-east-1:333344445555:three",
    "bus:arn:aws:events:us-east-1:444455556666:event-bus/four",
    "email:five@shop.example",
    "topic:arn:aws:sns:us-east-1:111122223333:gone",
    "queue:arn:aws:sqs:us-east-1:222233334444:busy",
    "email:six@news.example",
];

/// A route of the reference implementation.
#[derive(Debug, Clone)]
struct Grant {
    owner: Option<&'static str>,
    account: Option<&'static str>,
    identity: Option<String>,
    sets: BTreeSet<&'static str>,
    tenants: BTreeSet<&'static str>,
    events: BTreeSet<&'static str>,
    target: &'static str,
    unredacted: bool,
}

fn identity() -> impl Strategy<Value = String> {
    (select(&DOMAINS[..]), any::<bool>()).prop_map(|(domain, is_domain)| match is_domain {
        true => domain.to_owned(),
        false => format!("news@{domain}"),
    })
}

fn some_of(names: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop_oneof![
        3 => Just(BTreeSet::new()),
        1 => prop::collection::btree_set(select(names), 1..3),
    ]
}

fn grant() -> impl Strategy<Value = Grant> {
    let senders = (
        prop::option::weighted(0.8, select(&ACCOUNTS[..])),
        prop::option::of(select(&ACCOUNTS[..])),
        prop::option::of(identity()),
    );
    let filter = (some_of(&NAMES), some_of(&NAMES), some_of(&EVENTS));
    let parts = (senders, filter, select(&TARGETS[..]), any::<bool>());
    parts
        .prop_map(
            |((owner, account, identity), (sets, tenants, events), target, unredacted)| Grant {
                owner,
                account,
                identity: identity.filter(|_| owner.is_some()),
                sets,
                tenants,
                events,
                target,
                unredacted,
            },
        )
        .prop_filter("with an owner or a sending account", |grant| {
            grant.owner.is_some() || grant.account.is_some()
        })
}

fn as_route((number, grant): (usize, &Grant)) -> Route {
    let names = |names: &BTreeSet<&str>| names.iter().map(|name| (*name).to_owned()).collect();
    let redaction = if grant.unredacted {
        Redaction::None
    } else {
        Redaction::Standard
    };
    let about = senders(grant.owner, grant.account, grant.identity.as_deref());
    Route {
        filter: RouteFilter {
            configuration_sets: names(&grant.sets),
            tenants: names(&grant.tenants),
            events: names(&grant.events),
        },
        ..route(&format!("route-{number}"), about, grant.target, redaction)
    }
}

/// A notification whose sender-controlled fields name other accounts and identities than its own.
fn notification() -> impl Strategy<Value = Value> {
    let set_by_ses = (
        prop::option::weighted(0.8, (select(&ACCOUNTS[..]), identity())),
        prop::option::weighted(0.95, select(&ACCOUNTS[..])),
        select(&EVENTS[..]),
    );
    let set_by_sender = (
        prop::option::of(select(&NAMES[..])),
        prop::option::of(select(&NAMES[..])),
        prop::option::of(select(&DOMAINS[..])),
        select(&DOMAINS[..]),
        select(&ACCOUNTS[..]),
        any::<bool>(),
    );
    (set_by_ses, set_by_sender).prop_map(
        |((identity, account, event), (set, tenant, tagged, claimed, other, notice))| {
            let arn = |(owner, identity): (&str, String)| format!("arn:aws:ses:us-east-1:{owner}:identity/{identity}");
            let tags = json!({
                "ses:configuration-set": set, "ses:tenant-name": tenant, "ses:from-domain": tagged,
                "owner": other, "sendingAccountId": other, "account": other, "campaign": SECRET,
                "sourceArn": arn((other, claimed.to_owned())), "postroom": notice.then_some("digest"),
            });
            let tags = tags.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
            let tags: BTreeMap<_, _> = tags.map(|(name, value)| (name.clone(), vec![value.clone()])).collect();
            let source = format!("\"arn:aws:ses:us-east-1:{other}:identity/{claimed}\" <news@{claimed}>");
            let mail = json!({
                "timestamp": "2026-03-02T08:15:30.000Z", "source": source, "sourceArn": identity.map(arn),
                "sendingAccountId": account, "destination": ["jane@example.net", format!("{SECRET}@example.net")],
                "headers": [{"name": "From", "value": format!("news@{claimed}")}, {"name": "Sender", "value": other}],
                "commonHeaders": {"from": [format!("news@{claimed}")], "subject": SECRET}, "tags": tags,
            });
            let jane = json!([{"emailAddress": "jane@example.net"}]);
            let object = match event {
                "Bounce" => {
                    json!({"bounceType": "Permanent", "bouncedRecipients": jane, "timestamp": "2026-03-02T08:15:32Z"})
                }
                "Complaint" => json!({"complainedRecipients": jane, "timestamp": "2026-03-02T08:15:32Z"}),
                "Delivery" => json!({"recipients": ["jane@example.net"]}),
                _ => json!({"ipAddress": SECRET}),
            };
            json!({"eventType": event, event.to_lowercase(): object, "mail": mail})
        },
    )
}

/// The owner of each domain that an account sends from, by account.
type Registry = BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>;

fn registry() -> impl Strategy<Value = Registry> {
    let owned = prop::collection::btree_map(select(&DOMAINS[..]), select(&ACCOUNTS[..]), 0..3);
    prop::collection::btree_map(select(&ACCOUNTS[..]), owned, 0..4)
}

fn registered(registry: &Registry, account: &str) -> Vec<RegisteredIdentity> {
    let known = registry.get(account).into_iter().flatten();
    known
        .map(|(domain, owner)| RegisteredIdentity {
            identity: (*domain).into(),
            owner: owner.parse().unwrap(),
        })
        .collect()
}

/// The targets that must receive the notification, each with whether any grant leaves it unredacted. No other target may
/// receive it.
fn entitled(notification: &Value, grants: &[Grant], registry: &Registry) -> BTreeMap<&'static str, bool> {
    let mail = &notification["mail"];
    let tag = |name: &str| mail["tags"][name][0].as_str();
    let Some(account) = mail["sendingAccountId"].as_str() else {
        return BTreeMap::new();
    };
    let (owner, identity) = match mail["sourceArn"].as_str() {
        Some(arn) => {
            let parts: Vec<&str> = arn.split(':').collect();
            (parts[4], parts[5].trim_start_matches("identity/"))
        }
        None => {
            let source = mail["source"].as_str().unwrap();
            let claimed = source.rsplit('@').next().unwrap().trim_end_matches('>');
            let domain = tag("ses:from-domain").unwrap_or(claimed);
            match registry.get(account).and_then(|known| known.get(domain)) {
                Some(owner) => (*owner, domain),
                None => return BTreeMap::new(),
            }
        }
    };
    let is_own_notification = account == OWNER && tag("postroom") == Some("digest");
    let mut targets = BTreeMap::new();
    for grant in grants {
        let ownership = grant.owner.is_none_or(|granted| granted == owner)
            && grant.account.is_none_or(|granted| granted == account)
            && grant.identity.as_deref().is_none_or(|granted| {
                granted == identity || identity.split_once('@').is_some_and(|(_, domain)| domain == granted)
            });
        let selects = |names: &BTreeSet<&str>, tag_name: &str| {
            names.is_empty() || tag(tag_name).is_some_and(|name| names.contains(name))
        };
        let is_selected = selects(&grant.sets, "ses:configuration-set")
            && selects(&grant.tenants, "ses:tenant-name")
            && (grant.events.is_empty() || grant.events.contains(notification["eventType"].as_str().unwrap()));
        if ownership && is_selected && !(is_own_notification && grant.target.starts_with("email:")) {
            *targets.entry(grant.target).or_insert(false) |= grant.unredacted;
        }
    }
    targets
}

fn numbered(mut notification: Value, number: usize) -> Value {
    notification["mail"]["messageId"] = json!(format!("m{number}"));
    notification
}

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("POSTROOM_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(default),
        ..ProptestConfig::default()
    }
}

#[test]
fn exactly_the_entitled_targets_are_decided() {
    let world = (prop::collection::vec(grant(), 0..12), notification(), registry());
    let own_identity = settings().own_identity();
    TestRunner::new(cases(3000))
        .run(&world, |(grants, notification, registry)| {
            let notification = numbered(notification, 1);
            let expected = entitled(&notification, &grants, &registry);
            let payload = notification.to_string();
            let SesMessage::Notification(parsed) = parse(&payload).unwrap() else {
                panic!("a notification")
            };
            let account = notification["mail"]["sendingAccountId"].as_str().unwrap_or_default();
            let facts = Facts {
                ownership: identify(&parsed.mail, &registered(&registry, account)),
                // All routes, not only those that a lookup by key finds.
                routes: grants.iter().enumerate().map(as_route).collect(),
            };
            let received = Received {
                notification: parsed,
                payload,
            };
            let mut bodies = BTreeMap::new();
            for action in decide(&received, &facts, &own_identity) {
                match action {
                    Action::Deliver(delivery) => {
                        let again = bodies.insert(delivery.target.to_string(), delivery.body);
                        prop_assert!(again.is_none(), "a target twice");
                    }
                    Action::Unrouted(unrouted) => {
                        prop_assert!(expected.is_empty(), "unrouted: {}", unrouted.explanation);
                        prop_assert_eq!(&unrouted.body, &received.payload);
                    }
                }
            }
            let targets: Vec<&str> = bodies.keys().map(String::as_str).collect();
            prop_assert_eq!(targets, expected.keys().copied().collect::<Vec<_>>());
            for (target, body) in &bodies {
                prop_assert!(
                    expected[target.as_str()] || !body.contains(SECRET),
                    "{} receives {}",
                    target,
                    body
                );
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_notification_is_delivered_unrouted_dead_lettered_or_still_queued() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = (
        prop::collection::vec(grant(), 0..12),
        prop::collection::vec(notification(), 1..25),
        registry(),
    );
    TestRunner::new(cases(60))
        .run(&world, |(grants, notifications, registry)| {
            let numbers = notifications.into_iter().enumerate();
            let notifications: Vec<Value> = numbers
                .map(|(number, notification)| numbered(notification, number))
                .collect();
            let expected: BTreeSet<(String, String)> = notifications
                .iter()
                .flat_map(|notification| {
                    let id = notification["mail"]["messageId"].as_str().unwrap();
                    let targets = entitled(notification, &grants, &registry)
                        .into_keys()
                        .map(str::to_owned);
                    let mut targets: Vec<String> = targets.collect();
                    if targets.is_empty() {
                        targets.push("unrouted".to_owned());
                    }
                    targets
                        .into_iter()
                        .map(|target| (target, id.to_owned()))
                        .collect::<Vec<_>>()
                })
                .collect();
            let found = runtime.block_on(accounted_for(&grants, &notifications, &registry));
            prop_assert_eq!(found, expected);
            Ok(())
        })
        .unwrap();
}

/// Where each message is after the function has run: the target or `unrouted`, and the message id.
async fn accounted_for(grants: &[Grant], notifications: &[Value], registry: &Registry) -> BTreeSet<(String, String)> {
    let world = World::new().await;
    world
        .put_routes(grants.iter().enumerate().map(as_route).collect())
        .await;
    for account in registry.keys() {
        let known = registered(registry, account);
        world
            .store
            .register_identities(&account.parse().unwrap(), &known)
            .await
            .unwrap();
    }
    world.reject(":gone", "NotFound");
    world.reject("/busy", "Throttled");

    let bodies: Vec<String> = notifications.iter().map(Value::to_string).collect();
    let response = world
        .handle(&sqs_event(QUEUE_ARN, &bodies), &mut Metrics::default(), now())
        .await;
    assert_eq!(response, json!({"batchItemFailures": []}));
    world.deliver_queued(&mut Metrics::default()).await;
    world.deliver_queued(&mut Metrics::default()).await;

    let id = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap();
        let mail = body.get("mail").or_else(|| body["notification"].get("mail"));
        let id = mail.map_or(&body["messageId"], |mail| &mail["messageId"]);
        id.as_str().unwrap().to_owned()
    };
    let target_and_id = |text: &str| {
        let delivery = Delivery::from_message(text).unwrap();
        (delivery.target.to_string(), id(&delivery.body))
    };
    let mut found: Vec<(String, String)> = world
        .services
        .lock()
        .unwrap()
        .queued
        .iter()
        .map(|text| target_and_id(text))
        .collect();
    for sent in world.sent() {
        found.push(match sent.to.as_str() {
            DEAD_LETTER_QUEUE => target_and_id(&sent.body),
            UNROUTED_TOPIC => ("unrouted".to_owned(), id(&sent.body)),
            to => (target_of(to), id(&sent.body)),
        });
    }
    for target in TARGETS.iter().filter(|target| target.starts_with("email:")) {
        let items = world.digest_items(target.trim_start_matches("email:")).await;
        found.extend(items.iter().map(|item| ((*target).to_owned(), id(item))));
    }
    let once: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(once.len(), found.len(), "a target received a message twice");
    once
}

/// The target of a route with this ARN, URL or address.
fn target_of(to: &str) -> String {
    let name = to.rsplit(['/', ':']).next().unwrap();
    let target = TARGETS
        .iter()
        .find(|target| target.rsplit(['/', ':']).next() == Some(name));
    (*target.unwrap()).to_owned()
}
