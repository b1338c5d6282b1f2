//! Every message under `tests/data`, read and written down; and a great many spoilt ones that must not panic.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers too"
)]

use notification_model::{Event, SesMessage, parse};
use proptest::prelude::*;

#[test]
fn every_message_reads_as_recorded() {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::glob!("data/*", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            let content = |message: &SesMessage| match message {
                SesMessage::Received(received) => received.content.as_ref().map(|content| {
                    content.bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                }),
                _ => None,
            };
            match parse(&text) {
                Ok(message) => match content(&message) {
                    Some(content) => insta::assert_debug_snapshot!((message, content)),
                    None => insta::assert_debug_snapshot!(message),
                },
                Err(error) => insta::assert_snapshot!(error),
            }
        });
    });
}

#[test]
fn errors_never_quote_the_payload() {
    for name in std::fs::read_dir("tests/data").unwrap() {
        let text = std::fs::read_to_string(name.unwrap().path()).unwrap();
        // Every string in turn becomes a wrong type or a secret.
        for (start, _) in text.match_indices(": \"") {
            let value_at = start + 2;
            let Some(length) = text[value_at + 1..].find('"') else {
                continue;
            };
            for spoilt in [
                "\"s3cret@example.com\"",
                "{\"s3cret\": \"s3cret\"}",
                "[\"s3cret\"]",
                "77777",
            ] {
                let changed = format!("{}{spoilt}{}", &text[..value_at], &text[value_at + length + 2..]);
                if let Err(error) = parse(&changed) {
                    let error = error.to_string();
                    assert!(!error.contains("s3cret") && !error.contains("77777"), "{error}");
                }
            }
        }
    }
}

#[test]
fn what_is_read_can_be_written_and_read_again() {
    let mut checked = 0;
    for name in std::fs::read_dir("tests/data").unwrap() {
        let text = std::fs::read_to_string(name.unwrap().path()).unwrap();
        match parse(&text) {
            Ok(SesMessage::Notification(notification)) => {
                let mail = serde_json::to_string(&notification.mail).unwrap();
                assert_eq!(
                    serde_json::from_str::<notification_model::Mail>(&mail).unwrap(),
                    notification.mail
                );
                if let Event::Bounce(bounce) = notification.event {
                    let again = serde_json::to_string(&bounce).unwrap();
                    assert_eq!(
                        serde_json::from_str::<notification_model::Bounce>(&again).unwrap(),
                        bounce
                    );
                }
            }
            Ok(SesMessage::Received(received)) => {
                let receipt = serde_json::to_string(&received.receipt).unwrap();
                let again: notification_model::Receipt = serde_json::from_str(&receipt).unwrap();
                assert_eq!(again, received.receipt);
            }
            Ok(SesMessage::Setup(_)) | Err(_) => continue,
        }
        checked += 1;
    }
    assert!(checked > 40, "only {checked}");
}

/// What to do to a text: where (a fraction of it), what, and with which bytes.
fn mutation() -> impl Strategy<Value = (f64, u8, Vec<u8>)> {
    let tokens = prop::sample::select(vec![
        b"null".to_vec(),
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
    for (place, kind, new) in mutations {
        let at = (bytes.len() as f64 * place) as usize;
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

fn messages() -> Vec<String> {
    let files = std::fs::read_dir("tests/data").unwrap();
    let mut all: Vec<String> = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn a_spoilt_message_never_panics(
        text in prop::sample::select(messages()),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        if let Err(error) = parse(&mutate(&text, &mutations)) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
