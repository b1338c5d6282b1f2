//! A stranger's mail: its header, its facts, its forward, its report. The rules for a forward are those of the tests.

#![no_main]

#[path = "../../functions/inbound/tests/support/mod.rs"]
mod support;

use inbound::mail::forward::{ForwardError, rewrite};
use inbound::mail::report::{self, Arrival};
use inbound::mail::{Head, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|mail: &[u8]| {
    let limits = Limits::default();
    if let Ok(head) = Head::parse(mail, &limits) {
        let facts = head.facts(None, &limits);
        assert!(!facts.subject.unwrap_or_default().contains(['\r', '\n', '\0']));
        // The beginning of a mail says what the whole mail says, or that it is too short.
        let beginning = mail.get(..head.body_offset()).unwrap_or_default();
        if let Ok(other) = Head::parse_beginning(beginning, &limits) {
            assert_eq!(head.fields().len(), other.fields().len());
        }
    }
    support::with_rewrite(|how| match rewrite(mail, how, &limits) {
        Ok(forward) => support::check(mail, &forward),
        Err(ForwardError::Head(_) | ForwardError::TooLarge { .. }) => {}
        Err(ForwardError::BadSender) => unreachable!("the sender is ours"),
    });
    if let Ok(report) = report::read(mail, &limits) {
        let arrival = Arrival {
            message_id: "m1",
            at: jiff::Timestamp::from_second(1_772_529_302).unwrap(),
        };
        for text in report.notifications(&arrival) {
            notification_model::parse(&text).expect("valid notification JSON");
        }
    }
});
