//! The one writer: whatever waits goes into the next commit.
//!
//! There is no timer. While one commit is flushed, the next one's work gathers, so the groups are as
//! large as the load makes them and a lone request waits for nobody. Each piece of work has a savepoint:
//! one that fails takes nothing else with it.
//!
//! What can wait, such as history that is read in, has a queue of its own: one piece is a commit by itself, and
//! begins only while nothing else waits.

use crate::error::sorted;
use channel_store::StoreError;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How many pieces may wait.
const QUEUE: usize = 4096;
/// How many pieces may wait that can.
const PATIENT: usize = 64;
/// How many pieces go into one commit.
const GROUP: usize = 256;
/// How long a commit may gather work while live work waits behind it.
const GATHER: Duration = Duration::from_millis(20);

/// What is left to do once the commit is through, or has failed.
type Settle = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A piece of work inside the transaction; an error rolls it, and only it, back.
type Job =
    Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, (bool, Settle)> + Send>;

/// A handle to the writer's task.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Message>,
    later: mpsc::Sender<Job>,
}

enum Message {
    Job(Job),
    Close(oneshot::Sender<()>),
}

impl Writer {
    pub(crate) fn start(connection: SqliteConnection) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (later, patient) = mpsc::channel(PATIENT);
        // The task ends when the last handle is gone and the queues are empty.
        tokio::spawn(run(connection, queue, patient));
        Self { jobs, later }
    }

    /// Does a piece of work in the next commit and answers after it. The work is the writer's: a caller
    /// that goes away cancels nothing.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let (job, wait) = piece(work);
        self.jobs.send(Message::Job(job)).await.map_err(|_| StoreError::Closed)?;
        wait.await.map_err(|_| StoreError::Closed)?
    }

    /// The same; what can wait does so until nothing else does.
    pub(crate) async fn write_in_turn<T, F>(&self, can_wait: bool, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        if !can_wait {
            return self.write(work).await;
        }
        let (job, wait) = piece(work);
        self.later.send(job).await.map_err(|_| StoreError::Closed)?;
        wait.await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) async fn close(&self) {
        let (done, wait) = oneshot::channel();
        if self.jobs.send(Message::Close(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

/// A piece of work, and where its answer comes.
fn piece<T, F>(work: F) -> (Job, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
        + Send
        + 'static,
{
    let (answer, wait) = oneshot::channel();
    let job: Job = Box::new(move |connection| {
        Box::pin(async move {
            // A piece that panics is rolled back like one that fails; the writer is everybody's.
            let done = AssertUnwindSafe(work(connection)).catch_unwind().await;
            let done = done.unwrap_or_else(|_| Err(StoreError::Refused("it panicked".into())));
            let keep = done.is_ok();
            let settle: Settle = Box::new(move |committed| {
                // A caller that went away needs no answer.
                let _ = answer.send(done.and_then(|value| committed.map(|()| value)));
            });
            (keep, settle)
        })
    });
    (job, wait)
}

/// What comes next: what can wait only while nothing else does.
async fn next(
    queue: &mut mpsc::Receiver<Message>,
    patient: &mut mpsc::Receiver<Job>,
) -> Option<(Message, bool)> {
    tokio::select! {
        biased;
        message = queue.recv() => message.map(|message| (message, false)),
        Some(job) = patient.recv() => Some((Message::Job(job), true)),
    }
}

async fn run(
    mut connection: SqliteConnection,
    mut queue: mpsc::Receiver<Message>,
    mut patient: mpsc::Receiver<Job>,
) {
    while let Some((message, alone)) = next(&mut queue, &mut patient).await {
        let closing = match message {
            Message::Job(job) => commit(&mut connection, job, &mut queue, alone).await,
            Message::Close(done) => Some(done),
        };
        if let Some(done) = closing {
            queue.close();
            patient.close();
            if let Err(error) = connection.close().await {
                tracing::warn!(error = %error, "the database did not close cleanly");
            }
            let _ = done.send(());
            return;
        }
    }
}

/// Does one commit, beginning with `first` and taking whatever else waits, unless it is to be `alone`.
async fn commit(
    connection: &mut SqliteConnection,
    first: Job,
    queue: &mut mpsc::Receiver<Message>,
    alone: bool,
) -> Option<oneshot::Sender<()>> {
    let mut settles = Vec::new();
    let mut closing = None;
    let began = Instant::now();
    let mut outcome = connection.execute("BEGIN IMMEDIATE").await.map(|_| ()).map_err(sorted);
    let mut next = Some(first);
    while let Some(job) = next.take() {
        if outcome.is_ok() {
            match savepoint(connection, job).await {
                Ok(settle) => settles.push(settle),
                Err(error) => outcome = Err(error),
            }
        }
        if alone || outcome.is_err() || settles.len() >= GROUP || began.elapsed() > GATHER {
            break;
        }
        match queue.try_recv() {
            Ok(Message::Job(job)) => next = Some(job),
            Ok(Message::Close(done)) => closing = Some(done),
            Err(_) => {}
        }
    }
    finish(connection, outcome, settles).await;
    closing
}

async fn savepoint(connection: &mut SqliteConnection, job: Job) -> Result<Settle, StoreError> {
    connection.execute("SAVEPOINT piece").await.map_err(sorted)?;
    let (keep, settle) = job(&mut *connection).await;
    let end = if keep { "RELEASE piece" } else { "ROLLBACK TO piece; RELEASE piece" };
    match connection.execute(end).await {
        Ok(_) => Ok(settle),
        Err(error) => {
            // Without its savepoint the whole transaction is gone, which SQLite does only for what may
            // pass: a full disk, an I/O error, no memory.
            let error = if keep { sorted(error) } else { StoreError::Unavailable(Box::new(error)) };
            settle(Err(StoreError::Closed));
            Err(error)
        }
    }
}

async fn finish(
    connection: &mut SqliteConnection,
    outcome: Result<(), StoreError>,
    settles: Vec<Settle>,
) {
    let outcome = match outcome {
        Ok(()) => connection.execute("COMMIT").await.map(|_| ()).map_err(sorted),
        failed => failed,
    };
    if let Err(error) = &outcome {
        tracing::error!(error = error as &dyn std::error::Error, "a commit failed");
        // After a failed BEGIN there is nothing to roll back, which is as good.
        let _ = connection.execute("ROLLBACK").await;
    }
    for settle in settles {
        settle(outcome.as_ref().copied().map_err(again));
    }
}

/// The same error for each of those who waited for the commit.
fn again(error: &StoreError) -> StoreError {
    let text = error.to_string();
    if error.is_temporary() {
        StoreError::Unavailable(text.into())
    } else {
        StoreError::Refused(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;

    fn insert(writer: &Writer, bytes: i64) -> impl Future<Output = Result<(), StoreError>> {
        writer.write(move |connection| {
            Box::pin(async move {
                let insert = sqlx::query("INSERT INTO t VALUES (zeroblob(?))").bind(bytes);
                insert.execute(connection).await.map(|_| ()).map_err(sorted)
            })
        })
    }

    #[tokio::test]
    async fn a_piece_that_panics_costs_the_others_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("db"));
        let mut connection = options.create_if_missing(true).connect().await.unwrap();
        connection.execute("CREATE TABLE t (x BLOB)").await.unwrap();
        let writer = Writer::start(connection);
        let panics = writer.write(|_| Box::pin(async { panic!("as a test") }));
        let (first, panicked, last): (_, Result<(), _>, _) =
            tokio::join!(insert(&writer, 1), panics, insert(&writer, 2));
        first.unwrap();
        last.unwrap();
        assert!(!panicked.unwrap_err().is_temporary());
        insert(&writer, 3).await.expect("the writer goes on");
    }

    #[tokio::test]
    async fn what_can_wait_begins_only_while_nothing_else_waits() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("db"));
        let mut connection = options.create_if_missing(true).connect().await.unwrap();
        connection.execute("CREATE TABLE t (x BLOB)").await.unwrap();
        let writer = std::sync::Arc::new(Writer::start(connection));
        let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let note = |what: &'static str, can_wait| {
            let (writer, order) = (std::sync::Arc::clone(&writer), std::sync::Arc::clone(&order));
            Box::pin(async move {
                let work = writer.write_in_turn(can_wait, move |_| {
                    order.lock().unwrap().push(what);
                    Box::pin(async { Ok(()) })
                });
                work.await
            })
        };
        let (go, wait) = oneshot::channel::<()>();
        let first = writer.write(move |_| {
            Box::pin(async move {
                let _ = wait.await;
                Ok(())
            })
        });
        let mut first = Box::pin(first);
        assert!(futures::poll!(&mut first).is_pending());
        // The patient ones stand in line before the others do.
        let mut patient = vec![note("history", true), note("more history", true)];
        let mut live = note("live", false);
        for waiting in &mut patient {
            assert!(futures::poll!(waiting).is_pending());
        }
        assert!(futures::poll!(&mut live).is_pending());
        go.send(()).unwrap();
        first.await.unwrap();
        live.await.unwrap();
        for waiting in patient {
            waiting.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["live", "history", "more history"]);
    }

    #[tokio::test]
    async fn a_full_disk_is_temporary_for_all_of_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("db"));
        let mut connection = options.create_if_missing(true).connect().await.unwrap();
        connection.execute("CREATE TABLE t (x BLOB); PRAGMA max_page_count = 20").await.unwrap();
        let writer = Writer::start(connection);
        let (before, full) = tokio::join!(insert(&writer, 1), insert(&writer, 1_000_000));
        for refused in [before, full] {
            let error = refused.unwrap_err();
            assert_eq!(error.reason(), "STORE_UNAVAILABLE", "{error:?}");
        }
        insert(&writer, 1).await.expect("there is room for this");
    }
}
