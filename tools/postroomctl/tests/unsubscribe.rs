//! `postroomctl unsubscribe-link`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::Command;

use serde_json::Value;
use store::Scope;
use unsubscribe_token::{Keys, Token, UnsubscribeFrom};

const KEY: &str = "correct-horse-battery-staple-0123456789";

fn link(arguments: &[&str], key: Option<&str>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postroomctl"));
    command
        .args(["unsubscribe-link", "jane@example.com", "--mailbox", "out@shop.example"])
        .args(arguments)
        .env_clear()
        .envs(key.map(|key| ("POSTROOM_UNSUBSCRIBE_KEY", key)));
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_url_adds_the_one_click_header() {
    let token = "1orqwg3lfabvgc3tfibsxqylnobwgkltdn5wva3wnml3mto7qc7nq";
    let mailto = format!("<mailto:out+{token}@shop.example?subject=unsubscribe>");
    let outcome = link(&["--scope", "tenant:acme"], Some(KEY));
    assert_eq!(outcome.0, 0, "{}", outcome.2);
    assert_eq!(outcome.1, format!("List-Unsubscribe: {mailto}\n"));
    let outcome = link(
        &["--scope", "tenant:acme", "--url", "https://shop.example/u/{token}?v=1"],
        Some(KEY),
    );
    let expected = format!(
        "List-Unsubscribe: {mailto}, <https://shop.example/u/{token}?v=1>\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
    );
    assert_eq!(outcome.1, expected);
}

#[test]
fn the_token_is_valid_for_the_inbound_function() {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("unsubscribe.key");
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    let arguments = [
        "--scope",
        "domain:Shop.Example",
        "--list",
        "news",
        "--topic",
        "offers",
        "--json",
        "--key-file",
        file.to_str().unwrap(),
    ];
    let outcome = link(&arguments, None);
    assert_eq!(outcome.0, 0, "{}", outcome.2);
    let headers: Value = serde_json::from_str(&outcome.1).unwrap();
    let token = Token::read(headers["token"].as_str().unwrap(), &Keys::parse(KEY).unwrap()).unwrap();
    assert_eq!(token.scope(), &Scope::Domain("shop.example".to_owned()));
    let (list, topic) = ("news".to_owned(), "offers".to_owned());
    assert_eq!(token.unsubscribe_from(), &UnsubscribeFrom::Topic { list, topic });
    assert_eq!(token.address().key(), "jane@example.com");
    assert!(
        headers["List-Unsubscribe"]
            .as_str()
            .unwrap()
            .starts_with("<mailto:out@shop.example?subject=unsubscribe%201")
    );
    assert!(headers["List-Unsubscribe-Post"].is_null());
}

#[test]
fn missing_and_invalid_arguments_are_reported() {
    let scope = ["--scope", "global"];
    let long = format!("https://shop.example/{}/{{token}}", "u".repeat(900));
    for (arguments, key, expected) in [
        (&[][..], None, "expected a key: --key-file"),
        (
            &[],
            Some("short"),
            "the unsubscribe key: expected keys of at least 32 characters",
        ),
        (
            &["--url", "http://shop.example/{token}"],
            Some(KEY),
            "--url: expected an https URL",
        ),
        (
            &["--url", "https://shop.example/"],
            Some(KEY),
            "--url: expected an https URL",
        ),
        (&["--url", &long], Some(KEY), "the header exceeds 998 characters"),
        (&["--topic", "offers"], Some(KEY), "--list"),
    ] {
        let outcome = link(&[&scope[..], arguments].concat(), key);
        assert_eq!(outcome.0, 2, "{arguments:?}");
        assert!(outcome.2.contains(expected), "{arguments:?}: {}", outcome.2);
    }
}
