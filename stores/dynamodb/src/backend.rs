//! Compare-and-swap by conditional writes.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use jwt_redis_session::store::cas::CasBackend;
use jwt_redis_session::store::{StoreError, StoreErrorKind, StoredRecord, async_trait};

use crate::error::{Failure, condition_held};
use crate::expiry::UnixMillis;
use crate::item::{self, IS_ABSENT, IS_EQUAL, KEY};
use crate::resend::Attempts;

/// How long one call may take, by default.
const DEADLINE: Duration = Duration::from_secs(1);

/// Table of DynamoDB as the backend of a [`CasStore`](jwt_redis_session::store::cas::CasStore).
///
/// A value is one item. Reads are strongly consistent, and writes are conditional, so that of
/// concurrent writers of an item one succeeds. An item that has expired by the clock of this
/// process is absent for reads and for conditions, whether or not DynamoDB has deleted it.
///
/// A request that DynamoDB refuses because of too many others is sent again after a pause, up to
/// three times, and so is a read that fails otherwise. A write without an answer is not sent again:
/// it may have been applied. The retries of the AWS SDK are off.
///
/// Clones share the client.
#[derive(Clone)]
pub struct DynamoDb {
    client: Client,
    table: String,
    deadline: Duration,
}

impl DynamoDb {
    /// The largest session that always fits into an item, in bytes of JSON (389,120).
    ///
    /// An item has at most 400 KiB. Pass this to `SessionsBuilder::max_size`, which has a larger
    /// default, so that a larger session fails with `SessionError::TooLarge`. Without it, values
    /// that take less when compressed are stored too, and others fail with
    /// [`StoreErrorKind::TooLarge`].
    pub const MAX_SIZE: usize = 380 << 10;

    /// Creates the backend on a table that exists, with the definition in `table.json`.
    ///
    /// The client decides about region, credentials, HTTP and TLS. Its retries are replaced; its
    /// timeouts apply within the [deadline](Self::deadline).
    #[must_use]
    pub fn new(client: &Client, table: impl Into<String>) -> Self {
        // The SDK would send a write again whose answer was lost.
        let config = client.config().to_builder();
        let config = config.retry_config(RetryConfig::disabled()).build();
        Self {
            client: Client::from_conf(config),
            table: table.into(),
            deadline: DEADLINE,
        }
    }

    /// Sets how long one call may take, with all its attempts. The default is 1 second.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = tokio::time::timeout(self.deadline, call).await;
        answer.map_err(|_| StoreErrorKind::Timeout)?
    }

    async fn read(&self, key: &str) -> Result<Option<StoredRecord>, Failure> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key(KEY, AttributeValue::S(key.to_owned()));
        let item = get.consistent_read(true).send().await?.item;
        // The time after the answer: what expired on the way is absent.
        let live = item.map(|item| item::live(item, UnixMillis::now()));
        Ok(live.transpose()?.flatten())
    }

    async fn put(
        &self,
        key: &str,
        expected: Option<&AttributeValue>,
        (value, ttl): (&[u8], Duration),
    ) -> Result<bool, Failure> {
        let now = UnixMillis::now();
        let item = item::new(key, value, now.after(ttl))?;
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(item));
        let now = item::number(now.0);
        let put = put.expression_attribute_values(":now", now);
        let put = match expected {
            None => put
                .condition_expression(IS_ABSENT)
                .expression_attribute_names("#key", KEY),
            Some(etag) => put
                .condition_expression(IS_EQUAL)
                .expression_attribute_values(":etag", etag.clone()),
        };
        condition_held(put.send().await)
    }

    async fn delete(&self, key: &str, expected: Option<&AttributeValue>) -> Result<bool, Failure> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key(KEY, AttributeValue::S(key.to_owned()));
        let now = item::number(UnixMillis::now().0);
        let delete = delete.expression_attribute_values(":now", now);
        let delete = match expected {
            None => delete
                .condition_expression(IS_ABSENT)
                .expression_attribute_names("#key", KEY),
            Some(etag) => delete
                .condition_expression(IS_EQUAL)
                .expression_attribute_values(":etag", etag.clone()),
        };
        condition_held(delete.send().await)
    }
}

#[async_trait]
impl CasBackend for DynamoDb {
    async fn get(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        self.in_time(async {
            let mut attempts = Attempts::of_read();
            loop {
                match self.read(key).await {
                    Ok(found) => return Ok(found),
                    Err(failure) => attempts.after(failure).await?,
                }
            }
        })
        .await
    }

    async fn swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<(&[u8], Duration)>,
    ) -> Result<bool, StoreError> {
        let expected = expected.map(item::tag);
        let expected = expected.as_ref();
        self.in_time(async {
            let mut attempts = Attempts::of_write();
            loop {
                let answer = match new {
                    Some(new) => self.put(key, expected, new).await,
                    None => self.delete(key, expected).await,
                };
                match answer {
                    Ok(held) => return Ok(held),
                    Err(failure) => attempts.after(failure).await?,
                }
            }
        })
        .await
    }

    /// Reads an item that need not exist. `DescribeTable` would be another permission, and says
    /// nothing about the capacity.
    async fn ping(&self) -> Result<(), StoreError> {
        self.get("ping").await.map(drop)
    }
}

/// Without the client, whose settings may name credentials.
impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDb")
            .field("table", &self.table)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
