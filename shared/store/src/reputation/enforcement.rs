//! What was done to senders, and how far it has come.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::state::{Figures, Measure, ReputationState, Window, figures, pk, sender_of};
use crate::client::{Store, StoreError, key};
use crate::item::{Item, hash, n, s, stamp, text, time};
use crate::statistics::Sender;

named_enum! {
    /// What the watch can do to a sender. It only ever takes away.
    pub enum EnforcementKind {
        /// Switch a configuration set's sending off.
        PauseConfigurationSet = "pause-configuration-set",
        /// Switch a tenant's sending off.
        DisableTenant = "disable-tenant",
        /// Take the delegate's statements out of the identity's sending authorization policies.
        RevokeAuthorization = "revoke-authorization",
    }
}

/// What exactly was done, with all that undoing it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnforcementChange {
    /// A configuration set's sending was switched off.
    ConfigurationSet {
        /// Its name.
        name: String,
    },
    /// A tenant's sending was switched off.
    Tenant {
        /// Its name.
        name: String,
        /// Its ARN.
        arn: String,
        /// The customer-managed status it had, as SES spells it.
        before: String,
    },
    /// A delegate's statements were taken out of a sending authorization policy.
    Policy {
        /// The identity.
        identity: String,
        /// The policy's name.
        name: String,
        /// The policy's text, as it was.
        before: String,
        /// The text it got; `None` when nothing was left and the policy was deleted.
        after: Option<String>,
    },
}

impl EnforcementChange {
    /// The kind of act.
    #[must_use]
    pub fn kind(&self) -> EnforcementKind {
        match self {
            Self::ConfigurationSet { .. } => EnforcementKind::PauseConfigurationSet,
            Self::Tenant { .. } => EnforcementKind::DisableTenant,
            Self::Policy { .. } => EnforcementKind::RevokeAuthorization,
        }
    }

    /// What it was done to: the configuration set, the tenant, or `IDENTITY POLICY`.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::ConfigurationSet { name } | Self::Tenant { name, .. } => name.clone(),
            Self::Policy { identity, name, .. } => format!("{identity} {name}"),
        }
    }
}

/// How far an act has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnforcementStatus {
    /// About to be done, or under way.
    Planned,
    /// Done and in force.
    Done {
        /// When.
        at: Timestamp,
    },
    /// SES refused.
    Failed {
        /// When.
        at: Timestamp,
        /// What SES said.
        error: String,
    },
    /// Taken back by a person.
    Undone {
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
    },
}

/// One act against one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcement {
    /// Its name for people; sorts by time.
    pub id: String,
    /// Whom it was done to.
    pub sender: Sender,
    /// The window that was crossed.
    pub window: Window,
    /// The measure that was crossed.
    pub measure: Measure,
    /// When it was crossed.
    pub crossed_at: Timestamp,
    /// The figures at that time.
    pub figures: Figures,
    /// What was done.
    pub change: EnforcementChange,
    /// How far it has come.
    pub status: EnforcementStatus,
}

impl Enforcement {
    /// An act about to be done. The same crossing and object make the same id, so that planning twice is planning once.
    #[must_use]
    pub fn plan(sender: &Sender, crossing: &ReputationState, change: EnforcementChange) -> Self {
        let name = hash(&[
            &sender.to_string(),
            crossing.window.as_str(),
            crossing.measure.as_str(),
            &stamp(crossing.since),
            change.kind().as_str(),
            &change.object(),
        ]);
        Self {
            id: format!("{}-{:08x}", crossing.since.strftime("%Y%m%dT%H%M%SZ"), name >> 32),
            sender: sender.clone(),
            window: crossing.window,
            measure: crossing.measure,
            crossed_at: crossing.since,
            figures: crossing.figures,
            change,
            status: EnforcementStatus::Planned,
        }
    }

    /// Whether the act belongs to this crossing.
    #[must_use]
    pub fn is_of(&self, crossing: &ReputationState) -> bool {
        // A row knows milliseconds.
        (self.window, self.measure, stamp(self.crossed_at))
            == (crossing.window, crossing.measure, stamp(crossing.since))
    }

    fn key(&self) -> Item {
        key(&pk(&self.sender), &format!("ENFORCEMENT#{}", self.id))
    }

    fn write(&self) -> Item {
        let mut item = self.key();
        let mut set = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
        set("listKey", s("ENFORCEMENTS"));
        set("listSort", s(&self.id));
        set("window", s(self.window.as_str()));
        set("measure", s(self.measure.as_str()));
        set("crossedAt", s(stamp(self.crossed_at)));
        set("count", n(self.figures.count));
        set("volume", n(self.figures.volume));
        set("kind", s(self.change.kind().as_str()));
        set("status", s("planned"));
        match &self.change {
            EnforcementChange::ConfigurationSet { name } => {
                set("name", s(name));
            }
            EnforcementChange::Tenant { name, arn, before } => {
                set("name", s(name));
                set("arn", s(arn));
                set("before", s(before));
            }
            EnforcementChange::Policy {
                identity,
                name,
                before,
                after,
            } => {
                set("identity", s(identity));
                set("name", s(name));
                set("before", s(before));
                after.as_ref().map(|after| set("after", s(after)));
            }
        }
        item
    }

    fn read(item: &Item) -> Option<Self> {
        let owned = |name: &str| text(item, name).map(str::to_owned);
        let name = owned("name")?;
        let change = match EnforcementKind::read(text(item, "kind")?)? {
            EnforcementKind::PauseConfigurationSet => EnforcementChange::ConfigurationSet { name },
            EnforcementKind::DisableTenant => EnforcementChange::Tenant {
                name,
                arn: owned("arn")?,
                before: owned("before")?,
            },
            EnforcementKind::RevokeAuthorization => EnforcementChange::Policy {
                identity: owned("identity")?,
                name,
                before: owned("before")?,
                after: owned("after"),
            },
        };
        let at = time(item, "statusAt");
        let status = match text(item, "status")? {
            "planned" => EnforcementStatus::Planned,
            "done" => EnforcementStatus::Done { at: at? },
            "failed" => EnforcementStatus::Failed {
                at: at?,
                error: owned("error")?,
            },
            "undone" => EnforcementStatus::Undone {
                at: at?,
                by: owned("by")?,
            },
            _ => return None,
        };
        Some(Self {
            id: text(item, "sk")?.strip_prefix("ENFORCEMENT#")?.to_owned(),
            sender: sender_of(text(item, "pk")?)?,
            window: Window::read(text(item, "window")?)?,
            measure: Measure::read(text(item, "measure")?)?,
            crossed_at: time(item, "crossedAt")?,
            figures: figures(item),
            change,
            status,
        })
    }
}

impl EnforcementStatus {
    /// The word the row uses.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Undone { .. } => "undone",
        }
    }
}

impl Store {
    /// Writes an act that is about to be done; one that is known already stays as it is.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn plan_enforcement(&self, enforcement: &Enforcement) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(enforcement.write()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        self.took_place("PutItem", put).map(|_| ())
    }

    /// Moves an act on from the status it was read with. Whether it was still there.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn update_enforcement(
        &self,
        enforcement: &Enforcement,
        to: &EnforcementStatus,
    ) -> Result<bool, StoreError> {
        let (at, extra) = match to {
            EnforcementStatus::Planned => return Ok(false),
            EnforcementStatus::Done { at } => (at, None),
            EnforcementStatus::Failed { at, error } => (at, Some(("error", error))),
            EnforcementStatus::Undone { at, by } => (at, Some(("by", by))),
        };
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(enforcement.key()))
            .condition_expression("#status = :from")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", s(enforcement.status.word()))
            .expression_attribute_values(":to", s(to.word()))
            .expression_attribute_values(":at", s(stamp(*at)));
        let mut expression = "SET #status = :to, statusAt = :at".to_owned();
        if let Some((name, value)) = extra {
            expression.push_str(", #extra = :extra");
            update = update
                .expression_attribute_names("#extra", name)
                .expression_attribute_values(":extra", s(value));
        }
        let updated = update.update_expression(expression).send().await;
        self.took_place("UpdateItem", updated)
    }

    /// Everything that was done to a sender, oldest first.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn enforcements_of(&self, sender: &Sender) -> Result<Vec<Enforcement>, StoreError> {
        let rows = self.rows_between(&pk(sender), "ENFORCEMENT#", "ENFORCEMENT#~").await?;
        Ok(rows.iter().filter_map(Enforcement::read).collect())
    }

    /// Everything that was done to anyone, oldest first.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn enforcements(&self) -> Result<Vec<Enforcement>, StoreError> {
        self.enforcements_listed(None).await
    }

    /// One act by its id.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn enforcement(&self, id: &str) -> Result<Option<Enforcement>, StoreError> {
        Ok(self.enforcements_listed(Some(id)).await?.pop())
    }

    async fn enforcements_listed(&self, id: Option<&str>) -> Result<Vec<Enforcement>, StoreError> {
        let keys = self.listed_under("ENFORCEMENTS", id).await?;
        let ids: BTreeSet<&str> = keys.iter().filter_map(|row| text(row, "listSort")).collect();
        let senders: BTreeSet<Sender> = keys.iter().filter_map(|row| sender_of(text(row, "pk")?)).collect();
        let mut enforcements = Vec::new();
        for sender in &senders {
            enforcements.extend(
                self.enforcements_of(sender)
                    .await?
                    .into_iter()
                    .filter(|enforcement| ids.contains(enforcement.id.as_str())),
            );
        }
        enforcements.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(enforcements)
    }
}
