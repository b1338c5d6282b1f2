//! Mail: its header, facts, forward and report. The rules for a forward are those of the tests.

#![no_main]

#[path = "../../functions/inbound/tests/forward_rules/mod.rs"]
mod forward_rules;

use inbound::mail::forward::{ForwardError, rewrite};
use inbound::mail::report::{self, Arrival};
use inbound::mail::{HeaderBlock, Limits, MailFacts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|mail: &[u8]| {
    let limits = Limits::default();
    if let Ok(header) = HeaderBlock::parse(mail, &limits) {
        let facts = MailFacts::read(&header, None, &limits);
        assert!(!facts.subject.unwrap_or_default().contains(['\r', '\n', '\0']));
        // The beginning of a mail gives the same header as the whole mail, or is too short.
        let beginning = mail.get(..header.body_offset()).unwrap_or_default();
        if let Ok(other) = HeaderBlock::parse_beginning(beginning, &limits) {
            assert_eq!(header.fields().len(), other.fields().len());
        }
    }
    forward_rules::with_rewrite(|parameters| match rewrite(mail, parameters, &limits) {
        Ok(forward) => forward_rules::assert_forward_rules(mail, &forward),
        Err(ForwardError::Header(_) | ForwardError::TooLarge { .. }) => {}
        Err(ForwardError::InvalidSender) => unreachable!("the sender of the test is valid"),
    });
    if let Ok(report) = report::read(mail, &limits) {
        let arrival = Arrival {
            message_id: "m1",
            at: jiff::Timestamp::from_second(1_772_529_302).unwrap(),
        };
        for text in report.notifications(&arrival) {
            notification_model::parse(&text).expect("the notification is invalid");
        }
    }
});
