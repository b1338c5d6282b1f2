//! Reading of whole accounts, and comparisons of what was read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ses_settings::NotificationType::{Bounce, Complaint, Delivery};
use ses_settings::{
    Desired, Facts, Field, Fields, Object, Part, Reading, Value, difference, fields_from_json, fields_to_json,
    is_removal_by_ses, large_removals, object_difference, plan,
};
use tokio::time::Instant;

use crate::fake_ses::{FakeIdentity, FakeSes, FakeTopic};
use crate::scenario::{PAUSE, TOPIC, account, desired, identity, policy, read};

#[tokio::test(start_paused = true)]
async fn what_was_read_of_300_identities_as_configuration_gives_an_empty_plan() {
    let fake = FakeSes::default();
    for number in 0..300 {
        let kinds = ["Bounce", "Complaint"].iter().filter(|_| number % 3 != 0);
        let identity = FakeIdentity {
            topics: kinds.map(|kind| ((*kind).to_owned(), TOPIC.to_owned())).collect(),
            headers: BTreeSet::new(),
            forwarding: number % 3 == 0,
            default_set: (number % 7 == 0).then(|| "campaigns".to_owned()),
            policies: BTreeMap::from([(format!("p{number}"), policy("x"))]),
        };
        fake.state()
            .identities
            .insert(format!("shop-{number}.example"), identity);
    }
    let ses = fake.settings(PAUSE);
    let start = Instant::now();
    let parts = BTreeSet::from([Part::Notifications, Part::EmailIdentity]);
    let names = ses.identities().await.unwrap();
    let wanted = names.iter().map(|name| (identity(name), parts.clone())).collect();
    let mut last = (0, 0);
    let actual = ses.read(&wanted, |done, total| last = (done, total)).await.unwrap();
    // One list, 3 calls for 100 identities each, and one call for each identity.
    assert_eq!(ses.pace().calls(), 1 + 3 + 300);
    assert_eq!(last, (303, 303));
    let elapsed = start.elapsed();
    assert!(
        elapsed >= PAUSE * 303 && elapsed < Duration::from_secs(340),
        "{elapsed:?}"
    );

    let pulled: Desired = actual
        .iter()
        .map(|(object, reading)| (object.clone(), reading.fields().clone()))
        .collect();
    let again = ses.read(&wanted, |_, _| {}).await.unwrap();
    assert_eq!(plan(&pulled, &again, &Facts::default()), ses_settings::Plan::default());
    assert_eq!(pulled.len(), 300);
}

#[tokio::test(start_paused = true)]
async fn more_than_one_page_of_identities_is_listed() {
    let fake = FakeSes::default();
    for number in 0..2300 {
        let name = format!("shop-{number}.example");
        fake.state().identities.insert(name, FakeIdentity::default());
    }
    let ses = fake.settings(PAUSE);
    assert_eq!(ses.identities().await.unwrap().len(), 2300);
    assert_eq!(ses.pace().calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn stored_fields_are_read_back() {
    let ses = account().settings(PAUSE);
    let desired = desired();
    for fields in desired.values() {
        let text = fields_to_json(fields).to_string();
        assert_eq!(fields_from_json(&text).unwrap(), *fields);
    }
    let actual = read(&ses, &desired).await;
    for (object, reading) in actual.iter() {
        let text = fields_to_json(reading.fields()).to_string();
        assert_eq!(fields_from_json(&text).unwrap(), *reading.fields(), "{object}");
        assert_eq!(object.to_string().parse(), Ok(object.clone()));
    }
    for text in [
        "",
        "[]",
        "{\"topics.open\":null}",
        "{\"sending\":3}",
        "{\"topics.bounce\":[]}",
    ] {
        assert!(fields_from_json(text).is_err(), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_a_problem_and_gets_no_step() {
    let legacy = "arn:aws:ses:us-east-1:999988887777:identity/partner.example";
    let fake = account();
    let ses = fake.settings(PAUSE);
    let topic = || Fields::from([(Field::Topic(Bounce), Value::Text(TOPIC.to_owned()))]);
    let desired: Desired = [
        (identity("absent.example"), topic()),
        (identity(legacy), topic()),
        (
            Object::Topic("arn:aws:sns:us-east-1:111122223333:absent".to_owned()),
            [(Field::Subscription(format!("sqs {TOPIC}")), Value::Flag(true))].into(),
        ),
    ]
    .into();
    let plan = plan(&desired, &read(&ses, &desired).await, &Facts::default());
    assert_eq!(plan.steps, []);
    let problems: Vec<String> = plan
        .problems
        .iter()
        .map(|one| format!("{} {}", one.object, one.message))
        .collect();
    assert_eq!(problems.len(), 3);
    assert!(
        problems
            .iter()
            .any(|text| text.contains("absent.example does not exist in this account"))
    );
    assert!(
        problems
            .iter()
            .any(|text| text.contains("SES does not let new ones be created")),
        "{problems:?}"
    );
    assert!(problems.iter().any(|text| text.contains(":absent does not exist")));

    let existing = FakeIdentity {
        topics: [("Bounce".to_owned(), "arn:aws:sns:us-east-1:111122223333:old".to_owned())].into(),
        ..FakeIdentity::default()
    };
    fake.state().identities.insert(legacy.to_owned(), existing);
    let desired = Desired::from([(identity(legacy), topic())]);
    let plan = ses_settings::plan(&desired, &read(&ses, &desired).await, &Facts::default());
    assert_eq!(
        (plan.steps.len(), plan.problems.len()),
        (1, 0),
        "existing ones can be changed"
    );
}

#[test]
fn only_parts_that_were_read_are_compared() {
    let object = identity("shop.example");
    let fields = desired().remove(&object).unwrap();
    let email = Reading::of_part(Part::EmailIdentity, Fields::new());
    let changed: Vec<Field> = object_difference(&object, &fields, &email)
        .into_iter()
        .map(|one| one.field)
        .collect();
    assert_eq!(
        changed,
        [
            Field::DefaultConfigurationSet,
            Field::Policy("postroom-agency".to_owned())
        ]
    );
    assert_eq!(object_difference(&object, &fields, &Reading::default()), []);
    assert_eq!(difference(&desired(), &Default::default()), []);
}

#[test]
fn the_removal_of_topics_by_ses_is_told_from_a_change_by_a_person() {
    let desired = desired().remove(&identity("shop.example")).unwrap();
    let reading = |topics: [bool; 3], forwarding: bool| {
        let mut fields = Fields::from([(Field::FeedbackForwarding, Value::Flag(forwarding))]);
        for (kind, is_set) in [Bounce, Complaint, Delivery].into_iter().zip(topics) {
            let value = if is_set {
                Value::Text(TOPIC.to_owned())
            } else {
                Value::Absent
            };
            fields.insert(Field::Topic(kind), value);
        }
        Reading::of_part(Part::Notifications, fields)
    };
    let cases = [
        ("SES", [false, false, true], true, true),
        ("only one topic is gone", [true, false, true], true, false),
        ("Delivery is gone too", [false, false, false], true, false),
        ("forwarding is off", [false, false, true], false, false),
        ("nothing differs", [true, true, true], false, false),
    ];
    for (name, topics, forwarding, expected) in cases {
        assert_eq!(
            is_removal_by_ses(&desired, &reading(topics, forwarding)),
            expected,
            "{name}"
        );
    }
    let mut another_delivery = reading([false, false, true], true);
    another_delivery.add(Reading::of_part(Part::EmailIdentity, Fields::new()));
    assert!(
        is_removal_by_ses(&desired, &another_delivery),
        "other parts do not matter"
    );
    assert!(!is_removal_by_ses(&desired, &Reading::missing()), "a deleted identity");
    assert!(
        !is_removal_by_ses(&Fields::new(), &reading([false, false, true], true)),
        "no topic is desired"
    );
}

#[tokio::test(start_paused = true)]
async fn a_large_removal_is_named() {
    let fake = FakeSes::default();
    fake.state().topics.insert(TOPIC.to_owned(), FakeTopic::default());
    let mut desired = Desired::new();
    for number in 0..12 {
        let name = format!("shop-{number}.example");
        let state = FakeIdentity {
            policies: BTreeMap::from([("postroom-a".to_owned(), policy("a"))]),
            ..FakeIdentity::default()
        };
        fake.state().identities.insert(name.clone(), state);
        let kept = [(
            Field::Policy("postroom-a".to_owned()),
            Value::document(&serde_json::from_str(&policy("a")).unwrap()),
        )];
        desired.insert(identity(&name), if number < 8 { kept.into() } else { Fields::new() });
    }
    let ses = fake.settings(PAUSE);
    let actual = read(&ses, &desired).await;
    let removals = large_removals(&plan(&desired, &actual, &Facts::default()), &actual);
    assert_eq!(removals.len(), 1);
    assert_eq!(
        (removals[0].kind, removals[0].removed, removals[0].existing),
        ("policies", 4, 12)
    );
    for (removed, existing, is_large) in [
        (3, 10, false),
        (4, 10, true),
        (9, 9, false),
        (30, 100, false),
        (31, 100, true),
    ] {
        let found = ses_settings::LargeRemoval::check("routes", removed, existing);
        assert_eq!(found.is_some(), is_large, "{removed} of {existing}");
    }
}
