//! A live half over a fake log, and streams whose every frame is checked.

use super::client::Client;
use super::log::{FakeLog, TENANT};
use crate::live::config::LiveConfig;
use crate::live::cursor::Cursor;
use crate::live::{Live, LiveFault, Subscription};
use channel_proto::query::v1::{AccountCursor, WatchRequest, WatchResponse};
use channel_runtime::clock::ManualClock;
use channel_runtime::identity::{Identity, Role};
use channel_runtime::supervise::Supervisor;
use futures::StreamExt as _;
use prost::Message as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A live half over a fake log.
pub(in crate::live) struct Bench {
    pub(in crate::live) log: Arc<FakeLog>,
    pub(in crate::live) live: Live,
    pub(in crate::live) supervisor: Supervisor,
}

/// One stream and the client that reads it.
pub(in crate::live) struct Reader {
    pub(in crate::live) stream: Subscription,
    pub(in crate::live) client: Client,
}

/// Small rings and pages, so that everything that can overflow does.
pub(in crate::live) fn quick() -> LiveConfig {
    LiveConfig { ring_events: 8, page_events: 8, ..LiveConfig::default() }
}

impl Bench {
    pub(in crate::live) fn new(accounts: i64, config: LiveConfig) -> Self {
        let (log, supervisor) = (FakeLog::new(accounts), Supervisor::new());
        let clock = Arc::new(ManualClock::at(0));
        let (told, asked) = (Arc::clone(&log), Arc::clone(&log));
        let live = Live::over(told, asked, config, clock, &supervisor);
        Self { log, live, supervisor }
    }

    pub(in crate::live) fn identity(subject: &str) -> Identity {
        Identity {
            subject: subject.into(),
            tenant: TENANT.into(),
            role: Role::Viewer,
            accounts: None,
            expires_at: i64::MAX,
        }
    }

    /// Follows all accounts from now.
    pub(in crate::live) async fn watch(&self) -> Reader {
        self.try_watch("user", Vec::new()).await.unwrap()
    }

    /// Comes back with what a client has kept.
    pub(in crate::live) async fn resume(&self, mut client: Client) -> Reader {
        client.reconnect();
        let mut reader = self.try_watch("user", client.cursors()).await.unwrap();
        reader.client = client;
        reader
    }

    /// Follows one account from a place in its log.
    pub(in crate::live) async fn watch_from(&self, key: i64, seq: u64) -> Reader {
        let at = self.log.position(key, seq);
        let cursor = Cursor { epoch: 1, at };
        self.watch_cursor(key, &cursor).await
    }

    pub(in crate::live) async fn watch_cursor(&self, key: i64, cursor: &Cursor) -> Reader {
        let named = AccountCursor { account_id: FakeLog::id(key), cursor: cursor.to_bytes() };
        self.try_watch("user", vec![named]).await.unwrap()
    }

    pub(in crate::live) async fn try_watch(
        &self,
        subject: &str,
        accounts: Vec<AccountCursor>,
    ) -> Result<Reader, LiveFault> {
        let request = WatchRequest { accounts, ..WatchRequest::default() };
        let stream = self.live.watch(Self::identity(subject), request).await?;
        Ok(Reader::new(stream))
    }
}

impl Reader {
    pub(in crate::live) fn new(stream: Subscription) -> Self {
        let client = Client::default();
        Self { stream, client }
    }

    /// Reads the next frame; tells whether there was one.
    pub(in crate::live) async fn try_step(&mut self) -> Result<bool, String> {
        let Some(frame) = self.stream.next().await else {
            return Ok(false);
        };
        self.client.take(WatchResponse::decode(frame).unwrap())?;
        Ok(true)
    }

    /// Reads one frame.
    pub(in crate::live) async fn step(&mut self) {
        assert!(self.try_step().await.unwrap(), "the stream has ended");
    }

    /// Reads until `done`, within an hour by the paused clock.
    pub(in crate::live) async fn until(&mut self, done: impl Fn(&Client) -> bool) {
        let reading = async {
            while !done(&self.client) {
                self.step().await;
            }
        };
        let read = timeout(Duration::from_hours(1), reading).await;
        read.unwrap_or_else(|_| panic!("never: {:?}", self.client));
    }

    /// Reads until everything of these accounts that is in the log has been shown.
    pub(in crate::live) async fn until_level(&mut self, log: &FakeLog, keys: &[i64]) {
        for key in keys {
            let id = FakeLog::id(*key);
            let from = |client: &Client| client.accounts.get(&id).map_or(0, |kept| kept.from);
            let shown = |client: &Client| client.accounts.get(&id).map(|kept| kept.shown.clone());
            self.until(|client| shown(client) == Some(log.truth(*key, from(client)))).await;
            self.assert_units(log, *key);
        }
    }

    /// L4: everything that was shown at once ended with a unit.
    pub(in crate::live) fn assert_units(&self, log: &FakeLog, key: i64) {
        let ends = log.unit_ends(key);
        let kept = &self.client.accounts[&FakeLog::id(key)];
        let whole = |end: &u64| ends.contains(end) || *end <= log.position(key, 0).seq;
        assert!(kept.run_ends.iter().all(whole), "L4: {:?}", kept.run_ends);
    }
}
