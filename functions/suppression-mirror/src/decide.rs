//! Whether a request still stands, and which list it concerns. Pure: no clock, no environment, no AWS.

use std::collections::BTreeSet;

use jiff::Timestamp;
use store::{Block, MirrorAction, MirrorRequest, Recipient, Scope, SuppressionSource};

use crate::policy::{MirrorTo, Policy};

/// One of SES's suppression lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// The account's, in this Region.
    Account,
    /// A tenant's own.
    Tenant(String),
}

/// What to do next about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Put the address on the list.
    Put {
        /// Which list.
        list: List,
        /// When the last of the decisions behind it ends; SES's lists know no end. `None` is never.
        until: Option<Timestamp>,
    },
    /// Take the address off the list.
    Delete {
        /// Which list.
        list: List,
        /// Every spelling known. SES's lists keep the case of an address and delete
        /// [only what matches exactly](https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list-tenant-level-manage.html).
        spellings: BTreeSet<String>,
    },
    /// Nothing.
    Leave {
        /// Why, in words.
        because: &'static str,
    },
}

/// What the row, as it is now, makes of a request. The row decides, so that requests that come late, twice or out of
/// order leave the list as the table has it.
#[must_use]
pub fn decide(request: &MirrorRequest, row: &Recipient, policy: &Policy, now: Timestamp) -> Step {
    let list = match list_of(&request.scope, policy.mirror_to) {
        Ok(list) => list,
        Err(because) => return Step::Leave { because },
    };
    let scopes: BTreeSet<&Scope> = row.entries.keys().map(|(scope, _)| scope).collect();
    let on_this_list = |scope: &Scope| list_of(scope, policy.mirror_to).as_ref() == Ok(&list);
    let in_force = |scope: &&Scope| row.in_force(scope, now).collect::<Vec<Block>>();

    match request.action {
        MirrorAction::Put => {
            let blocks = scopes.iter().copied().filter(|scope| on_this_list(scope));
            let ends: Vec<Option<Timestamp>> = blocks
                .flat_map(|scope| in_force(&scope))
                .filter(|block| is_mirrored(&block.source, policy))
                .map(|block| block.entry.until)
                .collect();
            if ends.is_empty() {
                return Step::Leave {
                    because: "nothing that only Postroom knows is in force any more",
                };
            }
            let for_good = ends.contains(&None);
            Step::Put {
                list,
                until: ends.into_iter().flatten().max().filter(|_| !for_good),
            }
        }
        MirrorAction::Delete => {
            // An address that does not exist stays on a tenant's list too: SES may have put it there.
            let blocks = scopes
                .iter()
                .copied()
                .filter(|scope| on_this_list(scope) || **scope == Scope::Global);
            if blocks
                .flat_map(|scope| in_force(&scope))
                .any(|block| keeps(&block.source, policy))
            {
                return Step::Leave {
                    because: "something is in force that keeps the address on the list",
                };
            }
            let known = row.entries.values().map(|entry| entry.address.clone());
            let asked = [request.address.as_str().to_owned(), request.address.key().to_owned()];
            Step::Delete {
                list,
                spellings: known.chain(asked).collect(),
            }
        }
    }
}

fn list_of(scope: &Scope, mirror_to: MirrorTo) -> Result<List, &'static str> {
    match (mirror_to, scope) {
        (MirrorTo::Nothing, _) => Err("mirroring is off"),
        (_, Scope::Global) | (MirrorTo::Account, Scope::Domain(_)) => Ok(List::Account),
        (_, Scope::Tenant(name)) => Ok(List::Tenant(name.clone())),
        // The account's list would stop every other sender too.
        (MirrorTo::Tenant, Scope::Domain(_)) => Err("SES keeps no list for a domain"),
    }
}

/// What SES does not put on its lists itself.
fn is_mirrored(source: &SuppressionSource, policy: &Policy) -> bool {
    match source {
        SuppressionSource::Manual | SuppressionSource::Streak => true,
        SuppressionSource::List(_) => policy.unsubscribes,
        SuppressionSource::Bounce
        | SuppressionSource::Complaint
        | SuppressionSource::SesList
        | SuppressionSource::Released
        | SuppressionSource::Topic(_) => false,
    }
}

/// What speaks for the address being on the list. `SesList` does not: it echoes the list, an entry of ours included, and
/// would keep it there for ever.
fn keeps(source: &SuppressionSource, policy: &Policy) -> bool {
    is_mirrored(source, policy) || matches!(source, SuppressionSource::Bounce | SuppressionSource::Complaint)
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

    /// `scope|origin` with what stands in the register: `+` blocked for good, `+7` for seven more days, `-7` until seven
    /// days ago, `0` released.
    fn row(registers: &str) -> Recipient {
        let mut row = Recipient::default();
        for register in registers.split_whitespace() {
            let (name, state) = register.split_once('=').unwrap();
            let (scope, source) = name.split_once('|').unwrap();
            let source = match source.split_once(':') {
                Some(("list", name)) => SuppressionSource::List(name.to_owned()),
                Some((_, name)) => SuppressionSource::Topic(name.to_owned()),
                None => match source {
                    "bounce" => SuppressionSource::Bounce,
                    "complaint" => SuppressionSource::Complaint,
                    "streak" => SuppressionSource::Streak,
                    "ses-list" => SuppressionSource::SesList,
                    "released" => SuppressionSource::Released,
                    _ => SuppressionSource::Manual,
                },
            };
            let days: Option<i64> = state.parse().ok().filter(|days| *days != 0);
            let entry = SuppressionEntry {
                at: now() - SignedDuration::from_hours(24 * 30),
                id: "m1".to_owned(),
                blocked: state != "0",
                until: days.map(|days| now() + SignedDuration::from_hours(24 * days)),
                reason: String::new(),
                address: "Jane@example.net".to_owned(),
                evidence: BTreeMap::new(),
            };
            row.entries.insert((scope.parse().unwrap(), source), entry);
        }
        row
    }

    fn step(mirror_to: MirrorTo, unsubscribes: bool, action: MirrorAction, scope: &str, registers: &str) -> String {
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
        match decide(&request, &row(registers), &policy, now()) {
            Step::Put { list, until } => {
                let days = until.map(|until| until.duration_since(now()).as_hours() / 24);
                let days = days.map_or_else(|| "good".to_owned(), |days| format!("{days} days"));
                format!("put {} for {days}", name(list))
            }
            Step::Delete { list, spellings } => {
                let spellings: Vec<String> = spellings.into_iter().collect();
                format!("delete {} from {}", spellings.join(" "), name(list))
            }
            Step::Leave { because } => because.to_owned(),
        }
    }

    const GONE: &str = "nothing that only Postroom knows is in force any more";
    const KEPT: &str = "something is in force that keeps the address on the list";

    #[test]
    fn a_put_stands_while_something_is_in_force_that_ses_does_not_know() {
        let cases = [
            ("global", "global|manual=+", "put account for good"),
            ("tenant:acme", "tenant:acme|streak=+30", "put tenant acme for 30 days"),
            (
                "tenant:acme",
                "tenant:acme|streak=+30 tenant:acme|manual=+7",
                "put tenant acme for 30 days",
            ),
            (
                "tenant:acme",
                "tenant:acme|streak=+30 tenant:acme|manual=+",
                "put tenant acme for good",
            ),
            ("tenant:acme", "tenant:acme|streak=-1", GONE),
            ("tenant:acme", "tenant:acme|streak=+30 tenant:acme|released=0", GONE),
            ("tenant:acme", "tenant:other|manual=+ global|manual=+", GONE),
            ("global", "global|bounce=+ global|ses-list=+", GONE),
            ("global", "", GONE),
            (
                "domain:shop.example",
                "domain:shop.example|manual=+",
                "SES keeps no list for a domain",
            ),
        ];
        for (scope, registers, expected) in cases {
            let step = step(MirrorTo::Tenant, false, MirrorAction::Put, scope, registers);
            assert_eq!(step, expected, "{scope}: {registers}");
        }
    }

    #[test]
    fn a_delete_stands_when_nothing_keeps_the_address_on_the_list() {
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
                "SES keeps no list for a domain".to_owned(),
            ),
        ];
        for (scope, registers, expected) in cases {
            let step = step(MirrorTo::Tenant, false, MirrorAction::Delete, scope, registers);
            assert_eq!(step, expected, "{scope}: {registers}");
        }
        let nobody = step(MirrorTo::Tenant, false, MirrorAction::Delete, "global", "");
        assert_eq!(nobody, "delete JANE@example.net jane@example.net from account");
    }

    #[test]
    fn with_account_all_domains_share_the_list() {
        let put = |registers| {
            step(
                MirrorTo::Account,
                false,
                MirrorAction::Put,
                "domain:shop.example",
                registers,
            )
        };
        let delete = |registers| {
            step(
                MirrorTo::Account,
                false,
                MirrorAction::Delete,
                "domain:shop.example",
                registers,
            )
        };
        assert_eq!(put("domain:shop.example|manual=+"), "put account for good");
        assert_eq!(
            put("tenant:acme|manual=+"),
            GONE,
            "a tenant's decision never stops the others"
        );
        assert_eq!(
            delete("domain:shop.example|released=0 domain:other.example|manual=+"),
            KEPT
        );
        assert_eq!(delete("domain:shop.example|released=0 global|streak=+30"), KEPT);
    }

    #[test]
    fn unsubscribes_only_if_configured_and_never_topics() {
        let put = |unsubscribes, registers| {
            step(
                MirrorTo::Tenant,
                unsubscribes,
                MirrorAction::Put,
                "tenant:acme",
                registers,
            )
        };
        assert_eq!(put(false, "tenant:acme|list:news=+"), GONE);
        assert_eq!(put(true, "tenant:acme|list:news=+"), "put tenant acme for good");
        assert_eq!(put(true, "tenant:acme|topic:news/a=+"), GONE);
    }

    #[test]
    fn off_is_off() {
        let put = step(MirrorTo::Nothing, true, MirrorAction::Put, "global", "global|manual=+");
        assert_eq!(put, "mirroring is off");
    }
}
