//! The enforcements against senders and their status.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

use super::state::{Figures, Measure, ReputationState, Window, figures, pk, sender_of};
use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{Item, hash, n, s, stamp, text, time};
use crate::statistics::Sender;

named_enum! {
    /// The enforcements of the reputation monitor. Each restricts sending.
    pub enum EnforcementKind {
        /// Disables the sending of a configuration set.
        PauseConfigurationSet = "pause-configuration-set",
        /// Disables the sending of a tenant.
        DisableTenant = "disable-tenant",
        /// Removes the statements of a delegate from the sending authorization policies of an identity.
        RevokeAuthorization = "revoke-authorization",
    }
}

/// A change of SES settings, with all that is needed to undo it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnforcementChange {
    /// The sending of a configuration set is disabled.
    ConfigurationSet {
        /// The name of the configuration set.
        name: String,
    },
    /// The sending of a tenant is disabled.
    Tenant {
        /// The name of the tenant.
        name: String,
        /// The ARN of the tenant.
        arn: String,
        /// The previous customer-managed status, in SES's spelling.
        before: String,
    },
    /// The statements of a delegate are removed from a sending authorization policy.
    Policy {
        /// The identity.
        identity: String,
        /// The name of the policy.
        name: String,
        /// The previous text of the policy.
        before: String,
        /// The new text of the policy. `None` when no statement is left and the policy is deleted.
        after: Option<String>,
    },
}

impl EnforcementChange {
    /// The kind of the enforcement.
    #[must_use]
    pub fn kind(&self) -> EnforcementKind {
        match self {
            Self::ConfigurationSet { .. } => EnforcementKind::PauseConfigurationSet,
            Self::Tenant { .. } => EnforcementKind::DisableTenant,
            Self::Policy { .. } => EnforcementKind::RevokeAuthorization,
        }
    }

    /// The object of the change: the configuration set, the tenant, or `IDENTITY POLICY`.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::ConfigurationSet { name } | Self::Tenant { name, .. } => name.clone(),
            Self::Policy { identity, name, .. } => format!("{identity} {name}"),
        }
    }
}

/// The status of an enforcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnforcementStatus {
    /// Not confirmed by SES: not attempted yet, or attempted with an unknown outcome.
    Planned,
    /// Confirmed by SES and in force.
    Done {
        /// When the status was set.
        at: Timestamp,
    },
    /// Rejected by SES.
    Failed {
        /// When the status was set.
        at: Timestamp,
        /// The error of SES.
        error: String,
    },
    /// Undone by an operator.
    Undone {
        /// When the status was set.
        at: Timestamp,
        /// The operator.
        by: String,
    },
}

/// One enforcement against one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcement {
    /// The id. Ids sort by time.
    pub id: String,
    /// The sender.
    pub sender: Sender,
    /// The window of the crossing.
    pub window: Window,
    /// The measure of the crossing.
    pub measure: Measure,
    /// When the threshold was crossed.
    pub crossed_at: Timestamp,
    /// The figures at that time.
    pub figures: Figures,
    /// The change of SES settings.
    pub change: EnforcementChange,
    /// The status.
    pub status: EnforcementStatus,
}

impl Enforcement {
    /// Creates a planned enforcement. The same crossing and object have the same id, so planning twice writes one row.
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

    /// Returns whether the enforcement belongs to this crossing.
    #[must_use]
    pub fn is_of(&self, crossing: &ReputationState) -> bool {
        // Rows store milliseconds.
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
        let change = match EnforcementKind::parse(text(item, "kind")?)? {
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
            window: Window::parse(text(item, "window")?)?,
            measure: Measure::parse(text(item, "measure")?)?,
            crossed_at: time(item, "crossedAt")?,
            figures: figures(item),
            change,
            status,
        })
    }
}

impl EnforcementStatus {
    /// The name in rows.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Undone { .. } => "undone",
        }
    }
}

impl Store {
    /// Writes a planned enforcement. An existing row with the same id stays as it is.
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

    /// Changes the status of an enforcement on condition that the row still has the status of `enforcement`. Returns whether
    /// it was written, also when an earlier attempt of the same write succeeded and its response was lost.
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
            .expression_attribute_values(":from", s(enforcement.status.as_str()))
            .expression_attribute_values(":to", s(to.as_str()))
            .expression_attribute_values(":at", s(stamp(*at)));
        let mut expression = "SET #status = :to, statusAt = :at".to_owned();
        if let Some((name, value)) = extra {
            expression.push_str(", #extra = :extra");
            update = update
                .expression_attribute_names("#extra", name)
                .expression_attribute_values(":extra", s(value));
        }
        let updated = update
            .update_expression(expression)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match self.conditional("UpdateItem", updated)? {
            Conditional::Written(_) => true,
            Conditional::ConditionFailed(Some(row)) => {
                let has = |name: &str, value: &str| text(&row, name) == Some(value);
                has("status", to.as_str())
                    && has("statusAt", &stamp(*at))
                    && extra.is_none_or(|(name, value)| has(name, value))
            }
            Conditional::ConditionFailed(None) => false,
        })
    }

    /// Returns the enforcements against a sender, oldest first.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn enforcements_of(&self, sender: &Sender) -> Result<Vec<Enforcement>, StoreError> {
        let rows = self.rows_between(&pk(sender), "ENFORCEMENT#", "ENFORCEMENT#~").await?;
        Ok(rows.iter().filter_map(Enforcement::read).collect())
    }

    /// Returns all enforcements, oldest first.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn enforcements(&self) -> Result<Vec<Enforcement>, StoreError> {
        self.enforcements_listed(None).await
    }

    /// Returns the enforcement with this id.
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
