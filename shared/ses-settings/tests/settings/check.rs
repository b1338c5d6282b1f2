//! Checks without calls, entries with wildcards, and the evaluation of policies.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use ses_settings::NotificationType::{Bounce, Complaint};
use ses_settings::{
    Context, Decision, Delegate, Desired, EventDestination, Field, Fields, IdentityEntry, Object, SendAction,
    SendRequest, TopicChoice, Value, check, evaluate, expand,
};

use crate::scenario::{TOPIC, agency, context, desired, identity};

fn messages(object: Object, fields: Fields) -> Vec<String> {
    let desired = Desired::from([(object, fields)]);
    check(&desired, &context())
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

fn message(object: Object, field: Field, value: Value) -> String {
    messages(object, [(field, value)].into()).join("\n")
}

#[test]
fn the_scenario_has_no_problems() {
    assert_eq!(check(&desired(), &context()), []);
}

#[test]
fn topics_are_standard_topics_of_the_region() {
    let cases = [
        ("arn:aws:sns:us-east-1:111122223333:a", ""),
        ("arn:aws:sns:us-east-1:222233334444:a", ""),
        ("arn:aws:sns:eu-west-1:111122223333:a", "expected a topic in us-east-1"),
        ("arn:aws:sns:us-east-1:111122223333:a.fifo", "expected a standard topic"),
        (
            "arn:aws:sqs:us-east-1:111122223333:a",
            "expected the ARN of an SNS topic",
        ),
        ("arn:aws:sns:us-east-1:1111:a", "expected the ARN of an SNS topic"),
        (
            "arn:aws:sns:us-east-1:111122223333:a:b",
            "expected the ARN of an SNS topic",
        ),
        ("a", "expected the ARN of an SNS topic"),
    ];
    for (arn, expected) in cases {
        let found = message(
            identity("shop.example"),
            Field::Topic(Bounce),
            Value::Text(arn.to_owned()),
        );
        assert!(
            found.contains(expected) && found.is_empty() == expected.is_empty(),
            "{arn}: {found}"
        );
    }
}

#[test]
fn policies_have_a_name_one_resource_principals_actions_and_at_most_4_kb() {
    let arn = "arn:aws:ses:us-east-1:111122223333:identity/shop.example";
    let valid = agency().policy(arn);
    let changed = |member: &str, value: Json| {
        let mut policy = valid.clone();
        policy["Statement"][member] = value;
        policy
    };
    let long: Vec<String> = (0..200)
        .map(|number| format!("someone-{number}@shop.example"))
        .collect();
    let cases = [
        ("postroom-agency", valid.clone(), ""),
        ("with space", valid.clone(), "expected the name of a policy"),
        ("", valid.clone(), "expected the name of a policy"),
        (
            "a",
            changed("Resource", json!([arn, "arn:other"])),
            "expected exactly one Resource",
        ),
        ("a", changed("Resource", json!("*")), "expected exactly one Resource"),
        (
            "a",
            changed("Principal", json!({"AWS": "*"})),
            "expected a 12-digit account id",
        ),
        (
            "a",
            changed("Principal", json!({"AWS": "agency"})),
            "expected a 12-digit account id",
        ),
        ("a", changed("Principal", json!("*")), "expected a principal"),
        (
            "a",
            changed("Action", json!("ses:SendBounce")),
            "expected the actions SendEmail",
        ),
        ("a", changed("Action", json!([])), "expected the actions SendEmail"),
        (
            "a",
            changed("Effect", json!("Maybe")),
            "expected a statement with the effect",
        ),
        ("a", json!({"Statement": []}), "expected at least one statement"),
        (
            "a",
            changed("Condition", json!({"StringLike": {"ses:FromAddress": long}})),
            "bytes; SES allows 4096",
        ),
    ];
    for (name, policy, expected) in cases {
        let found = message(
            identity("shop.example"),
            Field::Policy(name.to_owned()),
            Value::document(&policy),
        );
        assert!(
            found.contains(expected) && found.is_empty() == expected.is_empty(),
            "{name} {policy}: {found}"
        );
    }
    let policies = |count: usize| {
        let fields = (0..count).map(|number| (Field::Policy(format!("p{number}")), Value::document(&valid)));
        messages(identity("shop.example"), fields.collect())
    };
    assert_eq!(policies(20), Vec::<String>::new());
    assert_eq!(policies(21), ["21 policies; SES allows 20 for an identity"]);
}

#[test]
fn event_destinations_have_a_target_of_the_region_and_streams_a_role() {
    let stream = "arn:aws:firehose:us-east-1:111122223333:deliverystream/a";
    let role = "arn:aws:iam::111122223333:role/a";
    let cases = [
        (TOPIC, None, "BOUNCE", ""),
        (
            "arn:aws:events:us-east-1:111122223333:event-bus/default",
            None,
            "BOUNCE",
            "",
        ),
        (stream, Some(role), "BOUNCE", ""),
        (stream, None, "BOUNCE", "needs a role"),
        (stream, Some("a"), "BOUNCE", "expected the ARN of an IAM role"),
        (
            TOPIC,
            Some(role),
            "BOUNCE",
            "expected a role only for a delivery stream",
        ),
        (
            "arn:aws:events:us-east-1:111122223333:event-bus/own",
            None,
            "BOUNCE",
            "event bus default",
        ),
        (
            "arn:aws:events:eu-west-1:111122223333:event-bus/default",
            None,
            "BOUNCE",
            "expected a target in us-east-1",
        ),
        (
            "arn:aws:sqs:us-east-1:111122223333:a",
            None,
            "BOUNCE",
            "expected the ARN of an SNS topic",
        ),
        (TOPIC, None, "Bounce", "expected event types such as"),
        (TOPIC, None, "A_NEW_TYPE", ""),
    ];
    for (target, role, event, expected) in cases {
        let destination = EventDestination {
            enabled: true,
            events: [event.to_owned()].into(),
            target: target.to_owned(),
            role: role.map(str::to_owned),
        };
        let set = Object::ConfigurationSet("campaigns".to_owned());
        let found = message(
            set,
            Field::EventDestination("a".to_owned()),
            Value::Destination(destination),
        );
        assert!(
            found.contains(expected) && found.is_empty() == expected.is_empty(),
            "{target} {event}: {found}"
        );
    }
}

#[test]
fn fields_that_need_each_other_are_named() {
    let fields = Fields::from([
        (Field::Topic(Bounce), Value::Absent),
        (Field::OriginalHeaders(Bounce), Value::Flag(true)),
        (Field::FeedbackForwarding, Value::Flag(false)),
    ]);
    assert_eq!(
        messages(identity("shop.example"), fields),
        [
            "original-headers.bounce needs a topic, but topics.bounce is none",
            "feedback-forwarding = false needs topics for bounce and complaint, but topics.bounce is none"
        ]
    );
    let legacy = identity("arn:aws:ses:us-east-1:999988887777:identity/partner.example");
    let found = message(legacy, Field::FeedbackForwarding, Value::Flag(true));
    assert!(found.contains("only topics and original headers"), "{found}");
}

fn entry(names: &[&str]) -> IdentityEntry {
    IdentityEntry {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..IdentityEntry::default()
    }
}

#[test]
fn the_most_specific_entry_applies_key_by_key() {
    let existing = ["shop.example", "eu.shop.example", "jane@shop.example", "other.example"];
    let existing = existing.iter().map(|name| (*name).to_owned()).collect();
    let entries = [
        IdentityEntry {
            topics: [(Bounce, TopicChoice::None), (Complaint, TopicChoice::None)].into(),
            delegates: vec![agency()],
            ..entry(&["EU.shop.example", "absent.example"])
        },
        IdentityEntry {
            topics: [(Bounce, TopicChoice::Own), (Complaint, TopicChoice::Own)].into(),
            feedback_forwarding: Some(true),
            ..entry(&["*"])
        },
        IdentityEntry {
            feedback_forwarding: Some(false),
            delegates: vec![Delegate {
                name: "other".to_owned(),
                ..agency()
            }],
            ..entry(&["*.shop.example"])
        },
    ];
    let desired = expand(&entries, &existing, &context());
    let text = |name: &str| {
        let fields = &desired[&identity(name)];
        fields
            .iter()
            .filter(|(field, _)| !matches!(field, Field::Policy(_)))
            .map(|(f, v)| format!("{f}={v}"))
            .collect::<Vec<_>>()
    };
    let own = format!("topics.bounce={TOPIC}");
    let own_complaint = format!("topics.complaint={TOPIC}");
    assert_eq!(
        text("other.example"),
        [own.as_str(), own_complaint.as_str(), "feedback-forwarding=on"]
    );
    assert_eq!(
        text("eu.shop.example"),
        ["topics.bounce=none", "topics.complaint=none", "feedback-forwarding=off"]
    );
    assert_eq!(text("absent.example"), ["topics.bounce=none", "topics.complaint=none"]);
    let policies: Vec<String> = desired[&identity("eu.shop.example")]
        .keys()
        .filter(|field| matches!(field, Field::Policy(_)))
        .map(ToString::to_string)
        .collect();
    assert_eq!(policies, ["policy.postroom-agency", "policy.postroom-other"]);
    assert_eq!(desired.len(), 5);
}

fn request(from: &str) -> SendRequest {
    SendRequest {
        account: "222233334444".parse().unwrap(),
        action: SendAction::SendEmail,
        identity_arn: "arn:aws:ses:us-east-1:111122223333:identity/shop.example".to_owned(),
        from: from.to_owned(),
        display_name: None,
        recipients: Vec::new(),
        feedback_address: None,
    }
}

fn policies(list: &[(&str, Json)]) -> BTreeMap<String, Json> {
    list.iter()
        .map(|(name, policy)| ((*name).to_owned(), policy.clone()))
        .collect()
}

#[test]
fn the_evaluator_says_why() {
    let arn = request("").identity_arn;
    let generated = policies(&[("postroom-agency", agency().policy(&arn))]);
    let decide = |request: &SendRequest| evaluate(&generated, request);
    assert_eq!(
        decide(&request("news@shop.example")),
        Decision::Allowed("policy postroom-agency allows it".to_owned())
    );
    let Decision::NotAllowed(reasons) = decide(&request("News@shop.example")) else {
        panic!()
    };
    assert!(
        reasons[0].contains("is not met (upper and lower case differ)"),
        "{reasons:?}"
    );
    let Decision::NotAllowed(reasons) = decide(&request("ceo@shop.example")) else {
        panic!()
    };
    assert_eq!(
        reasons,
        ["policy postroom-agency: the condition StringLike ses:FromAddress news@shop.example is not met"]
    );
    let templated = SendRequest {
        action: SendAction::SendTemplatedEmail,
        ..request("news@shop.example")
    };
    let Decision::NotAllowed(reasons) = decide(&templated) else {
        panic!()
    };
    assert_eq!(
        reasons,
        ["policy postroom-agency: ses:SendTemplatedEmail is not among its actions"]
    );
    let stranger = SendRequest {
        account: "333344445555".parse().unwrap(),
        ..request("news@shop.example")
    };
    assert_eq!(
        decide(&stranger),
        Decision::NotAllowed(vec!["no policy of the identity names 333344445555".to_owned()])
    );
    let other_identity = SendRequest {
        identity_arn: format!("{arn}.net"),
        ..request("news@shop.example")
    };
    assert!(matches!(decide(&other_identity), Decision::NotAllowed(_)));
}

#[test]
fn conditions_on_recipients_and_display_names_need_them() {
    let arn = request("").identity_arn;
    let delegate = Delegate {
        recipients: ["*@example.net".to_owned()].into(),
        display_names: ["Shop".to_owned()].into(),
        ..agency()
    };
    let policies = policies(&[("p", delegate.policy(&arn))]);
    let whole = SendRequest {
        display_name: Some("Shop".to_owned()),
        recipients: vec!["a@example.net".to_owned(), "b@example.net".to_owned()],
        ..request("news@shop.example")
    };
    assert!(matches!(evaluate(&policies, &whole), Decision::Allowed(_)));
    assert!(matches!(
        evaluate(&policies, &request("news@shop.example")),
        Decision::Unknown(_)
    ));
    let one_outside = SendRequest {
        recipients: vec!["a@example.net".to_owned(), "b@example.org".to_owned()],
        ..whole.clone()
    };
    assert!(
        matches!(evaluate(&policies, &one_outside), Decision::NotAllowed(_)),
        "all recipients must match"
    );
    let other_name = SendRequest {
        display_name: Some("Shop2".to_owned()),
        ..whole
    };
    assert!(matches!(evaluate(&policies, &other_name), Decision::NotAllowed(_)));
}

#[test]
fn a_denial_wins_and_what_is_unknown_is_said() {
    let arn = request("").identity_arn;
    let allow = agency().policy(&arn);
    let statement = |effect: &str, principal: Json, condition: Json| {
        json!({"Statement": {"Effect": effect, "Principal": principal, "Action": "ses:Send*", "Resource": arn,
            "Condition": condition}})
    };
    let account = json!({"AWS": "222233334444"});
    let with = |other: Json| {
        evaluate(
            &policies(&[("a", allow.clone()), ("b", other)]),
            &request("news@shop.example"),
        )
    };
    assert_eq!(
        with(statement("Deny", account.clone(), json!({}))),
        Decision::Denied("policy b denies it".to_owned())
    );
    assert!(matches!(
        with(statement("Deny", json!({"AWS": "999988887777"}), json!({}))),
        Decision::Allowed(_)
    ));
    let by_address = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    assert!(matches!(
        with(statement("Deny", account.clone(), by_address.clone())),
        Decision::Unknown(_)
    ));
    let only_unknown = policies(&[("b", statement("Allow", account, by_address))]);
    assert!(matches!(
        evaluate(&only_unknown, &request("news@shop.example")),
        Decision::Unknown(_)
    ));
    let role = statement(
        "Allow",
        json!({"AWS": "arn:aws:iam::222233334444:role/mailer"}),
        json!({}),
    );
    let Decision::Unknown(reasons) = evaluate(&policies(&[("b", role)]), &request("a@shop.example")) else {
        panic!()
    };
    assert_eq!(
        reasons,
        ["policy b: it is about arn:aws:iam::222233334444:role/mailer only"]
    );
}

#[test]
fn partitions_follow_from_regions() {
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("cn-north-1", "aws-cn"),
    ] {
        assert_eq!(Context::partition_of(region), partition);
    }
}
