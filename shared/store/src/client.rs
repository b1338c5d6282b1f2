//! The client of the table: requests that several areas share, and their errors.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lambda_kit::sdk_error_text;

use crate::item::{Item, s, text};
use crate::listing_cache::ListingCache;
use crate::seen_cache::SeenCache;

/// Postroom's DynamoDB table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) listing_cache: ListingCache,
    pub(crate) seen_cache: SeenCache,
}

/// A request to the table failed. It may have taken effect, and the same call can be made again.
#[derive(Debug, thiserror::Error)]
#[error("{operation} on table {table}: {cause}")]
pub struct StoreError {
    operation: &'static str,
    table: String,
    cause: String,
}

/// The outcome of a conditional write.
pub(crate) enum Conditional<T> {
    /// The write took place.
    Written(T),
    /// The condition was false. Contains the row if it exists and the request asked for it.
    ConditionFailed(Option<Item>),
}

/// An error of a write that may be a failed condition.
pub(crate) trait ConditionalError {
    /// Returns `Some` if the condition was false, with the row if the response contains it.
    fn failed_condition(&self) -> Option<Option<&Item>>;
}

macro_rules! conditional_error {
    ($($error:ty),+) => { $(
        impl ConditionalError for $error {
            fn failed_condition(&self) -> Option<Option<&Item>> {
                match self {
                    Self::ConditionalCheckFailedException(failure) => Some(failure.item()),
                    _ => None,
                }
            }
        }
    )+ };
}

conditional_error!(PutItemError, UpdateItemError, DeleteItemError);

/// Maximum number of requests for keys that DynamoDB leaves unprocessed.
const MAX_BATCH_REQUESTS: usize = 8;

impl Store {
    /// Creates a store for an existing table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            listing_cache: ListingCache::default(),
            seen_cache: SeenCache::default(),
        }
    }

    /// Returns the error for a request that failed.
    pub(crate) fn failed<E, R>(&self, operation: &'static str, error: SdkError<E, R>) -> StoreError
    where
        SdkError<E, R>: std::error::Error,
    {
        self.broken(operation, sdk_error_text(&error))
    }

    /// Returns the error for a response that cannot be used.
    pub(crate) fn broken(&self, operation: &'static str, cause: impl Into<String>) -> StoreError {
        StoreError {
            operation,
            table: self.table.clone(),
            cause: cause.into(),
        }
    }

    /// Returns the outcome of a conditional write. The row of a failed condition is present only if the request set
    /// `ReturnValuesOnConditionCheckFailure`.
    pub(crate) fn conditional<T, E: ConditionalError, R>(
        &self,
        operation: &'static str,
        result: Result<T, SdkError<E, R>>,
    ) -> Result<Conditional<T>, StoreError>
    where
        SdkError<E, R>: std::error::Error,
    {
        let error = match result {
            Ok(output) => return Ok(Conditional::Written(output)),
            Err(error) => error,
        };
        match error.as_service_error().and_then(ConditionalError::failed_condition) {
            Some(row) => Ok(Conditional::ConditionFailed(row.cloned())),
            None => Err(self.failed(operation, error)),
        }
    }

    /// Returns whether a conditional write took place.
    pub(crate) fn took_place<T, E: ConditionalError, R>(
        &self,
        operation: &'static str,
        result: Result<T, SdkError<E, R>>,
    ) -> Result<bool, StoreError>
    where
        SdkError<E, R>: std::error::Error,
    {
        let outcome = self.conditional(operation, result)?;
        Ok(matches!(outcome, Conditional::Written(_)))
    }

    /// Writes a row, replacing the previous one.
    pub(crate) async fn put(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map_err(|error| self.failed("PutItem", error))?;
        Ok(())
    }

    /// Returns the rows with these keys, by `pk`. Each request reads 100 keys.
    pub(crate) async fn get_rows(&self, pks: &[String], sk: &str) -> Result<HashMap<String, Item>, StoreError> {
        let mut found = HashMap::new();
        for chunk in pks.chunks(100) {
            let mut keys: Vec<Item> = chunk.iter().map(|pk| key(pk, sk)).collect();
            keys.sort_by(|a, b| text(a, "pk").cmp(&text(b, "pk")));
            keys.dedup();
            for round in 0..MAX_BATCH_REQUESTS {
                if round > 0 {
                    // DynamoDB leaves keys unprocessed when the table is throttled.
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
                // Of the one table that was asked, whether the response names it or its ARN.
                for item in output.responses.unwrap_or_default().into_values().flatten() {
                    if let Some(pk) = text(&item, "pk") {
                        found.insert(pk.to_owned(), item);
                    }
                }
                keys = output
                    .unprocessed_keys
                    .unwrap_or_default()
                    .into_values()
                    .next()
                    .map(|left| left.keys)
                    .unwrap_or_default();
                if keys.is_empty() {
                    break;
                }
            }
            if !keys.is_empty() {
                return Err(self.broken("BatchGetItem", format!("{} keys remained unprocessed", keys.len())));
            }
        }
        Ok(found)
    }

    /// Returns the rows of a partition with sort keys from `from` to `to`, in ascending order.
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

    /// Returns all rows that a query finds.
    pub(crate) async fn all_rows(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, StoreError> {
        let mut pages = query.into_paginator().items().send();
        let mut rows = Vec::new();
        while let Some(row) = pages.next().await {
            rows.push(row.map_err(|error| self.failed("Query", error))?);
        }
        Ok(rows)
    }

    /// Returns the keys of the rows that the index `listing` lists under `list` up to `until` (inclusive), in ascending order.
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

    /// Deletes a row.
    pub(crate) async fn delete(&self, pk: &str, sk: &str) -> Result<(), StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)));
        delete.send().await.map_err(|error| self.failed("DeleteItem", error))?;
        Ok(())
    }

    /// Returns the keys of the rows that the index `listing` lists under `list_key`, or only those with the sort value `sort`.
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

/// Returns the primary key of a row.
pub(crate) fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))])
}
