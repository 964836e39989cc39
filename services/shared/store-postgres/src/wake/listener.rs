//! Hearing from other processes.

use super::{CHANNEL, Hub, Patience, payload};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use std::sync::Arc;
use std::time::Duration;

/// After this much silence the connection is tried: a peer that is gone without a word is silent for ever.
const SILENCE: Duration = Duration::from_secs(20);
/// How long the answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Listens on a connection of its own.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(ANSWER)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Passes hints on until the store is dropped. Whenever the connection was away, everything may have moved.
pub(super) async fn run(hub: Arc<Hub>, options: PgConnectOptions, mut listener: PgListener) {
    let mut patience = Patience::new();
    loop {
        match next(&mut listener).await {
            Ok(Some(notification)) => {
                patience = Patience::new();
                if let Some(moved) = payload::read(hub.sender, notification.payload()) {
                    hub.tell(moved);
                }
            }
            Ok(None) => hub.tell(Arc::new([])),
            Err(error) => {
                tracing::warn!(error = %error, "hints from other processes cannot be heard");
                listener = connected(&options, &mut patience).await;
                metrics::counter!("channel_store_listen_reconnects_total").increment(1);
                hub.tell(Arc::new([]));
            }
        }
    }
}

/// The next notification; `None` after a loss that the listener repaired by itself.
async fn next(listener: &mut PgListener) -> Result<Option<PgNotification>, sqlx::Error> {
    loop {
        // Waiting may be given up at any point: a message that came in parts stays in the buffer.
        if let Ok(heard) = tokio::time::timeout(SILENCE, listener.try_recv()).await {
            return heard;
        }
        let alive = tokio::time::timeout(ANSWER, listener.execute("SELECT 1")).await;
        alive.map_err(|_| sqlx::Error::PoolTimedOut)??;
    }
}

async fn connected(options: &PgConnectOptions, patience: &mut Patience) -> PgListener {
    loop {
        patience.wait().await;
        match connect(options).await {
            Ok(listener) => return listener,
            Err(error) => {
                tracing::debug!(error = %error, "the database is still away");
            }
        }
    }
}
