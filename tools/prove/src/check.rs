//! Compares table and targets with the reference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use serde_json::Value;
use store::{SenderContext, Store};

use crate::aws::{PARK_URL, Taken, UNROUTED};
use crate::model::{Expected, Register, blocks, expect};
use crate::run::{Journal, tellings};
use crate::scenario::{Counted, SECRET, Scenario, TARGETS};

/// By address: what stands in the row, by scope and origin.
type Rows = BTreeMap<String, BTreeMap<(String, String), Register>>;

/// The table, read as the store's documentation describes it.
#[derive(Debug, Default)]
struct Found {
    rows: Rows,
    /// By sender, kind and message: distinct recipients.
    events: BTreeMap<(String, Counted), BTreeMap<String, BTreeSet<String>>>,
    /// By sender and kind: distinct recipients of messages.
    common: BTreeMap<(String, Counted), BTreeSet<[u8; 8]>>,
    /// By sender and hour: whether a row is listed, so that the watch finds the sender.
    listed: BTreeMap<(String, String), bool>,
    history: BTreeMap<(String, String, String), usize>,
    /// By address: the lines of its digests, with their keys.
    digests: BTreeMap<String, Vec<(String, String)>>,
}

fn s<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

fn read(items: &[Value]) -> Found {
    let mut found = Found::default();
    for item in items {
        let (pk, sk) = (s(item, "pk"), s(item, "sk"));
        if let Some(address) = pk.strip_prefix("RECIPIENT#") {
            if sk == "SUPPRESSION" {
                found.rows.insert(address.to_owned(), registers(item));
            } else if !matches!(s(item, "kind"), "streak" | "recovered") {
                let line = (
                    address.to_owned(),
                    s(item, "id").to_owned(),
                    s(item, "scope").to_owned(),
                );
                *found.history.entry(line).or_default() += 1;
            }
        } else if let Some(sender) = pk.strip_prefix("SENDER#") {
            count(&mut found, sender, sk, item);
            let hour: String = sk.chars().take("2026-01-02T03".len()).collect();
            let lists = s(item, "listKey") == format!("HOUR#{hour}") && s(item, "listSort") == pk;
            *found.listed.entry((sender.to_owned(), hour)).or_default() |= lists;
        } else if let Some(address) = pk.strip_prefix("DIGEST#")
            && let Some((_, key)) = sk.split_once('#')
        {
            let line = (s(item, "line").to_owned(), key.to_owned());
            found.digests.entry(address.to_owned()).or_default().push(line);
        }
    }
    found
}

fn registers(item: &Value) -> BTreeMap<(String, String), Register> {
    let mut registers = BTreeMap::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        let (Some((scope, source)), Some(map)) = (name.split_once('|'), value.get("M")) else {
            continue;
        };
        let until = map["until"]["N"].as_str().and_then(|text| text.parse().ok());
        let register = Register {
            at: s(map, "at").parse().expect("a time"),
            id: s(map, "id").to_owned(),
            blocked: map["blocked"]["BOOL"] == true,
            until: until.map(|seconds| Timestamp::from_second(seconds).expect("a time")),
        };
        registers.insert((scope.to_owned(), source.to_owned()), register);
    }
    registers
}

fn count(found: &mut Found, sender: &str, sk: &str, item: &Value) {
    let parts: Vec<&str> = sk.split('#').collect();
    match parts.as_slice() {
        [_, "batch", _] => {
            for name in ["send", "delivery", "reject", "renderingFailure", "delay"] {
                let packed = item[name]["B"].as_str().unwrap_or_default();
                let packed = aws_smithy_types::base64::decode(packed).expect("base64");
                let ids = packed.as_chunks::<8>().0.iter().copied();
                if !packed.is_empty() {
                    let counts = found
                        .common
                        .entry((sender.to_owned(), Counted::Common(name)))
                        .or_default();
                    counts.extend(ids);
                }
            }
        }
        [_, kind, message, recipient] => {
            let counted = match *kind {
                "hard" => Counted::Hard,
                "soft" => Counted::Soft,
                "complaint" => Counted::Complaint,
                other => panic!("nobody counts {other}"),
            };
            let messages = found.events.entry((sender.to_owned(), counted)).or_default();
            messages
                .entry((*message).to_owned())
                .or_default()
                .insert((*recipient).to_owned());
        }
        _ => panic!("no count is called {sk}"),
    }
}

fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}:\n  found    {found:?}\n  expected {expected:?}"))
}

/// After everything was handled, dead letters included: exactly what the reference says.
///
/// # Errors
/// What differs.
pub fn in_the_end(story: &Scenario, rows: &[Value], taken: &[Taken]) -> Result<(), String> {
    let all: Vec<usize> = (0..story.publications.len()).collect();
    let expected = expect(story, &tellings(story, &all), &story.decisions);
    let found = read(rows);
    decisions(story, &found, &expected)?;
    same("counts", &numbers(&found), &expected_numbers(&expected))?;
    if let Some((sender, hour)) = found.listed.iter().find_map(|(of, lists)| (!lists).then_some(of)) {
        return Err(format!("{sender} sent at {hour}, and is not listed there"));
    }
    same("history", &found.history, &expected.history)?;
    routed(&found, taken, &expected)
}

/// No suppression is missing and none is wrong, now and at every moment at which one ends.
fn decisions(story: &Scenario, found: &Found, expected: &Expected) -> Result<(), String> {
    let mut wanted: Rows = BTreeMap::new();
    for ((address, scope, source), register) in &expected.registers {
        let row = wanted.entry(address.clone()).or_default();
        row.insert((scope.clone(), source.clone()), register.clone());
    }
    let steady = |rows: &Rows| -> Rows {
        let without_streak = |row: &BTreeMap<(String, String), Register>| {
            row.clone()
                .into_iter()
                .filter(|((_, source), _)| source != "streak")
                .collect()
        };
        let rows = rows.iter().map(|(address, row)| (address.clone(), without_streak(row)));
        rows.filter(|(_, row): &(String, BTreeMap<_, _>)| !row.is_empty())
            .collect()
    };
    same("registers", &steady(&found.rows), &steady(&wanted))?;
    for ((address, scope), register) in &expected.streaks {
        let row = wanted.entry(address.clone()).or_default();
        row.insert((scope.clone(), "streak".to_owned()), register.clone());
    }
    // A streak that a person released may still stand in its register: what counts is whether it blocks.
    let nothing = BTreeMap::new();
    for address in found.rows.keys().chain(wanted.keys()).collect::<BTreeSet<_>>() {
        let (found, wanted) = (
            found.rows.get(address).unwrap_or(&nothing),
            wanted.get(address).unwrap_or(&nothing),
        );
        let both = || found.iter().chain(wanted.iter());
        let scopes: BTreeSet<String> = both().map(|((scope, _), _)| scope.clone()).collect();
        let scopes: Vec<String> = scopes.into_iter().collect();
        let second = SignedDuration::from_secs(1);
        let ends = both()
            .filter_map(|(_, register)| register.until)
            .flat_map(|until| [until - second, until]);
        for now in ends.chain([story.end]) {
            for topic in [None, Some("readers/weekly"), Some("readers/daily")] {
                let what = format!("what blocks {address} at {now} for {topic:?}");
                same(
                    &what,
                    &blocks(found, &scopes, topic, now),
                    &blocks(wanted, &scopes, topic, now),
                )?;
            }
        }
    }
    Ok(())
}

type Numbers = BTreeMap<(String, Counted), usize>;

fn numbers(found: &Found) -> Numbers {
    let events = found.events.iter().map(|(of, messages)| {
        let number = messages.values().map(BTreeSet::len).sum();
        (of.clone(), number)
    });
    let common = found.common.iter().map(|(of, ids)| (of.clone(), ids.len()));
    events.chain(common).collect()
}

fn expected_numbers(expected: &Expected) -> Numbers {
    expected
        .counts
        .iter()
        .map(|(of, ids)| (of.clone(), ids.len()))
        .collect()
}

/// Who was told of what: by target and happening, the bodies and the idempotency keys.
type Heard = BTreeMap<&'static str, BTreeMap<usize, (Vec<String>, BTreeSet<String>)>>;

fn heard(found: &Found, taken: &[Taken]) -> (Heard, BTreeSet<(usize, bool)>) {
    let mut heard = Heard::new();
    let mut unrouted = BTreeSet::new();
    let mut note = |target: &'static str, body: &str, key: &str| {
        let happening = happening_of(body);
        let (bodies, keys) = heard.entry(target).or_default().entry(happening).or_default();
        bodies.push(body.to_owned());
        keys.insert(key.to_owned());
    };
    for one in taken {
        match one.by.as_str() {
            UNROUTED => {
                let body: Value = serde_json::from_str(&one.body).expect("a notification");
                unrouted.insert((happening_of(&one.body), body.get("eventType").is_some()));
            }
            PARK_URL => {
                let delivery: Value = serde_json::from_str(&one.body).expect("a delivery");
                let target = target_of(delivery["target"].as_str().unwrap_or_default());
                assert!(target.ends_with(":gone"), "parked, but not gone: {target}");
                note(target, delivery["body"].as_str().unwrap_or_default(), &one.key);
            }
            place => note(target_of(place), &one.body, &one.key),
        }
    }
    for (address, lines) in &found.digests {
        for (line, key) in lines {
            note(target_of(address), line, key);
        }
    }
    (heard, unrouted)
}

fn target_of(place: &str) -> &'static str {
    let name = |text: &str| text.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    let target = TARGETS.iter().find(|target| name(target) == name(place));
    target.unwrap_or_else(|| panic!("nobody's target: {place}"))
}

fn happening_of(body: &str) -> usize {
    let body: Value = serde_json::from_str(body).expect("a notification or a line of a digest");
    let id = body.pointer("/mail/messageId").unwrap_or(&body["messageId"]);
    let number = id
        .as_str()
        .and_then(|id| id.strip_prefix("010f-"))
        .and_then(|number| number.parse().ok());
    number.expect("a message of the story")
}

fn routed(found: &Found, taken: &[Taken], expected: &Expected) -> Result<(), String> {
    let (heard, unrouted) = heard(found, taken);
    let who = |heard: &Heard| -> BTreeMap<&'static str, BTreeSet<usize>> {
        heard
            .iter()
            .map(|(target, of)| (*target, of.keys().copied().collect()))
            .collect()
    };
    let wanted: BTreeMap<&'static str, BTreeSet<usize>> = expected
        .heard
        .iter()
        .map(|(target, of)| (*target, of.keys().copied().collect()))
        .collect();
    same("who heard of what", &who(&heard), &wanted)?;
    same("what nobody hears of", &unrouted, &expected.unrouted)?;
    for (target, of) in &heard {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (happening, (bodies, keys)) in of {
            let [key] = keys.iter().collect::<Vec<_>>()[..] else {
                return Err(format!("{target}: message {happening} came with the keys {keys:?}"));
            };
            if key.is_empty() {
                return Err(format!("{target}: message {happening} came without a key"));
            }
            if let Some(other) = seen.insert(key, *happening) {
                return Err(format!("{target}: {other} and {happening} have one key"));
            }
            let full = expected.heard[target][happening];
            if !full && bodies.iter().any(|body| body.contains(SECRET)) {
                return Err(format!("{target}: sees everything of message {happening}"));
            }
        }
    }
    Ok(())
}

/// While some notifications are dead letters: everything acknowledged took effect, and nothing did that was not published.
///
/// # Errors
/// What is missing or too much.
pub fn so_far(story: &Scenario, rows: &[Value], taken: &[Taken], books: &Journal) -> Result<(), String> {
    let all: Vec<usize> = (0..story.publications.len()).collect();
    let most = expect(story, &tellings(story, &all), &story.decisions);
    let least = expect(story, &tellings(story, &books.feedback_done), &story.decisions);
    let found = read(rows);
    for ((address, scope, source), least) in &least.registers {
        let register = found
            .rows
            .get(address)
            .and_then(|row| row.get(&(scope.clone(), source.clone())));
        let Some(register) = register else {
            return Err(format!(
                "acknowledged, but not in the table: {scope}|{source} of {address}, {least:?}"
            ));
        };
        if (register.at, &register.id) < (least.at, &least.id) {
            return Err(format!(
                "an older decision won: {scope}|{source} of {address}, {register:?}, {least:?}"
            ));
        }
    }
    for (address, row) in &found.rows {
        for (scope, source) in row.keys().filter(|(_, source)| source != "streak") {
            if !most
                .registers
                .contains_key(&(address.clone(), scope.clone(), source.clone()))
            {
                return Err(format!("out of nothing: {scope}|{source} of {address}"));
            }
        }
    }
    let (numbers, least_numbers, most_numbers) = (numbers(&found), expected_numbers(&least), expected_numbers(&most));
    for of in numbers.keys().chain(least_numbers.keys()) {
        let number = |numbers: &Numbers| numbers.get(of).copied().unwrap_or_default();
        if number(&numbers) < number(&least_numbers) || number(&numbers) > number(&most_numbers) {
            return Err(format!(
                "{of:?}: counted {}, acknowledged {}, published {}",
                number(&numbers),
                number(&least_numbers),
                number(&most_numbers)
            ));
        }
    }
    let least = expect(story, &tellings(story, &books.router_done), &[]);
    let (mut heard, unrouted) = heard(&found, taken);
    for body in &books.undelivered {
        let delivery: Value = serde_json::from_str(body).expect("a delivery");
        let target = target_of(delivery["target"].as_str().unwrap_or_default());
        heard
            .entry(target)
            .or_default()
            .entry(happening_of(delivery["body"].as_str().unwrap_or_default()))
            .or_default();
    }
    for (target, of) in &least.heard {
        for happening in of.keys() {
            if !heard.get(target).is_some_and(|heard| heard.contains_key(happening)) {
                return Err(format!(
                    "acknowledged, but {target} did not hear of message {happening}"
                ));
            }
        }
    }
    for (target, of) in &heard {
        for happening in of.keys() {
            if !most
                .heard
                .get(target)
                .is_some_and(|entitled| entitled.contains_key(happening))
            {
                return Err(format!(
                    "{target} heard of message {happening}, which is none of its business"
                ));
            }
        }
    }
    if !least.unrouted.is_subset(&unrouted) || !unrouted.is_subset(&most.unrouted) {
        return Err(format!(
            "unrouted {unrouted:?}, at least {:?}, at most {:?}",
            least.unrouted, most.unrouted
        ));
    }
    Ok(())
}

/// Every line of a digest was mailed, in one mail with its window's other lines.
///
/// # Errors
/// The digest that was not.
pub fn digests(rows: &[Value], mails: &[(String, String)]) -> Result<(), String> {
    let mut wanted: BTreeMap<(String, Timestamp), usize> = BTreeMap::new();
    for row in rows {
        if let Some(address) = s(row, "pk").strip_prefix("DIGEST#")
            && let Some((window, _)) = s(row, "sk").split_once('#')
        {
            let window = window.parse().expect("a time");
            *wanted.entry((address.to_owned(), window)).or_default() += 1;
        }
    }
    for ((address, window), lines) in wanted {
        let period = format!("What Amazon SES reported, {} to", window.strftime("%Y-%m-%d %H:%M"));
        let listed = |text: &str| -> usize {
            let more = |line: &str| {
                line.strip_prefix("  and ")?
                    .strip_suffix(" more")?
                    .parse::<usize>()
                    .ok()
            };
            text.lines()
                .map(|line| more(line).unwrap_or(usize::from(line.starts_with("- "))))
                .sum()
        };
        let to = mails
            .iter()
            .filter(|(to, text)| *to == address && text.starts_with(&period));
        let told: Vec<usize> = to.map(|(_, text)| listed(text)).collect();
        if !told.contains(&lines) {
            return Err(format!(
                "{address}: {lines} lines in the digest of {window}, mailed {told:?}"
            ));
        }
    }
    Ok(())
}

/// The store's own reader gives the reference's answers.
///
/// # Errors
/// What differs.
pub async fn as_the_reader_sees_it(story: &Scenario, store: &Store) -> Result<(), String> {
    let all: Vec<usize> = (0..story.publications.len()).collect();
    let expected = expect(story, &tellings(story, &all), &story.decisions);
    let mut wanted: Rows = BTreeMap::new();
    for ((address, scope, source), register) in &expected.registers {
        wanted
            .entry(address.clone())
            .or_default()
            .insert((scope.clone(), source.clone()), register.clone());
    }
    for ((address, scope), register) in &expected.streaks {
        let place = (scope.clone(), "streak".to_owned());
        wanted
            .entry(address.clone())
            .or_default()
            .insert(place, register.clone());
    }
    let now = story.end + SignedDuration::from_hours(20 * 24);
    for (domain, tenant) in [("shop.example", Some("acme")), ("news.example", None)] {
        let context = SenderContext {
            tenant: tenant.map(str::to_owned),
            identity: Some(format!("mail.{domain}")),
            topic: Some("readers/weekly".to_owned()),
        };
        let mut scopes = vec![
            "global".to_owned(),
            format!("domain:{domain}"),
            format!("domain:mail.{domain}"),
        ];
        scopes.extend(tenant.map(|tenant| format!("tenant:{tenant}")));
        let addresses: Vec<EmailAddress> = wanted
            .keys()
            .filter_map(|address| EmailAddress::parse(address))
            .collect();
        let answers = store
            .check(&addresses, &context, now)
            .await
            .map_err(|error| error.to_string())?;
        for answer in answers {
            let found: BTreeSet<(String, String, String)> = answer
                .suppressions
                .iter()
                .map(|suppression| {
                    (
                        suppression.scope.to_string(),
                        suppression.source.to_string(),
                        suppression.entry.id.clone(),
                    )
                })
                .collect();
            let wanted = blocks(&wanted[answer.address.key()], &scopes, Some("readers/weekly"), now);
            same(&format!("the store's answer about {}", answer.address), &found, &wanted)?;
        }
    }
    Ok(())
}
