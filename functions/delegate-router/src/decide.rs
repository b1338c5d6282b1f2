//! Who hears of a notification. Pure: no clock, no environment, no AWS, and it cannot fail.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use notification_model::{AccountId, EmailAddress, Mail, Notification};
use serde_json::json;
use store::{Redaction, Route, RouteFilter, RouteKey, SenderMatch, Target};

use crate::delivery::{Delivery, idempotency_key};
use crate::digest::DigestItem;
use crate::ownership::{Ownership, UnidentifiedAccounts};
use crate::redaction::redacted;

/// The name of the tag and header by which our own notices are known, and its value.
pub const NOTICE_TAG: (&str, &str) = ("postroom", "digest");
/// The header of our own notices.
pub const NOTICE_HEADER: &str = "X-Postroom-Notice";

/// A notification with the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The notification.
    pub notification: Notification,
    /// What SES wrote, unchanged.
    pub payload: String,
}

/// What has to be known of the ownership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose notification it is.
    pub ownership: Result<Ownership, UnidentifiedAccounts>,
    /// The routes under the ownership' keys.
    pub routes: Vec<Route>,
}

/// By what we know our own notices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnIdentity {
    /// The account this function runs in.
    pub account: Option<AccountId>,
    /// The sender of our digests.
    pub digest_from: Option<EmailAddress>,
}

/// One thing to do. Each may run twice and in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Take it to a target.
    Deliver(Delivery),
    /// Take it to the `unrouted` topic.
    Unrouted(Unrouted),
}

/// A notification that no target gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrouted {
    /// The kind of reason.
    pub reason: UnroutedReason,
    /// The reason in words.
    pub because: String,
    /// As of a delivery, as far as the ownership are known.
    pub attributes: BTreeMap<String, String>,
    /// What SES wrote.
    pub body: String,
}

/// Why no target gets a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnroutedReason {
    /// It cannot be told whose it is.
    UnidentifiedAccounts,
    /// No route is about its ownership.
    NoRoute,
    /// There are routes about its ownership, and none wants this event, configuration set or tenant.
    NotWanted,
    /// It is about a digest of ours, and only people who get digests would hear of it.
    OwnNotice,
}

impl UnroutedReason {
    /// One word for metrics and filters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnidentifiedAccounts => "unidentified-accounts",
            Self::NoRoute => "no-route",
            Self::NotWanted => "not-wanted",
            Self::OwnNotice => "own-notice",
        }
    }
}

/// Who hears of a notification: every target of every route that matches, once each, or the `unrouted` topic.
///
/// A target that several routes name sees what the most specific of them shows; among routes about the same ownership, what
/// the one shows that shows less.
#[must_use]
pub fn decide(received: &Received, facts: &Facts, own_identity: &OwnIdentity) -> Vec<Action> {
    let ownership = match &facts.ownership {
        Ok(ownership) => ownership,
        Err(because) => {
            return unrouted(
                received,
                None,
                UnroutedReason::UnidentifiedAccounts,
                because.to_string(),
            );
        }
    };
    let give_up = |reason, because: &str| unrouted(received, Some(ownership), reason, because.to_owned());
    let mut routes = granted(&ownership.route_keys(), &facts.routes);
    if routes.is_empty() {
        return give_up(
            UnroutedReason::NoRoute,
            "no route is about its owner, sending account and identity",
        );
    }
    routes.retain(|route| wants(&route.filter, ownership, &received.notification));
    if routes.is_empty() {
        let because = "the routes about its ownership ask for other events, configuration sets or tenants";
        return give_up(UnroutedReason::NotWanted, because);
    }
    // A digest about a digest that bounced would bounce: that way lies a loop.
    if is_own_notice(&received.notification.mail, own_identity) {
        routes.retain(|route| !matches!(route.target, Target::Email(_)));
    }
    if routes.is_empty() {
        return give_up(
            UnroutedReason::OwnNotice,
            "it is about a digest, and only digests would tell of it",
        );
    }
    let mut told = BTreeSet::new();
    routes
        .into_iter()
        .filter(|route| told.insert(target_key(&route.target)))
        .map(|route| Action::Deliver(deliver(received, ownership, route)))
        .collect()
}

/// The routes that owner, account and identity grant, the most specific first. What is looked up by key is checked again
/// here: nothing that a reader of the table gets wrong can reach a stranger.
pub(crate) fn granted<'a>(keys: &[RouteKey], routes: &'a [Route]) -> Vec<&'a Route> {
    let rank = |route: &Route| keys.iter().position(|key| *key.sender_match() == route.senders);
    let mut granted: Vec<(usize, &Route)> = routes.iter().filter_map(|route| Some((rank(route)?, route))).collect();
    granted.sort_by_key(|(rank, route)| (*rank, Reverse(route.redaction), &route.name));
    granted.into_iter().map(|(_, route)| route).collect()
}

fn wants(only: &RouteFilter, ownership: &Ownership, notification: &Notification) -> bool {
    let one_of = |words: &BTreeSet<String>, word: Option<&str>| {
        words.is_empty() || word.is_some_and(|word| words.contains(word))
    };
    let plain = |name: &str| name.replace([' ', '-', '_'], "").to_ascii_lowercase();
    let event = plain(notification.event.name());
    one_of(&only.configuration_sets, ownership.configuration_set.as_deref())
        && one_of(&only.tenants, ownership.tenant.as_deref())
        && (only.events.is_empty() || only.events.iter().any(|wanted| plain(wanted) == event))
}

/// Tag and header are the sender's words: believed of anyone, they would let a sender hide its bounces. So they count
/// only on mail of this account, which SES vouches for.
fn is_own_notice(mail: &Mail, own_identity: &OwnIdentity) -> bool {
    if own_identity.account.is_none() || mail.sending_account_id != own_identity.account {
        return false;
    }
    let (tag, value) = NOTICE_TAG;
    // Tags come only with a configuration set and headers only if switched on, so the sender must do without them.
    let source = mail.source_address();
    let from = own_identity.digest_from.as_ref().map(EmailAddress::key);
    mail.tag(tag) == Some(value)
        || mail.header(NOTICE_HEADER).is_some()
        || (from.is_some() && source.as_ref().map(EmailAddress::key) == from)
}

/// What makes two targets the same.
pub(crate) fn target_key(target: &Target) -> String {
    match target {
        Target::Email(address) => EmailAddress::parse(address)
            .map_or_else(|| target.to_string(), |address| format!("email:{}", address.key())),
        _ => target.to_string(),
    }
}

fn deliver(received: &Received, ownership: &Ownership, route: &Route) -> Delivery {
    let key = idempotency_key(received, &target_key(&route.target));
    let mut attributes = attributes(&received.notification, Some(ownership));
    attributes.insert("route".to_owned(), route.name.clone());
    attributes.insert("idempotencyKey".to_owned(), key.clone());
    let body = match (&route.target, route.redaction) {
        (Target::Email(_), view) => DigestItem::of(&received.notification, ownership, view).to_text(),
        (_, Redaction::None) => received.payload.clone(),
        (_, Redaction::Standard) => redacted(&received.notification).to_string(),
    };
    Delivery {
        target: route.target.clone(),
        key,
        reason: reason(route),
        attributes,
        body,
    }
}

pub(crate) fn reason(route: &Route) -> String {
    let SenderMatch {
        owner,
        account,
        identity,
    } = &route.senders;
    let about: Vec<String> = [
        owner.as_ref().map(|owner| format!("owner {owner}")),
        account.as_ref().map(|account| format!("sending account {account}")),
        identity.as_ref().map(|identity| format!("identity {identity}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let view = match route.redaction {
        Redaction::None => "everything",
        Redaction::Standard => "the redacted form",
    };
    format!("route {} shows {view} of {}", route.name, about.join(", "))
}

fn unrouted(
    received: &Received,
    ownership: Option<&Ownership>,
    reason: UnroutedReason,
    because: String,
) -> Vec<Action> {
    let mut attributes = attributes(&received.notification, ownership);
    attributes.insert("reason".to_owned(), reason.as_str().to_owned());
    vec![Action::Unrouted(Unrouted {
        reason,
        because,
        attributes,
        body: received.payload.clone(),
    })]
}

fn attributes(notification: &Notification, ownership: Option<&Ownership>) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::from([("type".to_owned(), notification.event.name().to_owned())]);
    let Some(ownership) = ownership else { return attributes };
    let known = [
        ("owner", Some(ownership.owner.to_string())),
        ("sendingAccount", Some(ownership.account.to_string())),
        ("identity", Some(ownership.identity.to_string())),
        ("configurationSet", ownership.configuration_set.clone()),
        ("tenant", ownership.tenant.clone()),
        ("delegated", Some(json!(ownership.delegated()).to_string())),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    attributes.extend(known.filter(|(_, value)| !value.is_empty()));
    attributes
}
