//! Row 8: pages of chats and messages, beside the bare SQL.

mod bare;

use super::corpus::{Corpus, LARGE_ACCOUNT, LARGE_CHAT, asked};
use super::search;
use crate::database::Kind;
use crate::env::Env;
use crate::stats::{Summary, Times, float, millis, thousands};
use crate::table::Line;
use anyhow::ensure;
use bare::Bare;
use channel_proto::query::v1::query_service_server::QueryService as _;
use channel_proto::query::v1::{ListChatsRequest, ListMessagesRequest};
use std::time::Instant;

pub(super) const NOTE: &str = "The first page of 50 chats of the largest account, and of 50 messages \
    of its largest chat: the whole call in process, from the request to the response ready to be \
    encoded, against one SQL statement that fetches the same 51 rows over one connection. 60 % of the \
    messages are in one account, a tenth of those in one chat. The databases are filled through the \
    store, as webhooks fill them.";

/// So much longer than the bare SQL a page may take.
const REACH: f64 = 2.0;
/// So much longer with the large database than with the small one.
const FLAT: f64 = 1.5;

/// Rows 8 and, over the same databases, 9.
pub(super) async fn run(env: &mut Env, with_search: bool) -> anyhow::Result<Vec<Line>> {
    let mut lines = vec![];
    for kind in Kind::BOTH {
        let mut small: Option<[Summary; 2]> = None;
        for messages in env.sizes.messages {
            let corpus = Corpus::fill(env, kind, messages).await?;
            let pages = pages(&corpus, env.sizes.reads).await?;
            let bare = Bare::open(&corpus.place).await?.pages(env.sizes.reads).await?;
            for (at, what) in ["chat list", "message page"].into_iter().enumerate() {
                let before = small.map(|small| small[at]);
                lines.push(line(&corpus, what, pages[at], bare[at], before));
            }
            small.get_or_insert(pages);
            if with_search && messages == env.sizes.messages[1] {
                lines.extend(search::over(&corpus, env.sizes.reads).await?);
            }
        }
    }
    Ok(lines)
}

async fn pages(corpus: &Corpus, reads: usize) -> anyhow::Result<[Summary; 2]> {
    let (mut chats, mut messages) = (Times::default(), Times::default());
    while !chats.are_enough(reads) {
        let ask = ListChatsRequest {
            account_ids: vec![LARGE_ACCOUNT.to_owned()],
            page_size: 50,
            ..ListChatsRequest::default()
        };
        let began = Instant::now();
        let page = corpus.service().list_chats(asked(ask)).await?.into_inner();
        chats.add(began.elapsed());
        ensure!(page.chats.len() == 50, "not a whole page of chats");
    }
    while !messages.are_enough(reads) {
        let ask = ListMessagesRequest {
            account_id: LARGE_ACCOUNT.to_owned(),
            chat_id: LARGE_CHAT.to_owned(),
            page_size: 50,
            ..ListMessagesRequest::default()
        };
        let began = Instant::now();
        let page = corpus.service().list_messages(asked(ask)).await?.into_inner();
        messages.add(began.elapsed());
        ensure!(page.messages.len() == 50, "not a whole page of messages");
    }
    Ok([chats.summary(), messages.summary()])
}

fn line(corpus: &Corpus, what: &str, ours: Summary, bare: Summary, small: Option<Summary>) -> Line {
    let ratio = ours.p50 / bare.p50;
    let count = thousands(float(corpus.messages));
    let growth = small.map(|small| ours.p50 / small.p50);
    let mut reach = format!("≤ {REACH}× the SQL");
    if growth.is_some() {
        reach += ", flat";
    }
    let reached = ratio <= REACH && growth.is_none_or(|growth| growth <= FLAT);
    let line = Line::new(8, format!("{what} of 50, {count} messages, {}", corpus.kind.name()))
        .measured(format!("p50 {} ms, p99 {} ms", millis(ours.p50), millis(ours.p99)))
        .reference(format!("SQL p50 {} ms, p99 {} ms", millis(bare.p50), millis(bare.p99)))
        .ratio(ratio)
        .reach(reach, reached)
        .number("p50_us", ours.p50)
        .number("p99_us", ours.p99)
        .number("sql_p50_us", bare.p50)
        .number("sql_p99_us", bare.p99)
        .number("filled_per_second", float(corpus.messages) / corpus.filled_in.as_secs_f64());
    growth.map_or(line.clone(), |growth| line.number("growth", growth))
}
