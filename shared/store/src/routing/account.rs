//! From which identities an account sends, for the notifications that do not say from which one.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::{AccountId, Identity};

use crate::client::{Store, StoreError};
use crate::item::{Item, s, text};

/// An identity that an account sends from: its own, or one it was authorised for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegisteredIdentity {
    /// The verified domain or address.
    pub identity: Identity,
    /// The account that verified it.
    pub owner: AccountId,
}

fn pk(account: &AccountId) -> String {
    format!("ACCOUNT#{account}")
}

impl Store {
    /// The identities registered for these sending accounts; an account without is absent. One request for 100.
    ///
    /// # Errors
    /// When DynamoDB fails, or when a row cannot be read.
    pub async fn registered_identities(
        &self,
        accounts: &[AccountId],
    ) -> Result<BTreeMap<AccountId, Vec<RegisteredIdentity>>, StoreError> {
        let pks: Vec<String> = accounts.iter().map(pk).collect();
        let rows = self.get_rows(&pks, "IDENTITIES").await?;
        let mut found = BTreeMap::new();
        for account in accounts {
            let Some(row) = rows.get(&pk(account)) else { continue };
            let identities =
                read(row).ok_or_else(|| self.broken("BatchGetItem", format!("unreadable identities of {account}")))?;
            found.insert(account.clone(), identities);
        }
        Ok(found)
    }

    /// Replaces the identities of a sending account; none removes the row.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn register_identities(
        &self,
        account: &AccountId,
        identities: &[RegisteredIdentity],
    ) -> Result<(), StoreError> {
        if identities.is_empty() {
            return self.delete(&pk(account), "IDENTITIES").await;
        }
        let written = identities.iter().map(|one| {
            AttributeValue::M(Item::from([
                ("identity".to_owned(), s(one.identity.as_str())),
                ("owner".to_owned(), s(one.owner.as_str())),
            ]))
        });
        self.put(Item::from([
            ("pk".to_owned(), s(pk(account))),
            ("sk".to_owned(), s("IDENTITIES")),
            ("identities".to_owned(), AttributeValue::L(written.collect())),
            ("listKey".to_owned(), s("ACCOUNTS")),
            ("listSort".to_owned(), s(account.as_str())),
        ]))
        .await
    }

    /// Every account with its identities, for people. Reads the index, which may be a second behind.
    ///
    /// # Errors
    /// As [`registered_identities`](Self::registered_identities).
    pub async fn all_registered_identities(&self) -> Result<BTreeMap<AccountId, Vec<RegisteredIdentity>>, StoreError> {
        let listed = self.listed("ACCOUNTS", "~").await?;
        let accounts: Vec<AccountId> = listed
            .iter()
            .filter_map(|row| text(row, "listSort")?.parse().ok())
            .collect();
        self.registered_identities(&accounts).await
    }
}

fn read(row: &Item) -> Option<Vec<RegisteredIdentity>> {
    let list = row.get("identities")?.as_l().ok()?;
    let one = |value: &AttributeValue| {
        let map = value.as_m().ok()?;
        Some(RegisteredIdentity {
            identity: text(map, "identity")?.into(),
            owner: text(map, "owner")?.parse().ok()?,
        })
    };
    list.iter().map(one).collect()
}
