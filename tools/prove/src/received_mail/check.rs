//! What the mailboxes require, written from `docs/inbound.md`, compared with what was sent.

use std::collections::{BTreeMap, BTreeSet};

use super::caps::Candidate;
use super::mail::{FORWARDS_PER_SENDER, InboundScenario, NOTIFY_TOPIC, ScenarioMail};
use crate::aws::{SentMail, Services, check_sent_once};

/// How often each mail was forwarded to each address.
type Forwards<'a> = BTreeMap<(&'a str, String), usize>;

/// Every mail was forwarded, answered and notified as its mailboxes say, and nothing else was sent. A mail that
/// `may_be_lost` need not be. If the seed is undisturbed, everything happens exactly once.
///
/// # Errors
/// The difference.
pub(super) fn check_mail(
    scenario: &InboundScenario,
    services: &Services,
    may_be_lost: &BTreeSet<usize>,
    is_undisturbed: bool,
) -> Result<(), String> {
    let is_kept = |mail: &ScenarioMail| {
        let index = scenario.mails.iter().position(|other| other.id == mail.id);
        index.is_some_and(|index| !may_be_lost.contains(&index))
    };
    let mut sent = Forwards::new();
    let mut replies: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in services.mails() {
        let mail = scenario
            .find_in(&one.text)
            .ok_or_else(|| format!("unknown mail: {one:?}"))?;
        if one.to == mail.writer && mail.asks_for_reply() {
            replies.entry(mail.writer).or_default().insert(&mail.id);
        } else if mail.forwards().contains(one.to.as_str()) {
            *sent.entry((&mail.id, one.to.clone())).or_default() += 1;
        } else {
            return Err(format!("{} was sent to {}, which no mailbox asks for", mail.id, one.to));
        }
    }
    check_forwards(scenario, services, &sent, &is_kept)?;
    check_replies(scenario, services, &replies, &is_kept)?;
    check_notifications(scenario, services, &is_kept, is_undisturbed)?;
    match sent.iter().find(|(_, copies)| is_undisturbed && **copies != 1) {
        Some((forward, copies)) => Err(format!("{forward:?} was sent {copies} times without any fault")),
        None => Ok(()),
    }
}

/// Of the mails of one sender and hour, as many are forwarded as the limit allows, and each to all targets that no cap stops.
/// The index has the reason for the others. No cap is exceeded.
fn check_forwards(
    scenario: &InboundScenario,
    services: &Services,
    sent: &Forwards<'_>,
    is_kept: &impl Fn(&ScenarioMail) -> bool,
) -> Result<(), String> {
    let caps = scenario.caps.forwards;
    let candidates: Vec<Candidate<'_>> = scenario
        .mails
        .iter()
        .flat_map(ScenarioMail::forward_candidates)
        .collect();
    let is_sent = |one: &Candidate<'_>| sent.contains_key(&(one.id, one.to.to_owned()));
    caps.check(candidates.iter().copied().filter(&is_sent))?;
    let mut by_sender: BTreeMap<(&str, i64), Vec<&ScenarioMail>> = BTreeMap::new();
    for mail in scenario.mails.iter().filter(|mail| !mail.forwards().is_empty()) {
        let hour = mail.received_at.as_second().div_euclid(3600);
        by_sender.entry((mail.writer, hour)).or_default().push(mail);
    }
    for ((writer, _), mails) in by_sender {
        let is_forwarded = |mail: &ScenarioMail| sent.keys().any(|(id, _)| *id == mail.id);
        let forwarded = mails.iter().filter(|mail| is_forwarded(mail)).count();
        if forwarded > FORWARDS_PER_SENDER {
            return Err(format!("{forwarded} mails of {writer} were forwarded within an hour"));
        }
        for mail in mails.iter().filter(|mail| is_kept(mail)) {
            let reasons = reasons(services, &mail.id);
            let missing: Vec<Candidate<'_>> = mail.forward_candidates().filter(|one| !is_sent(one)).collect();
            let is_limited = missing.len() == mail.forwards().len()
                && mails.len() > FORWARDS_PER_SENDER
                && reasons
                    .iter()
                    .any(|reason| reason.contains("not sent: the sender has more than"));
            let is_capped = || {
                let mut missing = missing.iter();
                missing.all(|stopped| caps.may_stop(*stopped, &candidates, &reasons))
            };
            if !missing.is_empty() && !is_limited && !is_capped() {
                let missing: Vec<&str> = missing.iter().map(|one| one.to).collect();
                return Err(format!(
                    "{} was not forwarded to {missing:?}, with the reasons {reasons:?}",
                    mail.id
                ));
            }
        }
    }
    Ok(())
}

/// Why the function did not send what the mailboxes of a mail ask for, as the index has it.
fn reasons(services: &Services, id: &str) -> Vec<String> {
    let items = services.items();
    let of_mail = items.iter().filter(|item| {
        item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("MAIL#")) && item["messageId"]["S"] == id
    });
    of_mail
        .flat_map(|item| item["reasons"]["SS"].as_array().into_iter().flatten())
        .filter_map(|reason| reason.as_str().map(str::to_owned))
        .collect()
}

/// A sender gets one reply, however many mails it sends within the period, or none if a cap stops it. No cap is exceeded.
fn check_replies(
    scenario: &InboundScenario,
    services: &Services,
    replies: &BTreeMap<&str, BTreeSet<&str>>,
    is_kept: &impl Fn(&ScenarioMail) -> bool,
) -> Result<(), String> {
    let caps = scenario.caps.answers;
    let mails = scenario.mails.iter();
    let candidates: Vec<Candidate<'_>> = mails.filter_map(ScenarioMail::reply_candidate).collect();
    let is_sent = |one: &Candidate<'_>| replies.get(one.to).is_some_and(|ids| ids.contains(one.id));
    caps.check(candidates.iter().copied().filter(is_sent))?;
    for mail in scenario.mails.iter().filter(|mail| mail.asks_for_reply()) {
        let of_writer = || {
            let mails = scenario.mails.iter();
            mails.filter(|other| other.writer == mail.writer && other.asks_for_reply())
        };
        let replied = replies.get(mail.writer).map_or(0, BTreeSet::len);
        if replied > 1 {
            return Err(format!(
                "{} got replies to several mails: {:?}",
                mail.writer, replies[mail.writer]
            ));
        }
        let is_capped = || {
            let mut of_writer = candidates.iter().filter(|one| one.to == mail.writer);
            of_writer.any(|one| caps.may_stop(*one, &candidates, &reasons(services, one.id)))
        };
        if replied == 0 && of_writer().all(is_kept) && !is_capped() {
            return Err(format!("{} got no reply", mail.writer));
        }
    }
    Ok(())
}

fn check_notifications(
    scenario: &InboundScenario,
    services: &Services,
    is_kept: &impl Fn(&ScenarioMail) -> bool,
    is_undisturbed: bool,
) -> Result<(), String> {
    let of_topic = services
        .received()
        .iter()
        .filter(|message| message.target == NOTIFY_TOPIC);
    let notified: Vec<&str> = of_topic.map(|message| message.body.as_str()).collect();
    for mail in &scenario.mails {
        let number = notified.iter().filter(|body| body.contains(&mail.id)).count();
        if number > 0 && !mail.is_notified() {
            return Err(format!(
                "the topic was notified of {}, which no mailbox asks for",
                mail.id
            ));
        }
        let is_wanted = mail.is_notified() && is_kept(mail);
        if is_wanted && number == 0 || is_undisturbed && number > 1 {
            return Err(format!("the topic was notified {number} times of {}", mail.id));
        }
    }
    Ok(())
}

/// No mail is sent again outside the window that the documentation names.
///
/// # Errors
/// The mail that was sent too often.
pub(super) fn check_nothing_twice(scenario: &InboundScenario, mails: &[SentMail]) -> Result<(), String> {
    let claim = jiff::SignedDuration::from_secs(90);
    check_sent_once(mails, claim, |mail| {
        let of = scenario.find_in(&mail.text).map(|mail| mail.id.clone());
        (of, mail.to.clone())
    })
}
