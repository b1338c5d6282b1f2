//! Rows of the table as sections of `postroom.toml`. Pure.

use std::num::{NonZeroU32, NonZeroU64};

use store::{
    EnforcementKind, KeptSubject, Mailbox, MailboxAction, NotifyContent, NotifyTarget, OwnerTarget, QuarantineMark,
    Redaction, Route, SenderMatch, Target, Threshold, ThresholdTable, Thresholds, VerdictAction, WhenSuppressed,
};

use super::read::Config;
use super::wire::{self, ActionName};
use crate::describe::address_text;

/// The sections of the table in TOML. A section without rows is left out.
pub(crate) fn sections_text(config: &Config) -> Result<String, toml::ser::Error> {
    let some = |is_empty: bool| (!is_empty).then_some(());
    toml::to_string(&wire::File {
        account: some(config.identities.is_empty()).map(|()| accounts(config)),
        route: some(config.routes.is_empty()).map(|()| config.routes.iter().map(route).collect()),
        thresholds: some(config.thresholds == ThresholdTable::default()).map(|()| thresholds(&config.thresholds)),
        mailbox: some(config.mailboxes.is_empty()).map(|()| config.mailboxes.values().map(mailbox).collect()),
        ..wire::File::default()
    })
}

fn accounts(config: &Config) -> Vec<wire::Account> {
    let accounts = config.identities.iter().map(|(account, identities)| wire::Account {
        account: account.to_string(),
        name: config.names.get(account).cloned(),
        identities: identities
            .iter()
            .map(|registered| wire::AccountIdentity {
                identity: registered.identity.to_string(),
                owner: (registered.owner != *account).then(|| registered.owner.to_string()),
            })
            .collect(),
    });
    accounts.collect()
}

/// The keys `owner`, `account` and `identity`.
fn senders(senders: &SenderMatch) -> [Option<String>; 3] {
    [
        senders.owner.as_ref().map(ToString::to_string),
        senders.account.as_ref().map(ToString::to_string),
        senders.identity.as_ref().map(ToString::to_string),
    ]
}

fn route(route: &Route) -> wire::Route {
    let [owner, account, identity] = senders(&route.senders);
    let target = match &route.target {
        Target::Topic(text) | Target::Queue(text) | Target::Bus(text) | Target::Email(text) => text.clone(),
    };
    wire::Route {
        name: route.name.clone(),
        owner,
        account,
        identity,
        configuration_sets: route.filter.configuration_sets.iter().cloned().collect(),
        tenants: route.filter.tenants.iter().cloned().collect(),
        events: route.filter.events.iter().cloned().collect(),
        target,
        redaction: match route.redaction {
            Redaction::None => wire::Redaction::None,
            Redaction::Standard => wire::Redaction::Standard,
        },
    }
}

fn thresholds(table: &ThresholdTable) -> wire::Thresholds {
    let general = table.default.as_ref();
    let overrides = table.overrides.iter().map(|(matched, thresholds)| {
        let [owner, account, identity] = senders(matched);
        wire::Override {
            owner,
            account,
            identity,
            enforcements: Some(enforcements(thresholds)),
            bounces: Some(threshold(&thresholds.bounces)),
            complaints: Some(threshold(&thresholds.complaints)),
        }
    });
    wire::Thresholds {
        enforcements: general.map(enforcements),
        bounces: general.map(|thresholds| threshold(&thresholds.bounces)),
        complaints: general.map(|thresholds| threshold(&thresholds.complaints)),
        r#override: overrides.collect(),
    }
}

fn enforcements(thresholds: &Thresholds) -> Vec<wire::Enforcement> {
    let kinds = thresholds.enforcements.iter().map(|kind| match kind {
        EnforcementKind::PauseConfigurationSet => wire::Enforcement::PauseConfigurationSet,
        EnforcementKind::DisableTenant => wire::Enforcement::DisableTenant,
        EnforcementKind::RevokeAuthorization => wire::Enforcement::RevokeAuthorization,
    });
    kinds.collect()
}

fn threshold(threshold: &Threshold) -> wire::Threshold {
    wire::Threshold {
        warn: Some(threshold.warn.to_string()),
        enforce: Some(threshold.enforce.to_string()),
        min_hour_recipients: NonZeroU64::new(threshold.min_hour_recipients),
        min_day_recipients: NonZeroU64::new(threshold.min_day_recipients),
        min_events: NonZeroU64::new(threshold.min_events),
    }
}

fn mailbox(mailbox: &Mailbox) -> wire::Mailbox {
    let action = |rule: Option<VerdictAction>| {
        rule.map(|action| match action {
            VerdictAction::Continue => wire::VerdictAction::Continue,
            VerdictAction::Tag => wire::VerdictAction::Tag,
            VerdictAction::StopRule => wire::VerdictAction::StopRule,
            VerdictAction::StopRuleSet => wire::VerdictAction::StopRuleSet,
            VerdictAction::Bounce => wire::VerdictAction::Bounce,
        })
    };
    let verdicts = &mailbox.verdicts;
    wire::Mailbox {
        address: mailbox.key.to_string(),
        actions: mailbox.actions.iter().map(mailbox_action).collect(),
        verdicts: wire::Verdicts {
            virus_fail: action(verdicts.virus_fail),
            spam_fail: action(verdicts.spam_fail),
            spf_fail: action(verdicts.spf_fail),
            dkim_fail: action(verdicts.dkim_fail),
            dmarc_none: action(verdicts.dmarc_none),
            dmarc_quarantine: action(verdicts.dmarc_quarantine),
            dmarc_reject: action(verdicts.dmarc_reject),
            unchecked: action(verdicts.unchecked),
        },
        owner: mailbox.owner.as_ref().map(|owner| match owner {
            OwnerTarget::Email(address) => address.as_str().to_owned(),
            OwnerTarget::Notify(target) => notify_target(target),
        }),
        trusted_forwarders: mailbox.trusted_forwarders.clone(),
    }
}

fn notify_target(target: &NotifyTarget) -> String {
    match target {
        NotifyTarget::Topic(text) | NotifyTarget::Queue(text) => text.clone(),
    }
}

fn mailbox_action(action: &MailboxAction) -> wire::MailboxAction {
    match action {
        MailboxAction::Store { subject, days } => wire::MailboxAction {
            keep_subject: match subject {
                KeptSubject::None => None,
                KeptSubject::Hash => Some(wire::KeepSubject::Hash),
                KeptSubject::Text => Some(wire::KeepSubject::Text),
            },
            days: days.and_then(NonZeroU32::new),
            ..wire::MailboxAction::new(ActionName::Store)
        },
        MailboxAction::Forward { to, from, settings } => wire::MailboxAction {
            to: Some(to.iter().map(|target| target.as_str().to_owned()).collect()),
            from: Some(address_text(from)),
            when_suppressed: match settings.when_suppressed {
                WhenSuppressed::Continue => None,
                WhenSuppressed::Stop => Some(wire::WhenSuppressed::Stop),
            },
            quarantine_mark: match settings.quarantine_mark {
                QuarantineMark::Name => None,
                QuarantineMark::Subject => Some(wire::QuarantineMark::Subject),
                QuarantineMark::None => Some(wire::QuarantineMark::None),
            },
            ..wire::MailboxAction::new(ActionName::Forward)
        },
        MailboxAction::Unsubscribe => wire::MailboxAction::new(ActionName::Unsubscribe),
        MailboxAction::AutoReply {
            from,
            subject,
            text,
            every_days,
        } => wire::MailboxAction {
            from: Some(address_text(from)),
            subject: subject.clone(),
            text: Some(text.clone()),
            every_days: NonZeroU32::new(*every_days),
            ..wire::MailboxAction::new(ActionName::AutoReply)
        },
        MailboxAction::Bounce {
            sender,
            message,
            status_code,
        } => wire::MailboxAction {
            from: Some(address_text(sender)),
            reason: Some(message.clone()),
            status_code: Some(status_code.clone()),
            ..wire::MailboxAction::new(ActionName::Bounce)
        },
        MailboxAction::Notify { target, content } => wire::MailboxAction {
            to: Some(vec![notify_target(target)]),
            content: match content {
                NotifyContent::Summary => None,
                NotifyContent::Parsed => Some(wire::NotifyContent::Parsed),
            },
            ..wire::MailboxAction::new(ActionName::Notify)
        },
        MailboxAction::Drop { reason } => wire::MailboxAction {
            reason: Some(reason.clone()),
            ..wire::MailboxAction::new(ActionName::Drop)
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::sections_text;
    use crate::config::{Config, read, read_text};

    fn table_of(config: &Config) -> impl PartialEq + std::fmt::Debug {
        let Config {
            identities,
            routes,
            thresholds,
            mailboxes,
            ..
        } = config;
        (
            identities.clone(),
            routes.clone(),
            thresholds.clone(),
            mailboxes.clone(),
        )
    }

    #[test]
    fn what_is_written_reads_as_the_same_rows() {
        let everything = r#"
            [thresholds]
            enforcements = ["pause-configuration-set", "disable-tenant", "revoke-authorization"]
            [thresholds.bounces]
            warn = "0.0001 %"
            enforce = "12.5 %"
            min-events = 7
            [[mailbox]]
            address = "*"
            actions = [
                { action = "store", keep-subject = "hash", days = 3 },
                { action = "notify", to = ["arn:aws:sns:us-east-1:111122223333:mail"], content = "parsed" },
                { action = "unsubscribe" },
                { action = "forward", to = ["a@example.net"], from = "The shop <f@shop.example>", when-suppressed = "stop", quarantine-mark = "none" },
            ]
            owner = "arn:aws:sqs:us-east-1:111122223333:owner"
            trusted-forwarders = ["lists.example.org"]
            verdicts = { virus-fail = "stop-rule", spam-fail = "tag", spf-fail = "continue", dkim-fail = "stop-rule-set", dmarc-none = "tag", dmarc-quarantine = "bounce", dmarc-reject = "continue", unchecked = "stop-rule" }
        "#;
        let example = read(Path::new("../../docs/examples/postroom.toml")).unwrap();
        for config in [example, read_text(everything), Config::default()] {
            let text = sections_text(&config).unwrap();
            assert_eq!(table_of(&read_text(&text)), table_of(&config), "{text}");
        }
    }

    #[test]
    fn a_section_without_rows_is_left_out() {
        assert_eq!(sections_text(&Config::default()).unwrap(), "");
    }
}
