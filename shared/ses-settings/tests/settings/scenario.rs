//! An account, and the configuration that most tests apply to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use notification_model::Identity;
use ses_settings::{
    Actual, Context, Delegate, Desired, EventDestination, Facts, Field, IdentityEntry, NotificationType, Object, Part,
    Plan, Proof, Proofs, SesSettings, StepResult, TopicChoice, Value, expand, plan,
};

use crate::fake_ses::{FakeIdentity, FakeSes, FakeSet, FakeTopic};

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:postroom-FeedbackTopic";
pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-FeedbackQueue";
pub(crate) const PAUSE: Duration = Duration::from_millis(1100);

pub(crate) fn context() -> Context {
    Context {
        partition: "aws".to_owned(),
        region: "us-east-1".to_owned(),
        account: "111122223333".parse().unwrap(),
        own_topic: Some(TOPIC.to_owned()),
    }
}

pub(crate) fn identity(name: &str) -> Object {
    Object::Identity(name.to_owned())
}

pub(crate) fn agency() -> Delegate {
    Delegate {
        name: "agency".to_owned(),
        account: "222233334444".parse().unwrap(),
        actions: Delegate::DEFAULT_ACTIONS.into(),
        from: ["news@shop.example".to_owned()].into(),
        recipients: BTreeSet::new(),
        display_names: BTreeSet::new(),
    }
}

/// An account with two identities, one configuration set and a topic, as the console leaves them.
pub(crate) fn account() -> FakeSes {
    let fake = FakeSes::default();
    let mut state = fake.state();
    let shop = FakeIdentity {
        forwarding: true,
        policies: [
            ("postroom-former".to_owned(), policy("former")),
            ("by-hand".to_owned(), policy("by-hand")),
        ]
        .into(),
        ..FakeIdentity::default()
    };
    state.identities.insert("shop.example".to_owned(), shop.clone());
    state.identities.insert(
        "jane@shop.example".to_owned(),
        FakeIdentity {
            policies: BTreeMap::new(),
            ..shop
        },
    );
    state.sets.insert("platform".to_owned(), FakeSet::default());
    state.topics.insert(
        TOPIC.to_owned(),
        FakeTopic {
            policy: r#"{"Version":"2012-10-17","Statement":[{"Sid":"Other","Effect":"Allow"}]}"#.to_owned(),
            ..FakeTopic::default()
        },
    );
    drop(state);
    fake
}

pub(crate) fn policy(name: &str) -> String {
    let delegate = Delegate {
        name: name.to_owned(),
        ..agency()
    };
    delegate
        .policy("arn:aws:ses:us-east-1:111122223333:identity/shop.example")
        .to_string()
}

/// Everything of an identity and a configuration set, and the topic in front.
pub(crate) fn desired() -> Desired {
    let entry = IdentityEntry {
        names: vec!["shop.example".to_owned()],
        topics: NotificationType::ALL.map(|kind| (kind, TopicChoice::Own)).into(),
        original_headers: [(NotificationType::Bounce, true), (NotificationType::Delivery, false)].into(),
        feedback_forwarding: Some(false),
        default_configuration_set: Some(Some("campaigns".to_owned())),
        delegates: vec![agency()],
        policies: BTreeMap::new(),
    };
    let existing = ["shop.example".to_owned(), "jane@shop.example".to_owned()].into();
    let mut desired = expand(&[entry], &existing, &context());
    desired.insert(
        Object::ConfigurationSet("campaigns".to_owned()),
        [
            (Field::Exists, Value::Flag(true)),
            (Field::ReputationMetrics, Value::Flag(true)),
            (Field::SuppressedReasons, Value::Names(["BOUNCE".to_owned()].into())),
            (
                Field::EventDestination("postroom-feedback".to_owned()),
                Value::Destination(EventDestination {
                    enabled: true,
                    events: ["BOUNCE".to_owned(), "DELIVERY_DELAY".to_owned()].into(),
                    target: TOPIC.to_owned(),
                    role: None,
                }),
            ),
        ]
        .into(),
    );
    let statement = context().topic_statement(TOPIC, &[context().account]);
    desired.insert(
        Object::Topic(TOPIC.to_owned()),
        [
            (Field::Statement, Value::document(&statement)),
            (Field::Subscription(format!("sqs {QUEUE}")), Value::Flag(true)),
        ]
        .into(),
    );
    desired
}

/// All parts of the objects of a configuration.
pub(crate) fn wanted(desired: &Desired) -> BTreeMap<Object, BTreeSet<Part>> {
    let parts = |object: &Object| match object {
        Object::Topic(_) => BTreeSet::from([Part::TopicPolicy, Part::Subscriptions]),
        Object::ConfigurationSet(_) => BTreeSet::from([Part::ConfigurationSet, Part::EventDestinations]),
        Object::Identity(name) if name.starts_with("arn:") => BTreeSet::from([Part::Notifications]),
        Object::Identity(_) => BTreeSet::from([Part::Notifications, Part::EmailIdentity]),
    };
    desired.keys().map(|object| (object.clone(), parts(object))).collect()
}

pub(crate) async fn read(ses: &SesSettings, desired: &Desired) -> Actual {
    ses.read(&wanted(desired), |_, _| {}).await.unwrap()
}

pub(crate) async fn make_plan(ses: &SesSettings, desired: &Desired, facts: &Facts) -> Plan {
    plan(desired, &read(ses, desired).await, facts)
}

pub(crate) async fn plan_and_apply(ses: &SesSettings, desired: &Desired, proofs: Proofs) -> Vec<StepResult> {
    let facts = Facts {
        proofs,
        recorded_topic: Some(TOPIC.to_owned()),
    };
    let plan = make_plan(ses, desired, &facts).await;
    assert_eq!(plan.problems, []);
    ses.apply(&plan.steps, &facts.proofs, |_, _| {}).await
}

pub(crate) fn proofs(identity: &str, kinds: &[NotificationType]) -> Proofs {
    let proof = |kind: &NotificationType| Proof {
        identity: Identity::from(identity),
        kind: *kind,
        topic: TOPIC.to_owned(),
    };
    Proofs::Received(kinds.iter().map(proof).collect())
}
