//! Which senders a route or a threshold override applies to.

use store::SenderMatch;

use super::accounts::{Accounts, check_identity};
use super::report::Report;

/// The sender fields of a TOML table in `postroom.toml`, before they are checked.
pub(super) struct WrittenSenders<'a> {
    pub(super) owner: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) identity: Option<&'a str>,
}

/// None when a field is invalid.
pub(super) fn check_sender_match(
    path: &str,
    written: &WrittenSenders<'_>,
    accounts: &Accounts,
    report: &mut Report,
) -> Option<SenderMatch> {
    let before = report.problems.len();
    let owner = written
        .owner
        .and_then(|text| accounts.resolve(&format!("{path}.owner"), text, report));
    let account = written
        .account
        .and_then(|text| accounts.resolve(&format!("{path}.account"), text, report));
    let identity = written
        .identity
        .and_then(|text| check_identity(&format!("{path}.identity"), text, report));
    (report.problems.len() == before).then_some(SenderMatch {
        owner,
        account,
        identity,
    })
}
