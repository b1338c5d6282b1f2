//! The section `[thresholds]`: rates at which senders are warned and restricted.

use std::num::NonZeroU64;
use std::str::FromStr;

use store::{EnforcementKind, Rate, Threshold, ThresholdTable, Thresholds};

use super::accounts::Accounts;
use super::report::Report;
use super::sender_match::{WrittenSenders, check_sender_match};
use super::wire;

pub(super) fn check_thresholds(written: &wire::Thresholds, accounts: &Accounts, report: &mut Report) -> ThresholdTable {
    let mut table = ThresholdTable::default();
    let general = check_set(
        "thresholds",
        &Thresholds::default(),
        &WrittenSet {
            enforcements: written.enforcements.as_deref(),
            bounces: written.bounces.as_ref(),
            complaints: written.complaints.as_ref(),
        },
        report,
    );
    if general != Thresholds::default() {
        table.default = Some(general.clone());
    }
    for (index, entry) in written.r#override.iter().enumerate() {
        let path = format!("thresholds.override[{}]", index + 1);
        check_override(&path, entry, &general, &mut table, accounts, report);
    }
    table
}

fn check_override(
    path: &str,
    entry: &wire::Override,
    general: &Thresholds,
    table: &mut ThresholdTable,
    accounts: &Accounts,
    report: &mut Report,
) {
    let written = WrittenSet {
        enforcements: entry.enforcements.as_deref(),
        bounces: entry.bounces.as_ref(),
        complaints: entry.complaints.as_ref(),
    };
    let set = check_set(path, general, &written, report);
    let written = WrittenSenders {
        owner: entry.owner.as_deref(),
        account: entry.account.as_deref(),
        identity: entry.identity.as_deref(),
    };
    let Some(senders) = check_sender_match(path, &written, accounts, report) else {
        return;
    };
    if senders.owner.is_none() && senders.account.is_none() && senders.identity.is_none() {
        report.problem(path, "expected an owner, an account or an identity");
    } else if table.overrides.iter().any(|(known, _)| *known == senders) {
        report.problem(
            path,
            "duplicate override: another one has the same owner, account and identity",
        );
    } else {
        table.overrides.push((senders, set));
    }
}

struct WrittenSet<'a> {
    enforcements: Option<&'a [wire::Enforcement]>,
    bounces: Option<&'a wire::Threshold>,
    complaints: Option<&'a wire::Threshold>,
}

fn check_set(path: &str, general: &Thresholds, written: &WrittenSet<'_>, report: &mut Report) -> Thresholds {
    let complaints_path = format!("{path}.complaints");
    Thresholds {
        bounces: check_threshold(&format!("{path}.bounces"), &general.bounces, written.bounces, report),
        complaints: check_threshold(&complaints_path, &general.complaints, written.complaints, report),
        enforcements: written.enforcements.map_or_else(
            || general.enforcements.clone(),
            |enforcements| enforcements.iter().copied().map(enforcement_kind).collect(),
        ),
    }
}

fn enforcement_kind(written: wire::Enforcement) -> EnforcementKind {
    match written {
        wire::Enforcement::PauseConfigurationSet => EnforcementKind::PauseConfigurationSet,
        wire::Enforcement::DisableTenant => EnforcementKind::DisableTenant,
        wire::Enforcement::RevokeAuthorization => EnforcementKind::RevokeAuthorization,
    }
}

fn check_threshold(
    path: &str,
    general: &Threshold,
    written: Option<&wire::Threshold>,
    report: &mut Report,
) -> Threshold {
    let Some(written) = written else { return *general };
    let mut rate = |key: &str, text: Option<&str>, default: Rate| match text.map(Rate::from_str) {
        None => default,
        Some(Ok(rate)) => rate,
        Some(Err(error)) => {
            report.problem(&format!("{path}.{key}"), error.to_string());
            default
        }
    };
    let threshold = Threshold {
        warn: rate("warn", written.warn.as_deref(), general.warn),
        enforce: rate("enforce", written.enforce.as_deref(), general.enforce),
        min_hour_recipients: written
            .min_hour_recipients
            .map_or(general.min_hour_recipients, NonZeroU64::get),
        min_day_recipients: written
            .min_day_recipients
            .map_or(general.min_day_recipients, NonZeroU64::get),
        min_events: written.min_events.map_or(general.min_events, NonZeroU64::get),
    };
    if threshold.warn > threshold.enforce {
        let key = if written.warn.is_some() { "warn" } else { "enforce" };
        let (warn, enforce) = (threshold.warn, threshold.enforce);
        report.problem(
            &format!("{path}.{key}"),
            format!("expected `warn` ({warn}) to be at most `enforce` ({enforce})"),
        );
    }
    threshold
}
