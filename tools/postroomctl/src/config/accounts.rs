//! The section `[[account]]`: accounts, their names, and the identities they send from.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::{AccountId, Identity};
use store::RegisteredIdentity;

use super::report::Report;
use super::suggestion::did_you_mean;
use super::wire;

const EXPECTED_ACCOUNT: &str = "expected a 12-digit AWS account id";

/// The accounts of the file.
#[derive(Default)]
pub(super) struct Accounts {
    pub(super) identities: BTreeMap<AccountId, Vec<RegisteredIdentity>>,
    pub(super) names: BTreeMap<AccountId, String>,
    ids_by_name: BTreeMap<String, AccountId>,
}

impl Accounts {
    /// The account with a name or id, or a problem at `path`.
    pub(super) fn resolve(&self, path: &str, text: &str, report: &mut Report) -> Option<AccountId> {
        if let Some(account) = self.ids_by_name.get(text).cloned().or_else(|| text.parse().ok()) {
            return Some(account);
        }
        let suggestion = did_you_mean(text, self.ids_by_name.keys().map(String::as_str));
        report.problem(
            path,
            format!("{EXPECTED_ACCOUNT} or the name of an [[account]]{suggestion}"),
        );
        None
    }

    fn add_name(&mut self, path: &str, account: AccountId, name: &str, report: &mut Report) {
        if name.trim().is_empty() || name.parse::<AccountId>().is_ok() {
            report.problem(path, "expected a name that is not an account id");
        } else if self.ids_by_name.insert(name.to_owned(), account.clone()).is_some() {
            report.problem(path, "duplicate name: another account has it");
        } else {
            self.names.insert(account, name.to_owned());
        }
    }
}

pub(super) fn check_accounts(written: &[wire::Account], report: &mut Report) -> Accounts {
    let mut accounts = Accounts::default();
    for (index, entry) in written.iter().enumerate() {
        let path = format!("account[{}]", index + 1);
        let account_path = format!("{path}.account");
        let account = report.parse(&account_path, &entry.account, EXPECTED_ACCOUNT, |text| {
            text.parse::<AccountId>().ok()
        });
        let Some(account) = account else { continue };
        if accounts.identities.insert(account.clone(), Vec::new()).is_some() {
            report.problem(&account_path, "duplicate account: another [[account]] has this id");
        }
        if let Some(name) = &entry.name {
            accounts.add_name(&format!("{path}.name"), account, name, report);
        }
    }
    // After all names are known, because the owner of an identity may be any of them.
    for (index, entry) in written.iter().enumerate() {
        if let Ok(account) = entry.account.parse::<AccountId>() {
            let path = format!("account[{}].identities", index + 1);
            let identities = check_identities(&path, &account, &entry.identities, &accounts, report);
            accounts.identities.insert(account, identities);
        }
    }
    accounts
}

fn check_identities(
    path: &str,
    account: &AccountId,
    written: &[wire::AccountIdentity],
    accounts: &Accounts,
    report: &mut Report,
) -> Vec<RegisteredIdentity> {
    let mut identities = BTreeSet::new();
    for (index, entry) in written.iter().enumerate() {
        let path = format!("{path}[{}]", index + 1);
        let owner = match &entry.owner {
            None => Some(account.clone()),
            Some(owner) => accounts.resolve(&format!("{path}.owner"), owner, report),
        };
        let identity = check_identity(&format!("{path}.identity"), &entry.identity, report);
        identities.extend(
            identity
                .zip(owner)
                .map(|(identity, owner)| RegisteredIdentity { identity, owner }),
        );
    }
    identities.into_iter().collect()
}

/// A domain or a mail address.
pub(super) fn check_identity(path: &str, text: &str, report: &mut Report) -> Option<Identity> {
    report.parse(path, text, "expected a domain or a mail address", parse_identity)
}

pub(super) fn parse_identity(text: &str) -> Option<Identity> {
    let is_plain = !text.contains(|c: char| c.is_whitespace() || "<>()\"/:*".contains(c));
    let identity = Identity::from(text);
    let domain = identity.domain();
    let has_labels = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
    (is_plain && has_labels && !domain.contains('@') && !text.starts_with('@')).then_some(identity)
}
