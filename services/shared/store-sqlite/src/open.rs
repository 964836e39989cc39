//! Opening the folder: lock, library check, migrations, connections.

use crate::error::sorted;
use crate::reindex;
use crate::writer::Writer;
use channel_store::StoreError;
use channel_store::intake::Adoption;
use channel_store::log::{Moved, Wakeups};
use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool};
use sqlx::sqlite::{SqlitePoolOptions, SqliteSynchronous};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// SQLite before this can corrupt a WAL database that has several connections.
const OLDEST_LIBRARY: i64 = 3_051_003;
/// How many batches of hints a slow listener may miss before it must look for itself.
const HINTS: usize = 1024;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that read.
    pub readers: u32,
    /// Apply pending migrations; otherwise refuse to open with any.
    pub migrate: bool,
    /// Who owns accounts that were never seen before.
    pub adoption: Adoption,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, migrate: true, adoption: Adoption::By("default".into()) }
    }
}

/// An open store. Dropping it closes the writer after what waits has been written.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) writer: Writer,
    pub(crate) readers: SqlitePool,
    pulse: SqlitePool,
    pub(crate) adoption: Adoption,
    pub(crate) epoch: u64,
    pub(crate) hints: broadcast::Sender<Arc<[Moved]>>,
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in `folder`, creating it if need be.
    ///
    /// # Errors
    ///
    /// When another process has it open, the library is too old, a migration is pending and may not be
    /// applied, or the files cannot be read.
    pub async fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder)
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let lock = lock(folder)?;
        let connect = connect(folder);
        let mut connection = connect.connect().await.map_err(sorted)?;
        check_library(&mut connection).await?;
        migrate(&mut connection, options.migrate).await?;
        reindex::bring_up_to_date(&mut connection).await?;
        let epoch = epoch(&mut connection).await?;
        // Most of what is read is mapped; a cache of their own holds what is in the log yet.
        let connect = connect.read_only(true).pragma("cache_size", "-4000");
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers.max(1))
            .acquire_timeout(Duration::from_secs(20))
            .connect_lazy_with(connect.clone());
        // Of its own, so that readers with much to do do not look like a database that is away.
        let pulse = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(connect);
        let writer = Writer::start(connection);
        let (hints, _) = broadcast::channel(HINTS);
        Ok(Self { writer, readers, pulse, adoption: options.adoption, epoch, hints, _lock: lock })
    }

    /// Asks the database whether it can be read, beside all work.
    ///
    /// # Errors
    ///
    /// When it cannot.
    pub async fn answers(&self) -> Result<(), StoreError> {
        let read = sqlx::query("SELECT 1 FROM sqlite_schema LIMIT 1").execute(&self.pulse).await;
        read.map(drop).map_err(sorted)
    }

    /// Writes what waits and closes every connection.
    pub async fn close(&self) {
        self.pulse.close().await;
        self.writer.close().await;
        self.readers.close().await;
    }

    /// The names of migrations that this program has and the database lacks.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn pending_migrations(folder: &Path) -> Result<Vec<String>, StoreError> {
        let mut connection = connect(folder).connect().await.map_err(sorted)?;
        pending(&mut connection).await
    }

    pub(crate) fn tell(&self, moved: &[Moved]) {
        if !moved.is_empty() {
            // Nobody listening is fine: the log is the truth.
            let _ = self.hints.send(moved.into());
        }
    }

    pub(crate) fn listen(&self) -> Wakeups {
        self.hints.subscribe()
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("channel.db")
}

fn connect(folder: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(database(folder))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .statement_cache_capacity(512)
        .pragma("journal_size_limit", "67108864")
        // Pages that change often are copied back once for many commits.
        .pragma("wal_autocheckpoint", "8000")
        .pragma("cache_size", "-32000")
        .pragma("mmap_size", "268435456")
        .pragma("fullfsync", "ON")
        .disable_statement_logging()
}

/// Takes the folder for this process alone.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let unavailable = |error: std::io::Error| StoreError::Unavailable(Box::new(error));
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("channel.lock"))
        .map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::Error(error)) => Err(unavailable(error)),
        Err(std::fs::TryLockError::WouldBlock) => {
            let message = format!("another process has {} open", folder.display());
            Err(unavailable(std::io::Error::new(std::io::ErrorKind::AddrInUse, message)))
        }
    }
}

async fn check_library(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(sorted)?;
    let number =
        version.split('.').fold(0, |sum, part| sum * 1000 + part.parse::<i64>().unwrap_or(0));
    if number >= OLDEST_LIBRARY {
        return Ok(());
    }
    let message = format!("SQLite {version} can corrupt a database in WAL mode; 3.51.3 is needed");
    Err(StoreError::Refused(message.into()))
}

async fn migrate(connection: &mut SqliteConnection, apply: bool) -> Result<(), StoreError> {
    if apply {
        let refused = |error: sqlx::migrate::MigrateError| StoreError::Refused(Box::new(error));
        return MIGRATIONS.run_direct(None, connection, false).await.map_err(refused);
    }
    let pending = pending(connection).await?;
    if pending.is_empty() {
        return Ok(());
    }
    let message = format!("run `channel migrate` first; pending: {}", pending.join(", "));
    Err(StoreError::Refused(message.into()))
}

async fn pending(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let known: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await
            .map_err(sorted)?;
    let applied: Vec<i64> = if known == 0 {
        vec![]
    } else {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await
            .map_err(sorted)?
    };
    let missing = MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version));
    Ok(missing
        .map(|migration| format!("{} {}", migration.version, migration.description))
        .collect())
}

/// The number of this history, drawn when the database is made.
async fn epoch(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let drawn: i64 = rand::random_range(1..i64::MAX);
    sqlx::query("INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING")
        .bind(drawn)
        .execute(&mut *connection)
        .await
        .map_err(sorted)?;
    let epoch: i64 = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'epoch'")
        .fetch_one(connection)
        .await
        .map_err(sorted)?;
    Ok(epoch.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use channel_store::reads::SearchQuery;
    use channel_store::{Intake, Media, Pictures, Reads};

    #[tokio::test]
    async fn a_database_of_the_first_version_is_brought_up_to_date_with_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = sqlx::migrate!("./migrations");
        first.migrations.to_mut().retain(|migration| migration.version == 1);
        let mut connection = connect(folder.path()).connect().await.unwrap();
        first.run_direct(None, &mut connection, false).await.unwrap();
        let row = "INSERT INTO webhook_inbox (id, received_at, headers, body, state) \
            VALUES (1, 1, '{}', x'7b7d', 3)";
        sqlx::query(row).execute(&mut connection).await.unwrap();
        let account = "INSERT INTO accounts (account_key, id, tenant, reports, connection, created_at, rev) \
            VALUES (7, 'acc', 'default', '[{\"stamp\":{\"at\":5,\"inbox\":1},\"status\":\"OK\"}]', 1, 1, 1); \
            INSERT INTO account_head (account_key) VALUES (7); \
            INSERT INTO attendees VALUES (7, 1, 'ana', 0, NULL, NULL, '[]', '', 1)";
        sqlx::raw_sql(account).execute(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
        assert_eq!(store.inbox_counts().await.unwrap().quarantined, 1);
        let account = store.account(&"acc".into()).await.unwrap().unwrap().record;
        assert_eq!((account.name.as_str(), account.connection_since), ("acc", Some(5)));
        assert_eq!(account.connection_source, channel_domain::account::Source::Webhook as i32);
        let person = store.attendee(7, &"ana".into()).await.unwrap().unwrap();
        assert!(person.picture.is_none() && store.due_looks(&[], 9).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_files_that_an_older_program_left_are_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let mut older = sqlx::migrate!("./migrations");
        older.migrations.to_mut().retain(|migration| migration.version < 5);
        let mut connection = connect(folder.path()).connect().await.unwrap();
        older.run_direct(None, &mut connection, false).await.unwrap();
        let row = "INSERT INTO accounts VALUES (7, 'acc', 'default', NULL, NULL, NULL, '[]', 1, 1, 1); \
            INSERT INTO account_head (account_key) VALUES (7); \
            INSERT INTO messages (account_key, message_key, id, upstream_id, chat_key, outgoing, origin, \
              is_event, hidden, forwarded, content_at, content_inbox, sent_at, arrived_at, \
              arrived_inbox, status, counts, files, reactions, place, search_id, rev) \
              VALUES (7, 2, zeroblob(16), 'm1', 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 2, 0, 1, 0, \
              zeroblob(24), 1, 1); \
            INSERT INTO attachments (account_key, message_key, position, id, kind, unavailable) \
              VALUES (7, 2, 0, 'f', 'image', 0); \
            INSERT INTO work_items VALUES (7, 3, 'm1', 5, 5, 0)";
        sqlx::Executor::execute(&mut connection, row).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
        assert_eq!(store.enter_fetches(9).await.unwrap(), 1);
        let due = store.due_fetches(&[], 9).await.unwrap();
        assert_eq!((due.len(), due[0].file.attachment.as_str()), (1, "f"));
    }

    #[tokio::test]
    async fn the_words_of_an_older_program_are_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
        store.close().await;
        drop(store);
        let mut connection = connect(folder.path()).connect().await.unwrap();
        let row = "INSERT INTO accounts (account_key, id, tenant, reports, connection, created_at, rev) \
              VALUES (7, 'acc', 'default', '[]', 1, 1, 1); \
            INSERT INTO account_head (account_key) VALUES (7); \
            INSERT INTO chats (account_key, chat_key, id, kind, pinned, pinned_at, pinned_inbox, \
              archived, read_only, read_up_to, unread, place, words, rev) \
              VALUES (7, 1, 'c1', 0, 0, 0, 0, 0, 0, 0, 0, zeroblob(24), '', 1); \
            INSERT INTO messages (account_key, message_key, id, chat_key, outgoing, origin, text, \
              is_event, hidden, forwarded, content_at, content_inbox, sent_at, arrived_at, \
              arrived_inbox, status, counts, files, reactions, place, search_id, rev) \
              VALUES (7, 2, zeroblob(16), 1, 0, 1, 'the Needle', 0, 0, 0, 1, 1, 1, 1, 1, 2, 0, 0, 0, \
              zeroblob(24), 1, 1); \
            INSERT INTO message_words (rowid, words) VALUES (1, '_7 the needle'); \
            DELETE FROM meta WHERE name = 'words'";
        sqlx::Executor::execute(&mut connection, row).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
        let found = async |words: &str| {
            let words = vec![words.to_owned()];
            let query = SearchQuery { words, chat: None, before: None, limit: 9 };
            store.search(7, &query).await.unwrap().len()
        };
        assert_eq!((found("need").await, found("7").await), (1, 0));
    }
}
