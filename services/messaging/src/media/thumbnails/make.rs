//! One small picture.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use channel_domain::Micros;
use channel_domain::media::thumbnail::{BROKEN, GIVEN_UP, ORIGINAL_LOST, TOO_LARGE};
use channel_domain::media::{Small, StoredFile, Thumbnail};
use channel_media::{MediaError, is_beyond, small_picture};
use channel_store::StoreError;
use channel_store::erase::{self, Deed};
use channel_store::outbox::Command;
use channel_store::thumbnails::{DueThumbnail, ThumbnailShown};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Shared;
use crate::media::keep::{is_in_time, until_announced};

/// How often it is tried. Only tries that nobody ended count: the process died over them.
const TRIES: u32 = 3;
/// How long an image waits at least while the place where it lies does not answer.
const UNTIL_THERE: Duration = Duration::from_secs(10);
/// How long reading or writing may take in all. An image that is longer on its way is tried again.
const PATIENCE: Duration = Duration::from_mins(2);

/// A try that has no end yet.
pub(super) enum Unended {
    /// The place does not answer, or somebody is just deleting the image.
    NotNow,
    /// The process is to stop.
    Stopped,
}

impl Shared {
    /// Does what is due for a file: tells its message what is known of its bytes, or finds it out first. True if that
    /// came to an end.
    pub(super) async fn work(
        &self,
        due: &DueThumbnail,
        stop: &CancellationToken,
    ) -> Result<bool, StoreError> {
        let Some(stored) = due.stored.as_ref().filter(|_| !stop.is_cancelled()) else {
            return Ok(false);
        };
        if let Some(made) = &due.made {
            metrics::counter!("channel_media_thumbnails_total", "outcome" => "known").increment(1);
            return self.show(due, stored, made.clone()).await.map(|()| true);
        }
        // Whatever is put beside the image from here on is found and deleted, should the image go meanwhile.
        let until = until_announced(self.now());
        let announce = Deed::Announce(stored.sha256.clone(), until);
        if !erase::is_so(&*self.store, announce).await? {
            return Ok(false);
        }
        let span = tracing::info_span!("messaging.thumbnail");
        let done = self.attempt(due, stored, until, stop).instrument(span).await;
        self.keeper().release(stored).await;
        done
    }

    async fn show(
        &self,
        due: &DueThumbnail,
        stored: &StoredFile,
        thumbnail: Thumbnail,
    ) -> Result<(), StoreError> {
        let (file, sha256) = (due.file.clone(), stored.sha256.clone());
        let shown = ThumbnailShown { file, sha256, thumbnail };
        self.keeper().tell(&due.account, Command::ShowThumbnail(Box::new(shown))).await
    }

    pub(super) async fn attempt(
        &self,
        due: &DueThumbnail,
        stored: &StoredFile,
        announced: Micros,
        stop: &CancellationToken,
    ) -> Result<bool, StoreError> {
        let (sha256, attempt) = (stored.sha256.as_str(), due.attempts + 1);
        let (now, until) = (self.now(), self.after(self.lease));
        if !self.store.begin_thumbnail(sha256, due.attempts, now, until).await? {
            return Ok(false);
        }
        let made = self.renewing(sha256, attempt, self.make(due, stored, announced, stop)).await;
        let thumbnail = match made {
            Ok(thumbnail) => thumbnail,
            Err(unended) => {
                let wait =
                    if matches!(unended, Unended::Stopped) { Duration::ZERO } else { UNTIL_THERE };
                self.store.hold_thumbnail(sha256, attempt, self.after(wait), false).await?;
                return Ok(false);
            }
        };
        let outcome = thumbnail.outcome();
        metrics::counter!("channel_media_thumbnails_total", "outcome" => outcome).increment(1);
        tracing::debug!(outcome, "a small picture was made or not");
        if !self.store.end_thumbnail(sha256, attempt, &thumbnail).await? {
            return Ok(false);
        }
        self.show(due, stored, thumbnail).await.map(|()| true)
    }

    fn after(&self, wait: Duration) -> Micros {
        self.now().plus(wait)
    }

    /// Renews the lease meanwhile.
    async fn renewing<T>(&self, sha256: &str, attempt: u32, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            if let Ok(ended) = tokio::time::timeout(self.lease / 3, &mut work).await {
                return ended;
            }
            let until = self.after(self.lease);
            if let Err(error) = self.store.hold_thumbnail(sha256, attempt, until, true).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the lease of a small picture could not be renewed");
            }
        }
    }

    pub(super) async fn make(
        &self,
        due: &DueThumbnail,
        stored: &StoredFile,
        announced: Micros,
        stop: &CancellationToken,
    ) -> Result<Thumbnail, Unended> {
        if due.attempts >= TRIES {
            return Ok(Thumbnail::none(GIVEN_UP));
        }
        if is_beyond(&self.config, stored.size) {
            return Ok(Thumbnail::none(TOO_LARGE));
        }
        let bytes = match self.original(stored, stop).await? {
            Ok(bytes) => bytes,
            Err(lost) => return Ok(lost),
        };
        match self.draw(bytes, stored).await {
            Ok((bytes, small)) => self.put(stored, bytes, announced).await.map(|()| small.into()),
            Err(reason) => Ok(Thumbnail::none(reason)),
        }
    }

    /// The image's bytes, or that they are not what was stored.
    async fn original(
        &self,
        stored: &StoredFile,
        stop: &CancellationToken,
    ) -> Result<Result<BytesMut, Thumbnail>, Unended> {
        let read = tokio::time::timeout(PATIENCE, self.read(stored));
        let read = stop.run_until_cancelled(read).await.ok_or(Unended::Stopped)?;
        match read.map_err(|_| Unended::NotNow)? {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(error) if error.is_temporary() => Err(trouble(&error)),
            Err(error) => {
                tracing::warn!(reason = error.reason(), "an image is not where it was stored");
                Ok(Err(Thumbnail::none(ORIGINAL_LOST)))
            }
        }
    }

    async fn put(
        &self,
        stored: &StoredFile,
        bytes: Vec<u8>,
        announced: Micros,
    ) -> Result<(), Unended> {
        let put = self.objects.put_small(&stored.sha256, bytes);
        match tokio::time::timeout(PATIENCE, put).await {
            Ok(Ok(())) if is_in_time(self.now(), announced) => Ok(()),
            Ok(Err(error)) => Err(trouble(&error)),
            _ => Err(Unended::NotNow),
        }
    }

    async fn read(&self, stored: &StoredFile) -> Result<BytesMut, MediaError> {
        let mut pieces = self.objects.read(stored, 0..stored.size).await?;
        let mut bytes = BytesMut::with_capacity(usize::try_from(stored.size).unwrap_or_default());
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
        }
        if bytes.len() as u64 == stored.size { Ok(bytes) } else { Err(MediaError::Damaged) }
    }

    /// Where nothing else waits for it. A decoder that panics has met an image that is broken.
    async fn draw(
        &self,
        bytes: BytesMut,
        stored: &StoredFile,
    ) -> Result<(Vec<u8>, Small), &'static str> {
        let (began, config) = (Instant::now(), self.config);
        let mime = stored.mime.clone().unwrap_or_default();
        let draw = move || small_picture(&bytes, &mime, &config);
        let drawn = tokio::task::spawn_blocking(draw).await.unwrap_or(Err(BROKEN));
        metrics::histogram!("channel_media_thumbnail_seconds")
            .record(began.elapsed().as_secs_f64());
        drawn
    }
}

fn trouble(error: &MediaError) -> Unended {
    let error = error as &dyn std::error::Error;
    tracing::warn!(error, "a small picture could not be made now");
    Unended::NotNow
}
