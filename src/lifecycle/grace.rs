//! Rotation with a grace: the old id becomes a redirect to the new one.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::Result;
use crate::id::SessionId;
use crate::lifecycle::{Created, Lifecycle, Rotation};
use crate::record::Redirect;
use crate::retries::Retries;
use crate::store::{CompareOutcome, NewRecord, StoreError};
use crate::telemetry::StoreCall as _;
use crate::token::TokenFormat;

/// The shortest and the longest grace.
pub(crate) const GRACE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(300);

/// How often a rotation with a grace looks whether the one that has won has moved the session.
const LOOKS: u32 = 6;

impl Lifecycle {
    /// Returns whether another token can be issued for a session that exists.
    pub(crate) const fn can_reissue(&self) -> bool {
        matches!(self.format, Some(TokenFormat::Jwt(_)))
    }

    /// Stores the result of `merge` under the id that the session has, and issues another token
    /// for it.
    pub(crate) async fn reissue(&self, rotation: Rotation<'_>) -> Result<Created> {
        let Rotation { old: id, seen, .. } = rotation;
        let mut edit = rotation.merge;
        let (record, ended) = self.save(&id, seen, &mut edit).await?;
        let (id, token) = self.issue(Some(id), &record.meta, Some(&rotation.claims))?;
        Ok(Created {
            id,
            token,
            record,
            ended,
        })
    }

    /// Deletes the old record, or replaces it by a redirect, if it holds what was copied.
    pub(crate) async fn compare_and_delete_old(
        &self,
        rotation: &Rotation<'_>,
        key: &str,
        new: &SessionId,
    ) -> Result<CompareOutcome, StoreError> {
        let seen = &rotation.seen.bytes;
        let Some(grace) = rotation.grace else {
            let deletion = self.store.compare_and_delete(key, seen);
            return deletion.in_operation("rotate").await;
        };
        let millis = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
        let redirect = Redirect {
            to: new.clone(),
            until: self.now_millis().saturating_add(millis),
        };
        let redirect = redirect.to_bytes();
        let record = NewRecord::new(key, &redirect, grace);
        let replacement = self.store.compare_and_set(seen, record);
        replacement.in_operation("rotate").await
    }

    /// Returns whether the old id is a redirect to `new`.
    pub(crate) async fn leads_to(&self, rotation: &Rotation<'_>, new: &SessionId) -> bool {
        if rotation.grace.is_none() {
            return false;
        }
        let key = self.keyspace.record(&rotation.old);
        let stored = self.load_record("rotate", &key).await;
        self.redirect(&stored)
            .is_some_and(|redirect| redirect.to == *new)
    }

    /// Waits a short time until another rotation, which has been decided already, has moved the
    /// session: this one can then follow it.
    pub(crate) async fn wait_for_other(&self, old: &SessionId) {
        let key = self.keyspace.record(old);
        let mut retries = Retries::with_pauses(LOOKS);
        while retries.next().await {
            match self.load_record("rotate", &key).await {
                Ok(Some(stored)) if !stored.is_redirect() => {}
                _ => break,
            }
        }
    }
}
