//! Making webhooks durable and visible.

use crate::inbox;
use crate::open::SqliteStore;
use crate::rows::Tx;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_store::StoreError;
use channel_store::intake::{
    Delivery, InboxCounts, InboxFilter, Intake, Listed, Mode, Outcome, Reading, Settled, Stored,
    Taken,
};
use channel_store::projection::{self, Unit, UnitSource};
use channel_store::rows::Writes;
use sqlx::Executor;

#[async_trait]
impl Intake for SqliteStore {
    async fn take(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        let adoption = self.adoption.clone();
        let now = newest(&batch);
        let taken = self
            .writer
            .write(move |connection| {
                Box::pin(async move {
                    let units = batch.into_iter().map(Unit::from).collect();
                    let mut tx = Tx(connection);
                    Ok(projection::project(&mut tx, units, &adoption, now).await?.0)
                })
            })
            .await?;
        self.tell(&taken.moved);
        Ok(taken)
    }

    async fn keep(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move { projection::keep(&mut Tx(connection), batch).await })
            })
            .await
    }

    async fn settle(
        &self,
        stored: &Stored,
        reading: Reading,
        mode: Mode,
    ) -> Result<Settled, StoreError> {
        let adoption = self.adoption.clone();
        let (stamp, trace) = (stored.stamp, stored.trace.clone());
        let settled = self
            .writer
            .write(move |connection| {
                Box::pin(async move {
                    let unit = Unit { reading, source: UnitSource::Stored(stamp, mode), trace };
                    if mode == Mode::DryRun {
                        connection
                            .execute("SAVEPOINT trial")
                            .await
                            .map_err(crate::error::sorted)?;
                    }
                    let tx = &mut Tx(&mut *connection);
                    let done = projection::project(tx, vec![unit], &adoption, stamp.at).await;
                    if mode == Mode::DryRun {
                        let undo = "ROLLBACK TO trial; RELEASE trial";
                        connection.execute(undo).await.map_err(crate::error::sorted)?;
                    }
                    let (taken, writes) = done?;
                    Ok(settled(taken, writes, mode))
                })
            })
            .await?;
        self.tell(&settled.moved);
        Ok(settled)
    }

    async fn postpone(
        &self,
        inbox: i64,
        again_at: Option<Micros>,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| Box::pin(inbox::postpone(connection, inbox, again_at, reason)))
            .await
    }

    async fn inbox(&self, filter: &InboxFilter) -> Result<Vec<Listed>, StoreError> {
        inbox::list(&self.readers, filter).await
    }

    async fn inbox_counts(&self) -> Result<InboxCounts, StoreError> {
        inbox::counts(&self.readers).await
    }

    async fn ask_for_missed(&self, now: Micros) -> Result<u64, StoreError> {
        self.writer.write(move |connection| Box::pin(inbox::ask_for_missed(connection, now))).await
    }

    async fn prune_inbox(&self, before: Micros, limit: usize) -> Result<u64, StoreError> {
        self.writer.write(move |connection| Box::pin(inbox::prune(connection, before, limit))).await
    }

    async fn prune_log(&self, before: Micros, keep: u64, limit: usize) -> Result<u64, StoreError> {
        self.writer
            .write(move |connection| Box::pin(inbox::prune_log(connection, before, keep, limit)))
            .await
    }
}

fn newest(batch: &[Delivery]) -> Micros {
    batch.iter().map(|delivery| delivery.received_at).max().unwrap_or_default()
}

fn settled(mut taken: Taken, writes: Writes, mode: Mode) -> Settled {
    let verdict = taken.verdicts.pop().unwrap_or(channel_store::intake::Verdict {
        outcome: Outcome::NoOp,
        inbox: None,
        reason: None,
    });
    let moved = if mode == Mode::DryRun { vec![] } else { taken.moved };
    Settled { verdict, changes: writes.log, moved }
}
