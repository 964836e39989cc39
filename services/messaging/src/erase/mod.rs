//! Erases contacts and accounts, and deletes the bytes of files that nothing names.
//!
//! What is to be done is in the database, so that it goes on after any end of this process, and any number may do it.

mod retention;

pub use retention::{Retention, RetentionConfig};

use std::sync::Arc;
use std::time::Duration;

use channel_domain::Micros;
use channel_media::Objects;
use channel_runtime::clock::Clock;
use channel_runtime::supervise::{Rounds, TaskError};
use channel_store::erase::{self, Deed, Piece};
use channel_store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often it is looked for what nobody announced. It asks our own database only.
const LOOK: Duration = Duration::from_secs(5);
/// How long deleting one file may take, and for how long nobody else tries to, in microseconds.
const PATIENCE: Duration = Duration::from_secs(30);
const LEASE: i64 = 120_000_000;

/// Erases what is asked to be erased.
#[derive(Clone)]
pub struct Eraser {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    objects: Objects,
    wake: Arc<Notify>,
}

impl std::fmt::Debug for Eraser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eraser").finish_non_exhaustive()
    }
}

impl Eraser {
    /// Over a store and the place where files lie; `wake` tells that there is something new.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        objects: Objects,
        wake: Arc<Notify>,
    ) -> Self {
        Self { store, clock, objects, wake }
    }

    /// Works until `stop`; whoever comes next goes on with what is left.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        let mut rounds = Rounds::default();
        while !stop.is_cancelled() {
            let rest = rounds.rest(self.round(&stop).await, "erasing has to wait");
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified(), if !rounds.is_failing() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
        Ok(())
    }

    fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    /// Does all that is due. Returns how long nothing more will be.
    async fn round(&self, stop: &CancellationToken) -> Result<Duration, StoreError> {
        let mut next = None;
        for (id, at) in erase::due(&*self.store).await? {
            let later = if at > self.now() { Some(at) } else { self.erase(id, stop).await? };
            next = next.into_iter().chain(later).min();
        }
        self.sweep(stop).await?;
        let now = self.now();
        Ok(next.map_or(LOOK, |at| at.after(now)).clamp(Duration::from_millis(10), LOOK))
    }

    /// Erases until the end, or as far as it goes now; returns when it goes on.
    async fn erase(
        &self,
        id: Uuid,
        stop: &CancellationToken,
    ) -> Result<Option<Micros>, StoreError> {
        while !stop.is_cancelled() {
            match erase::piece(&*self.store, id, self.now()).await? {
                Piece::More => {}
                Piece::Later(at) => return Ok(Some(at)),
                Piece::Done => {
                    self.told(id).await?;
                    break;
                }
            }
        }
        Ok(None)
    }

    async fn told(&self, id: Uuid) -> Result<(), StoreError> {
        let Some(done) = erase::find(&*self.store, id).await? else { return Ok(()) };
        let kind = if done.is_account { "account" } else { "contact" };
        metrics::counter!("channel_messaging_erasures_total", "kind" => kind).increment(1);
        tracing::info!(erasure = %id, account = done.account.as_str(), kind, "erased");
        Ok(())
    }

    /// Deletes files that nothing names.
    async fn sweep(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        loop {
            let due = erase::sweeps(&*self.store, self.now()).await?;
            let mut gone = 0;
            for sha256 in due {
                if stop.is_cancelled() {
                    return Ok(());
                }
                gone += u32::from(self.delete(sha256).await?);
            }
            if gone == 0 {
                return Ok(());
            }
        }
    }

    /// Deletes a file, if nothing names it. True if its place in the line is free.
    async fn delete(&self, sha256: String) -> Result<bool, StoreError> {
        let now = self.now();
        self.objects.tidy(&sha256).await;
        let begin = Deed::BeginSweep(sha256.clone(), now, Micros(now.0.saturating_add(LEASE)));
        if !erase::is_so(&*self.store, begin).await? {
            return Ok(false);
        }
        match timeout(PATIENCE, self.objects.delete(&sha256)).await {
            Ok(Ok(())) => {
                metrics::counter!("channel_media_deleted_total").increment(1);
                erase::is_so(&*self.store, Deed::EndSweep(sha256)).await
            }
            // After its lease it is tried again.
            Ok(Err(error)) => {
                tracing::warn!(reason = error.reason(), "a file cannot be deleted now");
                Ok(false)
            }
            Err(_) => {
                tracing::warn!("deleting a file takes too long");
                Ok(false)
            }
        }
    }
}
