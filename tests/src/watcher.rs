//! A simulated screen: watches, keeps what it saw, and goes on from its cursors when a stream breaks.

use crate::client::Query;
use crate::history::History;
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{AccountCursor, WatchRequest, WatchResponse};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_stream::StreamExt;

/// A pause between two tries to connect: what a polite client does, not a wait for anything.
const PAUSE: Duration = Duration::from_millis(50);

/// A watcher at work. Dropping it ends it.
#[derive(Debug)]
pub struct Watcher {
    history: Arc<Mutex<History>>,
    frames: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Watches everything that the client may see, from now on or from the given cursors.
    #[must_use]
    pub fn start(client: Query, cursors: BTreeMap<String, Vec<u8>>) -> Self {
        let history = Arc::new(Mutex::new(History::default()));
        let (count, frames) = watch::channel(0);
        let task = tokio::spawn(run(client, cursors, history.clone(), count));
        Self { history, frames, task }
    }

    /// What was seen so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until what was seen fulfils a condition.
    pub async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&History) -> bool,
    ) -> anyhow::Result<()> {
        let limit = tokio::time::timeout(Duration::from_mins(1), async {
            while !wanted(&self.history()) {
                if self.frames.changed().await.is_err() {
                    break;
                }
            }
        });
        limit.await.map_err(|_| anyhow::anyhow!("waited 60 s in vain until {what}"))
    }

    /// Stops watching and gives what was seen.
    #[must_use]
    pub fn stop(self) -> History {
        self.task.abort();
        self.history()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    mut client: Query,
    mut cursors: BTreeMap<String, Vec<u8>>,
    history: Arc<Mutex<History>>,
    count: watch::Sender<usize>,
) {
    loop {
        let named = cursors.iter().map(|(account_id, cursor)| AccountCursor {
            account_id: account_id.clone(),
            cursor: cursor.clone().into(),
        });
        let accounts = named.collect();
        let request = WatchRequest { accounts, all_accounts: true, ..WatchRequest::default() };
        if let Ok(stream) = client.watch(request).await {
            let mut stream = stream.into_inner();
            while let Some(Ok(frame)) = stream.next().await {
                note(&mut cursors, &frame);
                let mut seen = history.lock().unwrap_or_else(PoisonError::into_inner);
                seen.frames.push(frame);
                let frames = seen.frames.len();
                drop(seen);
                count.send_replace(frames);
            }
        }
        sleep(PAUSE).await;
    }
}

fn note(cursors: &mut BTreeMap<String, Vec<u8>>, frame: &WatchResponse) {
    match &frame.frame {
        Some(Frame::Hello(hello)) => {
            for position in &hello.accounts {
                cursors.insert(position.account_id.clone(), position.cursor.to_vec());
            }
        }
        Some(Frame::Changes(changes)) if !changes.more => {
            cursors.insert(changes.account_id.clone(), changes.cursor.to_vec());
        }
        Some(Frame::Reset(reset)) => {
            cursors.insert(reset.account_id.clone(), reset.cursor.to_vec());
        }
        _ => {}
    }
}
