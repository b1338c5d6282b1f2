//! The table, and what can go wrong with it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::item::{Item, s, text};
use crate::listing_cache::ListingCache;

/// Postroom's table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) listed: ListingCache,
}

/// The table did not do what was asked; nothing is known of the state, and the same call can be made again.
#[derive(Debug, thiserror::Error)]
#[error("{operation} on table {table}: {cause}")]
pub struct StoreError {
    operation: &'static str,
    table: String,
    cause: String,
}

/// What a conditional write came to.
pub(crate) enum Conditional<T> {
    /// It took place.
    Written(T),
    /// Its condition did not hold for this row, if there is one and it was asked for.
    ConditionFailed(Option<Item>),
}

/// An error that may be a condition's.
pub(crate) trait ConditionalError {
    /// The row for which the condition did not hold, where that was the cause.
    fn row(&self) -> Option<Option<&Item>>;
}

macro_rules! conditional_error {
    ($($error:ty),+) => { $(
        impl ConditionalError for $error {
            fn row(&self) -> Option<Option<&Item>> {
                match self {
                    Self::ConditionalCheckFailedException(failure) => Some(failure.item()),
                    _ => None,
                }
            }
        }
    )+ };
}

conditional_error!(PutItemError, UpdateItemError, DeleteItemError);

/// How often one BatchGetItem is repeated for the keys DynamoDB left out.
const UNPROCESSED_ROUNDS: usize = 8;

impl Store {
    /// A store on an existing table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            listed: ListingCache::default(),
        }
    }

    pub(crate) fn failed<E, R>(&self, operation: &'static str, error: SdkError<E, R>) -> StoreError
    where
        SdkError<E, R>: std::error::Error,
    {
        let mut cause = error.to_string();
        let mut inner = std::error::Error::source(&error);
        while let Some(error) = inner {
            cause.push_str(&format!(": {error}"));
            inner = error.source();
        }
        self.broken(operation, cause)
    }

    pub(crate) fn broken(&self, operation: &'static str, cause: impl Into<String>) -> StoreError {
        StoreError {
            operation,
            table: self.table.clone(),
            cause: cause.into(),
        }
    }

    /// What a conditional write came to. It needs `ReturnValuesOnConditionCheckFailure`, where the row matters.
    pub(crate) fn conditional<T, E: ConditionalError, R>(
        &self,
        operation: &'static str,
        answer: Result<T, SdkError<E, R>>,
    ) -> Result<Conditional<T>, StoreError>
    where
        SdkError<E, R>: std::error::Error,
    {
        let error = match answer {
            Ok(output) => return Ok(Conditional::Written(output)),
            Err(error) => error,
        };
        match error.as_service_error().and_then(ConditionalError::row) {
            Some(row) => Ok(Conditional::ConditionFailed(row.cloned())),
            None => Err(self.failed(operation, error)),
        }
    }

    /// Whether a conditional write took place.
    pub(crate) fn took_place<T, E: ConditionalError, R>(
        &self,
        operation: &'static str,
        answer: Result<T, SdkError<E, R>>,
    ) -> Result<bool, StoreError>
    where
        SdkError<E, R>: std::error::Error,
    {
        let outcome = self.conditional(operation, answer)?;
        Ok(matches!(outcome, Conditional::Written(_)))
    }

    pub(crate) async fn put(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map_err(|error| self.failed("PutItem", error))?;
        Ok(())
    }

    /// The rows with these keys, by `pk`; 100 keys a request.
    pub(crate) async fn get_rows(&self, pks: &[String], sk: &str) -> Result<HashMap<String, Item>, StoreError> {
        let mut found = HashMap::new();
        for chunk in pks.chunks(100) {
            let mut keys: Vec<Item> = chunk.iter().map(|pk| key(pk, sk)).collect();
            keys.sort_by(|a, b| text(a, "pk").cmp(&text(b, "pk")));
            keys.dedup();
            for round in 0..UNPROCESSED_ROUNDS {
                if round > 0 {
                    // DynamoDB leaves keys out when the table is throttled.
                    tokio::time::sleep(Duration::from_millis(20 << round)).await;
                }
                let request = KeysAndAttributes::builder()
                    .set_keys(Some(std::mem::take(&mut keys)))
                    .consistent_read(true)
                    .build()
                    .map_err(|error| self.broken("BatchGetItem", error.to_string()))?;
                let output = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, request)
                    .send()
                    .await
                    .map_err(|error| self.failed("BatchGetItem", error))?;
                for item in output
                    .responses
                    .unwrap_or_default()
                    .remove(&self.table)
                    .unwrap_or_default()
                {
                    if let Some(pk) = text(&item, "pk") {
                        found.insert(pk.to_owned(), item);
                    }
                }
                keys = output
                    .unprocessed_keys
                    .unwrap_or_default()
                    .remove(&self.table)
                    .map(|left| left.keys)
                    .unwrap_or_default();
                if keys.is_empty() {
                    break;
                }
            }
            if !keys.is_empty() {
                return Err(self.broken("BatchGetItem", format!("{} keys stayed unprocessed", keys.len())));
            }
        }
        Ok(found)
    }

    /// All rows of a partition whose sort keys lie between the two, in ascending order.
    pub(crate) async fn rows_between(&self, pk: &str, from: &str, to: &str) -> Result<Vec<Item>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", s(pk))
            .expression_attribute_values(":from", s(from))
            .expression_attribute_values(":to", s(to))
            .consistent_read(true);
        self.all_rows(query).await
    }

    /// Everything a query finds, page by page.
    pub(crate) async fn all_rows(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, StoreError> {
        let mut pages = query.into_paginator().items().send();
        let mut rows = Vec::new();
        while let Some(row) = pages.next().await {
            rows.push(row.map_err(|error| self.failed("Query", error))?);
        }
        Ok(rows)
    }

    /// The keys of the rows in a list of the index, up to and with `until`, in their order.
    pub(crate) async fn listed(&self, list: &str, until: &str) -> Result<Vec<Item>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("listing")
            .key_condition_expression("listKey = :list AND listSort <= :until")
            .expression_attribute_values(":list", s(list))
            .expression_attribute_values(":until", s(until));
        self.all_rows(query).await
    }

    pub(crate) async fn delete(&self, pk: &str, sk: &str) -> Result<(), StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)));
        delete.send().await.map_err(|error| self.failed("DeleteItem", error))?;
        Ok(())
    }

    /// The keys of everything listed under a key, or of the one that is sorted there.
    pub(crate) async fn listed_under(&self, list_key: &str, sort: Option<&str>) -> Result<Vec<Item>, StoreError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("listing")
            .expression_attribute_values(":key", s(list_key));
        query = match sort {
            None => query.key_condition_expression("listKey = :key"),
            Some(sort) => query
                .key_condition_expression("listKey = :key AND listSort = :sort")
                .expression_attribute_values(":sort", s(sort)),
        };
        self.all_rows(query).await
    }
}

pub(crate) fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))])
}
