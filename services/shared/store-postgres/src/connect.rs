//! Connections: what each session is told before it is used.

use crate::config::PostgresConfig;
use crate::error::sorted;
use channel_store::StoreError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Executor};
use std::str::FromStr;
use std::time::Duration;

/// What every session is told.
///
/// - Every statement of the store finds its rows by key. A plan made while a table was empty would scan
///   it, and a prepared statement keeps its plan while the table fills; so scans and the joins that need
///   them are taken from the planner. It would then compile, or share out, what it cannot avoid; that is
///   off too.
/// - A commit that was answered must survive a crash, whatever the server's default; stricter settings
///   than `on` are left alone.
const SESSION: &str = "\
    SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false), \
      set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false), \
      set_config('max_parallel_workers_per_gather', '0', false), \
      set_config('default_transaction_isolation', 'read committed', false), \
      set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false), \
      set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false), \
      set_config('idle_in_transaction_session_timeout', $1, false)";

/// What a session that writes is told as well.
///
/// - Joins are made in the order in which they are written, which begins with what is asked for: what the
///   planner believes of the size of a table is often long past.
/// - Each statement is planned once. An array in hand may look cheaper than the average one, and planning
///   for it again each time costs more than it can gain.
const WRITING: &str = "SET join_collapse_limit = 1; SET plan_cache_mode = force_generic_plan";

/// What a session that reads is told as well.
///
/// - Lists are walked along an index, from a place on, until the page is full. The planner knows no place
///   when it plans, takes the part of the table behind it for small, and would rather gather and sort it.
///   So it may do neither where it can walk. Only a search by words has to gather, and says so itself.
const READING: &str = "SET enable_bitmapscan = off; SET enable_sort = off";

/// A hint may be lost, so sending one need not wait for the disk.
const HINTS: &str = "SET synchronous_commit = off";

pub(crate) fn options(config: &PostgresConfig) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(&config.url).map_err(sorted)?;
    Ok(options.application_name("channel").disable_statement_logging())
}

/// The two pools: one for transactions, one for reading.
pub(crate) fn pools(config: &PostgresConfig) -> Result<(PgPool, PgPool), StoreError> {
    let options = options(config)?;
    let writers = (config.max_connections / 4).max(1);
    let readers = config.max_connections.saturating_sub(writers).max(1);
    Ok((
        // A broken connection is noticed by the transaction, which is then repeated; asking first would
        // cost each one a round trip.
        pool(config, writers, WRITING)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone()),
        pool(config, readers, READING).connect_lazy_with(options),
    ))
}

fn pool(config: &PostgresConfig, connections: u32, more: &'static str) -> PgPoolOptions {
    let (statement, lock) =
        (milliseconds(config.statement_timeout), milliseconds(config.lock_timeout));
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(config.acquire_timeout)
        .after_connect(move |connection, _| {
            let (statement, lock) = (statement.clone(), lock.clone());
            Box::pin(async move {
                let session = sqlx::query(SESSION).bind(statement).bind(lock);
                connection.execute(session.persistent(false)).await?;
                connection.execute(more).await?;
                Ok(())
            })
        })
}

fn milliseconds(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// A connection for migrations, which may take as long as they need.
pub(crate) async fn unhurried(config: &PostgresConfig) -> Result<PgConnection, StoreError> {
    options(config)?.connect().await.map_err(sorted)
}

/// A connection for sending hints.
pub(crate) async fn hinting(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let mut connection = options.connect().await.map_err(sorted)?;
    connection.execute(HINTS).await.map_err(sorted)?;
    Ok(connection)
}
