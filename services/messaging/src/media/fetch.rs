//! One try to fetch one file.

use channel_domain::Micros;
use channel_domain::fact::Attachment;
use channel_domain::media::{Fetch, StoredFile};
use channel_media::{MediaError, Put, Received};
use channel_store::StoreError;
use channel_store::media::{DueFetch, FetchEnd};
use channel_store::outbox::Command;
use channel_unipile::upstream::Download;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Shared;
use super::verdict::{self, Ended};

/// A source that has given the same short file so often has no more of it: what was told of its size was wrong.
const INSISTS: u32 = 3;

impl Shared {
    /// Fetches a file whose turn it is. Returns until when the account has to wait, if it has.
    pub(super) async fn work(
        &self,
        due: &DueFetch,
        stop: &CancellationToken,
    ) -> Result<Option<Micros>, StoreError> {
        if !self.store.begin_fetch(due, self.lease_end()).await? {
            return Ok(None);
        }
        let attempt = due.attempts + 1;
        let span = tracing::info_span!("messaging.fetch", attempt);
        tokio::select! {
            ended = self.renewing(due, attempt, self.fetch(due)).instrument(span) => {
                self.end(due, attempt, ended).await
            }
            () = stop.cancelled() => {
                // Whoever comes next need not wait for the lease to end.
                let now = self.now();
                self.store.renew_fetch(due.account_key, &due.file, attempt, now).await?;
                Ok(None)
            }
        }
    }

    fn lease_end(&self) -> Micros {
        self.now().plus(self.lease)
    }

    /// Renews the lease while a file comes in.
    async fn renewing(
        &self,
        due: &DueFetch,
        attempt: u32,
        work: impl Future<Output = Ended>,
    ) -> Ended {
        tokio::pin!(work);
        loop {
            if let Ok(ended) = tokio::time::timeout(self.lease / 3, &mut work).await {
                return ended;
            }
            let until = self.lease_end();
            let renewed = self.store.renew_fetch(due.account_key, &due.file, attempt, until).await;
            if let Err(error) = renewed {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the lease of a file could not be renewed");
            }
        }
    }

    async fn fetch(&self, due: &DueFetch) -> Ended {
        if let Some(end) = self.policy.refuses(due.kind, due.size) {
            return Ended::With(end);
        }
        let file = Attachment { id: due.file.attachment.clone(), ..Attachment::default() };
        match self.upstream.attachment(&due.account, &due.file.message, &file).await {
            Ok(download) => self.receive(due, download).await,
            Err(error) => verdict::refused(&error),
        }
    }

    /// Takes the bytes to the disk as they come, and from there to where they stay.
    async fn receive(&self, due: &DueFetch, download: Download) -> Ended {
        let Download { length, mut body, .. } = download;
        let mut received = match self.spool.begin().await {
            Ok(received) => received,
            Err(error) => return verdict::no_room(&error.into()),
        };
        while let Some(piece) = body.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => return verdict::refused(&error),
            };
            if received.size() + piece.len() as u64 > self.policy.most_bytes {
                return Ended::With(Fetch::TooLarge);
            }
            if let Err(error) = received.take(&piece).await {
                return verdict::no_room(&error.into());
            }
        }
        if let Some(reason) = lacks(received.size(), length, due) {
            return verdict::incomplete(reason);
        }
        match self.keep(received).await {
            Ok(Some(stored)) => Ended::With(Fetch::Stored(stored)),
            Ok(None) => verdict::not_now(),
            Err(error) => verdict::no_room(&error),
        }
    }

    async fn keep(&self, received: Received) -> Result<Option<StoredFile>, MediaError> {
        let mime = infer::get(received.head()).map(|found| found.mime_type().to_owned());
        let Some((stored, put)) = self.keeper().keep(received, mime).await? else {
            return Ok(None);
        };
        let outcome = if put == Put::Written { "written" } else { "known" };
        metrics::counter!("channel_media_stored_total", "outcome" => outcome).increment(1);
        metrics::counter!("channel_media_bytes_total").increment(stored.size);
        Ok(Some(stored))
    }

    /// Notes how a try ended.
    async fn end(
        &self,
        due: &DueFetch,
        attempt: u32,
        ended: Ended,
    ) -> Result<Option<Micros>, StoreError> {
        let outcome = ended.outcome();
        metrics::counter!("channel_media_fetches_total", "outcome" => outcome).increment(1);
        tracing::debug!(outcome, "a file was fetched or not");
        let now = self.now();
        let too_many = matches!(ended, Ended::TooMany(_));
        let (fetch, next_at, counts) = match ended {
            Ended::With(fetch) => (fetch, None, true),
            Ended::Not(setback) | Ended::TooMany(setback) => {
                self.policy.after(setback, due.failures, rand::random(), now)
            }
        };
        let (file, stored) = (due.file.clone(), fetch.stored().cloned());
        let end = FetchEnd { file, attempt, fetch, next_at, counts };
        self.keeper().tell(&due.account, Command::EndFetch(Box::new(end))).await?;
        if let Some(stored) = stored {
            self.keeper().release(&stored).await;
        }
        Ok(next_at.filter(|_| too_many))
    }
}

/// Why what came cannot be the whole file, as a stable reason. A length that was announced and is not kept breaks the
/// transfer already; one that was announced too short does not, but what the message told of the file gives it away.
fn lacks(size: u64, announced: Option<u64>, due: &DueFetch) -> Option<&'static str> {
    let shorter = |told: Option<u64>| told.is_some_and(|told| size < told);
    if size == 0 {
        Some("EMPTY")
    } else if shorter(announced) || (announced.is_none() && shorter(due.size)) {
        Some("TRUNCATED")
    } else if shorter(due.size) && due.failures < INSISTS {
        Some("SHORTER_THAN_TOLD")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use channel_store::media::FileId;

    #[test]
    fn a_file_is_whole_or_it_is_not() {
        let file = FileId { message: "m".into(), attachment: "f".into() };
        let due = |size, failures| DueFetch {
            account: "a".into(),
            account_key: 1,
            file: file.clone(),
            kind: channel_domain::fact::AttachmentKind::Image,
            size,
            attempts: failures,
            failures,
            at: Micros(0),
        };
        assert_eq!(lacks(0, Some(0), &due(None, 0)), Some("EMPTY"));
        assert_eq!(lacks(9, Some(10), &due(None, 0)), Some("TRUNCATED"));
        assert_eq!(lacks(9, None, &due(Some(10), 9)), Some("TRUNCATED"));
        assert_eq!(lacks(9, Some(9), &due(Some(10), 0)), Some("SHORTER_THAN_TOLD"));
        assert_eq!(lacks(9, Some(9), &due(Some(10), INSISTS)), None);
        assert_eq!(lacks(11, Some(11), &due(Some(10), 0)), None);
        assert_eq!(lacks(9, None, &due(None, 0)), None);
    }
}
