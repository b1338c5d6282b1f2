//! `postroom.toml`: read, checked in full, and turned into what the table holds. Every problem is told, not the first.

mod mailboxes;
mod shape;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::Context;
use notification_model::{AccountId, EmailAddress, Identity};
use store::{
    EnforcementKind, Mailbox, MailboxKey, Rate, Redaction, RegisteredIdentity, Route, RouteFilter, RouteKey,
    SenderMatch, Target, Threshold, ThresholdTable, Thresholds,
};
use toml::de::DeTable;

pub(crate) use self::shape::{Problem, schema};
use self::shape::{line_of, meant};

/// The configuration: what the table has to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The identities each account sends from.
    pub(crate) identities: BTreeMap<AccountId, Vec<RegisteredIdentity>>,
    /// What people call the accounts.
    pub(crate) names: BTreeMap<AccountId, String>,
    pub(crate) routes: Vec<Route>,
    pub(crate) thresholds: ThresholdTable,
    pub(crate) mailboxes: BTreeMap<MailboxKey, Mailbox>,
    /// What can be meant, and probably is not.
    pub(crate) warnings: Vec<String>,
}

/// Why a file cannot be used: every problem, by line.
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    all: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be used:", self.file)?;
        for Problem { line, path, says } in &self.all {
            write!(f, "\n{}:{line}: ", self.file)?;
            if !path.is_empty() {
                write!(f, "{path}: ")?;
            }
            f.write_str(says)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

pub(crate) fn read(file: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let name = file.display().to_string();
    match parse(&text) {
        Ok((mut config, mut warnings)) => {
            warnings.sort();
            let told = |Problem { line, path, says }: &Problem| format!("{name}:{line}: {path}: {says}");
            config.warnings = warnings.iter().map(told).collect();
            Ok(config)
        }
        Err(mut all) => {
            all.sort();
            Err(Problems { file: name, all }.into())
        }
    }
}

fn parse(text: &str) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let broken = |error: toml::de::Error| {
        vec![Problem {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            path: String::new(),
            says: error.message().replace('\n', ", "),
        }]
    };
    let document = DeTable::parse(text).map_err(broken)?;
    let (problems, lines) = shape::compare(text, &document);
    if !problems.is_empty() {
        return Err(problems);
    }
    let file: wire::File = toml::from_str(text).map_err(broken)?;
    let mut check = Check {
        lines,
        names: BTreeMap::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let config = check.file(&file);
    if check.problems.is_empty() {
        Ok((config, check.warnings))
    } else {
        Err(check.problems)
    }
}

/// Turns what was written into what was meant, and notes what cannot be.
struct Check {
    lines: shape::Thresholds,
    /// Parties by name.
    names: BTreeMap<String, AccountId>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

const ACCOUNT: &str = "expected a 12-digit AWS account id";
const TARGET: &str = "expected an ARN of an SNS topic, SQS queue or EventBridge bus, or a mail address";

/// The events SES publishes today, and the alerts of the watch. Others are taken as they are, unless they look like one of these.
const EVENTS: [&str; 11] = [
    "Bounce",
    "Complaint",
    "Delivery",
    "Send",
    "Reject",
    "Open",
    "Click",
    "Rendering Failure",
    "DeliveryDelay",
    "Subscription",
    "Alert",
];

impl Check {
    fn problem(&mut self, path: &str, says: impl Into<String>) {
        let problem = self.at(path, says.into());
        self.problems.push(problem);
    }

    fn warning(&mut self, path: &str, says: impl Into<String>) {
        let warning = self.at(path, says.into());
        self.warnings.push(warning);
    }

    fn at(&self, path: &str, says: String) -> Problem {
        let mut known = path;
        // What is missing has no line of its own.
        while !self.lines.contains_key(known) {
            let Some((parent, _)) = known.rsplit_once('.') else {
                break;
            };
            known = parent;
        }
        Problem {
            line: self.lines.get(known).copied().unwrap_or(1),
            path: path.to_owned(),
            says,
        }
    }

    fn read<T>(&mut self, path: &str, text: &str, expected: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let read = read(text);
        if read.is_none() {
            self.problem(path, expected);
        }
        read
    }

    fn file(&mut self, file: &wire::File) -> Config {
        let mut config = Config::default();
        self.name_accounts(file, &mut config);
        for (index, entry) in file.account.iter().enumerate() {
            self.account_identities(&format!("account[{}]", index + 1), entry, &mut config);
        }
        let mut names = BTreeSet::new();
        for (index, route) in file.route.iter().enumerate() {
            let path = format!("route[{}]", index + 1);
            if !names.insert(&route.name) {
                self.problem(&format!("{path}.name"), "expected a name no other route has");
            }
            config.routes.extend(self.route(&path, route));
        }
        config.thresholds = self.thresholds(&file.thresholds);
        config.mailboxes = self.mailboxes(&file.mailbox);
        config
    }

    /// First of all, because any part of the file may use a name.
    fn name_accounts(&mut self, file: &wire::File, config: &mut Config) {
        for (index, entry) in file.account.iter().enumerate() {
            let path = format!("account[{}]", index + 1);
            let account = self.read(&format!("{path}.account"), &entry.account, ACCOUNT, |text| {
                text.parse::<AccountId>().ok()
            });
            let Some(account) = account else { continue };
            if config.identities.insert(account.clone(), Vec::new()).is_some() {
                self.problem(&format!("{path}.account"), "expected an account no other account has");
            }
            let Some(name) = &entry.name else { continue };
            if name.trim().is_empty() || name.parse::<AccountId>().is_ok() {
                self.problem(&format!("{path}.name"), "expected a name that is no account id");
            } else if self.names.insert(name.clone(), account.clone()).is_some() {
                self.problem(&format!("{path}.name"), "expected a name no other account has");
            } else {
                config.names.insert(account, name.clone());
            }
        }
    }

    fn account_identities(&mut self, path: &str, entry: &wire::Account, config: &mut Config) {
        let Ok(account) = entry.account.parse::<AccountId>() else {
            return;
        };
        let mut identities = BTreeSet::new();
        for (index, one) in entry.identities.iter().enumerate() {
            let path = format!("{path}.identities[{}]", index + 1);
            let owner = match &one.owner {
                None => Some(account.clone()),
                Some(owner) => self.account(&format!("{path}.owner"), owner),
            };
            let identity = self.identity(&format!("{path}.identity"), &one.identity);
            identities.extend(
                identity
                    .zip(owner)
                    .map(|(identity, owner)| RegisteredIdentity { identity, owner }),
            );
        }
        config.identities.insert(account, identities.into_iter().collect());
    }

    fn account(&mut self, path: &str, text: &str) -> Option<AccountId> {
        if let Some(account) = self.names.get(text).cloned().or_else(|| text.parse().ok()) {
            return Some(account);
        }
        let hint = meant(text, self.names.keys().map(String::as_str))
            .map(|meant| format!("; did you mean {meant}?"))
            .unwrap_or_default();
        self.problem(path, format!("{ACCOUNT} or the name of an account{hint}"));
        None
    }

    fn identity(&mut self, path: &str, text: &str) -> Option<Identity> {
        self.read(path, text, "expected a domain or a mail address", |text| {
            let plain = !text.contains(|c: char| c.is_whitespace() || "<>()\"/:*".contains(c));
            let identity = Identity::from(text);
            let domain = identity.domain();
            let named = domain.contains('.') && !domain.contains('@') && domain.split('.').all(|part| !part.is_empty());
            (plain && named && !text.starts_with('@')).then_some(identity)
        })
    }

    fn sender_match(
        &mut self,
        path: &str,
        owner: Option<&str>,
        account: Option<&str>,
        identity: Option<&str>,
    ) -> Option<SenderMatch> {
        let before = self.problems.len();
        let senders = SenderMatch {
            owner: owner.and_then(|text| self.account(&format!("{path}.owner"), text)),
            account: account.and_then(|text| self.account(&format!("{path}.account"), text)),
            identity: identity.and_then(|text| self.identity(&format!("{path}.identity"), text)),
        };
        (self.problems.len() == before).then_some(senders)
    }

    fn route(&mut self, path: &str, route: &wire::Route) -> Option<Route> {
        if route.name.trim().is_empty() {
            self.problem(&format!("{path}.name"), "expected a name");
        }
        let senders = self.sender_match(
            path,
            route.owner.as_deref(),
            route.account.as_deref(),
            route.identity.as_deref(),
        );
        if let Some(senders) = &senders
            && let Err(error) = RouteKey::new(senders.clone())
        {
            self.problem(&format!("{path}.owner"), error.to_string());
        }
        for (index, event) in route.events.iter().enumerate() {
            let plain = |text: &str| text.replace([' ', '-', '_'], "").to_ascii_lowercase();
            let known = EVENTS.iter().any(|known| plain(known) == plain(event));
            if let Some(meant) = meant(event, EVENTS).filter(|_| !known) {
                self.problem(
                    &format!("{path}.events[{}]", index + 1),
                    format!("unknown event; did you mean {meant}?"),
                );
            }
        }
        let target = self.read(&format!("{path}.target"), &route.target, TARGET, target);
        Some(Route {
            name: route.name.clone(),
            senders: senders?,
            filter: RouteFilter {
                configuration_sets: route.configuration_sets.iter().cloned().collect(),
                tenants: route.tenants.iter().cloned().collect(),
                events: route.events.iter().cloned().collect(),
            },
            target: target?,
            redaction: match route.redaction {
                wire::Redaction::None => Redaction::None,
                wire::Redaction::Standard => Redaction::Standard,
            },
        })
    }

    fn thresholds(&mut self, section: &wire::Thresholds) -> ThresholdTable {
        let mut table = ThresholdTable::default();
        let general = self.threshold_set(
            "thresholds",
            &Thresholds::default(),
            &section.enforcements,
            &section.bounces,
            &section.complaints,
        );
        if general != Thresholds::default() {
            table.default = Some(general.clone());
        }
        for (index, one) in section.r#override.iter().enumerate() {
            let path = format!("thresholds.override[{}]", index + 1);
            let own = self.threshold_set(&path, &general, &one.enforcements, &one.bounces, &one.complaints);
            let senders = self.sender_match(
                &path,
                one.owner.as_deref(),
                one.account.as_deref(),
                one.identity.as_deref(),
            );
            let Some(senders) = senders else { continue };
            if senders.owner.is_none() && senders.account.is_none() && senders.identity.is_none() {
                self.problem(&path, "expected an owner, an account or an identity");
            } else if table.overrides.iter().any(|(known, _)| *known == senders) {
                self.problem(
                    &path,
                    "expected owner, account and identity to differ from those of the overrides above",
                );
            } else {
                table.overrides.push((senders, own));
            }
        }
        table
    }

    fn threshold_set(
        &mut self,
        path: &str,
        general: &Thresholds,
        enforcements: &Option<Vec<wire::Enforcement>>,
        bounces: &Option<wire::Threshold>,
        complaints: &Option<wire::Threshold>,
    ) -> Thresholds {
        let kind = |enforcement: &wire::Enforcement| match enforcement {
            wire::Enforcement::PauseConfigurationSet => EnforcementKind::PauseConfigurationSet,
            wire::Enforcement::DisableTenant => EnforcementKind::DisableTenant,
            wire::Enforcement::RevokeAuthorization => EnforcementKind::RevokeAuthorization,
        };
        Thresholds {
            bounces: self.threshold(&format!("{path}.bounces"), &general.bounces, bounces.as_ref()),
            complaints: self.threshold(&format!("{path}.complaints"), &general.complaints, complaints.as_ref()),
            enforcements: enforcements.as_ref().map_or_else(
                || general.enforcements.clone(),
                |enforcements| enforcements.iter().map(kind).collect(),
            ),
        }
    }

    fn threshold(&mut self, path: &str, general: &Threshold, own: Option<&wire::Threshold>) -> Threshold {
        let Some(own) = own else { return *general };
        let mut rate = |name: &str, text: &Option<String>, general: Rate| match text.as_deref().map(Rate::from_str) {
            None => general,
            Some(Ok(rate)) => rate,
            Some(Err(error)) => {
                self.problem(&format!("{path}.{name}"), error.to_string());
                general
            }
        };
        let threshold = Threshold {
            warn: rate("warn", &own.warn, general.warn),
            enforce: rate("enforce", &own.enforce, general.enforce),
            min_hour_recipients: own.min_hour_recipients.unwrap_or(general.min_hour_recipients),
            min_day_recipients: own.min_day_recipients.unwrap_or(general.min_day_recipients),
            min_events: own.min_events.unwrap_or(general.min_events),
        };
        if threshold.warn > threshold.enforce {
            let name = if own.warn.is_some() { "warn" } else { "enforce" };
            self.problem(
                &format!("{path}.{name}"),
                format!(
                    "expected `warn` ({}) at or below `enforce` ({})",
                    threshold.warn, threshold.enforce
                ),
            );
        }
        threshold
    }
}

fn target(text: &str) -> Option<Target> {
    if !text.starts_with("arn:") {
        let address = EmailAddress::parse(text)?;
        let domain = address.domain().filter(|domain| domain.contains('.'))?;
        let plain = !address.as_str().contains(char::is_whitespace) && address.as_str().len() > domain.len() + 1;
        return (plain && address.name().is_none()).then(|| Target::Email(address.as_str().to_owned()));
    }
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return None;
    };
    if partition.is_empty() || region.is_empty() || account.parse::<AccountId>().is_err() || resource.is_empty() {
        return None;
    }
    match *service {
        "sns" => Some(Target::Topic(text.to_owned())),
        "sqs" => Some(Target::Queue(text.to_owned())),
        "events" => resource
            .strip_prefix("event-bus/")
            .filter(|name| !name.is_empty())
            .map(|_| Target::Bus(text.to_owned())),
        _ => None,
    }
}
