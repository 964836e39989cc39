//! The live half: every change, to everyone who may see it, as it is committed.
//!
//! One [tailer] reads the change log for the whole process, encodes each event once and puts it into its
//! account's [ring]. A [subscriber] is a place in each of its accounts and nothing else: it makes its next
//! frame when it is asked for one, from the rings, or from [pages] of the database when it is further back.
//! Places are the same in both, so going over from one to the other is no special case.
//!
//! | | what a client is promised | by |
//! |---|---|---|
//! | L1 | no event is missing | numbers without gaps, checked at every step |
//! | L2 | the order of the commits | numbers given under the account's lock |
//! | L3 | no event comes twice | a place that only moves forward |
//! | L4 | what was committed together is shown together | frames cut at the ends of units |
//! | L5 | a cursor goes on exactly there, or is reset | epoch, number and chained tag |
//! | L6 | a bookmark's past was sent | it is made from the places, in the same sequence |
//! | L7 | what was sent survives | the log is read after its commit only |
//! | L8 | fresh | hints, and a poll behind them |

pub mod config;
pub mod cursor;
pub mod route;

mod access;
mod core;
mod event;
mod fault;
mod feed;
mod frames;
mod hub;
mod meters;
mod open;
mod pages;
mod poll;
mod request;
mod ring;
mod segment;
mod signal;
mod streams;
mod subscriber;
mod tailer;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use config::LiveConfig;
pub use fault::LiveFault;
pub use route::WatchRoute;
pub use subscriber::Subscription;

use self::access::{Accounts, StoreAccounts};
use self::config::millis;
use self::core::Core;
use self::request::Ask;
use channel_proto::query::v1::{PollChangesRequest, PollChangesResponse, WatchRequest};
use channel_runtime::clock::Clock;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use channel_runtime::supervise::{Backoff, OnFailure, Supervisor};
use channel_store::{ChangeLog, Store};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The live half of a process. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Core>);

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

impl Live {
    /// Starts the tasks that all streams share. When the supervisor drains, all streams get their Goodbye,
    /// and the tasks end with the last of them.
    #[must_use]
    pub fn start(
        store: Arc<dyn Store>,
        config: LiveConfig,
        clock: Arc<dyn Clock>,
        supervisor: &Supervisor,
    ) -> Self {
        let accounts = Arc::new(StoreAccounts(Arc::clone(&store)));
        Self::over(store, accounts, config, clock, supervisor)
    }

    fn over(
        log: Arc<dyn ChangeLog>,
        accounts: Arc<dyn Accounts>,
        config: LiveConfig,
        clock: Arc<dyn Clock>,
        supervisor: &Supervisor,
    ) -> Self {
        let core = Arc::new(Core::new(log, accounts, config, clock, supervisor.tasks()));
        let live = Self(Arc::clone(&core));
        let with = Arc::clone(&core);
        supervisor.spawn_restarting("live tailer", Backoff::default(), move || {
            tailer::run(Arc::clone(&with))
        });
        supervisor.spawn_restarting("live access", Backoff::default(), move || {
            access::run(Arc::clone(&core))
        });
        let (drain, draining) = (supervisor.drain(), live.clone());
        supervisor.spawn("live drain", OnFailure::LogAndGoOn, async move {
            drain.cancelled().await;
            draining.drain().await;
            Ok(())
        });
        live
    }

    /// Opens a stream of frames.
    ///
    /// # Errors
    ///
    /// When the request is wrong, there are too many streams, the server stops, or the database does not
    /// answer.
    pub async fn watch(
        &self,
        identity: Identity,
        request: WatchRequest,
    ) -> Result<Subscription, LiveFault> {
        let ask = Ask::of_watch(request, &self.0.config)?;
        open::open(&self.0, identity, ask, false).await
    }

    /// Answers the frames that a stream would send now; if there are none, those that it sends first within
    /// the wait that the request names.
    ///
    /// # Errors
    ///
    /// As [`Self::watch`].
    pub async fn poll(
        &self,
        identity: Identity,
        request: PollChangesRequest,
    ) -> Result<PollChangesResponse, LiveFault> {
        let wait = self.checked_wait(&request)?;
        let ask = Ask::of_poll(request, &self.0.config)?;
        let stream = open::open(&self.0, identity, ask, true).await?;
        Ok(poll::answer(&self.0, stream, wait).await)
    }

    fn checked_wait(&self, request: &PollChangesRequest) -> Result<Duration, FieldErrors> {
        let wait = request.wait.unwrap_or_default();
        let most = millis(self.0.config.poll_wait_ms);
        let wait = Duration::try_from(wait).ok().filter(|wait| *wait <= most);
        wait.ok_or_else(|| FieldErrors::of("wait", "must be 0 to 20 seconds"))
    }

    /// Opens no more streams, says Goodbye on all that are open, and waits until they have ended, for as
    /// long as the configuration allows. A client that does not read is not waited for any longer: its
    /// cursors are its own.
    pub async fn drain(&self) {
        self.0.streams.shut_down();
        let limit = millis(self.0.config.drain_ms);
        if tokio::time::timeout(limit, self.0.streams.ended()).await.is_err() {
            let streams = self.0.meters.streams.value();
            tracing::warn!(streams, "streams did not take their goodbye");
        }
        self.0.finished.cancel();
    }
}

/// No code here panics while it holds a lock; if one did, the data behind would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
