//! Unsubscribe tokens: test vectors, verification, and their place in a mail.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers too"
)]

use notification_model::EmailAddress;
use proptest::prelude::*;
use serde_json::Value;
use store::Scope;
use unsubscribe_token::{InvalidKeys, Keys, Token, TokenError, UnsubscribeFrom, find, mailto};

const KEY: &str = "correct-horse-battery-staple-0123456789";
const OTHER_KEY: &str = "another-horse-battery-staple-0123456789";

fn keys(text: &str) -> Keys {
    Keys::parse(text).unwrap()
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn token_of_jane() -> Token {
    Token::new(
        Scope::Tenant("acme".to_owned()),
        UnsubscribeFrom::Everything,
        address("jane@example.com"),
    )
    .unwrap()
}

fn test_vectors() -> Value {
    serde_json::from_str(include_str!("data/unsubscribe-tokens.json")).unwrap()
}

/// `examples/unsubscribe_link.py` signed the tokens in the file.
#[test]
fn tokens_are_those_of_the_test_vectors() {
    let vectors = test_vectors();
    let keys = keys(vectors["key"].as_str().unwrap());
    let tokens = vectors["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 6);
    for vector in tokens {
        let text = |name: &str| vector[name].as_str().map(str::to_owned);
        let unsubscribe_from = match (text("list"), text("topic")) {
            (None, _) => UnsubscribeFrom::Everything,
            (Some(list), None) => UnsubscribeFrom::List(list),
            (Some(list), Some(topic)) => UnsubscribeFrom::Topic { list, topic },
        };
        let scope = text("scope").unwrap().parse().unwrap();
        let token = Token::new(scope, unsubscribe_from, address(&text("address").unwrap())).unwrap();
        let signed = token.sign(&keys);
        assert_eq!(Some(&signed), text("token").as_ref(), "{vector}");
        assert_eq!(Token::read(&signed, &keys).unwrap(), token);
        let mailbox = address("unsubscribe@shop.example");
        assert_eq!(Some(mailto(&signed, &mailbox)), text("mailto"), "{vector}");
    }
}

#[test]
fn the_first_key_signs_and_every_key_verifies() {
    let old = token_of_jane().sign(&keys(OTHER_KEY));
    let both = keys(KEY).with_previous(keys(OTHER_KEY));
    assert_eq!(Token::read(&old, &both).unwrap(), token_of_jane());
    assert_eq!(token_of_jane().sign(&both), token_of_jane().sign(&keys(KEY)));
    assert_eq!(
        token_of_jane().sign(&keys(&format!("  {KEY}\n\n{OTHER_KEY}\n"))),
        token_of_jane().sign(&keys(KEY))
    );
    assert_eq!(Token::read(&old, &keys(KEY)), Err(TokenError::InvalidMac));
}

#[test]
fn keys_are_at_least_32_characters_of_plain_text_and_not_in_debug_output() {
    let problem = |text: &str| Keys::parse(text).unwrap_err();
    assert_eq!(problem(" \n"), InvalidKeys::Missing);
    assert_eq!(problem("short"), InvalidKeys::TooShort);
    assert_eq!(problem(&format!("{KEY}\nshort")), InvalidKeys::TooShort);
    assert_eq!(problem(&format!("{{\"key\": \"{KEY}\"}}")), InvalidKeys::Json);
    assert_eq!(format!("{:?}", keys(KEY)), "1 key(s)");
}

#[test]
fn a_token_with_times_ends_and_says_when_it_was_issued() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let (issued, end) = (at("2026-03-03T10:00:00.5Z"), at("2026-06-01T00:00:00Z"));
    let token = token_of_jane().issued(issued, Some(end));
    let text = token.sign(&keys(KEY));
    assert!(text.starts_with('9'), "{text}");
    assert_eq!(
        Token::read_at(&text.to_uppercase(), &keys(KEY), at("2026-05-31T23:59:59Z")).unwrap(),
        token
    );
    assert_eq!(token.issued_at(), Some(at("2026-03-03T10:00:00Z")));
    assert_eq!(Token::read_at(&text, &keys(KEY), end), Err(TokenError::Expired));
    let endless = token_of_jane().issued(issued, None).sign(&keys(KEY));
    assert!(Token::read_at(&endless, &keys(KEY), at("2126-01-01T00:00:00Z")).is_ok());
    // Without its times, the payload has another MAC.
    assert_eq!(token_of_jane().issued_at(), None);
    assert!(Token::read(&text.replacen('9', "1", 1), &keys(KEY)).is_err());
    let found = find(&address("out@shop.example"), Some(&format!("unsubscribe {text}")));
    assert!(found.contains(&text), "{found:?}");
}

#[test]
fn a_key_of_a_tenant_signs_only_for_the_tenant() {
    let secret = keys(&format!("{KEY}\ntenant:acme {OTHER_KEY}"));
    let of_acme = token_of_jane().sign(&secret);
    assert_eq!(
        of_acme,
        token_of_jane().sign(&keys(OTHER_KEY)),
        "the key of the tenant signs"
    );
    assert_eq!(Token::read(&of_acme, &secret).unwrap(), token_of_jane());
    let of_operator = token_of_jane().sign(&keys(KEY));
    assert!(
        Token::read(&of_operator, &secret).is_ok(),
        "the key of the operator stays valid"
    );
    for scope in ["tenant:other", "domain:shop.example", "global"] {
        let other = Token::new(
            scope.parse().unwrap(),
            UnsubscribeFrom::Everything,
            address("jane@example.com"),
        );
        let forged = other.unwrap().sign(&keys(OTHER_KEY));
        assert_eq!(Token::read(&forged, &secret), Err(TokenError::InvalidMac), "{scope}");
    }
    assert_eq!(
        Keys::parse(&format!("tenant:acme {OTHER_KEY}")).unwrap_err(),
        InvalidKeys::OnlyTenants
    );
    assert!(
        Token::new(
            "forward:a@shop.example".parse().unwrap(),
            UnsubscribeFrom::Everything,
            address("a@b.example")
        )
        .is_err()
    );
}

#[test]
fn names_with_control_characters_are_invalid() {
    let token = |scope: Scope, unsubscribe_from| Token::new(scope, unsubscribe_from, address("jane@example.com"));
    let list = |name: &str| UnsubscribeFrom::List(name.to_owned());
    assert!(token(Scope::Global, list("news")).is_ok());
    assert!(token(Scope::Global, list("")).is_err());
    assert!(token(Scope::Global, list("a\0b")).is_err());
    assert!(token(Scope::Tenant("a\0b".to_owned()), UnsubscribeFrom::Everything).is_err());
    assert!(Token::new(Scope::Global, UnsubscribeFrom::Everything, address("postmaster")).is_err());
}

proptest! {
    #[test]
    fn a_signed_token_is_verified_in_any_case(
        tenant in "[a-zA-Z0-9_-]{1,64}", list in "\\PC{1,20}", topic in "\\PC{1,20}", local in "[a-z0-9.]{1,20}"
    ) {
        let token = Token::new(
            Scope::Tenant(tenant),
            UnsubscribeFrom::Topic { list, topic },
            address(&format!("{local}@example.com")),
        ).unwrap();
        let text = token.sign(&keys(KEY));
        prop_assert_eq!(Token::read(&text.to_uppercase(), &keys(KEY)), Ok(token));
    }

    #[test]
    fn a_changed_token_is_invalid(at in 0usize..40, to in "[a-z2-7]") {
        let text = token_of_jane().sign(&keys(KEY));
        let at = at % text.len();
        let changed = format!("{}{to}{}", &text[..at], &text[at + 1..]);
        prop_assume!(changed != text);
        prop_assert!(Token::read(&changed, &keys(KEY)).is_err());
    }

    #[test]
    fn any_other_text_is_invalid(text in "\\PC{0,60}", run in "[19][a-z2-7]{0,1600}") {
        prop_assert!(Token::read(&text, &keys(KEY)).is_err());
        prop_assert!(Token::read(&run, &keys(KEY)).is_err());
        for candidate in find(&address(&format!("u+{run}@example.com")), Some(&text)) {
            prop_assert!(candidate.starts_with(['1', '9']) && candidate.len() <= 1500, "{candidate}");
            prop_assert!(Token::read(&candidate, &keys(KEY)).is_err());
        }
    }
}

#[test]
fn a_shorter_or_longer_token_is_invalid() {
    let text = token_of_jane().sign(&keys(KEY));
    for cut in 0..text.len() {
        assert!(Token::read(&text[..cut], &keys(KEY)).is_err(), "{cut}");
    }
    assert!(Token::read(&format!("{text}aa"), &keys(KEY)).is_err());
    assert!(Token::read(&format!("{text}a"), &keys(KEY)).is_err());
    assert_eq!(
        Token::read(&text.replacen('1', "8", 1), &keys(KEY)),
        Err(TokenError::Malformed)
    );
}

#[test]
fn a_token_is_found_in_the_tag_and_in_the_subject() {
    let token = token_of_jane().sign(&keys(KEY));
    let (first, second) = token.split_at(20);
    let cases = [
        (format!("unsubscribe+{token}@shop.example"), None),
        (
            format!("Unsubscribe+{}@shop.example", token.to_uppercase()),
            Some("unsubscribe".to_owned()),
        ),
        (
            "unsubscribe@shop.example".to_owned(),
            Some(format!("unsubscribe {token}")),
        ),
        (
            "unsubscribe@shop.example".to_owned(),
            Some(format!("Re: AW: unsubscribe <{token}>, please")),
        ),
        (
            "unsubscribe@shop.example".to_owned(),
            Some(format!("unsubscribe {first} \t{second}")),
        ),
        ("unsubscribe+other@shop.example".to_owned(), Some(token.clone())),
    ];
    for (recipient, subject) in cases {
        let found = find(&address(&recipient), subject.as_deref());
        let tokens: Vec<Token> = found
            .iter()
            .filter_map(|text| Token::read(text, &keys(KEY)).ok())
            .collect();
        assert_eq!(tokens, [token_of_jane()], "{recipient} {subject:?}");
    }
    for (recipient, subject) in [
        ("unsubscribe@shop.example", None),
        ("unsubscribe+1@shop.example", Some("1 2 3")),
        ("sales+spring@shop.example", Some("what about 15 boxes of tea?")),
    ] {
        assert!(find(&address(recipient), subject).is_empty(), "{recipient}");
    }
}

#[test]
fn the_token_is_in_the_subject_if_the_local_part_is_too_long() {
    let token = token_of_jane().sign(&keys(KEY));
    assert_eq!(token.len(), 53, "22 bytes of payload, 10 of MAC, and the version");
    assert_eq!(
        mailto(&token, &address("out@shop.example")),
        format!("mailto:out+{token}@shop.example?subject=unsubscribe")
    );
    for (mailbox, expected) in [
        ("unsubscribe@shop.example", "mailto:unsubscribe@"),
        ("a+b@shop.example", "mailto:a+b@"),
        ("a%b@shop.example", "mailto:a%25b+1"),
        ("x@B\u{fc}cher.Example", "mailto:x+"),
    ] {
        let link = mailto(&token, &address(mailbox));
        assert!(
            link.starts_with(expected) && link.contains(&token) && link.is_ascii(),
            "{link}"
        );
    }
}
