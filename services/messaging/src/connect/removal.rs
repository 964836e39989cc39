//! Accounts that are removed from UniPile and erased here. The wish is stored first: what a crash leaves between UniPile's
//! answer and ours, or UniPile without an answer, is gone on with by whoever comes next.

use std::sync::Arc;
use std::time::Duration;

use channel_domain::AccountId;
use channel_domain::account::Connection;
use channel_runtime::supervise::{Rounds, TaskError};
use channel_store::erase::{self, Deed, Erasure, ErasureAsk, Removal, RemovalEnd, Whom};
use channel_store::reads::AccountRow;
use channel_unipile::upstream::UpstreamError;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Answer, Connections, Shared, codes, is_in};
use crate::error::MessagingError;

/// How often it is looked for what nobody here asked for. It asks our own database only.
const LOOK: Duration = Duration::from_secs(5);

/// Has UniPile remove the accounts that are to be erased.
#[derive(Clone)]
pub struct Remover {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Remover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remover").finish_non_exhaustive()
    }
}

impl Connections {
    /// What has UniPile remove the accounts that are to be erased.
    #[must_use]
    pub fn remover(&self) -> Remover {
        Remover { shared: Arc::clone(&self.shared) }
    }
}

impl Remover {
    /// Works until `stop`; what is under way then is left to whoever comes next.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        let mut rounds = Rounds::default();
        while !stop.is_cancelled() {
            let round = tokio::select! {
                () = stop.cancelled() => break,
                round = self.round() => round,
            };
            let rest = rounds.rest(round, "removing accounts has to wait");
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
        Ok(())
    }

    /// Does all that is due. Returns how long nothing more will be.
    async fn round(&self) -> Answer<Duration> {
        let mut next = LOOK;
        let waiting = erase::removals(&*self.shared.store).await?;
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        metrics::gauge!("channel_messaging_removals").set(waiting.len() as f64);
        for (id, at) in waiting {
            let now = self.shared.now();
            if at <= now {
                self.shared.remove_at_upstream(id).await?;
            } else {
                next = next.min(at.after(now));
            }
        }
        Ok(next.max(Duration::from_millis(10)))
    }
}

impl Shared {
    /// Stores that an account is to be removed and erased, and tries the former.
    pub(super) async fn remove_for_good(
        &self,
        row: AccountRow,
        by: &str,
    ) -> Answer<(AccountRow, Erasure)> {
        let is_there = !is_in(&row, Connection::Deleted);
        if is_there {
            self.upstream()?;
        }
        let asked = self.erase(self.for_good(&row, by, is_there)).await?;
        let removed = self.remove_at_upstream(asked.id).await?;
        let erasure = erase::find(&*self.store, asked.id).await?.unwrap_or(asked);
        Ok((removed.unwrap_or(row), erasure))
    }

    /// Whether an account is to be removed and erased as soon as UniPile answers.
    pub(super) async fn is_leaving(&self, account: &AccountId) -> Answer<bool> {
        for (id, _) in erase::removals(&*self.store).await? {
            let removing = erase::removal(&*self.store, id).await?;
            if removing.is_some_and(|it| it.erasure.account == *account) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn for_good(&self, row: &AccountRow, by: &str, is_there: bool) -> ErasureAsk {
        ErasureAsk {
            id: Uuid::now_v7(),
            account: AccountId::new(row.record.id.as_str()),
            tenant: row.tenant.clone(),
            whom: Whom::Account,
            by: by.to_owned(),
            at: self.now(),
            removal: is_there.then(|| self.after(self.config.lease())),
        }
    }

    /// Has UniPile remove the account of an erasure that waits for that, unless somebody else is at it. Returns the
    /// account, once it is removed.
    async fn remove_at_upstream(&self, id: Uuid) -> Answer<Option<AccountRow>> {
        let Some(due) = erase::removal(&*self.store, id).await? else { return Ok(None) };
        let until = self.after(self.config.lease());
        if !erase::is_so(&*self.store, Deed::TakeRemoval(id, due.version, until)).await? {
            return Ok(None);
        }
        let account = due.erasure.account;
        let removal = due.erasure.removal.unwrap_or_default();
        // A webhook may have told, or whoever died here before noting it as an end.
        let row = self.store.account(&account).await?;
        let is_there = row.is_some_and(|row| !is_in(&row, Connection::Deleted));
        let answer = if is_there { self.delete(&account).await? } else { Ok(()) };
        let row = self.store.account(&account).await?;
        let (end, row) = match answer {
            Ok(()) => (RemovalEnd::Removed(self.now()), row),
            Err(error) => (self.put_off(&removal, &error), None),
        };
        erase::is_so(&*self.store, Deed::EndRemoval(id, end)).await?;
        self.erasing.notify_one();
        Ok(row)
    }

    /// When UniPile is asked again, and why.
    fn put_off(&self, removal: &Removal, error: &UpstreamError) -> RemovalEnd {
        let wait = self.again(removal.tried).max(error.retry_after().unwrap_or_default());
        let reason = match codes::fault(error) {
            MessagingError::UpstreamRefused { .. } => "UPSTREAM_REFUSED",
            _ => "UPSTREAM_UNAVAILABLE",
        };
        tracing::warn!(error = %error, reason, "an account that is to be erased is not removed yet");
        RemovalEnd::PutOff(self.after(wait), reason)
    }
}
