//! The schema: migrations, and the number of the history that it holds.

use crate::config::{PostgresConfig, Promotion};
use crate::connect;
use crate::error::sorted;
use channel_store::StoreError;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection, Row};

/// Applied under an advisory lock, so that replicas may start together.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The migrations that this program has and the database lacks.
pub(crate) async fn pending(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .map_err(sorted)?;
    let applied: Vec<i64> = if known {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await
            .map_err(sorted)?
    } else {
        vec![]
    };
    Ok(MIGRATIONS
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .map(|migration| format!("{} {}", migration.version, migration.description))
        .collect())
}

/// Brings the schema up to date, or refuses a database that is not.
pub(crate) async fn prepare(config: &PostgresConfig) -> Result<(), StoreError> {
    let mut connection = connect::unhurried(config).await?;
    if config.migrate {
        let failed = |error: sqlx::migrate::MigrateError| match error {
            sqlx::migrate::MigrateError::Execute(error) => sorted(error),
            error => StoreError::Refused(Box::new(error)),
        };
        MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(failed)?;
    } else {
        let pending = pending(&mut connection).await?;
        if !pending.is_empty() {
            let pending = pending.join(", ");
            let message = format!("run `channel migrate` first; pending: {pending}");
            return Err(StoreError::Refused(message.into()));
        }
    }
    mark_history(&mut connection, config.promotion).await?;
    connection.close().await.map_err(sorted)
}

const MARK: &str = "INSERT INTO log_epoch (epoch, system_id, timeline, reason) \
    VALUES ($1, $2, $3, 'created') ON CONFLICT DO NOTHING";

/// Whoever of several starting replicas comes second waits for the first and finds nothing to change.
const REMARK: &str = "UPDATE log_epoch SET system_id = $2, timeline = $3, set_at = clock_timestamp(), \
      epoch = CASE WHEN system_id = $2 AND $4 THEN epoch ELSE $1 END, \
      reason = CASE WHEN system_id <> $2 THEN 'restored' \
        WHEN $4 THEN 'promoted, kept' ELSE 'promoted' END \
    WHERE (system_id, timeline) <> ($2, $3)";

/// Draws the number of this history, and draws it anew when the data has moved to another server or
/// timeline since: commits that were shown to somebody may be missing there. Where the server does not
/// tell which one it is, the number stays.
async fn mark_history(
    connection: &mut PgConnection,
    promotion: Promotion,
) -> Result<(), StoreError> {
    let server = server(connection).await?;
    let (system, timeline) = server.clone().unwrap_or_default();
    let drawn: i64 = rand::random_range(1..i64::MAX);
    let created = sqlx::query(MARK)
        .bind(drawn)
        .bind(&system)
        .bind(timeline)
        .execute(&mut *connection)
        .await
        .map_err(sorted)?;
    if created.rows_affected() > 0 || server.is_none() {
        return Ok(());
    }
    let moved = sqlx::query(REMARK)
        .bind(drawn)
        .bind(&system)
        .bind(timeline)
        .bind(promotion == Promotion::Keep)
        .execute(connection)
        .await
        .map_err(sorted)?;
    if moved.rows_affected() > 0 {
        tracing::warn!(
            postgres.timeline = timeline,
            "the database is on another server or timeline than before"
        );
    }
    Ok(())
}

/// Which server this is. The timeline is that of the log being written: the control file learns of a
/// promotion only with the next checkpoint.
async fn server(connection: &mut PgConnection) -> Result<Option<(String, i32)>, StoreError> {
    let found = sqlx::query(
        "SELECT system_identifier::text AS system, ('x' || \
         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer AS timeline \
         FROM pg_control_system()",
    )
    .fetch_one(connection)
    .await;
    let row = match found {
        Ok(row) => row,
        // Not permitted, or not PostgreSQL's own storage.
        Err(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("42501" | "0A000" | "42883")) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(sorted(error)),
    };
    let system: String = row.try_get("system").map_err(sorted)?;
    Ok(Some((system, row.try_get("timeline").map_err(sorted)?)))
}

/// The number of this history.
pub(crate) async fn epoch(pool: &PgPool) -> Result<u64, StoreError> {
    let epoch: i64 =
        sqlx::query_scalar("SELECT epoch FROM log_epoch").fetch_one(pool).await.map_err(sorted)?;
    Ok(epoch.cast_unsigned())
}
