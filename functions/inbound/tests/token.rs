//! Unsubscribe tokens: the known answers, what is believed and what is not, and where a mail has one.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers too"
)]

use inbound::token::{InvalidKeys, Keys, Leaves, Token, TokenError, find, mailto};
use notification_model::EmailAddress;
use proptest::prelude::*;
use serde_json::Value;
use store::Scope;

const KEY: &str = "correct-horse-battery-staple-0123456789";
const OTHER_KEY: &str = "another-horse-battery-staple-0123456789";

fn keys(text: &str) -> Keys {
    Keys::parse(text).unwrap()
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn jane() -> Token {
    Token::new(
        Scope::Tenant("acme".to_owned()),
        Leaves::Everything,
        address("jane@example.com"),
    )
    .unwrap()
}

fn known() -> Value {
    serde_json::from_str(include_str!("data/unsubscribe-tokens.json")).unwrap()
}

/// The file's tokens were made by `examples/unsubscribe_link.py`.
#[test]
fn known_answers() {
    let known = known();
    let keys = keys(known["key"].as_str().unwrap());
    let tokens = known["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 6);
    for one in tokens {
        let text = |name: &str| one[name].as_str().map(str::to_owned);
        let leaves = match (text("list"), text("topic")) {
            (None, _) => Leaves::Everything,
            (Some(list), None) => Leaves::List(list),
            (Some(list), Some(topic)) => Leaves::Topic { list, topic },
        };
        let scope = text("scope").unwrap().parse().unwrap();
        let token = Token::new(scope, leaves, address(&text("address").unwrap())).unwrap();
        let signed = token.sign(&keys);
        assert_eq!(Some(&signed), text("token").as_ref(), "{one}");
        assert_eq!(Token::read(&signed, &keys).unwrap(), token);
        let mailbox = address("unsubscribe@shop.example");
        assert_eq!(Some(mailto(&signed, &mailbox)), text("mailto"), "{one}");
    }
}

#[test]
fn any_key_is_believed_and_the_first_signs() {
    let old = jane().sign(&keys(OTHER_KEY));
    let both = keys(KEY).with_previous(keys(OTHER_KEY));
    assert_eq!(Token::read(&old, &both).unwrap(), jane());
    assert_eq!(jane().sign(&both), jane().sign(&keys(KEY)));
    assert_eq!(
        jane().sign(&keys(&format!("  {KEY}\n\n{OTHER_KEY}\n"))),
        jane().sign(&keys(KEY))
    );
    assert_eq!(Token::read(&old, &keys(KEY)), Err(TokenError::Mac));
}

#[test]
fn keys_are_long_plain_and_secret() {
    let problem = |text: &str| Keys::parse(text).unwrap_err();
    assert_eq!(problem(" \n"), InvalidKeys::Missing);
    assert_eq!(problem("short"), InvalidKeys::TooShort);
    assert_eq!(problem(&format!("{KEY}\nshort")), InvalidKeys::TooShort);
    assert_eq!(problem(&format!("{{\"key\": \"{KEY}\"}}")), InvalidKeys::Json);
    assert_eq!(format!("{:?}", keys(KEY)), "1 key(s)");
}

#[test]
fn names_that_would_change_a_token_s_meaning_are_refused() {
    let token = |scope: Scope, leaves| Token::new(scope, leaves, address("jane@example.com"));
    let list = |name: &str| Leaves::List(name.to_owned());
    assert!(token(Scope::Global, list("news")).is_ok());
    assert!(token(Scope::Global, list("")).is_err());
    assert!(token(Scope::Global, list("a\0b")).is_err());
    assert!(token(Scope::Tenant("a\0b".to_owned()), Leaves::Everything).is_err());
    assert!(Token::new(Scope::Global, Leaves::Everything, address("postmaster")).is_err());
}

proptest! {
    #[test]
    fn what_was_signed_is_read_in_any_case(
        tenant in "[a-zA-Z0-9_-]{1,64}", list in "\\PC{1,20}", topic in "\\PC{1,20}", local in "[a-z0-9.]{1,20}"
    ) {
        let token = Token::new(
            Scope::Tenant(tenant),
            Leaves::Topic { list, topic },
            address(&format!("{local}@example.com")),
        ).unwrap();
        let text = token.sign(&keys(KEY));
        prop_assert_eq!(Token::read(&text.to_uppercase(), &keys(KEY)), Ok(token));
    }

    #[test]
    fn any_change_is_noticed(at in 0usize..40, to in "[a-z2-7]") {
        let text = jane().sign(&keys(KEY));
        let at = at % text.len();
        let changed = format!("{}{to}{}", &text[..at], &text[at + 1..]);
        prop_assume!(changed != text);
        prop_assert!(Token::read(&changed, &keys(KEY)).is_err());
    }

    #[test]
    fn any_text_is_refused_and_none_panics(text in "\\PC{0,60}", run in "1[a-z2-7]{0,1600}") {
        prop_assert!(Token::read(&text, &keys(KEY)).is_err());
        prop_assert!(Token::read(&run, &keys(KEY)).is_err());
        let _ = find(&address(&format!("u+{run}@example.com")), Some(&text));
    }
}

#[test]
fn a_cut_or_longer_token_is_refused() {
    let text = jane().sign(&keys(KEY));
    for cut in 0..text.len() {
        assert!(Token::read(&text[..cut], &keys(KEY)).is_err(), "{cut}");
    }
    assert!(Token::read(&format!("{text}aa"), &keys(KEY)).is_err());
    assert!(Token::read(&format!("{text}a"), &keys(KEY)).is_err());
    assert_eq!(
        Token::read(&text.replacen('1', "8", 1), &keys(KEY)),
        Err(TokenError::Shape)
    );
}

#[test]
fn a_token_is_found_where_mail_programs_leave_it() {
    let token = jane().sign(&keys(KEY));
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
        let read: Vec<Token> = found
            .iter()
            .filter_map(|text| Token::read(text, &keys(KEY)).ok())
            .collect();
        assert_eq!(read, [jane()], "{recipient} {subject:?}");
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
fn a_local_part_keeps_within_its_64_octets() {
    let token = jane().sign(&keys(KEY));
    assert_eq!(token.len(), 53, "22 bytes of payload, 10 of code, and the version");
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
