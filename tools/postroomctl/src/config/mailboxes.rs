//! The mailboxes of `postroom.toml`: what they do, and whether mail could go round in circles between them.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::EmailAddress;
use store::{KeptSubject, Mailbox, MailboxAction, MailboxKey, NotifyTarget, Target, VerdictAction, VerdictRules};

use super::{Check, target, wire};

/// SES takes no more recipients in one mail.
const MOST_RECIPIENTS: usize = 50;
/// A row of DynamoDB holds 400 KB, and nobody reads a longer answer.
const MOST_TEXT_BYTES: usize = 20_000;
const MOST_LINE_BYTES: usize = 500;

impl Check {
    pub(super) fn mailboxes(&mut self, written: &[wire::Mailbox]) -> BTreeMap<MailboxKey, Mailbox> {
        let mut mailboxes: BTreeMap<MailboxKey, Mailbox> = BTreeMap::new();
        let mut paths: BTreeMap<MailboxKey, String> = BTreeMap::new();
        for (index, one) in written.iter().enumerate() {
            let path = format!("mailbox[{}]", index + 1);
            let actions = self.actions(&path, one);
            let verdicts = self.verdicts(&format!("{path}.verdicts"), &one.verdicts);
            let Some(key) = self.mailbox_key(&format!("{path}.address"), &one.address) else {
                continue;
            };
            if paths.insert(key.clone(), path.clone()).is_some() {
                self.problem(&format!("{path}.address"), "expected an address no other mailbox has");
            }
            let mailbox = Mailbox {
                key: key.clone(),
                verdicts,
                actions,
            };
            mailboxes.insert(key, mailbox);
        }
        if self.problems.is_empty() {
            self.loops(&mailboxes, &paths);
        }
        mailboxes
    }

    fn mailbox_key(&mut self, path: &str, text: &str) -> Option<MailboxKey> {
        if text == "*" {
            return Some(MailboxKey::CatchAll);
        }
        let before = self.problems.len();
        let identity = self.identity(path, text);
        if self.problems.len() > before {
            self.problems.truncate(before);
            self.problem(path, "expected a mail address, a domain, or *");
        }
        identity?.as_str().parse().ok()
    }

    fn verdicts(&mut self, path: &str, written: &wire::Verdicts) -> VerdictRules {
        use wire::VerdictAction as Written;
        let action = |written: Written| match written {
            Written::Continue => VerdictAction::Continue,
            Written::Tag => VerdictAction::Tag,
            Written::StopRule => VerdictAction::StopRule,
            Written::StopRuleSet => VerdictAction::StopRuleSet,
            Written::Bounce => VerdictAction::Bounce,
        };
        if let Some(Written::Continue | Written::Tag) = written.virus_fail {
            self.warning(
                &format!("{path}.virus-fail"),
                "forwards and stores mail with a virus in it",
            );
        }
        for (name, written) in [("virus-fail", written.virus_fail), ("spam-fail", written.spam_fail)] {
            if written == Some(Written::Bounce) {
                self.warning(
                    &format!("{path}.{name}"),
                    "such mail rarely names its true sender, so that a bounce goes to a stranger; consider stop-rule-set",
                );
            }
        }
        VerdictRules {
            virus_fail: written.virus_fail.map(action),
            spam_fail: written.spam_fail.map(action),
            spf_fail: written.spf_fail.map(action),
            dkim_fail: written.dkim_fail.map(action),
            dmarc_none: written.dmarc_none.map(action),
            dmarc_quarantine: written.dmarc_quarantine.map(action),
            dmarc_reject: written.dmarc_reject.map(action),
            unchecked: written.unchecked.map(action),
        }
    }

    fn actions(&mut self, path: &str, mailbox: &wire::Mailbox) -> Vec<MailboxAction> {
        use wire::ActionName::{Bounce, Drop, Forward, Notify, Store};
        if mailbox.actions.is_empty() {
            self.problem(&format!("{path}.actions"), "expected at least one action");
        }
        let all: Vec<wire::ActionName> = mailbox.actions.iter().map(|one| one.action).collect();
        let mut actions = Vec::new();
        let mut seen = Vec::new();
        let mut targets = BTreeSet::new();
        for (index, written) in mailbox.actions.iter().enumerate() {
            let path = format!("{path}.actions[{}]", index + 1);
            self.fields(&path, written);
            let twice = seen.contains(&written.action) && !matches!(written.action, Forward | Notify);
            seen.push(written.action);
            if twice {
                self.problem(&format!("{path}.action"), "expected once in a mailbox");
            } else if written.action == Drop && all.len() > 1 {
                self.problem(
                    &format!("{path}.action"),
                    "expected alone: a mail that is dropped gets nothing else",
                );
            } else if written.action == Bounce && all.iter().any(|one| !matches!(one, Bounce | Store | Notify)) {
                self.problem(
                    &format!("{path}.action"),
                    "expected beside store and notify only: a bounce says that nobody took the mail",
                );
            }
            let made = self.action(&path, written);
            for action in &made {
                let again = match action {
                    MailboxAction::Forward { to, .. } => to.iter().any(|one| !targets.insert(one.key().to_owned())),
                    MailboxAction::Notify { target } => !targets.insert(target.to_string()),
                    _ => false,
                };
                if again {
                    self.problem(&format!("{path}.to"), "expected nobody who is told twice");
                }
            }
            actions.extend(made);
        }
        actions
    }

    /// A field that its action does not have was meant for another one.
    fn fields(&mut self, path: &str, written: &wire::MailboxAction) {
        use wire::ActionName::{AutoReply, Bounce, Drop, Forward, Notify, Store};
        let fields = [
            (
                "to",
                written.to.is_some(),
                &[Forward, Notify][..],
                "forward and notify have it",
            ),
            (
                "from",
                written.from.is_some(),
                &[Forward, AutoReply, Bounce],
                "forward, auto-reply and bounce have it",
            ),
            ("subject", written.subject.is_some(), &[AutoReply], "auto-reply has it"),
            ("text", written.text.is_some(), &[AutoReply], "auto-reply has it"),
            (
                "every-days",
                written.every_days.is_some(),
                &[AutoReply],
                "auto-reply has it",
            ),
            (
                "reason",
                written.reason.is_some(),
                &[Drop, Bounce],
                "drop and bounce have it",
            ),
            ("status-code", written.status_code.is_some(), &[Bounce], "bounce has it"),
            ("keep-subject", written.keep_subject.is_some(), &[Store], "store has it"),
            ("days", written.days.is_some(), &[Store], "store has it"),
        ];
        for (name, given, actions, says) in fields {
            if given && !actions.contains(&written.action) {
                self.problem(&format!("{path}.{name}"), format!("only {says}"));
            }
        }
    }

    /// One action; a notify is one for each target.
    fn action(&mut self, path: &str, written: &wire::MailboxAction) -> Vec<MailboxAction> {
        use wire::ActionName as Name;
        let action = match written.action {
            Name::Store => Some(MailboxAction::Store {
                subject: match written.keep_subject {
                    None | Some(wire::KeepSubject::None) => KeptSubject::None,
                    Some(wire::KeepSubject::Hash) => KeptSubject::Hash,
                    Some(wire::KeepSubject::Text) => KeptSubject::Text,
                },
                days: written.days,
            }),
            Name::Forward => {
                let to = self.recipients(path, written);
                let from = self.sender(path, written);
                to.zip(from).map(|(to, from)| MailboxAction::Forward { to, from })
            }
            Name::Unsubscribe => Some(MailboxAction::Unsubscribe),
            Name::AutoReply => self.auto_reply(path, written),
            Name::Bounce => self.bounce(path, written),
            Name::Notify => return self.notify(path, written),
            Name::Drop => {
                let reason = written.reason.as_deref().unwrap_or("the mailbox drops its mail");
                let reason = self.line(&format!("{path}.reason"), reason);
                reason.map(|reason| MailboxAction::Drop { reason })
            }
        };
        action.into_iter().collect()
    }

    fn recipients(&mut self, path: &str, written: &wire::MailboxAction) -> Option<Vec<EmailAddress>> {
        let path = format!("{path}.to");
        let texts = written.to.as_deref().unwrap_or_default();
        if texts.is_empty() {
            self.problem(&path, "expected whom to send it to");
        }
        if texts.len() > MOST_RECIPIENTS {
            self.problem(
                &path,
                format!("expected at most {MOST_RECIPIENTS}: SES takes no more in one mail"),
            );
        }
        let before = self.problems.len();
        let mut to = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let address = self.read(
                &format!("{path}[{}]", index + 1),
                text,
                "expected a mail address",
                |text| {
                    let Some(Target::Email(_)) = target(text) else {
                        return None;
                    };
                    EmailAddress::parse(text)
                },
            );
            to.extend(address);
        }
        (self.problems.len() == before && !to.is_empty()).then_some(to)
    }

    fn sender(&mut self, path: &str, written: &wire::MailboxAction) -> Option<EmailAddress> {
        let path = format!("{path}.from");
        let Some(text) = &written.from else {
            self.problem(&path, "expected the verified address it is sent from");
            return None;
        };
        self.read(
            &path,
            text,
            "expected a mail address, with or without a name before it",
            |text| {
                let address = EmailAddress::parse(text)?;
                let Some(Target::Email(_)) = target(address.as_str()) else {
                    return None;
                };
                let name_is_plain = address
                    .name()
                    .is_none_or(|name| !name.contains(['"', '\\', '<', '>', '@']));
                name_is_plain.then_some(address)
            },
        )
    }

    fn auto_reply(&mut self, path: &str, written: &wire::MailboxAction) -> Option<MailboxAction> {
        let from = self.sender(path, written);
        let text_path = format!("{path}.text");
        let text = written.text.clone().unwrap_or_default();
        if text.trim().is_empty() {
            self.problem(&text_path, "expected what to answer");
        } else if text.len() > MOST_TEXT_BYTES || text.contains('\0') {
            self.problem(
                &text_path,
                format!("expected a text of at most {MOST_TEXT_BYTES} bytes"),
            );
        }
        let subject = match &written.subject {
            None => None,
            Some(subject) => Some(self.line(&format!("{path}.subject"), subject)?),
        };
        Some(MailboxAction::AutoReply {
            from: from?,
            subject,
            text,
            every_days: written.every_days.unwrap_or(7),
        })
    }

    fn bounce(&mut self, path: &str, written: &wire::MailboxAction) -> Option<MailboxAction> {
        let sender = self.sender(path, written);
        if sender.as_ref().is_some_and(|sender| sender.name().is_some()) {
            self.problem(&format!("{path}.from"), "expected a mail address without a name");
        }
        let message = written.reason.as_deref().unwrap_or("There is no such mailbox here.");
        let message = self.line(&format!("{path}.reason"), message);
        let status_code = written.status_code.as_deref().unwrap_or("5.1.1");
        let expected = "expected an enhanced status code of a permanent failure, such as 5.1.1";
        let status_code = self.read(&format!("{path}.status-code"), status_code, expected, |text| {
            let parts: Vec<&str> = text.split('.').collect();
            let number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            (parts.len() == 3 && parts.first() == Some(&"5") && parts.iter().all(number)).then(|| text.to_owned())
        });
        Some(MailboxAction::Bounce {
            sender: sender?,
            message: message?,
            status_code: status_code?,
        })
    }

    fn notify(&mut self, path: &str, written: &wire::MailboxAction) -> Vec<MailboxAction> {
        let path = format!("{path}.to");
        let texts = written.to.as_deref().unwrap_or_default();
        if texts.is_empty() {
            self.problem(&path, "expected whom to send it to");
        }
        let mut actions = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let expected = "expected an ARN of an SNS topic or SQS queue, and not a FIFO one";
            let target = self.read(&format!("{path}[{}]", index + 1), text, expected, notify_target);
            actions.extend(target.map(|target| MailboxAction::Notify { target }));
        }
        actions
    }

    fn line(&mut self, path: &str, text: &str) -> Option<String> {
        let expected = format!("expected one line of at most {MOST_LINE_BYTES} bytes");
        self.read(path, text, &expected, |text| {
            let plain = !text.trim().is_empty() && !text.contains(char::is_control) && text.len() <= MOST_LINE_BYTES;
            plain.then(|| text.to_owned())
        })
    }

    /// Mail that a mailbox sends comes back when another one of the file takes it. The function stops a loop by the
    /// mail's header, after it went round; a file can be seen to have one before.
    fn loops(&mut self, mailboxes: &BTreeMap<MailboxKey, Mailbox>, paths: &BTreeMap<MailboxKey, String>) {
        let ours = Ours(mailboxes);
        for (key, mailbox) in mailboxes {
            let Some(path) = paths.get(key) else { continue };
            for (index, action) in mailbox.actions.iter().enumerate() {
                let MailboxAction::Forward { to, from } = action else {
                    continue;
                };
                let path = format!("{path}.actions[{}]", index + 1);
                self.forward_from(&format!("{path}.from"), from, key, &ours);
                for (index, address) in to.iter().enumerate() {
                    let path = format!("{path}.to[{}]", index + 1);
                    let Some(next) = ours.takes(address) else { continue };
                    match ours.way_back(&next, key) {
                        Some(circle) => {
                            let circle: Vec<String> = circle.iter().map(ToString::to_string).collect();
                            let circle = circle.join(", ");
                            self.problem(&path, format!("forwards in a circle: {key}, {circle}"));
                        }
                        None => self.warning(
                            &path,
                            format!("is mail of mailbox {next}, which does something with it again; name its destination here"),
                        ),
                    }
                }
            }
        }
    }

    fn forward_from(&mut self, path: &str, from: &EmailAddress, mailbox: &MailboxKey, ours: &Ours<'_>) {
        let exact = *mailbox == MailboxKey::Address(from.key().to_owned());
        if exact {
            self.problem(
                path,
                "expected another address than the mailbox's own: what answers a forward would be forwarded",
            );
        } else if ours.takes(from).as_ref() == Some(mailbox) {
            self.warning(
                path,
                format!("is mail of this mailbox ({mailbox}) too, so that what answers a forward is forwarded; give it a mailbox of its own"),
            );
        }
    }
}

/// The mailboxes, and what they tell about which addresses are received here.
struct Ours<'a>(&'a BTreeMap<MailboxKey, Mailbox>);

impl Ours<'_> {
    /// The mailbox that takes mail for an address. `*` takes it for the domains the file names, as others are received
    /// elsewhere.
    fn takes(&self, address: &EmailAddress) -> Option<MailboxKey> {
        let domain = address.domain()?;
        let is_ours = |key: &MailboxKey| match key {
            MailboxKey::Address(known) => known.rsplit_once('@').is_some_and(|(_, known)| known == domain),
            MailboxKey::Domain(known) => known == domain,
            MailboxKey::CatchAll => false,
        };
        let key = MailboxKey::candidates(address)
            .into_iter()
            .find(|key| self.0.contains_key(key))?;
        (key != MailboxKey::CatchAll || self.0.keys().any(is_ours)).then_some(key)
    }

    /// The mailboxes on the way from one to the other along forwards, both included.
    fn way_back(&self, from: &MailboxKey, to: &MailboxKey) -> Option<Vec<MailboxKey>> {
        let mut ways = vec![vec![from.clone()]];
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop() {
            let Some(last) = way.last() else { continue };
            if last == to {
                return Some(way);
            }
            if !seen.insert(last.clone()) {
                continue;
            }
            let actions = self
                .0
                .get(last)
                .map(|mailbox| mailbox.actions.as_slice())
                .unwrap_or_default();
            for action in actions {
                let MailboxAction::Forward { to, .. } = action else {
                    continue;
                };
                for next in to.iter().filter_map(|address| self.takes(address)) {
                    ways.push(way.iter().cloned().chain([next]).collect());
                }
            }
        }
        None
    }
}

/// A topic's ARN, or a queue's ARN or URL. A FIFO queue wants a group of each message, which a mail does not have.
fn notify_target(text: &str) -> Option<NotifyTarget> {
    if text.ends_with(".fifo") || text.contains(char::is_whitespace) {
        return None;
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return (text.split('/').count() >= 5).then(|| NotifyTarget::Queue(text.to_owned()));
    }
    match target(text)? {
        Target::Topic(arn) => Some(NotifyTarget::Topic(arn)),
        Target::Queue(arn) => {
            let parts: Vec<&str> = arn.split(':').collect();
            let ["arn", partition, "sqs", region, account, name] = *parts.as_slice() else {
                return None;
            };
            let suffix = match partition {
                "aws-cn" => "amazonaws.com.cn",
                _ => "amazonaws.com",
            };
            Some(NotifyTarget::Queue(format!(
                "https://sqs.{region}.{suffix}/{account}/{name}"
            )))
        }
        Target::Bus(_) | Target::Email(_) => None,
    }
}
