//! Row 9: searching for a common word.

use super::corpus::{COMMON_WORD, Corpus, LARGE_ACCOUNT, asked};
use crate::database::Kind;
use crate::env::Env;
use crate::stats::{Summary, Times, float, millis, thousands};
use crate::table::Line;
use anyhow::ensure;
use channel_proto::query::v1::SearchMessagesRequest;
use channel_proto::query::v1::query_service_server::QueryService as _;
use std::time::Instant;

pub(super) const NOTE: &str = "The 20 newest messages with a word that every second message has, with \
    their snippets: the whole call in process, over the large database of row 8.";

/// Milliseconds, in one account and over all.
const REACH: [f64; 2] = [20.0, 100.0];

/// Over databases of its own.
pub(super) async fn run(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let mut lines = vec![];
    for kind in Kind::BOTH {
        let corpus = Corpus::fill(env, kind, env.sizes.messages[1]).await?;
        lines.extend(over(&corpus, env.sizes.reads).await?);
    }
    Ok(lines)
}

pub(super) async fn over(corpus: &Corpus, reads: usize) -> anyhow::Result<Vec<Line>> {
    let one = time(corpus, vec![LARGE_ACCOUNT.to_owned()], reads).await?;
    let all = time(corpus, vec![], reads).await?;
    let count = thousands(float(corpus.messages));
    let line = |scope: &str, times: Summary, reach: f64| {
        let what = format!("common word, {scope}, {count} messages, {}", corpus.kind.name());
        Line::new(9, what)
            .measured(format!("p50 {} ms, p99 {} ms", millis(times.p50), millis(times.p99)))
            .reach(format!("≤ {reach} ms"), times.p99 <= reach * 1_000.0)
            .number("p50_us", times.p50)
            .number("p99_us", times.p99)
    };
    Ok(vec![line("one account", one, REACH[0]), line("all 50 accounts", all, REACH[1])])
}

async fn time(corpus: &Corpus, accounts: Vec<String>, reads: usize) -> anyhow::Result<Summary> {
    let mut times = Times::default();
    while !times.are_enough(reads) {
        let ask = SearchMessagesRequest {
            query: COMMON_WORD.to_owned(),
            account_ids: accounts.clone(),
            page_size: 20,
            ..SearchMessagesRequest::default()
        };
        let began = Instant::now();
        let found = corpus.service().search_messages(asked(ask)).await?.into_inner();
        times.add(began.elapsed());
        ensure!(found.hits.len() == 20, "found {} messages", found.hits.len());
    }
    Ok(times.summary())
}
