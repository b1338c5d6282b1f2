//! Every message under `tests/data`: how it is read, that it can be written, and that mutations of it cause no panic.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers too"
)]

mod describe;

use notification_model::{Bounce, Event, Mail, Receipt, SesMessage, parse};
use proptest::prelude::*;

/// Returns the name and text of each message, sorted by name.
fn messages() -> Vec<(String, String)> {
    let mut messages: Vec<(String, String)> = std::fs::read_dir("tests/data")
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect();
    messages.sort();
    messages
}

#[test]
fn each_message_is_read_as_recorded() {
    let mut report = String::new();
    for (name, text) in messages() {
        let lines = match parse(&text) {
            Ok(message) => describe::describe_message(&message),
            Err(error) => vec![format!("error: {error}")],
        };
        report.push_str(&format!("{name}\n"));
        for line in lines {
            report.push_str(&format!("  {line}\n"));
        }
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("messages", report);
    });
}

#[test]
fn errors_do_not_quote_the_payload() {
    for (_, text) in messages() {
        // Each string in turn is replaced by a secret or a value of a wrong type.
        for (start, _) in text.match_indices(": \"") {
            let value_at = start + 2;
            let Some(length) = text[value_at + 1..].find('"') else {
                continue;
            };
            for invalid in [
                "\"s3cret@example.com\"",
                "{\"s3cret\": \"s3cret\"}",
                "[\"s3cret\"]",
                "77777",
            ] {
                let changed = format!("{}{invalid}{}", &text[..value_at], &text[value_at + length + 2..]);
                if let Err(error) = parse(&changed) {
                    let error = error.to_string();
                    assert!(!error.contains("s3cret") && !error.contains("77777"), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_written_message_reads_the_same() {
    let mut checked = 0;
    for (name, text) in messages() {
        if let Ok(message) = parse(&text)
            && write_and_read(&message).unwrap_or_else(|problem| panic!("{name}: {problem}"))
        {
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} messages");
}

/// Writes the parts of a message and reads them again. Returns whether the message has such parts.
fn write_and_read(message: &SesMessage) -> Result<bool, String> {
    compare_written(message, true)
}

/// As [`write_and_read`]. Without `equal` the written parts only have to be readable: a display name is written without the
/// quotes and backslashes inside it.
fn compare_written(message: &SesMessage, equal: bool) -> Result<bool, String> {
    fn same<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq>(
        part: &T,
        equal: bool,
    ) -> Result<(), String> {
        let text = serde_json::to_string(part).map_err(|error| error.to_string())?;
        let again: T = serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))?;
        if !equal || again == *part {
            Ok(())
        } else {
            Err(format!("reads differently: {text}"))
        }
    }
    match message {
        SesMessage::Notification(notification) => {
            same::<Mail>(&notification.mail, equal)?;
            if let Event::Bounce(bounce) = &notification.event {
                same::<Bounce>(bounce, equal)?;
            }
        }
        SesMessage::Received(received) => same::<Receipt>(&received.receipt, equal)?,
        SesMessage::Setup(_) => return Ok(false),
    }
    Ok(true)
}

/// A mutation of a text: its position as a fraction of the length, its kind, and its bytes.
fn mutation() -> impl Strategy<Value = (f64, u8, Vec<u8>)> {
    let tokens = prop::sample::select(vec![
        b"null".to_vec(),
        b"\"s3cret\"".to_vec(),
        b"{\"s3cret\": 1}".to_vec(),
        b"\"\"".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"-1".to_vec(),
        b"1e999".to_vec(),
        b"\"\\ud800\"".to_vec(),
        b"<".to_vec(),
        b">".to_vec(),
        b"@".to_vec(),
        b"=?utf-8?b?".to_vec(),
        b"\0".to_vec(),
    ]);
    let bytes = prop_oneof![tokens, prop::collection::vec(any::<u8>(), 0..6)];
    (0.0..1.0f64, 0u8..4, bytes)
}

fn mutate(text: &str, mutations: &[(f64, u8, Vec<u8>)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (position, kind, new) in mutations {
        let at = (bytes.len() as f64 * position) as usize;
        let end = (at + new.len()).min(bytes.len());
        match kind {
            0 => drop(bytes.splice(at..at, new.iter().copied())),
            1 => drop(bytes.splice(at..end, new.iter().copied())),
            2 => drop(bytes.drain(at..end)),
            _ => bytes.truncate(at),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_message_can_be_written_and_read_or_is_rejected_without_quoting_it(
        (_, text) in prop::sample::select(messages()),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        match parse(&mutate(&text, &mutations)) {
            Ok(message) => {
                let written = compare_written(&message, false);
                prop_assert!(written.is_ok(), "{written:?}");
            }
            Err(error) => prop_assert!(!error.to_string().contains("s3cret"), "{error}"),
        }
    }
}
