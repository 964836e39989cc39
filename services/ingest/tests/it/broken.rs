//! A row of the inbox that makes no sense.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use channel_domain::Micros;
use channel_ingest::Parser;
use channel_proto::ingest::v1 as pb;
use channel_runtime::identity::Role;
use channel_store::StoreError;
use channel_store::intake::{
    Delivery, InboxCounts, InboxFilter, Inconsistent, Intake, Listed, Mode, Outcome, Reading,
    Settled, Stored, Taken, id_of,
};
use channel_store_sqlite::SqliteStore;

use crate::support::{by, config, run, sqlite};

/// A store with one row that makes no sense until it is set aside. Damaged rows of the databases
/// themselves are in the conformance suite of the stores.
struct Damaged(Arc<SqliteStore>, AtomicI64);

#[async_trait]
impl Intake for Damaged {
    async fn take(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        self.0.take(batch).await
    }

    async fn keep(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        self.0.keep(batch).await
    }

    async fn ask_for_missed(&self, now: Micros) -> Result<u64, StoreError> {
        self.0.ask_for_missed(now).await
    }

    async fn settle(
        &self,
        it: &Stored,
        reading: Reading,
        mode: Mode,
    ) -> Result<Settled, StoreError> {
        self.0.settle(it, reading, mode).await
    }

    async fn postpone(
        &self,
        inbox: i64,
        again_at: Option<Micros>,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        let _ = self.1.compare_exchange(inbox, 0, Ordering::SeqCst, Ordering::SeqCst);
        self.0.postpone(inbox, again_at, reason).await
    }

    async fn inbox(&self, filter: &InboxFilter) -> Result<Vec<Listed>, StoreError> {
        let broken = self.1.load(Ordering::SeqCst);
        let mut rows = self.0.inbox(filter).await?;
        for row in rows.iter_mut().filter(|row| id_of(row) == broken) {
            *row = Err(Inconsistent { inbox: broken, what: "state" });
        }
        // Its state is none of those that are asked for, but for the one that nobody knows.
        let named = filter.unknown_states || filter.outcomes.is_empty();
        rows.retain(|row| row.is_ok() || named);
        Ok(rows)
    }

    async fn inbox_counts(&self) -> Result<InboxCounts, StoreError> {
        self.0.inbox_counts().await
    }

    async fn prune_inbox(&self, before: Micros, limit: usize) -> Result<u64, StoreError> {
        self.0.prune_inbox(before, limit).await
    }

    async fn prune_log(&self, before: Micros, keep: u64, limit: usize) -> Result<u64, StoreError> {
        self.0.prune_log(before, keep, limit).await
    }
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_shown_beside_the_others_and_can_be_mended() {
    let (store, folder) = sqlite().await;
    let damaged = Arc::new(Damaged(store.clone(), AtomicI64::new(0)));
    let running = run(store, damaged.clone(), folder, config(), Parser::default()).await;
    for body in ["{", "[", "not json"] {
        running.send(body).await;
    }
    let stored = running.inbox(&[Outcome::Quarantined]).await;
    let all: Vec<String> = stored.iter().map(|it| it.stamp.inbox.to_string()).collect();
    damaged.1.store(stored[1].stamp.inbox, Ordering::SeqCst);

    let list = pb::ListQuarantinedRequest::default();
    let page = running.client().list_quarantined(by(Role::Operator, list)).await.unwrap();
    let entries = page.into_inner().entries;
    assert_eq!(
        entries.iter().map(|it| &it.inbox_id).collect::<Vec<_>>(),
        all.iter().collect::<Vec<_>>()
    );
    assert_eq!(entries[1].state(), pb::InboxState::Inconsistent);
    assert_eq!(entries[1].reason, "STORE_INCONSISTENT");
    assert!(entries[1].detail.contains("state"), "{}", entries[1].detail);
    assert!([0, 2].iter().all(|at| entries[*at].state() == pb::InboxState::Quarantined));

    let replay = |dry_run| {
        let request = pb::ReplayRequest { inbox_ids: all.clone(), dry_run, ..Default::default() };
        let mut client = running.client();
        async move {
            let answer = client.replay(by(Role::Operator, request)).await.unwrap().into_inner();
            answer.results.into_iter().map(|it| (it.outcome(), it.reason)).collect::<Vec<_>>()
        }
    };
    let quarantined = |reason: &str| (pb::WebhookOutcome::Quarantined, reason.to_owned());
    let told = ["TRUNCATED", "STORE_INCONSISTENT", "NOT_JSON"].map(quarantined);
    assert_eq!(replay(true).await[1], told[1], "a dry run mends nothing");
    assert_eq!(replay(false).await[1], told[1]);
    assert_eq!(replay(false).await[1], quarantined("TRUNCATED"), "mended, and read again");
}
