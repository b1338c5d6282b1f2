//! Reads a configuration file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use notification_model::AccountId;
use ses_settings::Entries;
use store::{Mailbox, MailboxKey, RegisteredIdentity, Route, ThresholdTable};
use toml::de::DeTable;

use super::accounts::check_accounts;
use super::mailboxes::check_mailboxes;
use super::positions::Positions;
use super::report::{InvalidConfig, Problem, Report};
use super::routes::check_routes;
use super::ses::check_ses;
use super::suggestion::did_you_mean;
use super::thresholds::check_thresholds;
use super::wire;

/// The configuration: what the table is to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The identities that each account sends from.
    pub(crate) identities: BTreeMap<AccountId, Vec<RegisteredIdentity>>,
    /// The names of the accounts in the file.
    pub(crate) names: BTreeMap<AccountId, String>,
    pub(crate) routes: Vec<Route>,
    pub(crate) thresholds: ThresholdTable,
    pub(crate) mailboxes: BTreeMap<MailboxKey, Mailbox>,
    /// The sections of the table that the file has. Others are not changed.
    pub(crate) sections: Sections,
    /// The settings of SES.
    pub(crate) ses: Entries,
    /// Valid settings that are probably mistakes, as `file:line: key path: message`.
    pub(crate) warnings: Vec<String>,
}

/// Which sections of the table a file has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sections {
    pub(crate) accounts: bool,
    pub(crate) routes: bool,
    pub(crate) thresholds: bool,
    pub(crate) mailboxes: bool,
}

/// Reads and checks a file. The error names every problem with its line and key path; after a syntax error, an unknown
/// key or a wrong type it names only that.
pub(crate) fn read(file: &Path) -> anyhow::Result<Config> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| name.clone())?;
    match parse(&text) {
        Ok((mut config, mut warnings)) => {
            warnings.sort();
            config.warnings = warnings.iter().map(|warning| format!("{name}:{warning}")).collect();
            Ok(config)
        }
        Err(mut problems) => {
            problems.sort();
            Err(InvalidConfig { file: name, problems }.into())
        }
    }
}

fn parse(text: &str) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let document = DeTable::parse(text).map_err(|error| vec![toml_problem(&Positions::of_text(text), &error)])?;
    let positions = Positions::of_document(text, &document);
    let file: wire::File = serde::Deserialize::deserialize(toml::Deserializer::from(document))
        .map_err(|error| vec![toml_problem(&positions, &error)])?;
    let mut report = Report::new(positions);
    let config = check_file(&file, &mut report);
    if report.problems.is_empty() {
        Ok((config, report.warnings))
    } else {
        Err(report.problems)
    }
}

/// The configuration of a text without problems.
#[cfg(test)]
pub(crate) fn read_text(text: &str) -> Config {
    parse(text).unwrap().0
}

fn check_file(file: &wire::File, report: &mut Report) -> Config {
    // First, because every section may name accounts.
    let accounts = check_accounts(file.account.as_deref().unwrap_or_default(), report);
    let thresholds = file.thresholds.as_ref();
    Config {
        routes: check_routes(file.route.as_deref().unwrap_or_default(), &accounts, report),
        thresholds: thresholds
            .map(|thresholds| check_thresholds(thresholds, &accounts, report))
            .unwrap_or_default(),
        mailboxes: check_mailboxes(file.mailbox.as_deref().unwrap_or_default(), report),
        sections: Sections {
            accounts: file.account.is_some(),
            routes: file.route.is_some(),
            thresholds: file.thresholds.is_some(),
            mailboxes: file.mailbox.is_some(),
        },
        ses: check_ses(file, &accounts, report),
        identities: accounts.identities,
        names: accounts.names,
        warnings: Vec::new(),
    }
}

fn toml_problem(positions: &Positions, error: &toml::de::Error) -> Problem {
    let message = error.message().replace('\n', ", ");
    let span = error.span().unwrap_or_default();
    Problem {
        line: positions.line_at(span.start),
        path: positions.path_at(&span).to_owned(),
        message: format!("{message}{}", suggestion(&message)),
    }
}

/// For an unknown key or choice: serde names it first and the known ones after it, all between backticks.
fn suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(unknown) if message.starts_with("unknown ") => did_you_mean(unknown, quoted),
        _ => String::new(),
    }
}
