//! Putting bytes where they stay. They are announced before, and named by a row before the announcement ends;
//! until then nobody deletes them.

use std::sync::Arc;
use std::time::Duration;

use channel_domain::media::StoredFile;
use channel_domain::{AccountId, Micros};
use channel_media::{MediaError, Objects, Put, Received};
use channel_runtime::clock::Clock;
use channel_store::erase::{self, Deed};
use channel_store::outbox::{Command, Rules};
use channel_store::{Store, StoreError};

/// For how long bytes are announced before they are put, in microseconds, and how much of it must be left after.
const ANNOUNCED: i64 = 3_600_000_000;
const IN_TIME: i64 = 600_000_000;

/// How often the end of a try is written before its lease has to tell.
const TRIES: u32 = 5;

/// Where bytes stay, and who has to know.
pub(super) struct Keeper<'k> {
    pub(super) store: &'k Arc<dyn Store>,
    pub(super) clock: &'k Arc<dyn Clock>,
    pub(super) objects: &'k Objects,
}

/// Until when bytes are announced that are about to be put.
pub(super) const fn until_announced(now: Micros) -> Micros {
    Micros(now.0.saturating_add(ANNOUNCED))
}

/// Whether there is time left to say of bytes that were put that they are there.
pub(super) const fn is_in_time(now: Micros, until: Micros) -> bool {
    now.0 <= until.0 - IN_TIME
}

impl Keeper<'_> {
    fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    /// Puts what was received there. `None`: somebody is just deleting the same bytes, or it took too long.
    pub(super) async fn keep(
        &self,
        received: Received,
        mime: Option<String>,
    ) -> Result<Option<(StoredFile, Put)>, MediaError> {
        let (mut file, stored) = received.finish(mime).await?;
        let until = until_announced(self.now());
        let announce = Deed::Announce(stored.sha256.clone(), until);
        if !erase::is_so(&**self.store, announce).await.unwrap_or(false) {
            return Ok(None);
        }
        let put = self.objects.put(&mut file, &stored).await;
        if put.is_err() || !is_in_time(self.now(), until) {
            self.release(&stored).await;
            put?;
            return Ok(None);
        }
        Ok(Some((stored, put?)))
    }

    /// Notes how a try ended.
    pub(super) async fn tell(&self, account: &AccountId, end: Command) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let rules = Rules::default();
            match self.store.command(account, end.clone(), &rules, self.now(), None).await {
                Err(error) if error.is_temporary() && tries < TRIES => {
                    tokio::time::sleep(Duration::from_millis(100 << tries)).await;
                }
                done => return done.map(drop),
            }
        }
    }

    /// Nobody deletes the bytes from here on because of us. If it is not noted, the time does it.
    pub(super) async fn release(&self, stored: &StoredFile) {
        let release = Deed::Release(stored.sha256.clone());
        if let Err(error) = erase::is_so(&**self.store, release).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "that bytes are where they stay could not be noted");
        }
    }
}
