//! A store that does what a test tells it to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use channel_domain::fact::{Deleted, Fact, Statement};
use channel_domain::{AccountId, Micros};
use channel_store::StoreError;
use channel_store::intake::{
    Delivery, InboxCounts, InboxFilter, InboxOrder, Inconsistent, Intake, Listed, Mode, Outcome,
    Reading, Settled, Stored, Taken, Verdict,
};
use tokio::time::Instant;

/// What the store does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Do {
    Work,
    BeAway,
    Refuse,
    Panic,
}

type Rule = Box<dyn Fn(&str, &[Delivery]) -> Do + Send>;

/// Remembers what was stored, batch by batch.
pub(crate) struct FakeStore {
    rule: Mutex<Rule>,
    pub(crate) takes: Duration,
    pub(crate) batches: Mutex<Vec<(&'static str, Vec<Bytes>)>>,
    pub(crate) calls: Mutex<Vec<(&'static str, Instant)>>,
    pub(crate) rows: Mutex<Vec<Stored>>,
    /// Ids of rows that make no sense.
    pub(crate) broken: Mutex<Vec<i64>>,
    pub(crate) settling: Mutex<VecDeque<Do>>,
    pub(crate) postponed: Mutex<Vec<(i64, Option<Micros>, &'static str)>>,
    pub(crate) pruned: Mutex<Vec<(&'static str, Micros, usize)>>,
    pub(crate) prunable: Mutex<u64>,
    /// How often it was told that webhooks may have been lost.
    pub(crate) asked_for_missed: std::sync::atomic::AtomicU32,
}

impl FakeStore {
    pub(crate) fn new(rule: impl Fn(&str, &[Delivery]) -> Do + Send + 'static) -> Self {
        Self {
            rule: Mutex::new(Box::new(rule)),
            takes: Duration::from_millis(1),
            batches: Mutex::default(),
            calls: Mutex::default(),
            rows: Mutex::default(),
            broken: Mutex::default(),
            asked_for_missed: std::sync::atomic::AtomicU32::default(),
            settling: Mutex::default(),
            postponed: Mutex::default(),
            pruned: Mutex::default(),
            prunable: Mutex::default(),
        }
    }

    pub(crate) fn stored(&self) -> Vec<Bytes> {
        let batches = self.batches.lock().unwrap();
        batches.iter().flat_map(|(_, it)| it.clone()).collect()
    }

    pub(crate) fn sizes(&self) -> Vec<usize> {
        let batches = self.batches.lock().unwrap();
        batches.iter().map(|(_, batch)| batch.len()).collect()
    }

    async fn write(&self, way: &'static str, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        self.calls.lock().unwrap().push((way, Instant::now()));
        let act = (self.rule.lock().unwrap())(way, &batch);
        tokio::time::sleep(self.takes).await;
        done(act)?;
        let outcome = match way {
            "take" => Outcome::Applied,
            _ => Outcome::Pending,
        };
        let verdict = |at: usize| Verdict { outcome, inbox: i64::try_from(at).ok(), reason: None };
        let bodies: Vec<Bytes> = batch.into_iter().map(|delivery| delivery.body).collect();
        let verdicts = (1..=bodies.len()).map(verdict).collect();
        self.batches.lock().unwrap().push((way, bodies));
        Ok(Taken { verdicts, moved: vec![] })
    }

    fn prune(&self, kind: &'static str, before: Micros, limit: usize) -> u64 {
        self.pruned.lock().unwrap().push((kind, before, limit));
        let mut left = self.prunable.lock().unwrap();
        let now = (*left).min(limit as u64);
        *left -= now;
        now
    }
}

fn done(act: Do) -> Result<(), StoreError> {
    match act {
        Do::Work => Ok(()),
        Do::BeAway => Err(StoreError::Unavailable("as the test asks".into())),
        Do::Refuse => Err(StoreError::Refused("as the test asks".into())),
        Do::Panic => panic!("as the test asks"),
    }
}

#[async_trait]
impl Intake for FakeStore {
    async fn take(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        self.write("take", batch).await
    }

    async fn keep(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        self.write("keep", batch).await
    }

    async fn ask_for_missed(&self, _: Micros) -> Result<u64, StoreError> {
        self.asked_for_missed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(1)
    }

    async fn settle(&self, stored: &Stored, _: Reading, _: Mode) -> Result<Settled, StoreError> {
        let act = self.settling.lock().unwrap().pop_front();
        done(act.unwrap_or(Do::Work))?;
        let id = stored.stamp.inbox;
        self.rows.lock().unwrap().retain(|row| row.stamp.inbox != id);
        Ok(Settled {
            verdict: Verdict { outcome: Outcome::Applied, inbox: Some(id), reason: None },
            changes: vec![],
            moved: vec![],
        })
    }

    async fn postpone(
        &self,
        inbox: i64,
        again_at: Option<Micros>,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        let mut postponed = self.postponed.lock().unwrap();
        postponed.push((inbox, again_at, reason));
        let mut rows = self.rows.lock().unwrap();
        rows.retain(|row| row.stamp.inbox != inbox || again_at.is_some());
        if let Some(row) = rows.iter_mut().find(|row| row.stamp.inbox == inbox) {
            row.attempts += 1;
        }
        Ok(())
    }

    async fn inbox(&self, filter: &InboxFilter) -> Result<Vec<Listed>, StoreError> {
        let mut rows = self.rows.lock().unwrap().clone();
        if filter.order == InboxOrder::Newest {
            rows.reverse();
        }
        rows.retain(|row| {
            let id = row.stamp.inbox;
            let state = filter.outcomes.is_empty() || filter.outcomes.contains(&row.outcome);
            let named = filter.ids.is_empty() || filter.ids.contains(&id);
            let below = filter.below.is_none_or(|below| id < below);
            let account = filter.account.is_none() || filter.account == row.account;
            let reason = filter.reason.is_none() || filter.reason == row.reason;
            state
                && named
                && account
                && reason
                && below
                && filter.above.is_none_or(|above| id > above)
        });
        rows.truncate(filter.limit);
        let broken = self.broken.lock().unwrap();
        let listed = |row: Stored| {
            let inbox = row.stamp.inbox;
            if broken.contains(&inbox) {
                Err(Inconsistent { inbox, what: "state" })
            } else {
                Ok(row)
            }
        };
        Ok(rows.into_iter().map(listed).collect())
    }

    async fn inbox_counts(&self) -> Result<InboxCounts, StoreError> {
        Ok(InboxCounts::default())
    }

    async fn prune_inbox(&self, before: Micros, limit: usize) -> Result<u64, StoreError> {
        Ok(self.prune("inbox", before, limit))
    }

    async fn prune_log(&self, before: Micros, _: u64, limit: usize) -> Result<u64, StoreError> {
        Ok(self.prune("log", before, limit))
    }
}

/// A webhook of an account.
pub(crate) fn delivery(account: &str, body: impl Into<Bytes>) -> Delivery {
    let fact = Fact::Deleted(Deleted { message: "m".to_owned().into() });
    let account = AccountId::from(account);
    Delivery {
        received_at: Micros(1),
        body: body.into(),
        headers: "{}".to_owned(),
        reading: Reading::Statement {
            statement: Box::new(Statement { account, fact }),
            digest: [0; 16],
        },
        trace: None,
    }
}

/// A stored webhook.
pub(crate) fn stored(id: i64, outcome: Outcome) -> Stored {
    Stored {
        stamp: channel_domain::Stamp { at: Micros(id), inbox: id },
        body: Bytes::from_static(b"{}"),
        outcome,
        reason: None,
        detail: None,
        attempts: 0,
        next_at: None,
        account: Some("a".into()),
        trace: None,
    }
}

pub(crate) fn shared(rule: impl Fn(&str, &[Delivery]) -> Do + Send + 'static) -> Arc<FakeStore> {
    Arc::new(FakeStore::new(rule))
}
