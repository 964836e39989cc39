//! Makes small pictures of the images that are stored.
//!
//! Nobody waits for one, so they come one after the other, beside the fetching of files and never in its way. As for
//! files, the journal in the database says what is left to do, whoever was killed over it.

mod make;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use channel_domain::Micros;
use channel_domain::media::StoredFile;
use channel_media::{MediaConfig, Objects, ThumbnailsConfig};
use channel_runtime::clock::Clock;
use channel_runtime::supervise::{Rounds, TaskError};
use channel_store::thumbnails::DueThumbnail;
use channel_store::{Store, StoreError};
use futures::StreamExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::keep::Keeper;
use crate::news::{News, not_before};

/// How often it is looked for work that nobody announced. It asks our own database only.
const LOOK: Duration = Duration::from_secs(5);
/// The least time between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// How many files are looked at in one go.
const FILES: usize = 50;

/// What the tries share.
struct Shared {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    objects: Objects,
    lease: Duration,
    config: ThumbnailsConfig,
}

impl Shared {
    fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    const fn keeper(&self) -> Keeper<'_> {
        Keeper { store: &self.store, clock: &self.clock, objects: &self.objects }
    }
}

/// Makes small pictures, one or a few at a time.
#[derive(Clone)]
pub struct Miniatures(Arc<Shared>);

impl std::fmt::Debug for Miniatures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Miniatures").finish_non_exhaustive()
    }
}

impl Miniatures {
    /// Of what lies in a folder or bucket.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        objects: Objects,
        config: &MediaConfig,
    ) -> Self {
        let lease = Duration::from_secs(config.lease_seconds.into());
        let config = config.thumbnails;
        Self(Arc::new(Shared { store, clock, objects, lease, config }))
    }

    /// Works until `stop`; one that is being decoded then comes to its end.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        if !self.0.config.enabled {
            stop.cancelled().await;
            return Ok(());
        }
        let (mut news, mut rounds) = (News::of(&*self.0.store), Rounds::default());
        while !stop.is_cancelled() {
            let began = Instant::now();
            let round = self.0.round(&stop).await;
            if matches!(round, Ok(true)) {
                continue;
            }
            let wait = rounds.rest(round.map(|_| LOOK), "small pictures have to wait");
            rest(&mut news, wait, began, &stop).await;
        }
        Ok(())
    }
}

/// Waits for whatever comes first: news, the time, the end of all. Of trouble news knows nothing: the time is waited
/// for then.
async fn rest(news: &mut News, wait: Duration, began: Instant, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = news.come(), if wait == LOOK => {}
        () = tokio::time::sleep(wait) => {}
    }
    not_before(began + BETWEEN_LOOKS, stop).await;
}

impl Shared {
    /// Looks at some files. True if that came to something, so that there may be more.
    async fn round(&self, stop: &CancellationToken) -> Result<bool, StoreError> {
        let due = self.store.due_thumbnails(self.now(), FILES).await?;
        let is_image = |due: &DueThumbnail| due.stored.as_ref().is_some_and(StoredFile::is_image);
        let (images, others): (Vec<_>, Vec<_>) = due.into_iter().partition(is_image);
        if !others.is_empty() {
            self.store.pass_thumbnails(&others).await?;
        }
        let work = images.into_iter().map(|due| async move { self.work(&due, stop).await });
        let work = futures::stream::iter(work);
        let mut work = work.buffer_unordered(self.config.concurrency);
        let mut any = !others.is_empty();
        while let Some(done) = work.next().await {
            any |= done?;
        }
        Ok(any)
    }
}
