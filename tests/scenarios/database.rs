//! The database crashes, and the checks that would notice are shown to notice.

use anyhow::{Context, Result, ensure};
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{AccountPosition, Changes, Hello, WatchResponse};
use channel_proto::types::v1::Change;
use channel_simulator::SimulatorConfig;
use channel_store::log::ChangeLog;
use channel_store::reads::Reads;
use channel_store_postgres::testing::Server;
use channel_store_postgres::{PostgresConfig, PostgresStore};
use channel_tests::durable::{missing, shown};
use channel_tests::history::History;
use channel_tests::program::{Backend, Setup};
use channel_tests::traffic::Traffic;
use channel_tests::truth::{compare, everything};
use channel_tests::until::until;
use channel_tests::watcher::Watcher;
use std::collections::{BTreeMap, BTreeSet};
use tokio::process::Command;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

// ---- the product --------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_shown_or_acknowledged_survives_a_crash_of_the_database() {
    crash_under_load().await.unwrap();
}

async fn crash_under_load() -> Result<()> {
    let server = Server::start(&[("fsync", "on")])?;
    let backend = Backend::Postgres(server.url("postgres"));
    let program = Setup::whole(&backend)?.start().await?;
    Traffic::start(&program, SimulatorConfig::load(81, 100))?.finish().await?;
    let mut screen = Watcher::start(program.query()?, BTreeMap::new());
    screen.until("it is live", |history| !history.frames.is_empty()).await?;
    let mut config = SimulatorConfig::load(81, 2_500);
    config.delivery.retry_delay_scale = 0.2;
    let traffic = Traffic::start(&program, config)?;
    for acked in [700, 1_400, 2_000] {
        traffic.ledger.until(|counts| counts.acked >= acked).await;
        server.crash()?;
        server.resume()?;
    }
    let model = traffic.finish().await?;
    compare(&model, &everything(&mut program.query()?).await?)?;
    let store = PostgresStore::connect(PostgresConfig::new(server.url("postgres"))).await?;
    for (account, numbers) in shown(&screen.stop().check()?) {
        let row = store.account(&account.as_str().into()).await?.context("no account")?;
        let rows = store.tail(&[(row.key, 0)], 1_000_000).await?;
        let stored: BTreeSet<u64> = rows.iter().map(|row| row.seq).collect();
        let lost = missing(numbers, &stored);
        ensure!(lost.is_empty(), "{account} was shown {lost:?}, which are gone");
    }
    program.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_makes_a_role_unready_until_it_is_back_and_never_dead() {
    away_and_back().await.unwrap();
}

async fn away_and_back() -> Result<()> {
    let server = Server::start(&[])?;
    let backend = Backend::Postgres(server.url("postgres"));
    let program = Setup::role("query", &backend)?.start().await?;
    let channel = Endpoint::from_shared(format!("http://{}", program.setup.server))?;
    let mut health = HealthClient::new(channel.connect_lazy());
    ensure!(serves(&mut health).await?, "it does not serve at first");
    for _ in 0..2 {
        server.crash()?;
        let words = until("it is not ready", || async {
            let (status, words) = program.probe("/readyz").await.ok()?;
            (status == 503).then_some(words)
        });
        let words: serde_json::Value = serde_json::from_str(&words.await?)?;
        ensure!(words["waiting_for"] == serde_json::json!(["database"]), "{words}");
        ensure!(words["reasons"]["database"] == "the database is not available", "{words}");
        ensure!(program.probe("/healthz").await?.0 == 200, "it is taken for dead");
        ensure!(!serves(&mut health).await?, "it says that it serves");
        server.resume()?;
        until("it is ready again", || async {
            (program.probe("/readyz").await.ok()?.0 == 200).then_some(())
        })
        .await?;
        ensure!(serves(&mut health).await?, "it does not serve again");
    }
    program.stop().await?;
    Ok(())
}

async fn serves(health: &mut HealthClient<Channel>) -> Result<bool> {
    let service = "channel.query.v1.QueryService".to_owned();
    let answer = health.check(HealthCheckRequest { service }).await?.into_inner();
    Ok(answer.status() == ServingStatus::Serving)
}

// ---- the checks ---------------------------------------------------------------------------------

/// Tries before a check that must notice something is called blind.
const TRIES: usize = 20;
/// Writers at the same time.
const WRITERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_do_not_wait_for_the_disk_are_noticed() {
    let server = Server::start(&[("fsync", "on"), ("wal_writer_delay", "10s")]).unwrap();
    assert_eq!(lost_in_a_crash(&server, "on").await.unwrap(), 0, "waiting commits are never lost");
    let mut noticed = 0;
    for _ in 0..TRIES {
        noticed += lost_in_a_crash(&server, "off").await.unwrap();
        if noticed > 0 {
            return;
        }
    }
    panic!("{TRIES} crashes cost nothing: the check is blind");
}

/// Writes, reads, crashes; how many rows were read and are gone.
async fn lost_in_a_crash(server: &Server, synchronous_commit: &str) -> Result<usize> {
    let url = server.url("postgres");
    let tables = ["DROP TABLE IF EXISTS log", "CREATE TABLE log (seq bigint)", "CHECKPOINT"];
    sql(&url, &tables).await?;
    let mode = format!("SET synchronous_commit = {synchronous_commit}");
    let write = "DO $$ BEGIN FOR i IN 1..200 LOOP INSERT INTO log VALUES (i); COMMIT; \
                 END LOOP; END $$";
    sql(&url, &[&mode, write]).await?;
    let read = numbers(&sql(&url, &["SELECT seq FROM log"]).await?)?;
    server.crash()?;
    server.resume()?;
    let stored = numbers(&sql(&url, &["SELECT seq FROM log"]).await?)?;
    Ok(missing(read, &stored.into_iter().collect()).len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_numbered_by_a_sequence_is_noticed() {
    let by_sequence = "n := nextval('numbers'); PERFORM pg_sleep(random() * 0.005);";
    let broken = read_while_written(by_sequence, 200).await.unwrap().check().unwrap_err();
    assert_eq!(broken.promise, "complete");
    let by_counter = "UPDATE head SET n = head.n + 1 RETURNING head.n INTO n;";
    let seen = read_while_written(by_counter, 200).await.unwrap().check().unwrap();
    assert_eq!(seen["a"].seq, 200 * u64::try_from(WRITERS).unwrap());
}

/// Several writers number their rows with `number`; a reader asks for "everything after the last one I
/// saw" until all are done. What it saw, as a stream would have shown it.
async fn read_while_written(number: &str, rows: u32) -> Result<History> {
    let url = channel_store_postgres::testing::empty_database().await;
    let tables = [
        "CREATE TABLE log (seq bigint PRIMARY KEY)",
        "CREATE SEQUENCE numbers",
        "CREATE TABLE head (n bigint)",
        "INSERT INTO head VALUES (0)",
    ];
    sql(&url, &tables).await?;
    let write = format!(
        "DO $$ DECLARE n bigint; BEGIN FOR i IN 1..{rows} LOOP {number} \
         INSERT INTO log VALUES (n); COMMIT; END LOOP; END $$"
    );
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (url, write) = (url.clone(), write.clone());
            tokio::spawn(async move { sql(&url, &[&write]).await })
        })
        .collect();
    let position = AccountPosition { account_id: "a".into(), ..AccountPosition::default() };
    let hello = Hello { accounts: vec![position], ..Hello::default() };
    let mut history = History::default();
    history.frames.push(WatchResponse { frame: Some(Frame::Hello(hello)) });
    let mut last = 0;
    loop {
        let done = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let query = format!("SELECT seq FROM log WHERE seq > {last} ORDER BY seq");
        let found = numbers(&sql(&url, &[&query]).await?)?;
        if let Some(newest) = found.last().copied() {
            history.frames.push(frame(last, &found));
            last = newest;
        } else if done {
            break;
        }
    }
    for writer in writers {
        writer.await??;
    }
    Ok(history)
}

fn frame(prev_seq: u64, numbers: &[u64]) -> WatchResponse {
    let change = |seq: &u64| Change { seq: *seq, unit_end: true, ..Change::default() };
    let changes = numbers.iter().map(change).collect();
    let changes = Changes { account_id: "a".into(), prev_seq, changes, ..Changes::default() };
    WatchResponse { frame: Some(Frame::Changes(changes)) }
}

fn numbers(lines: &str) -> Result<Vec<u64>> {
    lines.lines().map(|line| line.parse().context("not a number")).collect()
}

async fn sql(url: &str, statements: &[&str]) -> Result<String> {
    let mut psql = Command::new("psql");
    psql.args([url, "-XqAt", "-v", "ON_ERROR_STOP=1"]);
    for statement in statements {
        psql.args(["-c", statement]);
    }
    let output = psql.output().await.context("psql does not start")?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{error}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
