//! Decides whether a request still applies and which of SES's lists it changes. Pure: no clock, no environment, no AWS.

use std::collections::BTreeSet;

use jiff::Timestamp;
use store::{ActiveSuppression, MirrorAction, MirrorRequest, Recipient, Scope, SuppressionSource};

use crate::policy::{MirrorTo, Policy};

/// A suppression list of SES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// The account-level list of this Region.
    Account,
    /// The list of a tenant.
    Tenant(String),
}

/// The next step for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Add the address to a list.
    Put {
        /// The list.
        list: List,
        /// When the last of the suppressions ends. Entries in SES's lists do not expire. `None`: never.
        until: Option<Timestamp>,
    },
    /// Remove the address from a list.
    Delete {
        /// The list.
        list: List,
        /// Every known spelling. SES's lists keep the case of an address and delete
        /// [only an exact match](https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list-tenant-level-manage.html).
        spellings: BTreeSet<String>,
    },
    /// Change nothing.
    Skip {
        /// The reason, for the log.
        reason: &'static str,
    },
}

/// Returns the next step for a request.
///
/// The step depends on the current row, not on the request alone, so that late, duplicate and reordered requests leave the
/// list as the table requires.
#[must_use]
pub fn decide(request: &MirrorRequest, row: &Recipient, policy: &Policy, now: Timestamp) -> Step {
    let list = match list_of(&request.scope, policy.mirror_to) {
        Ok(list) => list,
        Err(reason) => return Step::Skip { reason },
    };
    let scopes: BTreeSet<&Scope> = row.entries.keys().map(|(scope, _)| scope).collect();
    let on_this_list = |scope: &Scope| list_of(scope, policy.mirror_to).as_ref() == Ok(&list);
    let active = |scope: &&Scope| row.active_in(scope, now).collect::<Vec<ActiveSuppression>>();

    match request.action {
        MirrorAction::Put => {
            let listed = scopes.iter().copied().filter(|scope| on_this_list(scope));
            let ends: Vec<Option<Timestamp>> = listed
                .flat_map(|scope| active(&scope))
                .filter(|suppression| suppression.is_mirrored(policy.unsubscribes))
                .map(|suppression| suppression.entry.until)
                .collect();
            if ends.is_empty() {
                return Step::Skip {
                    reason: "no suppression that SES does not know is active",
                };
            }
            let is_permanent = ends.contains(&None);
            Step::Put {
                list,
                until: ends.into_iter().flatten().max().filter(|_| !is_permanent),
            }
        }
        MirrorAction::Delete => {
            // An address that does not exist also stays on a tenant's list, because SES may have added it.
            let listed = scopes
                .iter()
                .copied()
                .filter(|scope| on_this_list(scope) || **scope == Scope::Global);
            if listed
                .flat_map(|scope| active(&scope))
                .any(|suppression| keeps_on_list(&suppression, policy))
            {
                return Step::Skip {
                    reason: "an active suppression keeps the address on the list",
                };
            }
            let recorded = row.entries.values().map(|entry| entry.address.clone());
            let requested = [request.address.as_str().to_owned(), request.address.key().to_owned()];
            Step::Delete {
                list,
                spellings: recorded.chain(requested).collect(),
            }
        }
    }
}

fn list_of(scope: &Scope, mirror_to: MirrorTo) -> Result<List, &'static str> {
    match (mirror_to, scope) {
        (MirrorTo::Nothing, _) => Err("mirroring is off"),
        (_, Scope::Global) | (MirrorTo::Account, Scope::Domain(_)) => Ok(List::Account),
        (_, Scope::Tenant(name)) => Ok(List::Tenant(name.clone())),
        (_, Scope::TenantOf(..)) => Err("the tenant belongs to another account"),
        (_, Scope::Forward(_)) => Err("SES has no suppression list for the forwards of a mailbox"),
        // The account-level list would stop all other senders of the account too.
        (MirrorTo::Tenant, Scope::Domain(_)) => Err("SES has no suppression list for a domain"),
    }
}

/// Whether a suppression keeps the address on the list. One from SES's list does not, because it results from an entry
/// in the list, possibly one that was mirrored, and would keep that entry there permanently.
fn keeps_on_list(suppression: &ActiveSuppression, policy: &Policy) -> bool {
    use SuppressionSource::{Bounce, Complaint, UnconfirmedBounce};
    suppression.is_mirrored(policy.unsubscribes) || matches!(suppression.source, Bounce | UnconfirmedBounce | Complaint)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{SignedDuration, Timestamp};
    use notification_model::EmailAddress;
    use store::{MirrorAction, MirrorReason, MirrorRequest, Recipient, SuppressionEntry, SuppressionSource};

    use super::{List, Step, decide};
    use crate::policy::{MirrorTo, Policy};

    fn now() -> Timestamp {
        "2026-03-02T08:00:00Z".parse().unwrap()
    }

    /// Creates a row from `scope|source=state` items. The state `+` is a permanent suppression, `+7` one for seven more days,
    /// `-7` one that ended seven days ago, and `0` a release.
    fn row(entries: &str) -> Recipient {
        let mut row = Recipient::default();
        for item in entries.split_whitespace() {
            let (name, state) = item.split_once('=').unwrap();
            let (scope, source) = name.split_once('|').unwrap();
            let source = match source.split_once(':') {
                Some(("list", name)) => SuppressionSource::List(name.to_owned()),
                Some((_, name)) => SuppressionSource::Topic(name.to_owned()),
                None => match source {
                    "bounce" | "transient-bounce" => SuppressionSource::Bounce,
                    "complaint" => SuppressionSource::Complaint,
                    "streak" => SuppressionSource::Streak,
                    "ses-list" => SuppressionSource::SesList,
                    "released" => SuppressionSource::Released,
                    _ => SuppressionSource::Manual,
                },
            };
            let bounce_type = match name.ends_with("transient-bounce") {
                true => "Transient",
                false => "Permanent",
            };
            let days: Option<i64> = state.parse().ok().filter(|days| *days != 0);
            let entry = SuppressionEntry {
                at: now() - SignedDuration::from_hours(24 * 30),
                id: "m1".to_owned(),
                blocked: state != "0",
                until: days.map(|days| now() + SignedDuration::from_hours(24 * days)),
                reason: String::new(),
                address: "Jane@example.net".to_owned(),
                evidence: BTreeMap::from([("bounceType".to_owned(), bounce_type.to_owned())]),
            };
            row.entries.insert((scope.parse().unwrap(), source), entry);
        }
        row
    }

    fn step(mirror_to: MirrorTo, unsubscribes: bool, action: MirrorAction, scope: &str, entries: &str) -> String {
        let request = MirrorRequest {
            action,
            address: EmailAddress::parse("JANE@example.net").unwrap(),
            scope: scope.parse().unwrap(),
            reason: MirrorReason::Bounce,
            at: now(),
            id: "m1".to_owned(),
        };
        let policy = Policy {
            mirror_to,
            unsubscribes,
            ..Policy::default()
        };
        let name = |list: List| match list {
            List::Account => "account".to_owned(),
            List::Tenant(name) => format!("tenant {name}"),
        };
        match decide(&request, &row(entries), &policy, now()) {
            Step::Put { list, until } => {
                let days = until.map(|until| until.duration_since(now()).as_hours() / 24);
                let days = days.map_or_else(|| "permanent".to_owned(), |days| format!("{days} days"));
                format!("put {}, {days}", name(list))
            }
            Step::Delete { list, spellings } => {
                let spellings: Vec<String> = spellings.into_iter().collect();
                format!("delete {} from {}", spellings.join(" "), name(list))
            }
            Step::Skip { reason } => reason.to_owned(),
        }
    }

    const NOT_ACTIVE: &str = "no suppression that SES does not know is active";
    const KEPT: &str = "an active suppression keeps the address on the list";

    #[test]
    fn a_put_applies_while_a_suppression_that_ses_does_not_know_is_active() {
        let cases = [
            ("global", "global|manual=+", "put account, permanent"),
            ("tenant:acme", "tenant:acme|streak=+30", "put tenant acme, 30 days"),
            (
                "tenant:acme",
                "tenant:acme|streak=+30 tenant:acme|manual=+7",
                "put tenant acme, 30 days",
            ),
            (
                "tenant:acme",
                "tenant:acme|streak=+30 tenant:acme|manual=+",
                "put tenant acme, permanent",
            ),
            ("tenant:acme", "tenant:acme|streak=-1", NOT_ACTIVE),
            (
                "tenant:acme",
                "tenant:acme|streak=+30 tenant:acme|released=0",
                NOT_ACTIVE,
            ),
            ("tenant:acme", "tenant:other|manual=+ global|manual=+", NOT_ACTIVE),
            ("global", "global|bounce=+ global|ses-list=+", NOT_ACTIVE),
            ("global", "global|transient-bounce=+", "put account, permanent"),
            ("global", "", NOT_ACTIVE),
            (
                "domain:shop.example",
                "domain:shop.example|manual=+",
                "SES has no suppression list for a domain",
            ),
        ];
        for (scope, entries, expected) in cases {
            let step = step(MirrorTo::Tenant, false, MirrorAction::Put, scope, entries);
            assert_eq!(step, expected, "{scope}: {entries}");
        }
    }

    #[test]
    fn a_delete_applies_when_no_suppression_keeps_the_address_on_the_list() {
        let delete = "delete JANE@example.net Jane@example.net jane@example.net from";
        let cases = [
            ("global", "global|released=0", format!("{delete} account")),
            (
                "tenant:acme",
                "tenant:acme|streak=-1 global|released=0",
                format!("{delete} tenant acme"),
            ),
            (
                "tenant:acme",
                "tenant:acme|ses-list=+30 tenant:acme|complaint=0",
                format!("{delete} tenant acme"),
            ),
            (
                "tenant:acme",
                "tenant:other|manual=+ tenant:acme|released=0",
                format!("{delete} tenant acme"),
            ),
            (
                "tenant:acme",
                "tenant:acme|list:news=+ tenant:acme|topic:news/a=+ tenant:acme|streak=-1",
                format!("{delete} tenant acme"),
            ),
            (
                "tenant:acme",
                "tenant:acme|complaint=+ tenant:acme|streak=-1",
                KEPT.to_owned(),
            ),
            ("tenant:acme", "global|bounce=+ tenant:acme|released=0", KEPT.to_owned()),
            ("tenant:acme", "tenant:acme|manual=+7", KEPT.to_owned()),
            (
                "domain:shop.example",
                "domain:shop.example|released=0",
                "SES has no suppression list for a domain".to_owned(),
            ),
        ];
        for (scope, entries, expected) in cases {
            let step = step(MirrorTo::Tenant, false, MirrorAction::Delete, scope, entries);
            assert_eq!(step, expected, "{scope}: {entries}");
        }
        let without_row = step(MirrorTo::Tenant, false, MirrorAction::Delete, "global", "");
        assert_eq!(without_row, "delete JANE@example.net jane@example.net from account");
    }

    #[test]
    fn with_mirror_to_account_all_domains_share_the_account_level_list() {
        let put = |entries| {
            step(
                MirrorTo::Account,
                false,
                MirrorAction::Put,
                "domain:shop.example",
                entries,
            )
        };
        let delete = |entries| {
            step(
                MirrorTo::Account,
                false,
                MirrorAction::Delete,
                "domain:shop.example",
                entries,
            )
        };
        assert_eq!(put("domain:shop.example|manual=+"), "put account, permanent");
        assert_eq!(
            put("tenant:acme|manual=+"),
            NOT_ACTIVE,
            "a suppression of a tenant does not stop the account's other senders"
        );
        assert_eq!(
            delete("domain:shop.example|released=0 domain:other.example|manual=+"),
            KEPT
        );
        assert_eq!(delete("domain:shop.example|released=0 global|streak=+30"), KEPT);
    }

    #[test]
    fn unsubscribes_are_mirrored_only_if_configured_and_topics_never() {
        let put = |unsubscribes, entries| {
            step(
                MirrorTo::Tenant,
                unsubscribes,
                MirrorAction::Put,
                "tenant:acme",
                entries,
            )
        };
        assert_eq!(put(false, "tenant:acme|list:news=+"), NOT_ACTIVE);
        assert_eq!(put(true, "tenant:acme|list:news=+"), "put tenant acme, permanent");
        assert_eq!(put(true, "tenant:acme|topic:news/a=+"), NOT_ACTIVE);
    }

    #[test]
    fn nothing_is_mirrored_when_mirroring_is_off() {
        let put = step(MirrorTo::Nothing, true, MirrorAction::Put, "global", "global|manual=+");
        assert_eq!(put, "mirroring is off");
    }
}
