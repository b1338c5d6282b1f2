//! Addresses: every parsed address is in one line, and its key is stable.

#![no_main]

use libfuzzer_sys::fuzz_target;
use notification_model::{EmailAddress, normalise_domain};

fuzz_target!(|text: &str| {
    let addresses = EmailAddress::parse(text).into_iter().chain(EmailAddress::parse_list(text));
    for address in addresses {
        let is_one_line = |text: &str| !text.contains(['\r', '\n', '\0']);
        assert!(is_one_line(address.as_str()) && is_one_line(address.key()), "{address:?}");
        assert!(address.name().is_none_or(is_one_line), "{address:?}");
        assert!(!address.as_str().is_empty());
        // The key of a key is the same key. Otherwise a row is not found by its key.
        let key = address.key();
        let is_plain = |c: char| c.is_alphanumeric() || ".@-_+".contains(c);
        if key.chars().all(is_plain) {
            let parsed = EmailAddress::parse(key).expect("the key is not an address");
            assert_eq!(parsed.key(), key);
        }
        if let Some(domain) = address.domain() {
            let normalised = normalise_domain(domain);
            assert_eq!(normalise_domain(&normalised), normalised, "{domain:?}");
        }
    }
});
