//! A change log in memory that does what it is told.

use crate::live::access::Accounts;
use crate::live::hub::AccountRef;
use crate::live::lock;
use async_trait::async_trait;
use channel_domain::time::Micros;
use channel_store::StoreError;
use channel_store::log::{
    ChangeLog, Entity, Head, LogPage, LogRow, Moved, Op, Position, Stale, Wakeups, check,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{broadcast, watch};

#[derive(Debug, Clone, Default)]
struct History {
    /// Those up to `floor` are here for the truth only: readers do not see them.
    rows: Vec<LogRow>,
    floor: Position,
}

impl History {
    fn seen(&self) -> impl Iterator<Item = &LogRow> {
        self.rows.iter().filter(|row| row.seq > self.floor.seq)
    }

    fn head(&self) -> Position {
        let end = |row: &LogRow| Position { seq: row.seq, tag: row.tag };
        self.rows.last().map_or(self.floor, end)
    }
}

#[derive(Debug, Default)]
struct State {
    histories: BTreeMap<i64, History>,
    tenants: BTreeMap<String, Vec<AccountRef>>,
    epoch: u64,
    silent: bool,
    failures: u32,
    /// A row that no reader sees yet, though later ones are there.
    hidden: Option<(i64, u64)>,
    salt: u64,
}

/// A change log in memory that does what it is told.
#[derive(Debug)]
pub(in crate::live) struct FakeLog {
    state: Mutex<State>,
    wakeups: broadcast::Sender<Arc<[Moved]>>,
    stalled: watch::Sender<bool>,
    pages_stalled: watch::Sender<bool>,
    tails_stalled: watch::Sender<bool>,
    pub(in crate::live) tails: AtomicU64,
    pub(in crate::live) resumes: AtomicU64,
    reading: AtomicU64,
    pub(in crate::live) most_reading: AtomicU64,
}

/// The tenant of all accounts, unless a test says otherwise.
pub(in crate::live) const TENANT: &str = "acme";

impl FakeLog {
    pub(in crate::live) fn new(accounts: i64) -> Arc<Self> {
        let log = Self {
            state: Mutex::default(),
            wakeups: broadcast::channel(16).0,
            stalled: watch::channel(false).0,
            pages_stalled: watch::channel(false).0,
            tails_stalled: watch::channel(false).0,
            tails: AtomicU64::new(0),
            resumes: AtomicU64::new(0),
            reading: AtomicU64::new(0),
            most_reading: AtomicU64::new(0),
        };
        lock(&log.state).epoch = 1;
        for key in 1..=accounts {
            log.grant(key);
        }
        Arc::new(log)
    }

    pub(in crate::live) fn id(key: i64) -> String {
        format!("account-{key}")
    }

    pub(in crate::live) fn grant(&self, key: i64) {
        let mut state = lock(&self.state);
        state.histories.entry(key).or_default();
        let id = Self::id(key).into();
        let account = AccountRef { key, id };
        let accounts = state.tenants.entry(TENANT.to_owned()).or_default();
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }

    pub(in crate::live) fn revoke(&self, key: i64) {
        for accounts in lock(&self.state).tenants.values_mut() {
            accounts.retain(|account| account.key != key);
        }
    }

    /// Commits one unit of so many events.
    pub(in crate::live) fn append(&self, key: i64, events: usize) {
        self.append_sized(key, events, 8);
    }

    /// Commits one unit of so many events with ids of so many bytes.
    pub(in crate::live) fn append_sized(&self, key: i64, events: usize, bytes: usize) {
        let mut state = lock(&self.state);
        let (silent, salt) = (state.silent, state.salt);
        let history = state.histories.entry(key).or_default();
        for index in 1..=events {
            let before = history.head();
            let mut row = row(key, before.seq + 1, salt, bytes);
            row.unit_end = index == events;
            row.tag = row.chained(before.tag);
            history.rows.push(row);
        }
        let head = history.head().seq;
        drop(state);
        if !silent {
            let moved = Moved { account_key: key, head, can_wait: false };
            let _ = self.wakeups.send(Arc::from([moved]));
        }
    }

    pub(in crate::live) fn prune(&self, key: i64, floor: u64) {
        let mut state = lock(&self.state);
        let history = state.histories.get_mut(&key).unwrap();
        let row = history.rows.iter().find(|row| row.seq == floor);
        history.floor = row.map_or(history.floor, |row| Position { seq: row.seq, tag: row.tag });
    }

    /// Goes back to an older state; what is written from now on differs from what was there.
    pub(in crate::live) fn restore(&self, key: i64, head: u64) {
        let mut state = lock(&self.state);
        state.salt += 1;
        let history = state.histories.get_mut(&key).unwrap();
        let ends = history.rows.iter().filter(|row| row.unit_end && row.seq <= head);
        let head = ends.map(|row| row.seq).max().unwrap_or(0);
        if head >= history.floor.seq {
            history.rows.retain(|row| row.seq <= head);
        }
    }

    pub(in crate::live) fn bump_epoch(&self) {
        lock(&self.state).epoch += 1;
    }

    /// Sends no more wake-ups.
    pub(in crate::live) fn lose_wakeups(&self, silent: bool) {
        lock(&self.state).silent = silent;
    }

    /// Fails the next calls.
    pub(in crate::live) fn fail(&self, calls: u32) {
        lock(&self.state).failures = calls;
    }

    /// Answers nothing until it is told to go on.
    pub(in crate::live) fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }

    /// Answers everything but `tail`.
    pub(in crate::live) fn stall_tails(&self, stalled: bool) {
        self.tails_stalled.send_replace(stalled);
    }

    /// Answers everything but `resume`.
    pub(in crate::live) fn stall_pages(&self, stalled: bool) {
        self.pages_stalled.send_replace(stalled);
    }

    /// Shows later rows before this one, as a sequence without a lock would.
    pub(in crate::live) fn hide(&self, row: Option<(i64, u64)>) {
        lock(&self.state).hidden = row;
    }

    pub(in crate::live) fn head(&self, key: i64) -> Position {
        lock(&self.state).histories[&key].head()
    }

    pub(in crate::live) fn position(&self, key: i64, seq: u64) -> Position {
        let state = lock(&self.state);
        let history = &state.histories[&key];
        let row = history.rows.iter().find(|row| row.seq == seq);
        row.map_or(history.floor, |row| Position { seq, tag: row.tag })
    }

    /// The ids of all events after `seq`, in order: what a client must have seen.
    pub(in crate::live) fn truth(&self, key: i64, after: u64) -> Vec<(u64, String)> {
        let state = lock(&self.state);
        let rows = state.histories[&key].rows.iter();
        rows.filter(|row| row.seq > after).map(|row| (row.seq, row.entity_id.clone())).collect()
    }

    /// The ends of all units.
    pub(in crate::live) fn unit_ends(&self, key: i64) -> BTreeSet<u64> {
        let state = lock(&self.state);
        let ends = state.histories[&key].rows.iter().filter(|row| row.unit_end);
        ends.map(|row| row.seq).collect()
    }

    async fn enter(&self) -> Result<(), StoreError> {
        released(&self.stalled).await;
        tokio::task::yield_now().await;
        let mut state = lock(&self.state);
        if state.failures > 0 {
            state.failures -= 1;
            return Err(StoreError::Unavailable("as the test asks".into()));
        }
        Ok(())
    }
}

async fn released(stalled: &watch::Sender<bool>) {
    // The sender lives as long as the log.
    let _ = stalled.subscribe().wait_for(|stalled| !stalled).await;
}

fn row(account_key: i64, seq: u64, salt: u64, bytes: usize) -> LogRow {
    LogRow {
        account_key,
        seq,
        tag: 0,
        body_hash: 0,
        unit_end: true,
        op: Op::Put,
        entity: Entity::Chat,
        entity_id: format!("{salt}-{seq}-{}", "x".repeat(bytes)),
        at: Micros(0),
        body: None,
        trace: None,
    }
}

#[async_trait]
impl ChangeLog for FakeLog {
    async fn epoch(&self) -> Result<u64, StoreError> {
        self.enter().await?;
        Ok(lock(&self.state).epoch)
    }

    async fn heads(&self, account_keys: &[i64]) -> Result<Vec<Head>, StoreError> {
        self.enter().await?;
        let state = lock(&self.state);
        let head = |key: &i64| {
            let history = state.histories.get(key)?;
            Some(Head { account_key: *key, head: history.head(), floor: history.floor })
        };
        Ok(account_keys.iter().filter_map(head).collect())
    }

    async fn tail(&self, after: &[(i64, u64)], limit: usize) -> Result<Vec<LogRow>, StoreError> {
        self.tails.fetch_add(1, Ordering::Relaxed);
        released(&self.tails_stalled).await;
        self.enter().await?;
        let state = lock(&self.state);
        let mut rows = Vec::new();
        for (key, seq) in after.iter().copied().collect::<BTreeMap<_, _>>() {
            let shown = |row: &&LogRow| row.seq > seq && state.hidden != Some((key, row.seq));
            let all = state.histories.get(&key).into_iter().flat_map(History::seen);
            rows.extend(all.filter(shown).take(limit).cloned());
        }
        Ok(rows)
    }

    async fn resume(
        &self,
        account_key: i64,
        from: Position,
        limit: usize,
    ) -> Result<Option<Result<LogPage, Stale>>, StoreError> {
        self.resumes.fetch_add(1, Ordering::Relaxed);
        let reading = self.reading.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_reading.fetch_max(reading, Ordering::Relaxed);
        released(&self.pages_stalled).await;
        let entered = self.enter().await;
        self.reading.fetch_sub(1, Ordering::Relaxed);
        entered?;
        let state = lock(&self.state);
        let Some(history) = state.histories.get(&account_key) else {
            return Ok(None);
        };
        let head = Head { account_key, head: history.head(), floor: history.floor };
        let stored = history.seen().find(|row| row.seq == from.seq);
        if let Some(stale) = check(&head, from, stored.map(|row| row.tag)) {
            return Ok(Some(Err(stale)));
        }
        let rows = history.seen().filter(|row| row.seq > from.seq);
        let rows = rows.take(limit).cloned().collect();
        Ok(Some(Ok(LogPage { head, rows })))
    }

    fn wakeups(&self) -> Wakeups {
        self.wakeups.subscribe()
    }
}

#[async_trait]
impl Accounts for FakeLog {
    async fn of(&self, tenant: &str) -> Result<Vec<AccountRef>, StoreError> {
        self.enter().await?;
        let state = lock(&self.state);
        Ok(state.tenants.get(tenant).cloned().unwrap_or_default())
    }
}
