//! A throw-away PostgreSQL, for tests only: one server for each test program, a database for each test.
//!
//! The server lives in a temporary folder, is reached over a Unix socket there, and does not outlive the
//! program, however that ends: a shell that stops it waits for the end of a pipe from us. Without
//! PostgreSQL a test fails; it is never skipped.

mod server;

pub use server::{Server, ServerError};

use crate::{PostgresConfig, PostgresStore};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::OnceCell;

/// The database that every test's own is a copy of.
const TEMPLATE: &str = "channel_template";

static SERVER: OnceLock<Server> = OnceLock::new();
static MIGRATED: OnceCell<()> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The server of this test program.
///
/// # Panics
///
/// When there is no PostgreSQL, or it does not start.
#[must_use]
pub fn server() -> &'static Server {
    SERVER.get_or_init(|| match Server::start(&[]) {
        Ok(server) => server,
        Err(error) => stop(&error.to_string()),
    })
}

/// The URL of a fresh database with the present schema, on the server of this test program.
///
/// # Panics
///
/// When there is no PostgreSQL, or it does not do what it is told.
pub async fn database() -> String {
    let server = server();
    MIGRATED.get_or_init(|| migrate(server)).await;
    let name = format!("channel_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    create(server, &format!("{name} TEMPLATE {TEMPLATE}")).await;
    server.url(&name)
}

/// The URL of an empty database, on the server of this test program.
///
/// # Panics
///
/// As [`database`].
pub async fn empty_database() -> String {
    let name = format!("channel_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    create(server(), &name).await;
    server().url(&name)
}

/// A store with default settings, few connections and a fresh database.
///
/// # Panics
///
/// As [`database`].
pub async fn store() -> Arc<PostgresStore> {
    let config = PostgresConfig { max_connections: 8, ..PostgresConfig::new(database().await) };
    match PostgresStore::connect(config).await {
        Ok(store) => store,
        Err(error) => stop(&format!("{error}: {error:?}")),
    }
}

/// Runs a statement in a database, beside whoever works there: what takes hours passes at once so.
///
/// # Errors
///
/// When PostgreSQL does not do it.
pub async fn run(url: &str, statement: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute(statement).await?;
    connection.close().await
}

async fn migrate(server: &Server) {
    create(server, TEMPLATE).await;
    let config = PostgresConfig::new(server.url(TEMPLATE));
    if let Err(error) = crate::schema::prepare(&config).await {
        stop(&format!("{error}: {error:?}"));
    }
}

async fn create(server: &Server, name: &str) {
    let done = try_create(server, name).await;
    if let Err(error) = done {
        stop(&error.to_string());
    }
}

async fn try_create(server: &Server, name: &str) -> Result<(), sqlx::Error> {
    let options = sqlx::postgres::PgConnectOptions::from_str(&server.url("postgres"))?;
    let mut connection: PgConnection = options.disable_statement_logging().connect().await?;
    // Names are made here, of letters and numbers.
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    connection.close().await
}

#[expect(clippy::panic, reason = "a test without its database must fail, and say why")]
fn stop(why: &str) -> ! {
    panic!("the tests need PostgreSQL: {why}")
}
