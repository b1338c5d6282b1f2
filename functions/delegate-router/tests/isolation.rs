//! Whatever a sender writes, no target gets a notification of a party it was not granted; and none is lost.
//!
//! The reference below knows nothing of keys, ranks or the store: it reads accounts out of the JSON by hand.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use delegate_router::decide::{Action, Facts, Received, decide};
use delegate_router::delivery::Delivery;
use delegate_router::ownership::identify;
use lambda_kit::Metrics;
use notification_model::{SesMessage, parse};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use store::{Redaction, RegisteredIdentity, Route, RouteFilter};
use support::{OWNER, PARK_URL, UNROUTED, World, now, route, senders, settings, sqs_event};

const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-router";
const ACCOUNTS: [&str; 4] = [OWNER, "222233334444", "333344445555", "444455556666"];
const DOMAINS: [&str; 3] = ["shop.example", "news.example", "victim.example"];
const EVENTS: [&str; 4] = ["Bounce", "Complaint", "Delivery", "Open"];
/// Names a sender may choose for configuration sets and tenants, some of them keys of our table.
const NAMES: [&str; 5] = ["campaigns", "acme", "*", "111122223333#*#*", "ROUTE#*#222233334444#*"];
const SECRET: &str = "a-word-only-the-full-view-has";
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

/// A route in plain words.
#[derive(Debug, Clone)]
struct Grant {
    owner: Option<&'static str>,
    account: Option<&'static str>,
    identity: Option<String>,
    sets: BTreeSet<&'static str>,
    tenants: BTreeSet<&'static str>,
    events: BTreeSet<&'static str>,
    target: &'static str,
    full: bool,
}

fn identity() -> impl Strategy<Value = String> {
    (select(&DOMAINS[..]), any::<bool>()).prop_map(|(domain, whole)| match whole {
        true => domain.to_owned(),
        false => format!("news@{domain}"),
    })
}

fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop_oneof![
        3 => Just(BTreeSet::new()),
        1 => prop::collection::btree_set(select(words), 1..3),
    ]
}

fn grant() -> impl Strategy<Value = Grant> {
    let whom = (
        prop::option::weighted(0.8, select(&ACCOUNTS[..])),
        prop::option::of(select(&ACCOUNTS[..])),
        prop::option::of(identity()),
    );
    let only = (some_of(&NAMES), some_of(&NAMES), some_of(&EVENTS));
    let parts = (whom, only, select(&TARGETS[..]), any::<bool>());
    parts
        .prop_map(
            |((owner, account, identity), (sets, tenants, events), target, full)| Grant {
                owner,
                account,
                identity: identity.filter(|_| owner.is_some()),
                sets,
                tenants,
                events,
                target,
                full,
            },
        )
        .prop_filter("somebody's", |grant| grant.owner.is_some() || grant.account.is_some())
}

fn as_route((number, grant): (usize, &Grant)) -> Route {
    let words = |words: &BTreeSet<&str>| words.iter().map(|word| (*word).to_owned()).collect();
    let view = if grant.full {
        Redaction::None
    } else {
        Redaction::Standard
    };
    let about = senders(grant.owner, grant.account, grant.identity.as_deref());
    Route {
        filter: RouteFilter {
            configuration_sets: words(&grant.sets),
            tenants: words(&grant.tenants),
            events: words(&grant.events),
        },
        ..route(&format!("route-{number}"), about, grant.target, view)
    }
}

/// A notification with every field that a sender can write set against it.
fn notification() -> impl Strategy<Value = Value> {
    let truth = (
        prop::option::weighted(0.8, (select(&ACCOUNTS[..]), identity())),
        prop::option::weighted(0.95, select(&ACCOUNTS[..])),
        select(&EVENTS[..]),
    );
    let words = (
        prop::option::of(select(&NAMES[..])),
        prop::option::of(select(&NAMES[..])),
        prop::option::of(select(&DOMAINS[..])),
        select(&DOMAINS[..]),
        select(&ACCOUNTS[..]),
        any::<bool>(),
    );
    (truth, words).prop_map(
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

/// Whose identities each account sends from.
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

/// The targets that may have a notification and must get it, each with whether any grant shows it everything.
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
    let is_notice = account == OWNER && tag("postroom") == Some("digest");
    let mut targets = BTreeMap::new();
    for grant in grants {
        let ownership = grant.owner.is_none_or(|granted| granted == owner)
            && grant.account.is_none_or(|granted| granted == account)
            && grant.identity.as_deref().is_none_or(|granted| {
                granted == identity || identity.split_once('@').is_some_and(|(_, domain)| domain == granted)
            });
        let named =
            |words: &BTreeSet<&str>, name: &str| words.is_empty() || tag(name).is_some_and(|word| words.contains(word));
        let wanted = named(&grant.sets, "ses:configuration-set")
            && named(&grant.tenants, "ses:tenant-name")
            && (grant.events.is_empty() || grant.events.contains(notification["eventType"].as_str().unwrap()));
        if ownership && wanted && !(is_notice && grant.target.starts_with("email:")) {
            *targets.entry(grant.target).or_insert(false) |= grant.full;
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
fn decided_is_what_is_granted_and_nothing_else() {
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
                // All of them, not only those that a look-up by key would find.
                routes: grants.iter().enumerate().map(as_route).collect(),
            };
            let received = Received {
                notification: parsed,
                payload,
            };
            let mut told = BTreeMap::new();
            for action in decide(&received, &facts, &own_identity) {
                match action {
                    Action::Deliver(delivery) => {
                        let again = told.insert(delivery.target.to_string(), delivery.body);
                        prop_assert!(again.is_none(), "each target once");
                    }
                    Action::Unrouted(unrouted) => {
                        prop_assert!(expected.is_empty(), "unrouted: {}", unrouted.because);
                        prop_assert_eq!(&unrouted.body, &received.payload);
                    }
                }
            }
            let targets: Vec<&str> = told.keys().map(String::as_str).collect();
            prop_assert_eq!(targets, expected.keys().copied().collect::<Vec<_>>());
            for (target, body) in &told {
                prop_assert!(
                    expected[target.as_str()] || !body.contains(SECRET),
                    "{} sees {}",
                    target,
                    body
                );
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_received_is_delivered_unrouted_parked_or_still_tried() {
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
            let notifications: Vec<Value> = numbers.map(|(number, one)| numbered(one, number)).collect();
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

/// Where each message is in the end: `(target or unrouted, message id)`.
async fn accounted_for(grants: &[Grant], notifications: &[Value], registry: &Registry) -> BTreeSet<(String, String)> {
    let world = World::new().await;
    world.put(grants.iter().enumerate().map(as_route).collect()).await;
    for account in registry.keys() {
        let known = registered(registry, account);
        world
            .store
            .register_identities(&account.parse().unwrap(), &known)
            .await
            .unwrap();
    }
    world.refuse(":gone", "NotFound");
    world.refuse("/busy", "Throttled");

    let bodies: Vec<String> = notifications.iter().map(Value::to_string).collect();
    let answer = world
        .handle(&sqs_event(QUEUE_ARN, &bodies), &mut Metrics::default(), now())
        .await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    world.deliver_waiting(&mut Metrics::default()).await;
    world.deliver_waiting(&mut Metrics::default()).await;

    let id = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap();
        let mail = body.get("mail").or_else(|| body["notification"].get("mail"));
        let id = mail.map_or(&body["messageId"], |mail| &mail["messageId"]);
        id.as_str().unwrap().to_owned()
    };
    let waits = |text: &str| {
        let delivery = Delivery::from_message(text).unwrap();
        (delivery.target.to_string(), id(&delivery.body))
    };
    let mut found: Vec<(String, String)> = world
        .given
        .lock()
        .unwrap()
        .waiting
        .iter()
        .map(|text| waits(text))
        .collect();
    for taken in world.taken() {
        found.push(match taken.by.as_str() {
            PARK_URL => waits(&taken.body),
            UNROUTED => ("unrouted".to_owned(), id(&taken.body)),
            target_key => (named(target_key), id(&taken.body)),
        });
    }
    for target in TARGETS.iter().filter(|target| target.starts_with("email:")) {
        let lines = world.digest_items(target.trim_start_matches("email:")).await;
        found.extend(lines.iter().map(|line| ((*target).to_owned(), id(line))));
    }
    let once: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(once.len(), found.len(), "nobody gets anything twice");
    once
}

fn named(target_key: &str) -> String {
    let name = target_key.rsplit(['/', ':']).next().unwrap();
    let target = TARGETS
        .iter()
        .find(|target| target.rsplit(['/', ':']).next() == Some(name));
    (*target.unwrap()).to_owned()
}
