//! The reference: what a story must leave behind, written from the README's table and `docs/routing.md` without the
//! functions' own decisions. It sees everything at once and in order, so it needs no conditions and no retries.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::scenario::{Channel, Counted, Decision, Grant, Kind, Outcome, Scenario, ScenarioEvent};

/// Recipient and scope.
pub type Place = (String, String);

/// What stands in one register of a recipient's row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Register {
    /// When the event behind it happened.
    pub at: Timestamp,
    /// The message, or the person's decision.
    pub id: String,
    /// Whether it suppresses.
    pub blocked: bool,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// What must be there afterwards.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// By recipient, scope and origin; without streaks.
    pub registers: BTreeMap<(String, String, String), Register>,
    /// Suppressing streaks as they end up.
    pub streaks: BTreeMap<Place, Register>,
    /// What each sender's bounces, complaints and others count: message and recipient.
    pub counts: BTreeMap<(String, Counted), BTreeSet<(String, String)>>,
    /// Lines of the history: recipient, message and scope, with their number.
    pub history: BTreeMap<(String, String, String), usize>,
    /// Which happenings each target hears of, each with whether it may see everything.
    pub heard: BTreeMap<&'static str, BTreeMap<usize, bool>>,
    /// Tellings that nobody hears of: happening and whether the configuration set told.
    pub unrouted: BTreeSet<(usize, bool)>,
}

/// What these tellings and decisions leave.
#[must_use]
pub fn expect(story: &Scenario, told: &BTreeSet<(usize, bool)>, decisions: &[Decision]) -> Expected {
    let mut expected = Expected::default();
    let mut soft: BTreeMap<Place, BTreeSet<(Timestamp, String)>> = BTreeMap::new();
    let mut delivered: BTreeMap<Place, Timestamp> = BTreeMap::new();
    let mut lines: BTreeSet<(String, String, String, String)> = BTreeSet::new();

    for (index, by_set) in told {
        let happening = &story.happenings[*index];
        let channel = if *by_set {
            Channel::ConfigurationSet
        } else {
            Channel::Identity
        };
        feedback(happening, channel, &mut expected, &mut soft, &mut delivered, &mut lines);
        let entitled = entitled(happening, channel, &story.grants, &story.registry);
        if entitled.is_empty() {
            expected.unrouted.insert((*index, *by_set));
        }
        for (target, full) in entitled {
            *expected.heard.entry(target).or_default().entry(*index).or_default() |= full;
        }
    }
    for decision in decisions {
        let source = if decision.suppress { "manual" } else { "released" };
        let register = Register {
            at: decision.at,
            id: manual_id(decision),
            blocked: decision.suppress,
            until: None,
        };
        newest(&mut expected, decision.address, &decision.scope, source, register);
        lines.insert((
            decision.address.to_owned(),
            manual_id(decision),
            decision.scope.clone(),
            source.to_owned(),
        ));
    }
    for (address, id, scope, _) in lines {
        *expected.history.entry((address, id, scope)).or_default() += 1;
    }
    for (place, bounces) in soft {
        let (address, scope) = place.clone();
        let released = expected.registers.get(&(address, scope, "released".to_owned()));
        let released = released.map(|register| register.at);
        let after = |at: Timestamp| {
            delivered.get(&place).is_none_or(|delivered| at >= *delivered)
                && released.is_none_or(|released| at > released)
        };
        let live: Vec<_> = bounces.into_iter().filter(|(at, _)| after(*at)).collect();
        if let Some(register) = streak(&live) {
            expected.streaks.insert(place, register);
        }
    }
    expected
}

/// How a decision is called.
#[must_use]
pub fn manual_id(decision: &Decision) -> String {
    format!("manual-{}", decision.at.as_microsecond())
}

fn newest(expected: &mut Expected, address: &str, scope: &str, source: &str, register: Register) {
    let key = (address.to_owned(), scope.to_owned(), source.to_owned());
    let known = expected.registers.entry(key).or_insert_with(|| register.clone());
    if (register.at, &register.id) > (known.at, &known.id) {
        *known = register;
    }
}

/// For whom a suppression holds: the tenant that SES names, else the identity's domain, else the one the sender writes.
fn scope_of(happening: &ScenarioEvent, channel: Channel) -> String {
    let tenant = happening.tenant.filter(|_| channel == Channel::ConfigurationSet);
    match (tenant, &happening.identity) {
        (Some(tenant), _) => format!("tenant:{tenant}"),
        (None, Some((_, identity))) => format!("domain:{}", domain(identity)),
        (None, None) => format!("domain:{}", happening.claimed),
    }
}

fn domain(identity: &str) -> &str {
    identity.rsplit('@').next().unwrap_or(identity)
}

fn sender_of(happening: &ScenarioEvent) -> String {
    let (owner, identity) = match &happening.identity {
        Some((owner, identity)) => (*owner, identity.clone()),
        None => ("-", format!("unverified:{}", happening.claimed)),
    };
    format!("{owner}#{}#{identity}", happening.account.unwrap_or("-"))
}

fn in_days(from: Timestamp, days: i64) -> Timestamp {
    Timestamp::from_second(from.as_second()).expect("a time") + SignedDuration::from_hours(24 * days)
}

fn feedback(
    happening: &ScenarioEvent,
    channel: Channel,
    expected: &mut Expected,
    soft: &mut BTreeMap<Place, BTreeSet<(Timestamp, String)>>,
    delivered: &mut BTreeMap<Place, Timestamp>,
    lines: &mut BTreeSet<(String, String, String, String)>,
) {
    let scope = scope_of(happening, channel);
    let message = happening.message.clone();
    let sender = sender_of(happening);
    let count = |expected: &mut Expected, counted: Counted, recipient: &str| {
        let counts = expected.counts.entry((sender.clone(), counted)).or_default();
        counts.insert((message.clone(), recipient.to_owned()));
    };
    let mut line = |address: &str, scope: &str, kind: String| {
        lines.insert((address.to_owned(), message.clone(), scope.to_owned(), kind));
    };
    let register = |blocked: bool, until: Option<Timestamp>| Register {
        at: happening.at,
        id: message.clone(),
        blocked,
        until,
    };
    // A report counts against who was mailed; one that names somebody else, against the only one that was.
    let mailed = |named: &'static str| match happening.destination.as_slice() {
        all if all.contains(&named) => Some(named),
        [only] => Some(*only),
        _ => None,
    };
    match &happening.kind {
        Kind::Bounce(bounced) => {
            for one in bounced {
                if let Some(counted) = one.cause.counts {
                    count(expected, counted, one.named);
                }
                let Some(address) = mailed(one.named) else {
                    line(one.named, &scope, "not mailed".to_owned());
                    continue;
                };
                match one.cause.outcome {
                    Outcome::Dead => {
                        newest(expected, address, "global", "bounce", register(true, None));
                        line(address, "global", "dead".to_owned());
                    }
                    Outcome::SuppressedBySes => {
                        let until = Some(in_days(happening.at, 30));
                        newest(expected, address, &scope, "ses-list", register(true, until));
                        line(address, &scope, "echo".to_owned());
                    }
                    Outcome::Soft => {
                        let bounces = soft.entry((address.to_owned(), scope.clone())).or_default();
                        bounces.insert((happening.at, message.clone()));
                        line(address, &scope, "soft".to_owned());
                    }
                    Outcome::Noted => line(address, &scope, "noted".to_owned()),
                }
            }
        }
        Kind::Complaint(feedback, sub_type, whom) => {
            let who: BTreeSet<&str> = whom.iter().filter_map(|named| mailed(named)).collect();
            for address in &who {
                line(address, &scope, "complaint".to_owned());
                match (feedback, sub_type) {
                    (_, Some(_)) => {
                        let until = Some(in_days(happening.at, 30));
                        newest(expected, address, &scope, "ses-list", register(true, until));
                    }
                    (Some("not-spam"), _) if who.len() > 1 => {}
                    (Some("not-spam"), _) => newest(expected, address, &scope, "complaint", register(false, None)),
                    (Some("auth-failure"), _) => {}
                    _ => newest(expected, address, &scope, "complaint", register(true, None)),
                }
            }
            let counts = sub_type.is_none() && !matches!(feedback, Some("not-spam" | "auth-failure"));
            if let Some(first) = who.first().filter(|_| counts) {
                count(expected, Counted::Complaint, first);
            }
        }
        Kind::Delivery(whom) => {
            for address in whom {
                count(expected, Counted::Common("delivery"), address);
                let newest = delivered
                    .entry(((*address).to_owned(), scope.clone()))
                    .or_insert(happening.at);
                *newest = (*newest).max(happening.at);
            }
        }
        Kind::Subscription(left) => {
            if let [address] = happening.destination.as_slice() {
                for source in ["list:readers", "topic:readers/weekly"] {
                    newest(expected, address, &scope, source, register(*left, None));
                    line(address, &scope, source.to_owned());
                }
            }
        }
        Kind::Common(name, _) => {
            let counted = match *name {
                "Send" => "send",
                "Reject" => "reject",
                _ => "renderingFailure",
            };
            for address in &happening.destination {
                count(expected, Counted::Common(counted), address);
            }
        }
        Kind::Delay => {
            for address in &happening.destination {
                count(expected, Counted::Common("delay"), address);
            }
        }
        Kind::Nothing(_) => {}
    }
}

/// Five messages in a row over 3 to 180 days suppress for 30 days, the next five after that for 90, then for good.
fn streak(bounces: &[(Timestamp, String)]) -> Option<Register> {
    const DAY_MILLIS: i64 = 24 * 3600 * 1000;
    let mut latest: Option<Register> = None;
    let mut level = 0;
    // The bounces that count towards the next suppression are those from here on.
    let mut first = 0;
    for (last, (at, id)) in bounces.iter().enumerate() {
        match &latest {
            // It lasts for good.
            Some(Register { until: None, .. }) => break,
            // What bounces meanwhile was on its way already.
            Some(Register { until: Some(until), .. }) if at <= until => {
                first = last + 1;
                continue;
            }
            _ => {}
        }
        let since = |index: usize| at.as_millisecond() - bounces[index].0.as_millisecond();
        while since(first) > 180 * DAY_MILLIS {
            first += 1;
        }
        if last - first + 1 < 5 || since(first) < 3 * DAY_MILLIS {
            continue;
        }
        level += 1;
        let until = match level {
            1 => Some(in_days(*at, 30)),
            2 => Some(in_days(*at, 90)),
            _ => None,
        };
        latest = Some(Register {
            at: *at,
            id: id.clone(),
            blocked: true,
            until,
        });
        first = last + 1;
    }
    latest
}

/// Which targets hear of a happening told this way, each with whether any grant shows it everything.
fn entitled(
    happening: &ScenarioEvent,
    channel: Channel,
    grants: &[Grant],
    registry: &BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
) -> BTreeMap<&'static str, bool> {
    let Some(account) = happening.account else {
        return BTreeMap::new();
    };
    let (owner, identity) = match &happening.identity {
        Some((owner, identity)) => (*owner, identity.as_str()),
        None => match registry.get(account).and_then(|known| known.get(happening.claimed)) {
            Some(owner) => (*owner, happening.claimed),
            None => return BTreeMap::new(),
        },
    };
    let tagged = channel == Channel::ConfigurationSet;
    let event = match &happening.kind {
        Kind::Bounce(_) => "Bounce",
        Kind::Complaint(..) => "Complaint",
        Kind::Delivery(_) => "Delivery",
        Kind::Common(name, _) | Kind::Nothing(name) => name,
        Kind::Subscription(_) => "Subscription",
        Kind::Delay => "DeliveryDelay",
    };
    let mut targets = BTreeMap::new();
    for grant in grants {
        let about = grant.owner.is_none_or(|granted| granted == owner)
            && grant.account.is_none_or(|granted| granted == account)
            && grant
                .identity
                .as_deref()
                .is_none_or(|granted| granted == identity || granted == domain(identity));
        let wanted = (grant.sets.is_empty() || tagged && grant.sets.contains(happening.set))
            && (grant.tenants.is_empty()
                || tagged && happening.tenant.is_some_and(|tenant| grant.tenants.contains(tenant)))
            && (grant.events.is_empty() || grant.events.contains(event));
        if about && wanted {
            *targets.entry(grant.target).or_insert(false) |= grant.full;
        }
    }
    targets
}

/// Whether a row, in the table's own words, stands in the way: the rule of the README, which holds in any language.
#[must_use]
pub fn blocks(
    registers: &BTreeMap<(String, String), Register>,
    scopes: &[String],
    topic: Option<&str>,
    now: Timestamp,
) -> BTreeSet<(String, String, String)> {
    let mut found = BTreeSet::new();
    for ((scope, source), register) in registers {
        let released = registers.get(&(scope.clone(), "released".to_owned()));
        let of_another_list = match source.split_once(':') {
            Some(("list", list)) => topic.and_then(|topic| topic.split('/').next()) != Some(list),
            Some(("topic", wanted)) => topic != Some(wanted),
            _ => false,
        };
        let stands = scopes.contains(scope)
            && register.blocked
            && register.until.is_none_or(|until| until > now)
            && released.is_none_or(|released| released.at < register.at)
            && !of_another_list;
        if stands {
            found.insert((scope.clone(), source.clone(), register.id.clone()));
        }
    }
    found
}
