//! What comes back from a remote service, made safe to pass on.
//!
//! A guarded body keeps its place on the connection until it ends, turns a broken connection into
//! a gRPC status, and can be cut off from outside: a body whose reader does not read is never
//! polled, so nothing inside it could notice.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use channel_runtime::fault::trailers_of;
use http_body::{Body as _, Frame};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tonic::{Status, body::Body};

use crate::{methods::Owner, status};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call's half of the connection.
struct Call {
    body: Body,
    _place: OwnedSemaphorePermit,
}

/// The state that a guarded body shares with the watch on stuck readers.
struct Shared {
    call: Option<Call>,
    /// Since when the reader could have asked for more, unless it is waiting for the service.
    owed_since: Option<Instant>,
    cut: bool,
}

/// The open calls of one pool.
#[derive(Default)]
pub(crate) struct Watch {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Mutex<Shared>>>>,
}

impl Watch {
    /// A watch that cuts off readers that have not read for `limit`, until it is dropped.
    pub(crate) fn start(owner: Owner, limit: Duration) -> Arc<Self> {
        let watch = Arc::new(Self::default());
        tokio::spawn(sweep_for_ever(Arc::downgrade(&watch), owner, limit));
        watch
    }

    pub(crate) fn guard(
        self: &Arc<Self>,
        owner: Owner,
        body: Body,
        place: OwnedSemaphorePermit,
    ) -> GuardedBody {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let call = Call { body, _place: place };
        let shared = Arc::new(Mutex::new(Shared {
            call: Some(call),
            owed_since: Some(Instant::now()),
            cut: false,
        }));
        lock(&self.open).insert(id, Arc::clone(&shared));
        GuardedBody { id, owner, shared, watch: Arc::clone(self) }
    }

    fn sweep(&self, limit: Duration) -> usize {
        let open: Vec<_> = lock(&self.open).values().cloned().collect();
        open.iter().filter(|call| lock(call).cut_if_stuck(limit)).count()
    }
}

async fn sweep_for_ever(watch: Weak<Watch>, owner: Owner, limit: Duration) {
    let mut ticks = tokio::time::interval(limit / 4);
    loop {
        ticks.tick().await;
        let Some(watch) = watch.upgrade() else { return };
        let cut = watch.sweep(limit);
        if cut > 0 {
            tracing::warn!(upstream = owner.name(), cut, "cut off calls that nobody reads");
        }
    }
}

impl Shared {
    fn cut_if_stuck(&mut self, limit: Duration) -> bool {
        let stuck = self.owed_since.is_some_and(|since| since.elapsed() >= limit);
        if stuck && self.call.take().is_some() {
            self.cut = true;
            return true;
        }
        false
    }

    fn end_with(&mut self, status: &Status) -> Frame<Bytes> {
        self.call = None;
        Frame::trailers(trailers_of(status))
    }

    fn poll(&mut self, owner: Owner, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        let Some(call) = &mut self.call else {
            let last = std::mem::take(&mut self.cut).then(status::reader_stuck);
            return Poll::Ready(last.map(|status| self.end_with(&status)));
        };
        let polled = Pin::new(&mut call.body).poll_frame(cx);
        self.owed_since = polled.is_ready().then(Instant::now);
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => {
                if frame.is_trailers() {
                    self.call = None;
                }
                Poll::Ready(Some(frame))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::warn!(upstream = owner.name(), %error, "a call broke off");
                Poll::Ready(Some(self.end_with(&status::interrupted(owner))))
            }
            // The status belongs in the trailers; a body without them was cut short.
            Poll::Ready(None) => Poll::Ready(Some(self.end_with(&status::interrupted(owner)))),
        }
    }
}

/// The body of a remote service's response.
pub(crate) struct GuardedBody {
    id: u64,
    owner: Owner,
    shared: Arc<Mutex<Shared>>,
    watch: Arc<Watch>,
}

impl Drop for GuardedBody {
    fn drop(&mut self) {
        lock(&self.watch.open).remove(&self.id);
    }
}

impl http_body::Body for GuardedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        lock(&self.shared).poll(self.owner, cx).map(|frame| frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        let shared = lock(&self.shared);
        shared.call.is_none() && !shared.cut
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};
    use tokio::sync::Semaphore;

    use super::*;

    const LIMIT: Duration = Duration::from_mins(1);

    fn guarded(frames: Vec<Result<Bytes, Status>>, silent: bool) -> (GuardedBody, Arc<Semaphore>) {
        use tokio_stream::StreamExt;

        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().unwrap();
        let frames = tokio_stream::iter(frames).map(|frame| frame.map(Frame::data));
        let body = if silent {
            Body::new(StreamBody::new(frames.chain(tokio_stream::pending())))
        } else {
            Body::new(StreamBody::new(frames))
        };
        let watch = Watch::start(Owner::Query, LIMIT);
        (watch.guard(Owner::Query, body, place), places)
    }

    const DATA: Result<Bytes, Status> = Ok(Bytes::from_static(b"x"));

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_reads_gives_its_place_back_without_being_polled() {
        let (mut body, places) = guarded(vec![DATA, DATA], true);
        body.frame().await.unwrap().unwrap();
        let place = tokio::time::timeout(LIMIT * 2, places.acquire()).await;
        assert!(place.is_ok(), "the place is still held");

        let end = body.collect().await.unwrap();
        assert_eq!(end.trailers().unwrap()["grpc-status"], "10");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_call_whose_reader_waits_is_left_alone() {
        let (mut body, places) = guarded(vec![DATA], true);
        body.frame().await.unwrap().unwrap();
        assert!(tokio::time::timeout(LIMIT * 10, body.frame()).await.is_err());
        assert_eq!(places.available_permits(), 0);
    }

    #[tokio::test]
    async fn a_body_cut_short_ends_with_a_status() {
        let broken = vec![DATA, Err(Status::unknown("reset"))];
        for frames in [vec![DATA], broken] {
            let (body, places) = guarded(frames, false);
            let end = body.collect().await.unwrap();
            assert_eq!(end.trailers().unwrap()["grpc-status"], "14");
            assert_eq!(places.available_permits(), 1);
        }
    }
}
