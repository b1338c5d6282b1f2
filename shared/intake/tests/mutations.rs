//! Mutated events cause no panic, and no error quotes the event.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::LazyLock;

use intake::Batch;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

const SECRET: &str = "jane, expected jane@example.com";

static EVENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let files = std::fs::read_dir("tests/data").unwrap();
    files
        .map(|file| serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap())
        .collect()
});

#[derive(Clone, Debug)]
enum Mutation {
    Replace(Value),
    Remove(Index),
    Cut(Index),
    Repeat,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let values = [
        json!(null),
        json!(true),
        json!(-7.5),
        json!(SECRET),
        json!(format!("{{\"Type\":\"Notification\",\"TopicArn\":\"{SECRET}\"}}")),
        json!(format!("{{\"source\":1,\"detail-type\":1,\"detail\":\"{SECRET}\"}}")),
        json!([SECRET]),
        json!({ SECRET: SECRET }),
    ];
    prop_oneof![
        proptest::sample::select(values.to_vec()).prop_map(Mutation::Replace),
        any::<Index>().prop_map(Mutation::Remove),
        any::<Index>().prop_map(Mutation::Cut),
        Just(Mutation::Repeat),
    ]
}

fn apply(value: &mut Value, mutation: &Mutation) {
    match (mutation, value) {
        (Mutation::Replace(new), value) => *value = new.clone(),
        (Mutation::Remove(index), Value::Object(fields)) if !fields.is_empty() => {
            let key = index.get(&fields.keys().cloned().collect::<Vec<_>>()).clone();
            fields.remove(&key);
        }
        (Mutation::Cut(index), Value::String(text)) if !text.is_empty() => {
            *text = text.chars().take(index.index(text.len())).collect();
        }
        (Mutation::Repeat, Value::Array(items)) => items.extend(items.clone()),
        _ => {}
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Returns the `nth` value in depth-first order.
fn find<'a>(value: &'a mut Value, nth: &mut usize) -> Option<&'a mut Value> {
    if *nth == 0 {
        return Some(value);
    }
    *nth -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| find(item, nth)),
        Value::Object(fields) => fields.values_mut().find_map(|field| find(field, nth)),
        _ => None,
    }
}

fn errors(event: &[u8]) -> Vec<String> {
    match Batch::from_slice(event) {
        Ok(batch) => batch
            .records()
            .iter()
            .filter_map(|record| Some(record.as_ref().err()?.to_string()))
            .collect(),
        Err(error) => vec![error.to_string()],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn mutated_values_are_not_quoted(event in any::<Index>(), mutations in prop::collection::vec((any::<Index>(), mutation()), 1..5)) {
        let mut event = event.get(&EVENTS).clone();
        for (position, mutation) in &mutations {
            let mut nth = position.index(count(&event));
            apply(find(&mut event, &mut nth).unwrap(), mutation);
        }
        for error in errors(event.to_string().as_bytes()) {
            prop_assert!(!error.contains("jane"), "{error}");
        }
    }

    #[test]
    fn mutated_bytes_are_not_quoted(
        event in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), any::<u8>()), 1..5),
        cut in any::<Index>(),
    ) {
        let mut bytes = event.get(&EVENTS).to_string().into_bytes();
        for (position, byte) in &edits {
            let position = position.index(bytes.len());
            bytes[position] = *byte;
        }
        for error in errors(&bytes).into_iter().chain(errors(&bytes[..cut.index(bytes.len())])) {
            prop_assert!(!error.contains("nobody@"), "{error}");
        }
    }
}
