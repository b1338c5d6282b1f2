//! Addresses as strangers spell them: whatever comes out fits on one line, and names a mailbox by one key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use notification_model::{EmailAddress, normalise_domain};

fuzz_target!(|text: &str| {
    let all = EmailAddress::parse(text).into_iter().chain(EmailAddress::parse_list(text));
    for address in all {
        let one_line = |text: &str| !text.contains(['\r', '\n', '\0']);
        assert!(one_line(address.as_str()) && one_line(address.key()), "{address:?}");
        assert!(address.name().is_none_or(one_line), "{address:?}");
        assert!(!address.as_str().is_empty());
        // The key of the key is the key, or a row could not be found again by it.
        let key = address.key();
        let plain = |c: char| c.is_alphanumeric() || ".@-_+".contains(c);
        if key.chars().all(plain) {
            let again = EmailAddress::parse(key).expect("a key is an address");
            assert_eq!(again.key(), key);
        }
        if let Some(domain) = address.domain() {
            let again = normalise_domain(domain);
            assert_eq!(normalise_domain(&again), again, "{domain:?}");
        }
    }
});
