//! How the database is, for operators.
//!
//! `channel_store_notification_queue_usage_ratio`: how full the server's queue of notifications is; a
//! listener stuck in a transaction fills it, and full it stops everybody's hints.
//! `channel_store_oldest_transaction_seconds`: a long transaction anywhere keeps hot rows from being
//! cleaned up.

use crate::error::sorted;
use channel_store::StoreError;
use metrics::gauge;
use sqlx::postgres::PgPool;
use std::time::Duration;

/// How often the database is asked.
const EVERY: Duration = Duration::from_secs(15);

const HOW: &str = "SELECT pg_notification_queue_usage(), \
    coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8 \
    FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' \
      AND pid <> pg_backend_pid()";

/// Measures, for as long as it is polled.
pub(crate) async fn watch(pool: PgPool) {
    loop {
        if let Err(error) = measure(&pool).await {
            tracing::debug!(error = %error, "the database cannot be asked how it is");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn measure(pool: &PgPool) -> Result<(), StoreError> {
    let (queue, oldest): (f64, f64) = sqlx::query_as(HOW).fetch_one(pool).await.map_err(sorted)?;
    gauge!("channel_store_notification_queue_usage_ratio").set(queue);
    gauge!("channel_store_oldest_transaction_seconds").set(oldest);
    Ok(())
}
