//! What happens in one seed: mail, what SES tells of it, what people decide, and who may hear of what.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The account that the functions run in.
pub const HOME: &str = "111122223333";
const ACCOUNTS: [&str; 4] = [HOME, "222233334444", "333344445555", "444455556666"];
const OWNERS: [&str; 2] = [HOME, "222233334444"];
const DOMAINS: [&str; 3] = ["shop.example", "news.example", "victim.example"];
const SETS: [&str; 2] = ["campaigns", "receipts"];
const TENANTS: [&str; 2] = ["acme", "umbrella"];
const RECIPIENTS: [&str; 6] = [
    "jane@example.net",
    "joe@example.net",
    "ann@example.org",
    "bob@example.org",
    "eve@example.com",
    "zoe@xn--bcher-kva.example",
];
/// A word that only who may see everything may see.
pub const SECRET: &str = "a-word-only-the-full-view-has";
/// Where routes lead. `gone` refuses for good.
pub const TARGETS: [&str; 8] = [
    "topic:arn:aws:sns:us-east-1:111122223333:one",
    "topic:arn:aws:sns:eu-west-1:222233334444:two",
    "queue:arn:aws:sqs:us-east-1:333344445555:three",
    "bus:arn:aws:events:us-east-1:444455556666:event-bus/four",
    "email:five@shop.example",
    "topic:arn:aws:sns:us-east-1:111122223333:gone",
    "queue:arn:aws:sqs:us-east-1:222233334444:seven",
    "email:eight@news.example",
];

/// What becomes of the recipient of a bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Suppressed for good, for everyone.
    Dead,
    /// Adds to the streak.
    Soft,
    /// Suppressed for 30 days in the sender's scope.
    SuppressedBySes,
    /// Noted.
    Noted,
}

/// What a bounce or complaint counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// A hard bounce.
    Hard,
    /// A soft bounce.
    Soft,
    /// A complaint.
    Complaint,
    /// Recipients of what is common.
    Common(&'static str),
}

/// A line of the README's table.
#[derive(Debug)]
pub struct Cause {
    kind: &'static str,
    sub_type: &'static str,
    action: Option<&'static str>,
    status: Option<&'static str>,
    diagnostic: Option<&'static str>,
    /// What becomes of the recipient.
    pub outcome: Outcome,
    /// What it counts as.
    pub counts: Option<Counted>,
}

macro_rules! causes {
    ($( $kind:ident $sub_type:ident $action:expr, $status:expr, $diagnostic:expr => $outcome:ident, $counts:expr; )+) => {
        &[ $( Cause {
            kind: stringify!($kind), sub_type: stringify!($sub_type), action: $action, status: $status,
            diagnostic: $diagnostic, outcome: Outcome::$outcome, counts: $counts,
        }, )+ ]
    };
}

const FAILED: Option<&str> = Some("failed");
const HARD: Option<Counted> = Some(Counted::Hard);
const SOFT: Option<Counted> = Some(Counted::Soft);

#[rustfmt::skip]
const CAUSES: &[Cause] = causes! {
    Permanent General FAILED, Some("5.1.1"), Some("smtp; 550 5.1.1 user unknown") => Dead, HARD;
    Permanent NoEmail FAILED, Some("5.1.1"), Some("smtp; 550 5.1.1 no such user here") => Dead, HARD;
    Permanent Suppressed FAILED, Some("5.1.1"), None => Dead, HARD;
    Permanent OfTomorrow FAILED, Some("5.1.1"), None => Dead, HARD;
    Permanent General None, None, None => Dead, HARD;
    Permanent General Some("delayed"), Some("4.4.1"), None => Soft, SOFT;
    Permanent General FAILED, Some("5.2.2"), Some("smtp; 552 5.2.2 mailbox full") => Soft, HARD;
    Permanent General FAILED, Some("5.7.1"), Some("smtp; 550 5.7.1 rejected as spam") => Noted, HARD;
    Permanent OnAccountSuppressionList FAILED, Some("5.1.1"), Some("Amazon SES did not send the message") => SuppressedBySes, None;
    Permanent OnTenantSuppressionList FAILED, Some("5.1.1"), None => SuppressedBySes, None;
    Permanent EmailValidationSuppressed FAILED, Some("5.1.1"), None => SuppressedBySes, None;
    Permanent UnsubscribedRecipient FAILED, Some("5.1.1"), None => Noted, None;
    Transient General FAILED, Some("5.1.1"), Some("smtp; 550 5.1.1 user unknown") => Dead, HARD;
    Transient General FAILED, Some("5.4.4"), Some("smtp; 550 5.4.4 Invalid domain") => Dead, HARD;
    Transient General FAILED, Some("5.4.4"), None => Soft, SOFT;
    Transient MessageTooLarge FAILED, Some("5.3.4"), None => Noted, SOFT;
    Transient ContentRejected FAILED, Some("5.6.0"), None => Noted, SOFT;
    Transient AttachmentRejected FAILED, Some("5.6.0"), None => Noted, SOFT;
    Transient General None, None, None => Noted, None;
};

#[rustfmt::skip]
const SOFT_CAUSES: &[Cause] = causes! {
    Transient MailboxFull FAILED, Some("4.2.2"), Some("smtp; 452 4.2.2 mailbox full") => Soft, SOFT;
    Transient General FAILED, Some("4.4.7"), Some("smtp; 421 4.4.7 message expired") => Soft, SOFT;
    Transient CustomTimeoutExceeded FAILED, Some("4.4.7"), None => Soft, SOFT;
    Undetermined Undetermined FAILED, Some("4.4.1"), None => Soft, SOFT;
};

/// One bounced recipient, as the report names it.
#[derive(Debug, Clone, Copy)]
pub struct Bounced {
    /// The address.
    pub named: &'static str,
    /// What the report says.
    pub cause: &'static Cause,
}

/// What happened to a message.
#[derive(Debug, Clone)]
pub enum Kind {
    /// It bounced.
    Bounce(Vec<Bounced>),
    /// Somebody complained: feedback type, sub type, whom the report names.
    Complaint(Option<&'static str>, Option<&'static str>, Vec<&'static str>),
    /// It was delivered.
    Delivery(Vec<&'static str>),
    /// Its only recipient left (true) or joined contact list and topic.
    Subscription(bool),
    /// Send, Reject, Rendering Failure: to all recipients.
    Common(&'static str, &'static str),
    /// The delivery to all recipients is delayed.
    Delay,
    /// Open, or a type of tomorrow.
    Nothing(&'static str),
}

/// Something that happened to one message, whoever tells it.
#[derive(Debug, Clone)]
pub struct ScenarioEvent {
    /// SES's message id.
    pub message: String,
    /// Owner and identity, where SES tells them.
    pub identity: Option<(&'static str, String)>,
    /// The sending account, where SES tells it.
    pub account: Option<&'static str>,
    /// The domain the sender writes.
    pub claimed: &'static str,
    /// The configuration set.
    pub set: &'static str,
    /// The tenant.
    pub tenant: Option<&'static str>,
    /// Whom the message was sent to.
    pub destination: Vec<&'static str>,
    /// When it was sent.
    pub sent: Timestamp,
    /// When it happened, as the report says.
    pub told: Timestamp,
    /// When it really happened.
    pub at: Timestamp,
    /// What.
    pub kind: Kind,
}

/// Which way SES tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The identity's topic: no tags.
    Identity,
    /// The configuration set's: with tags.
    ConfigurationSet,
}

/// A message as it is published, to be queued for each function.
#[derive(Debug, Clone)]
pub struct Publication {
    /// What it tells of; `None` is unreadable or sets something up.
    pub tells: Option<(usize, Channel)>,
    /// Whether it has to end in the dead-letter queues.
    pub poison: bool,
    /// When SNS took it.
    pub at: Timestamp,
    /// The body in the queue.
    pub body: String,
}

/// A person suppresses (true) or releases an address.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Whom.
    pub address: &'static str,
    /// In which scope, as the table spells it.
    pub scope: String,
    /// Which.
    pub suppress: bool,
    /// When.
    pub at: Timestamp,
}

/// A route in plain words.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Whose identity; anyone's when absent.
    pub owner: Option<&'static str>,
    /// Whose sending; anyone's when absent.
    pub account: Option<&'static str>,
    /// Domain or address.
    pub identity: Option<String>,
    /// Only these configuration sets.
    pub sets: BTreeSet<&'static str>,
    /// Only these tenants.
    pub tenants: BTreeSet<&'static str>,
    /// Only these events.
    pub events: BTreeSet<&'static str>,
    /// Where to.
    pub target: &'static str,
    /// Whether it shows everything.
    pub full: bool,
}

/// Everything that happens in one seed.
#[derive(Debug)]
pub struct Scenario {
    /// What happened.
    pub happenings: Vec<ScenarioEvent>,
    /// What is published, some of it more than once.
    pub publications: Vec<Publication>,
    /// What people decide.
    pub decisions: Vec<Decision>,
    /// The routes.
    pub grants: Vec<Grant>,
    /// By sending account: the domains it sends from, with their owners.
    pub registry: BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
    /// Whether messages come as they happen, or all at the end.
    pub live: bool,
    /// After everything.
    pub end: Timestamp,
    /// How many days it lasts.
    pub days: i64,
}

/// When stories begin.
#[must_use]
pub fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn one<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

fn some(rng: &mut Rng, of: &[&'static str]) -> Vec<&'static str> {
    let mut all = of.to_vec();
    rng.shuffle(&mut all);
    all.truncate(rng.usize(1..=3));
    all
}

fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

impl Scenario {
    /// The story of a seed, or its first `size` happenings.
    #[must_use]
    pub fn new(seed: u64, size: Option<usize>) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let days = match rng.u32(..100) {
            0..70 => 10,
            70..96 => 60,
            _ => 170,
        };
        let whole = if chance(rng, 10) {
            rng.usize(1..=60)
        } else {
            rng.usize(1..=24)
        };
        // Few recipients and senders, so that their events meet.
        let cast = &RECIPIENTS[..rng.usize(1..=RECIPIENTS.len())];
        let senders: Vec<Sender> = (0..rng.usize(1..=3)).map(|_| Sender::new(rng)).collect();
        let softness = one(rng, &[20, 50, 80]);
        let mut happenings: Vec<ScenarioEvent> = (0..whole)
            .map(|number| {
                let sender = &senders[rng.usize(..senders.len())];
                happening(rng, number, sender, cast, softness, days)
            })
            .collect();
        let live = rng.bool();
        let grants = (0..rng.usize(0..=8)).map(|_| grant(rng)).collect();
        let registry = ["222233334444", HOME]
            .into_iter()
            .filter(|_| chance(rng, 70))
            .map(|account| (account, DOMAINS[..2].iter().map(|domain| (*domain, HOME)).collect()))
            .collect();
        happenings.truncate(size.unwrap_or(whole));

        let end = start() + SignedDuration::from_hours(24 * days + 12);
        let mut publications = Vec::new();
        for (index, happening) in happenings.iter().enumerate() {
            // A stream of its own, so that a part of the story is the same as in the whole.
            let rng = &mut Rng::with_seed(seed ^ (0x9e37_79b9_7f4a_7c15u64.wrapping_mul(index as u64 + 1)));
            publications.extend(publish(rng, index, happening));
        }
        let mut decisions = Vec::new();
        for number in 0..happenings.len() as u64 {
            let rng = &mut Rng::with_seed(seed.rotate_left(17) ^ number);
            if chance(rng, 6) {
                decisions.push(decision(rng, number, cast, &senders, days, live, end));
            }
            if chance(rng, 5) {
                publications.push(stray(rng, number));
            }
        }
        publications.sort_by_key(|publication| publication.at);
        decisions.sort_by_key(|decision| decision.at);
        Self {
            happenings,
            publications,
            decisions,
            grants,
            registry,
            live,
            end,
            days,
        }
    }
}

/// Who sends.
#[derive(Debug)]
struct Sender {
    owner: &'static str,
    identity: String,
    account: &'static str,
    domain: &'static str,
    tenant: Option<&'static str>,
}

impl Sender {
    fn new(rng: &mut Rng) -> Self {
        let domain = one(rng, &DOMAINS[..2]);
        Self {
            owner: one(rng, &OWNERS),
            identity: if chance(rng, 20) {
                format!("news@{domain}")
            } else {
                domain.to_owned()
            },
            account: one(rng, &ACCOUNTS),
            domain,
            tenant: chance(rng, 25).then(|| one(rng, &TENANTS)),
        }
    }
}

fn moment(rng: &mut Rng, days: i64, number: usize) -> Timestamp {
    // Never two at one instant.
    start() + SignedDuration::from_secs(rng.i64(3600..days * 86_400)) + SignedDuration::from_millis(number as i64)
}

fn happening(
    rng: &mut Rng,
    number: usize,
    sender: &Sender,
    cast: &[&'static str],
    softness: u32,
    days: i64,
) -> ScenarioEvent {
    let destination = if chance(rng, 75) {
        vec![one(rng, cast)]
    } else {
        some(rng, cast)
    };
    let sent = moment(rng, days, number);
    let mut at = sent + SignedDuration::from_secs(rng.i64(1..1800));
    let mut told = at;
    let kind = kind(rng, &destination, softness);
    if matches!(kind, Kind::Bounce(_) | Kind::Complaint(..)) && chance(rng, 5) {
        // Somebody else's clock: years ahead, or before the mail was sent.
        told = one(
            rng,
            &[
                at + SignedDuration::from_hours(24 * 900),
                sent - SignedDuration::from_hours(50),
            ],
        );
        at = sent;
    }
    if matches!(kind, Kind::Common(..)) {
        // These have no time of their own.
        (at, told) = (sent, sent);
    }
    let silent = chance(rng, 8);
    ScenarioEvent {
        message: format!("010f-{number}"),
        identity: (!silent).then(|| (sender.owner, sender.identity.clone())),
        account: (!chance(rng, 3)).then_some(sender.account),
        claimed: if chance(rng, 90) {
            sender.domain
        } else {
            "victim.example"
        },
        set: one(rng, &SETS),
        tenant: sender.tenant,
        destination,
        sent,
        told,
        at,
        kind,
    }
}

fn kind(rng: &mut Rng, destination: &[&'static str], softness: u32) -> Kind {
    // Now and then a report names somebody who was not mailed.
    let named = |rng: &mut Rng| {
        if chance(rng, 5) {
            "stranger@example.com"
        } else {
            one(rng, destination)
        }
    };
    if chance(rng, softness) {
        if chance(rng, 12) {
            return Kind::Delivery(destination.to_vec());
        }
        let cause = &SOFT_CAUSES[rng.usize(..SOFT_CAUSES.len())];
        return Kind::Bounce(vec![Bounced {
            named: named(rng),
            cause,
        }]);
    }
    match rng.u32(..100) {
        0..35 => {
            let cause = &CAUSES[rng.usize(..CAUSES.len())];
            if destination.len() > 1 && cause.kind == "Permanent" && cause.sub_type == "General" {
                // Each recipient has a status of its own.
                let general: Vec<&Cause> = CAUSES
                    .iter()
                    .filter(|cause| cause.kind == "Permanent" && cause.sub_type == "General")
                    .collect();
                let each = destination.iter().map(|named| Bounced {
                    named,
                    cause: one(rng, &general),
                });
                return Kind::Bounce(each.collect());
            }
            Kind::Bounce(vec![Bounced {
                named: named(rng),
                cause,
            }])
        }
        35..60 => {
            let feedback = one(
                rng,
                &[
                    Some("abuse"),
                    Some("fraud"),
                    Some("virus"),
                    Some("other"),
                    Some("deferred"),
                    None,
                ],
            );
            let (feedback, sub_type) = match rng.u32(..10) {
                0..3 => (Some("not-spam"), None),
                3 => (Some("auth-failure"), None),
                4 => (
                    None,
                    Some(one(rng, &["OnAccountSuppressionList", "OnTenantSuppressionList"])),
                ),
                _ => (feedback, None),
            };
            let whom = if chance(rng, 70) {
                vec![named(rng)]
            } else {
                destination.to_vec()
            };
            Kind::Complaint(feedback, sub_type, whom)
        }
        60..75 => Kind::Delivery(destination.to_vec()),
        75..82 => Kind::Subscription(rng.bool()),
        82..94 => {
            let (name, field) = one(
                rng,
                &[("Send", "send"), ("Reject", "reject"), ("Rendering Failure", "failure")],
            );
            Kind::Common(name, field)
        }
        94..97 => Kind::Delay,
        _ => Kind::Nothing(one(rng, &["Open", "Tomorrow"])),
    }
}

/// A spelling of the address; all mean one mailbox.
fn spelled(rng: &mut Rng, address: &str) -> String {
    match rng.u32(..6) {
        0 => format!("\"Some One\" <{address}>"),
        1 => address.to_uppercase(),
        2 => format!("<{address}>"),
        3 => address.replace("xn--bcher-kva", "b\u{fc}cher"),
        _ => address.to_owned(),
    }
}

fn publish(rng: &mut Rng, index: usize, happening: &ScenarioEvent) -> Vec<Publication> {
    let only_events = !matches!(
        happening.kind,
        Kind::Bounce(_) | Kind::Complaint(..) | Kind::Delivery(_)
    );
    let channels: &[Channel] = match rng.u32(..3) {
        0 if !only_events => &[Channel::Identity],
        1 if !only_events => &[Channel::Identity, Channel::ConfigurationSet],
        _ => &[Channel::ConfigurationSet],
    };
    let mut published = Vec::new();
    for channel in channels {
        // Minutes mostly, sometimes days.
        let late = if chance(rng, 15) {
            rng.i64(3600..5 * 86_400)
        } else {
            rng.i64(1..900)
        };
        let at = happening.at.max(happening.sent) + SignedDuration::from_secs(late);
        let notification = notification(rng, happening, *channel);
        let body = enveloped(rng, &notification, *channel, at, &format!("sns-{index}-{channel:?}"));
        let publication = Publication {
            tells: Some((index, *channel)),
            poison: false,
            at,
            body,
        };
        // 30 % duplicates; some of them again and again.
        let mut copies = 1;
        while chance(rng, 30) && copies < 5 {
            copies += 1;
        }
        published.extend(std::iter::repeat_n(publication, copies));
    }
    published
}

fn enveloped(rng: &mut Rng, notification: &Value, channel: Channel, at: Timestamp, id: &str) -> String {
    match rng.u32(..10) {
        0 => notification.to_string(),
        1 if channel == Channel::ConfigurationSet => {
            json!({"id": id, "source": "aws.ses", "detail-type": "Email Event", "detail": notification}).to_string()
        }
        _ => json!({
            "Type": "Notification", "MessageId": id, "TopicArn": "arn:aws:sns:us-east-1:111122223333:postroom",
            "Message": notification.to_string(), "Timestamp": at.to_string(),
        })
        .to_string(),
    }
}

fn notification(rng: &mut Rng, happening: &ScenarioEvent, channel: Channel) -> Value {
    let told = happening.told.to_string();
    let each = |rng: &mut Rng, addresses: &[&str]| -> Vec<Value> {
        let one = |address: &&str| json!({"emailAddress": spelled(rng, address)});
        addresses.iter().map(one).collect()
    };
    let (name, field, object) = match &happening.kind {
        Kind::Bounce(bounced) => {
            let recipients: Vec<Value> = bounced
                .iter()
                .map(|one| {
                    let mut recipient = json!({"emailAddress": spelled(rng, one.named)});
                    let fields = [
                        ("action", one.cause.action),
                        ("status", one.cause.status),
                        ("diagnosticCode", one.cause.diagnostic),
                    ];
                    for (name, value) in fields {
                        if let Some(value) = value {
                            recipient[name] = json!(value);
                        }
                    }
                    recipient
                })
                .collect();
            let cause = bounced[0].cause;
            let object = json!({
                "bounceType": cause.kind, "bounceSubType": cause.sub_type, "bouncedRecipients": recipients,
                "timestamp": told, "feedbackId": format!("feedback-{}", rng.u32(..1000)),
            });
            ("Bounce", "bounce", object)
        }
        Kind::Complaint(feedback, sub_type, whom) => {
            let object = json!({
                "complainedRecipients": each(rng, whom), "timestamp": told, "complaintFeedbackType": feedback,
                "complaintSubType": sub_type, "feedbackId": format!("feedback-{}", rng.u32(..1000)),
            });
            ("Complaint", "complaint", object)
        }
        Kind::Delivery(whom) => {
            let recipients: Vec<String> = whom.iter().map(|address| spelled(rng, address)).collect();
            (
                "Delivery",
                "delivery",
                json!({"timestamp": told, "recipients": recipients}),
            )
        }
        Kind::Subscription(left) => {
            let status = if *left { "OptOut" } else { "OptIn" };
            let topics = json!([{"topicName": "weekly", "subscriptionStatus": status}]);
            let wanted = json!({"unsubscribeAll": left, "topicSubscriptionStatus": topics});
            let object = json!({"contactList": "readers", "timestamp": told, "newTopicPreferences": wanted});
            ("Subscription", "subscription", object)
        }
        Kind::Common(name, field) => (*name, *field, json!({})),
        Kind::Delay => {
            let object = json!({"timestamp": told, "delayType": "MailboxFull", "delayedRecipients": each(rng, &happening.destination)});
            ("DeliveryDelay", "deliveryDelay", object)
        }
        Kind::Nothing(name) => (*name, "open", json!({"timestamp": told})),
    };
    let destination: Vec<String> = happening
        .destination
        .iter()
        .map(|address| spelled(rng, address))
        .collect();
    let mut mail = json!({
        "timestamp": happening.sent.to_string(), "messageId": happening.message, "destination": destination,
        "source": format!("News <news@{}>", happening.claimed),
        "headers": [{"name": "Subject", "value": SECRET}],
    });
    if let Some((owner, identity)) = &happening.identity {
        mail["sourceArn"] = json!(format!("arn:aws:ses:us-east-1:{owner}:identity/{identity}"));
    }
    if let Some(account) = happening.account {
        mail["sendingAccountId"] = json!(account);
    }
    match channel {
        Channel::Identity => json!({"notificationType": name, field: object, "mail": mail}),
        Channel::ConfigurationSet => {
            mail["tags"] = json!({
                "ses:configuration-set": [happening.set], "ses:from-domain": [happening.claimed], "campaign": [SECRET],
            });
            if let Some(tenant) = happening.tenant {
                mail["tags"]["ses:tenant-name"] = json!([tenant]);
            }
            json!({"eventType": name, field: object, "mail": mail})
        }
    }
}

/// What is no notification: unreadable, or about the set-up.
fn stray(rng: &mut Rng, number: u64) -> Publication {
    let (body, poison) = match rng.u32(..6) {
        0 => (format!("not JSON {number}"), true),
        1 => (r#"{"notificationType":"Bounce","mail":{"mess"#.to_owned(), true),
        2 => (
            r#"{"notificationType":"Bounce","bounce":{"bounceType":"Permanent"}}"#.to_owned(),
            true,
        ),
        3 => (r#"{"something":"else"}"#.to_owned(), true),
        4 => (
            "Successfully validated SNS topic for Amazon SES event publishing.".to_owned(),
            false,
        ),
        _ => (
            r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"..."}"#.to_owned(),
            false,
        ),
    };
    Publication {
        tells: None,
        poison,
        at: start() + SignedDuration::from_secs(rng.i64(1..9 * 86_400)),
        body,
    }
}

fn decision(
    rng: &mut Rng,
    number: u64,
    cast: &[&'static str],
    senders: &[Sender],
    days: i64,
    live: bool,
    end: Timestamp,
) -> Decision {
    let sender = &senders[rng.usize(..senders.len())];
    let scope = match (rng.u32(..3), sender.tenant) {
        (0, _) => "global".to_owned(),
        (1, Some(tenant)) => format!("tenant:{tenant}"),
        _ => format!("domain:{}", sender.domain),
    };
    // A person decides now. Where everything is handled at the end, now is then.
    let at = if live {
        moment(rng, days, 500 + number as usize)
    } else {
        end + SignedDuration::from_millis(number as i64)
    };
    Decision {
        address: one(rng, cast),
        scope,
        suppress: chance(rng, 30),
        at,
    }
}

fn grant(rng: &mut Rng) -> Grant {
    let words = |rng: &mut Rng, of: &[&'static str]| {
        if chance(rng, 70) {
            BTreeSet::new()
        } else {
            some(rng, of).into_iter().collect()
        }
    };
    let owner = chance(rng, 80).then(|| one(rng, &OWNERS));
    let account = (owner.is_none() || rng.bool()).then(|| one(rng, &ACCOUNTS));
    let identity = (owner.is_some() && chance(rng, 40)).then(|| {
        let domain = one(rng, &DOMAINS);
        if chance(rng, 30) {
            format!("news@{domain}")
        } else {
            domain.to_owned()
        }
    });
    Grant {
        owner,
        account,
        identity,
        sets: words(rng, &SETS),
        tenants: words(rng, &TENANTS),
        events: words(rng, &["Bounce", "Complaint", "Delivery", "Send"]),
        target: one(rng, &TARGETS),
        full: rng.bool(),
    }
}
