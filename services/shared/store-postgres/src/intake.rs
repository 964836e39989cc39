//! Making webhooks durable and visible.

use crate::rows::Tx;
use crate::store::End;
use crate::{PostgresStore, inbox, prune};
use async_trait::async_trait;
use channel_domain::{Micros, Stamp};
use channel_store::StoreError;
use channel_store::intake::{
    Adoption, Delivery, InboxCounts, InboxFilter, Intake, Listed, Mode, Outcome, Reading, Settled,
    Stored, Taken, Verdict,
};
use channel_store::projection::{self, Unit, UnitSource};
use sqlx::postgres::PgConnection;

#[async_trait]
impl Intake for PostgresStore {
    async fn take(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        let adoption = self.adoption.clone();
        let now = newest(&batch);
        let taken = self
            .transact(move |connection| {
                let units = batch.iter().cloned().map(Unit::from).collect();
                let adoption = adoption.clone();
                Box::pin(async move {
                    let mut tx = Tx { connection, now };
                    let (taken, _) = projection::project(&mut tx, units, &adoption, now).await?;
                    Ok(End::Commit(taken))
                })
            })
            .await?;
        self.hints.moved(&taken.moved);
        Ok(taken)
    }

    async fn keep(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        let now = newest(&batch);
        self.transact(move |connection| {
            let batch = batch.clone();
            Box::pin(async move {
                let mut tx = Tx { connection, now };
                Ok(End::Commit(projection::keep(&mut tx, batch).await?))
            })
        })
        .await
    }

    async fn settle(
        &self,
        stored: &Stored,
        reading: Reading,
        mode: Mode,
    ) -> Result<Settled, StoreError> {
        let one = Stamped { stamp: stored.stamp, trace: stored.trace.clone(), reading, mode };
        let adoption = self.adoption.clone();
        let settled = self
            .transact(move |connection| Box::pin(settle(connection, one.clone(), adoption.clone())))
            .await?;
        self.hints.moved(&settled.moved);
        Ok(settled)
    }

    async fn postpone(
        &self,
        inbox: i64,
        again_at: Option<Micros>,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        self.transact(move |connection| {
            Box::pin(async move {
                inbox::postpone(connection, inbox, again_at, reason).await?;
                Ok(End::Commit(()))
            })
        })
        .await
    }

    async fn inbox(&self, filter: &InboxFilter) -> Result<Vec<Listed>, StoreError> {
        inbox::list(&self.readers, filter).await
    }

    async fn inbox_counts(&self) -> Result<InboxCounts, StoreError> {
        inbox::counts(&self.readers).await
    }

    async fn ask_for_missed(&self, now: Micros) -> Result<u64, StoreError> {
        self.transact(move |connection| {
            Box::pin(async move { Ok(End::Commit(inbox::ask_for_missed(connection, now).await?)) })
        })
        .await
    }

    async fn prune_inbox(&self, before: Micros, limit: usize) -> Result<u64, StoreError> {
        self.transact(move |connection| {
            Box::pin(async move { Ok(End::Commit(prune::inbox(connection, before, limit).await?)) })
        })
        .await
    }

    async fn prune_log(&self, before: Micros, keep: u64, limit: usize) -> Result<u64, StoreError> {
        self.transact(move |connection| {
            Box::pin(
                async move { Ok(End::Commit(prune::log(connection, before, keep, limit).await?)) },
            )
        })
        .await
    }
}

/// A stored payload on its way through a transaction.
#[derive(Clone)]
struct Stamped {
    stamp: Stamp,
    trace: Option<String>,
    reading: Reading,
    mode: Mode,
}

async fn settle(
    connection: &mut PgConnection,
    one: Stamped,
    adoption: Adoption,
) -> Result<End<Settled>, StoreError> {
    let Stamped { stamp, trace, reading, mode } = one;
    let known = inbox::lock(connection, stamp.inbox).await?;
    // Another process may have settled it since it was listed.
    if mode == Mode::First && !known.is_some_and(Outcome::is_open) {
        return Ok(End::RollBack(settled_before(stamp.inbox)));
    }
    let unit = Unit { reading, source: UnitSource::Stored(stamp, mode), trace };
    let now = stamp.at;
    let mut tx = Tx { connection, now };
    let (mut taken, writes) = projection::project(&mut tx, vec![unit], &adoption, now).await?;
    let verdict = taken.verdicts.pop();
    let mut settled = Settled {
        verdict: verdict.unwrap_or_else(|| settled_before(stamp.inbox).verdict),
        changes: writes.log,
        moved: taken.moved,
    };
    if mode == Mode::DryRun {
        settled.moved.clear();
        return Ok(End::RollBack(settled));
    }
    Ok(End::Commit(settled))
}

fn settled_before(inbox: i64) -> Settled {
    Settled {
        verdict: Verdict {
            outcome: Outcome::NoOp,
            inbox: Some(inbox),
            reason: Some("SETTLED_BEFORE"),
        },
        changes: Vec::new(),
        moved: Vec::new(),
    }
}

/// The time of a batch: that of its newest payload.
fn newest(batch: &[Delivery]) -> Micros {
    let times = batch.iter().map(|delivery| delivery.received_at);
    times.max().unwrap_or_default()
}
