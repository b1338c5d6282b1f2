//! The identities that an account sends from. Needed for notifications without `sourceArn`.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::{AccountId, Identity};

use crate::client::{Store, StoreError};
use crate::item::{Item, s, text};

/// An identity that an account sends from: its own, or one of another account that authorized it.
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
    /// Returns the identities registered for these sending accounts. An account without identities is absent. One request for
    /// 100 accounts.
    ///
    /// # Errors
    /// When DynamoDB fails, or a row cannot be read.
    pub async fn registered_identities(
        &self,
        accounts: &[AccountId],
    ) -> Result<BTreeMap<AccountId, Vec<RegisteredIdentity>>, StoreError> {
        let pks: Vec<String> = accounts.iter().map(pk).collect();
        let rows = self.get_rows(&pks, "IDENTITIES").await?;
        let mut found = BTreeMap::new();
        for account in accounts {
            let Some(row) = rows.get(&pk(account)) else { continue };
            let identities = read(row).ok_or_else(|| {
                self.broken(
                    "BatchGetItem",
                    format!("the identities of account {account} cannot be read"),
                )
            })?;
            found.insert(account.clone(), identities);
        }
        Ok(found)
    }

    /// Replaces the identities of a sending account. Without identities the row is deleted.
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
        let written = identities.iter().map(|registered| {
            AttributeValue::M(Item::from([
                ("identity".to_owned(), s(registered.identity.as_str())),
                ("owner".to_owned(), s(registered.owner.as_str())),
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

    /// Returns every account with its identities. Reads the index, which is eventually consistent.
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
    let read_identity = |value: &AttributeValue| {
        let map = value.as_m().ok()?;
        Some(RegisteredIdentity {
            identity: text(map, "identity")?.into(),
            owner: text(map, "owner")?.parse().ok()?,
        })
    };
    list.iter().map(read_identity).collect()
}
