//! The steps from the actual to the desired settings, in the order in which no notification is lost. Pure.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::Identity;

use crate::field::{Field, NotificationType, Object};
use crate::settings::{Actual, Change, Desired, difference, object_difference};
use crate::value::Value;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The change. Of a test, before and after are the same topic.
    pub change: Change,
    /// Why the step is made.
    pub purpose: Purpose,
}

/// Why a step is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The setting differs.
    Change,
    /// The same topic is set again, so that SES publishes its test message to it, which proves that the topic works.
    Test,
}

/// The steps, in the order in which they are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// Objects of the configuration that do not exist in SES and cannot be created here, and fields without what they need.
    pub problems: Vec<PlanProblem>,
}

/// Why the configuration cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanProblem {
    /// The object.
    pub object: Object,
    /// What is wrong, and what to do.
    pub message: String,
}

/// A topic of an identity that is known to work, because the message that SES publishes when the topic is set was received.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// The identity.
    pub identity: Identity,
    /// The notification type.
    pub kind: NotificationType,
    /// The ARN of the topic.
    pub topic: String,
}

/// What a plan depends on beside the settings.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The topics that are known to work.
    pub proofs: Proofs,
    /// The topic whose test messages Postroom records. Unproven topics with this ARN are set again, as a test.
    pub recorded_topic: Option<String>,
}

/// Which topics are known to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proofs {
    /// These.
    Received(BTreeSet<Proof>),
    /// All: the operator says so.
    Assumed,
}

impl Default for Proofs {
    fn default() -> Self {
        Self::Received(BTreeSet::new())
    }
}

impl Proofs {
    /// Whether a topic is known to work.
    #[must_use]
    pub fn contains(&self, identity: &str, kind: NotificationType, topic: &str) -> bool {
        match self {
            Self::Assumed => true,
            Self::Received(proofs) => proofs.contains(&Proof {
                identity: Identity::from(identity),
                kind,
                topic: topic.to_owned(),
            }),
        }
    }
}

/// Plans the steps from `actual` to `desired`.
#[must_use]
pub fn plan(desired: &Desired, actual: &Actual, facts: &Facts) -> Plan {
    let problems = problems(desired, actual);
    let without_steps: BTreeSet<&Object> = problems.iter().map(|problem| &problem.object).collect();
    let mut steps: Vec<Step> = difference(desired, actual)
        .into_iter()
        .filter(|change| !without_steps.contains(&change.object))
        .map(|change| Step {
            change,
            purpose: Purpose::Change,
        })
        .collect();
    steps.extend(tests(&steps, actual, facts));
    steps.sort_by_cached_key(order);
    Plan { steps, problems }
}

/// The block, the object and the position within both. Within a block the steps of an object follow each other.
fn order(step: &Step) -> (u8, Object, u8, Field) {
    let Change {
        object, field, after, ..
    } = &step.change;
    let is_removal = *after == Value::Absent;
    let (block, position) = match field {
        Field::Statement if !is_removal => (0, 0),
        Field::Subscription(_) => (0, 1),
        Field::Exists => (1, 0),
        Field::ReputationMetrics | Field::SuppressedReasons => (1, 1),
        Field::EventDestination(_) if !is_removal => (1, 2),
        Field::Sending if *after == Value::Flag(true) => (1, 3),
        // Before a topic is removed, because SES requires both topics while forwarding is off.
        Field::FeedbackForwarding if *after == Value::Flag(true) => (2, 0),
        Field::Topic(_) if !is_removal => (2, 1),
        // Only a type with a topic can have original headers.
        Field::OriginalHeaders(_) if *after == Value::Flag(true) => (2, 2),
        Field::DefaultConfigurationSet => (2, 3),
        Field::Policy(_) if !is_removal => (2, 4),
        Field::Policy(_) => (3, 0),
        Field::OriginalHeaders(_) => (3, 1),
        Field::Topic(_) => (3, 2),
        Field::EventDestination(_) => (4, 0),
        Field::Sending => (4, 1),
        Field::Statement => (5, 0),
        // Last: until then SES also mails bounces and complaints.
        Field::FeedbackForwarding => (6, 0),
    };
    (block, object.clone(), position, field.clone())
}

/// The topics to set again: forwarding is to be switched off, and they are neither changed nor proven.
fn tests(steps: &[Step], actual: &Actual, facts: &Facts) -> Vec<Step> {
    let Some(recorded_topic) = &facts.recorded_topic else {
        return Vec::new();
    };
    let mut tests = Vec::new();
    let is_off = |step: &&Step| is_forwarding_off(&step.change);
    for object in steps.iter().filter(is_off).map(|step| &step.change.object) {
        for kind in [NotificationType::Bounce, NotificationType::Complaint] {
            let field = Field::Topic(kind);
            let is_changed = steps
                .iter()
                .any(|step| step.change.object == *object && step.change.field == field);
            let Some(Value::Text(topic)) = actual.get(object).and_then(|reading| reading.get(&field)) else {
                continue;
            };
            if !is_changed && topic == *recorded_topic && !facts.proofs.contains(object.name(), kind, &topic) {
                let value = Value::Text(topic);
                tests.push(Step {
                    change: Change {
                        object: object.clone(),
                        field,
                        before: value.clone(),
                        after: value,
                    },
                    purpose: Purpose::Test,
                });
            }
        }
    }
    tests
}

pub(crate) fn is_forwarding_off(change: &Change) -> bool {
    change.field == Field::FeedbackForwarding && change.after == Value::Flag(false)
}

fn problems(desired: &Desired, actual: &Actual) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    for (object, fields) in desired {
        let Some(reading) = actual.get(object) else { continue };
        let mut add = |message: String| {
            problems.push(PlanProblem {
                object: object.clone(),
                message,
            });
        };
        let value = |field: &Field| fields.get(field).cloned().or_else(|| reading.get(field));
        if reading.is_missing() {
            match object {
                Object::Identity(_) if object.is_legacy() => add(
                    "has no legacy cross-account notifications, and SES does not let new ones be created: use a topic that \
                     the owner sets, or a configuration set"
                        .to_owned(),
                ),
                Object::Identity(_) => add("does not exist in this account and Region: create it in SES first".to_owned()),
                Object::Topic(_) => add("does not exist, or this account may not read it".to_owned()),
                Object::ConfigurationSet(_) => {
                    if !fields.contains_key(&Field::Exists) {
                        add("does not exist".to_owned());
                    }
                }
            }
            continue;
        }
        if object_difference(object, fields, reading).is_empty() {
            continue;
        }
        for kind in NotificationType::ALL {
            let has_topic = matches!(value(&Field::Topic(kind)), Some(Value::Text(_)));
            let wants_headers = fields.get(&Field::OriginalHeaders(kind)) == Some(&Value::Flag(true));
            if wants_headers && !has_topic {
                let kind = kind.key();
                add(format!("original-headers.{kind} needs a topic: set topics.{kind}"));
            }
        }
        let is_off = value(&Field::FeedbackForwarding) == Some(Value::Flag(false));
        let lacks = |kind: &NotificationType| !matches!(value(&Field::Topic(*kind)), Some(Value::Text(_)));
        let missing: Vec<&str> = [NotificationType::Bounce, NotificationType::Complaint]
            .iter()
            .filter(|kind| lacks(kind))
            .map(|kind| kind.key())
            .collect();
        let is_named = fields.contains_key(&Field::FeedbackForwarding)
            || fields.contains_key(&Field::Topic(NotificationType::Bounce))
            || fields.contains_key(&Field::Topic(NotificationType::Complaint));
        if is_named && !object.is_legacy() && is_off && !missing.is_empty() {
            add(format!(
                "feedback-forwarding = false needs topics for bounce and complaint; none for: {}",
                missing.join(", ")
            ));
        }
    }
    problems
}

/// Why a plan is refused without force: it removes much of what exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeRemoval {
    /// What is removed, in the plural.
    pub kind: &'static str,
    /// How many are removed.
    pub removed: usize,
    /// How many exist.
    pub existing: usize,
}

/// The share of existing objects whose removal needs force, in percent.
pub const LARGE_REMOVAL_PERCENT: usize = 30;

/// From how many existing objects on the share counts.
pub const LARGE_REMOVAL_FROM: usize = 10;

impl LargeRemoval {
    /// Returns the removal when it needs force: more than [`LARGE_REMOVAL_PERCENT`] of at least [`LARGE_REMOVAL_FROM`].
    #[must_use]
    pub fn check(kind: &'static str, removed: usize, existing: usize) -> Option<Self> {
        let is_large = existing >= LARGE_REMOVAL_FROM && removed * 100 > existing * LARGE_REMOVAL_PERCENT;
        is_large.then_some(Self {
            kind,
            removed,
            existing,
        })
    }
}

/// Returns the removals of a plan that need force: topics of identities, policies and event destinations, each among all
/// that were read.
#[must_use]
pub fn large_removals(plan: &Plan, actual: &Actual) -> Vec<LargeRemoval> {
    let kind_of = |field: &Field| match field {
        Field::Topic(_) => Some("topics of identities"),
        Field::Policy(_) => Some("policies"),
        Field::EventDestination(_) => Some("event destinations"),
        Field::Statement => Some("topic policy statements"),
        _ => None,
    };
    let mut existing: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (field, value) in actual.iter().flat_map(|(_, reading)| reading.fields()) {
        if let Some(kind) = kind_of(field).filter(|_| *value != Value::Absent) {
            existing.entry(kind).or_default().0 += 1;
        }
    }
    for step in plan.steps.iter().filter(|step| step.change.is_removal()) {
        if let Some(kind) = kind_of(&step.change.field) {
            existing.entry(kind).or_default().1 += 1;
        }
    }
    existing
        .into_iter()
        .filter_map(|(kind, (existing, removed))| LargeRemoval::check(kind, removed, existing))
        .collect()
}
