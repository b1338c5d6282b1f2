//! Accounts, identities, recipients and route targets.

use fastrand::Rng;

use super::random::{chance, choose};

/// The account that the functions run in.
pub const HOME_ACCOUNT: &str = "111122223333";
pub(super) const ACCOUNTS: [&str; 4] = [HOME_ACCOUNT, "222233334444", "333344445555", "444455556666"];
pub(super) const OWNERS: [&str; 2] = [HOME_ACCOUNT, "222233334444"];
pub(super) const DOMAINS: [&str; 3] = ["shop.example", "news.example", "victim.example"];
pub(super) const CONFIGURATION_SETS: [&str; 2] = ["campaigns", "receipts"];
pub(super) const TENANTS: [&str; 2] = ["acme", "umbrella"];
pub(super) const RECIPIENTS: [&str; 6] = [
    "jane@example.net",
    "joe@example.net",
    "ann@example.org",
    "bob@example.org",
    "eve@example.com",
    "zoe@xn--bcher-kva.example",
];
/// Targets of routes. The topic `gone` does not exist.
pub const TARGETS: [&str; 8] = [
    "topic:arn:aws:sns:us-east-1:111122223333:one",
    "topic:arn:aws:sns:eu-west-1:222233334444:two",
    "queue:arn:aws:sqs:us-east-1:333344445555:three",
    "bus:arn:aws:events:us-east-1:444455556666:event-bus/four",
    "email:five@shop.example",
    "topic:arn:aws:sns:us-east-1:111122223333:gone",
    "queue:arn:aws:sqs:us-east-1:222233334444:seven",
    "email:eight@news.example",
];

/// A sender: an identity, its owner and the account that sends.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) owner: &'static str,
    pub(super) identity: String,
    pub(super) account: &'static str,
    pub(super) domain: &'static str,
    pub(super) tenant: Option<&'static str>,
}

impl Sender {
    pub(super) fn random(rng: &mut Rng) -> Self {
        let domain = choose(rng, &DOMAINS[..2]);
        Self {
            owner: choose(rng, &OWNERS),
            identity: if chance(rng, 20) {
                format!("news@{domain}")
            } else {
                domain.to_owned()
            },
            account: choose(rng, &ACCOUNTS),
            domain,
            tenant: chance(rng, 25).then(|| choose(rng, &TENANTS)),
        }
    }
}
