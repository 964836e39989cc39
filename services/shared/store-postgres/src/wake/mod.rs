//! Hints that accounts moved: inside the process by a channel, to other processes by NOTIFY.
//!
//! A NOTIFY in a transaction that writes would make all such commits of the whole server wait for each
//! other's flush. So hints are gathered and sent apart, at most one each five milliseconds, on a connection
//! that does not wait for the disk. What is lost that way costs a reader one turn of its own polling.
//!
//! An empty list of accounts in a hint means: look at all of them.

mod listener;
mod notifier;
mod payload;

use crate::error::sorted;
use channel_store::StoreError;
use channel_store::log::{Moved, Wakeups};
use sqlx::postgres::PgConnectOptions;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, oneshot};
use tokio::task::AbortHandle;

/// The channel of all processes that share a database.
const CHANNEL: &str = "channel_moved";
/// How many hints a slow reader may miss before it must look for itself.
const BACKLOG: usize = 1024;
/// The longest wait before connecting again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Where hints come together. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Hints(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hub: Arc<Hub>,
    tasks: [AbortHandle; 2],
    closing: Mutex<Option<oneshot::Receiver<()>>>,
}

/// What the tasks share with the store. They hold nothing else of it, so that it can be dropped.
#[derive(Debug)]
struct Hub {
    local: broadcast::Sender<Arc<[Moved]>>,
    /// Tells our own notifications from others'.
    sender: u32,
    unsent: Mutex<Unsent>,
    wake: Notify,
}

/// What other processes have not been told yet.
#[derive(Debug, Default)]
struct Unsent {
    moved: BTreeMap<i64, u64>,
    everything: bool,
    closing: bool,
}

impl Hints {
    /// Connects and begins to send and to listen.
    pub(crate) async fn start(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let hub = Arc::new(Hub {
            local: broadcast::channel(BACKLOG).0,
            sender: rand::random(),
            unsent: Mutex::default(),
            wake: Notify::new(),
        });
        let listener = listener::connect(options).await.map_err(sorted)?;
        let (done, closing) = oneshot::channel();
        let sending = tokio::spawn(notifier::run(hub.clone(), options.clone(), done));
        let listening = tokio::spawn(listener::run(hub.clone(), options.clone(), listener));
        Ok(Self(Arc::new(Inner {
            hub,
            tasks: [sending.abort_handle(), listening.abort_handle()],
            closing: Mutex::new(Some(closing)),
        })))
    }

    pub(crate) fn listen(&self) -> Wakeups {
        self.0.hub.local.subscribe()
    }

    /// Tells everybody which accounts moved.
    pub(crate) fn moved(&self, moved: &[Moved]) {
        if moved.is_empty() {
            return;
        }
        self.0.hub.tell(moved.into());
        self.0.hub.later(|unsent| {
            for one in moved {
                let head = unsent.moved.entry(one.account_key).or_default();
                *head = one.head.max(*head);
            }
        });
    }

    /// Tells everybody to look for themselves.
    pub(crate) fn everything_may_have_moved(&self) {
        self.0.hub.tell(Arc::new([]));
        self.0.hub.later(|unsent| unsent.everything = true);
    }

    /// Sends what is unsent and ends the tasks.
    pub(crate) async fn close(&self) {
        self.0.hub.later(|unsent| unsent.closing = true);
        let closing = locked(&self.0.closing).take();
        if let Some(closing) = closing {
            // The task may have ended by itself, which is as good; a dead server must not hold us up.
            let _ = tokio::time::timeout(LONGEST_WAIT, closing).await;
        }
        self.0.stop();
    }
}

impl Inner {
    fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Hub {
    /// Tells this process.
    fn tell(&self, moved: Arc<[Moved]>) {
        // Nobody listening is fine: the log is the truth.
        let _ = self.local.send(moved);
    }

    /// Notes what to tell other processes.
    fn later(&self, note: impl FnOnce(&mut Unsent)) {
        note(&mut locked(&self.unsent));
        self.wake.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits longer each time, until something works again.
struct Patience(Duration);

impl Patience {
    const fn new() -> Self {
        Self(Duration::from_millis(100))
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_WAIT);
    }
}
