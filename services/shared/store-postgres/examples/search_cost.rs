//! Prints what a search costs, by how common its word is, in an account of a million messages.
//!
//! `cargo run --release -p channel-store-postgres --example search_cost --features testing [MESSAGES]`

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made ends here")]

use channel_store::reads::{Reads, SearchQuery};
use channel_store_postgres::{PostgresConfig, PostgresStore, testing};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::io::Write as _;
use std::time::{Duration, Instant};

/// One message in so many has the word.
const ONE_IN: [u32; 8] = [1, 10, 50, 100, 200, 1_000, 10_000, 100_000];
const TIMES: u32 = 20;
/// A million messages in a year.
const STEP: &str = "31536000::bigint";

#[tokio::main]
async fn main() {
    let messages: u32 = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let url = testing::database().await;
    let store = PostgresStore::connect(PostgresConfig::new(&url)).await.unwrap();
    fill(&url, messages).await;
    let mut out = std::io::stdout();
    writeln!(out, "{messages} messages; pages of 50; median and worst of {TIMES}").unwrap();
    for one_in in ONE_IN {
        report(&mut out, &store, &format!("word{one_in}x"), &format!("1 in {one_in}")).await;
    }
    report(&mut out, &store, "wor", "every word's beginning").await;
    report(&mut out, &store, "oldx", "in the older half, 1 in 3").await;
    report(&mut out, &store, "never", "in no message").await;
}

async fn report(out: &mut impl std::io::Write, store: &PostgresStore, word: &str, what: &str) {
    let query = SearchQuery { words: vec![word.into()], chat: None, before: None, limit: 50 };
    let mut took = Vec::new();
    let mut found = 0;
    for _ in 0..TIMES {
        let began = Instant::now();
        found = store.search(1, &query).await.unwrap().len();
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let show = |took: Duration| took.as_secs_f64() * 1000.0;
    let (median, worst) = (show(took[took.len() / 2]), show(took[took.len() - 1]));
    writeln!(out, "{what:<28} {found:>3} found  {median:>8.2} ms  {worst:>8.2} ms").unwrap();
}

/// Two accounts of the same size, so that the index holds another's words too.
async fn fill(url: &str, messages: u32) {
    let words: Vec<String> = ONE_IN
        .iter()
        .map(|one_in| format!("CASE WHEN n % {one_in} = 0 THEN 'word{one_in}x ' ELSE '' END"))
        .collect();
    let words = words.join(" || ");
    let statements = format!(
        "INSERT INTO chats SELECT a, 1, 'chat', NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
           false, 0, 0, false, NULL, false, 0, 0, NULL, '', '', 1 FROM generate_series(1, 2) a; \
         INSERT INTO messages SELECT a, n, gen_random_uuid(), 'up' || n, NULL, 1, NULL, false, 1, \
           repeat('some text ', 8), false, NULL, false, false, NULL, n, n, n * {STEP}, n, n, \
           3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, 0, 0, \
           int8send((n * {STEP}) # (-9223372036854775808)::bigint) || decode(md5(n::text), 'hex'), n \
           FROM generate_series(1, {messages}) n, generate_series(1, 2) a; \
         INSERT INTO message_words SELECT a, n, \
           int8send((n * {STEP}) # (-9223372036854775808)::bigint) || decode(md5(n::text), 'hex'), \
           ((n * {STEP}) >> 41)::integer, \
           array_to_tsvector(string_to_array(regexp_replace('@1 ' || {words} || \
             CASE WHEN n < {messages} / 2 AND n % 3 = 0 THEN 'oldx ' ELSE '' END || \
             'x' || n % 5000 || ' y' || n % 777 || ' z' || n % 91 || ' some common words here', \
             '(^| )', '\\1' || a || '.' || ((n * {STEP}) >> 41) || '.', 'g'), ' ')) \
           FROM generate_series(1, {messages}) n, generate_series(1, 2) a; \
         SELECT gin_clean_pending_list('message_words_by_word'); ANALYZE"
    );
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    sqlx::raw_sql("VACUUM").execute(&mut connection).await.unwrap();
}
