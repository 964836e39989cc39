//! The open store, and its transactions.

use crate::config::PostgresConfig;
use crate::error::{sorted, worth_repeating};
use crate::pulse::Pulse;
use crate::wake::Hints;
use crate::{connect, meters, schema, statistics};
use channel_store::StoreError;
use channel_store::intake::Adoption;
use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPool};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// What an answer may take beside the work itself.
const ANSWER: Duration = Duration::from_secs(5);

/// A future in a box.
pub(crate) type Boxed<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// What becomes of a transaction whose work is done.
#[derive(Debug)]
pub(crate) enum End<T> {
    Commit(T),
    RollBack(T),
}

/// An open store.
///
/// [`close`](Self::close) sends the last hints and gives the connections back; dropping the store ends its
/// background tasks at once.
#[derive(Debug)]
pub struct PostgresStore {
    pub(crate) writers: PgPool,
    pub(crate) readers: PgPool,
    pub(crate) hints: Hints,
    pub(crate) adoption: Adoption,
    /// How long a transaction may take. The server's own limits do not help where the server is gone.
    patience: Duration,
    pulse: Pulse,
    _caretakers: Caretakers,
}

/// Tasks that look after the database until the store is dropped.
#[derive(Debug)]
struct Caretakers([AbortHandle; 2]);

impl Caretakers {
    fn start(pool: &PgPool) -> Self {
        Self([
            tokio::spawn(meters::watch(pool.clone())).abort_handle(),
            tokio::spawn(statistics::watch(pool.clone())).abort_handle(),
        ])
    }
}

impl Drop for Caretakers {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl PostgresStore {
    /// Connects, brings the schema up to date if it may, and starts listening for hints.
    ///
    /// # Errors
    ///
    /// When the server does not answer, the URL makes no sense, or a migration is pending and may not be
    /// applied or fails.
    pub async fn connect(config: PostgresConfig) -> Result<Arc<Self>, StoreError> {
        // Migrations hold a lock of the session: a caller that goes away must not leave it behind.
        owned(async move {
            schema::prepare(&config).await?;
            let (writers, readers) = connect::pools(&config)?;
            let options = connect::options(&config)?;
            let hints = Hints::start(&options).await?;
            let caretakers = Caretakers::start(&readers);
            Ok(Arc::new(Self {
                writers,
                readers,
                hints,
                patience: config.statement_timeout + config.lock_timeout + ANSWER,
                adoption: config.adoption,
                pulse: Pulse::new(options),
                _caretakers: caretakers,
            }))
        })
        .await
    }

    /// The migrations that this program has and the database lacks, as `1 receive`.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub async fn pending(config: &PostgresConfig) -> Result<Vec<String>, StoreError> {
        let mut connection = connect::unhurried(config).await?;
        let pending = schema::pending(&mut connection).await?;
        connection.close().await.map_err(sorted)?;
        Ok(pending)
    }

    /// Asks the database whether it is there, beside all work. Waits as long as the network does.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.pulse.ask().await
    }

    /// Lets running transactions end, sends the last hints and closes every connection.
    pub async fn close(&self) {
        self.pulse.close().await;
        self.writers.close().await;
        self.hints.close().await;
        self.readers.close().await;
    }

    /// Does work in one transaction, once more if another one or a broken connection was in the way.
    ///
    /// The transaction belongs to a task of its own. In the caller's future it would be left open on a
    /// pooled connection when the caller goes away while it begins.
    pub(crate) async fn transact<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> Fn(&'c mut PgConnection) -> Boxed<'c, Result<End<T>, StoreError>>,
        W: Send + Sync + 'static,
    {
        let (pool, hints) = (self.writers.clone(), self.hints.clone());
        let patience = self.patience;
        owned(async move {
            match attempt(&pool, &hints, patience, &work).await {
                Err(error) if worth_repeating(&error) => {
                    tracing::info!(error = %error, "a transaction is repeated");
                    attempt(&pool, &hints, patience, &work).await
                }
                done => done,
            }
        })
        .await
    }
}

/// One try on one connection. A connection on which nothing comes back is given up: its other end may be gone
/// without a word, and waiting for the network to notice may take for ever.
async fn attempt<T, W>(
    pool: &PgPool,
    hints: &Hints,
    patience: Duration,
    work: &W,
) -> Result<T, StoreError>
where
    W: for<'c> Fn(&'c mut PgConnection) -> Boxed<'c, Result<End<T>, StoreError>>,
{
    let mut connection = pool.acquire().await.map_err(sorted)?;
    if let Ok(done) = timeout(patience, on(&mut connection, hints, work)).await {
        return done;
    }
    connection.close_on_drop();
    hints.everything_may_have_moved();
    Err(StoreError::Unavailable("the database server does not answer".into()))
}

async fn on<T, W>(connection: &mut PgConnection, hints: &Hints, work: &W) -> Result<T, StoreError>
where
    W: for<'c> Fn(&'c mut PgConnection) -> Boxed<'c, Result<End<T>, StoreError>>,
{
    let mut transaction = connection.begin().await.map_err(sorted)?;
    match work(&mut transaction).await {
        Ok(End::Commit(done)) => {
            if let Err(error) = transaction.commit().await {
                // It may have been done all the same: then nobody has been told which accounts moved.
                hints.everything_may_have_moved();
                return Err(sorted(error));
            }
            Ok(done)
        }
        Ok(End::RollBack(done)) => {
            transaction.rollback().await.map_err(sorted)?;
            Ok(done)
        }
        Err(error) => {
            // If this fails too, the connection is gone and with it the transaction.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

/// Does work in a task of its own, which ends whether or not the caller still waits.
async fn owned<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError::Closed),
    }
}
