//! One look for one picture.

use std::time::Duration;

use channel_domain::media::{Fetch, Setback};
use channel_domain::picture::{Look, MOST_BYTES, picture_type};
use channel_media::Received;
use channel_store::StoreError;
use channel_store::outbox::Command;
use channel_store::pictures::{DueLook, LookEnd};
use channel_unipile::upstream::Download;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Shared;
use crate::media::verdict::{self, Ended};

/// How a look went, for its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    /// UniPile answered.
    Well,
    /// It did not, or there was nowhere to put the picture.
    Badly {
        /// Wait at least so long.
        at_least: Option<Duration>,
    },
}

/// What a look found.
enum Found {
    /// An answer.
    Answer(Look),
    /// None yet.
    Not(Setback),
}

impl Shared {
    /// Looks for a picture whose turn it is.
    pub(super) async fn look(
        &self,
        due: &DueLook,
        stop: &CancellationToken,
    ) -> Result<Went, StoreError> {
        let until = self.now().plus(self.lease);
        if !self.store.begin_look(due, until).await? {
            return Ok(Went::Well);
        }
        let attempt = due.attempts + 1;
        let span = tracing::info_span!("messaging.picture", attempt);
        tokio::select! {
            found = self.renewing(due, attempt, self.find(due)).instrument(span) => {
                self.end(due, attempt, found).await
            }
            () = stop.cancelled() => {
                // Whoever comes next need not wait for the lease to end.
                self.store.renew_look(due.account_key, due.key, attempt, self.now()).await?;
                Ok(Went::Well)
            }
        }
    }

    /// Renews the lease while a picture comes in.
    async fn renewing(
        &self,
        due: &DueLook,
        attempt: u32,
        find: impl Future<Output = Found>,
    ) -> Found {
        tokio::pin!(find);
        loop {
            if let Ok(found) = tokio::time::timeout(self.lease / 3, &mut find).await {
                return found;
            }
            let until = self.now().plus(self.lease);
            let renewed = self.store.renew_look(due.account_key, due.key, attempt, until).await;
            if let Err(error) = renewed {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the lease of a picture could not be renewed");
            }
        }
    }

    async fn find(&self, due: &DueLook) -> Found {
        match self.upstream.picture(&due.account, due.of.id()).await {
            Ok(download) => self.receive(download).await,
            Err(error) if error.is_not_found() => Found::Answer(Look::Absent),
            Err(error) => found(verdict::refused(&error)),
        }
    }

    async fn receive(&self, download: Download) -> Found {
        let Download { length, mut body, .. } = download;
        let mut received = match self.spool.begin().await {
            Ok(received) => received,
            Err(error) => return found(verdict::no_room(&error.into())),
        };
        while let Some(piece) = body.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => return found(verdict::refused(&error)),
            };
            if received.size() + piece.len() as u64 > MOST_BYTES {
                return unfit("TOO_LARGE");
            }
            if let Err(error) = received.take(&piece).await {
                return found(verdict::no_room(&error.into()));
            }
        }
        if length.is_some_and(|length| received.size() < length) {
            return found(verdict::incomplete("TRUNCATED"));
        }
        self.judge(received).await
    }

    /// Only what is a picture is kept. No answer at all to whoever has none is not documented, and possible.
    async fn judge(&self, received: Received) -> Found {
        let shown = infer::get(received.head()).map(|kind| kind.mime_type());
        let Some(mime) = picture_type(shown) else {
            return unfit(if received.size() == 0 { "EMPTY" } else { "NO_PICTURE" });
        };
        match self.keeper().keep(received, Some(mime.to_owned())).await {
            Ok(Some((stored, _))) => Found::Answer(Look::Stored(stored)),
            Ok(None) => found(verdict::not_now()),
            Err(error) => found(verdict::no_room(&error)),
        }
    }

    /// Notes how a look ended.
    async fn end(&self, due: &DueLook, attempt: u32, found: Found) -> Result<Went, StoreError> {
        let now = self.now();
        let (look, next_at, counts, went) = match found {
            Found::Answer(look) => (look, None, false, Went::Well),
            Found::Not(setback) => {
                let (fetch, next_at, counts) =
                    self.policy.after(setback, due.failures, rand::random(), now);
                let reason = fetch.reason().unwrap_or_default().to_owned();
                let went = Went::Badly { at_least: setback.at_least };
                (Look::Failed { reason }, next_at, counts, went)
            }
        };
        metrics::counter!("channel_media_pictures_total", "outcome" => outcome(&look)).increment(1);
        let refresh = Duration::from_secs(self.config.refresh_seconds.into());
        let (of, refresh_at) = (due.of.clone(), now.plus(refresh));
        let (key, at) = (due.key, now);
        let end = LookEnd { key, of, attempt, look, next_at, counts, at, refresh_at };
        let stored = end.look.shown().flatten().cloned();
        self.keeper().tell(&due.account, Command::EndLook(Box::new(end))).await?;
        if let Some(stored) = stored {
            self.keeper().release(&stored).await;
        }
        Ok(went)
    }
}

fn unfit(reason: &str) -> Found {
    Found::Answer(Look::Unfit { reason: reason.to_owned() })
}

/// What the end of a try to fetch a file means for a picture: an answer about the file is one about the picture.
fn found(ended: Ended) -> Found {
    match ended {
        Ended::With(Fetch::Stored(stored)) => Found::Answer(Look::Stored(stored)),
        Ended::With(fetch) => unfit(fetch.reason().unwrap_or_default()),
        Ended::Not(setback) | Ended::TooMany(setback) => Found::Not(setback),
    }
}

const fn outcome(look: &Look) -> &'static str {
    match look {
        Look::Stored(_) => "stored",
        Look::Absent => "none",
        Look::Unfit { .. } => "unfit",
        Look::Failed { .. } => "failed",
    }
}
