//! Row 13: reading an account's history in.

use crate::database::{self, Kind};
use crate::env::{Disk, Env};
use crate::history::{Import, Past};
use crate::memory::{Course, Memory};
use crate::stats::{float, thousands};
use crate::table::Line;
use anyhow::ensure;
use channel_store::Store;
use channel_unipile::upstream::{Cursor, MessageQuery, PAGE_MAX, Paging};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) const NOTE: &str = "From asking for an account's history to its end: chats, people and messages from the \
    simulator, which answers at once and is another process on the same cores. The reference is reading the same pages, \
    one after another, and writing nothing. Resident memory of the process with the importer and the database's client, \
    before, half way and at the end, and of it what no file is behind.";

/// Messages a second to reach.
const REACH: f64 = 8_000.0;
/// Allocated memory may grow by no more in the second half, in MiB.
const FLAT: f64 = 16.0;

/// Reads every page, and leaves it. Returns the seconds.
async fn read(past: &Past) -> anyhow::Result<f64> {
    let (client, began, mut count) = (past.client()?, Instant::now(), 0);
    for chat in &past.chats {
        let mut cursor: Option<Cursor> = None;
        loop {
            let paging = Paging { cursor, limit: PAGE_MAX };
            let query = MessageQuery { paging, ..MessageQuery::default() };
            let page = client.chat_messages(&past.account, chat, &query).await?;
            count += page.items.len();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    ensure!(count == past.messages, "{count} messages");
    Ok(began.elapsed().as_secs_f64())
}

/// Reads everything in. Returns the seconds and the memory that it took.
async fn read_in(past: &Past, store: &Arc<dyn Store>) -> anyhow::Result<(f64, Course)> {
    let import = Import::start(store, past.client()?, &past.account, &past.chats[0]).await?;
    let (before, began) = (Memory::now()?, Instant::now());
    let mut half = None;
    loop {
        let sync = import.ask().await?;
        if half.is_none() && sync.messages_read * 2 >= past.messages as u64 {
            half = Some(Memory::now()?);
        }
        if sync.ended_at.is_some() {
            ensure!(sync.messages_added == past.messages as u64, "{sync:?}");
            break;
        }
        ensure!(began.elapsed() < Duration::from_mins(20), "{sync:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    let memory = Course([before, half.unwrap_or(before), Memory::now()?]);
    import.end().await?;
    Ok((seconds, memory))
}

/// Row 13.
pub(super) async fn run(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let [chats, each] = env.sizes.history;
    let past = Past::new(env.sizes.history).await?;
    let read = read(&past).await?;
    let mut lines = Vec::new();
    for kind in Kind::BOTH {
        let store = database::open(&env.database(kind, Disk::Own)?, 16).await?;
        let (seconds, memory) = read_in(&past, &store).await?;
        let (rate, reference) = (float(past.messages) / seconds, float(past.messages) / read);
        let [before, half, end] = memory.0;
        let is_flat = end.allocated - half.allocated <= FLAT;
        lines.push(
            Line::new(
                13,
                format!(
                    "import of {chats} chats × {} messages, {}",
                    thousands(float(each)),
                    kind.name()
                ),
            )
            .measured(format!("{}/s, {memory}", thousands(rate)))
            .reference(format!("{}/s read only", thousands(reference)))
            .ratio(rate / reference.max(1.0))
            .reach(
                format!("≥ {}/s, second half ≤ {FLAT} MiB more allocated", thousands(REACH)),
                rate >= REACH && is_flat,
            )
            .number("messages_per_second", rate)
            .number("read_only_per_second", reference)
            .number("mib_before", before.resident)
            .number("mib_half_way", half.resident)
            .number("mib_after", end.resident)
            .number("mib_allocated_before", before.allocated)
            .number("mib_allocated_half_way", half.allocated)
            .number("mib_allocated_after", end.allocated),
        );
    }
    past.end().await?;
    Ok(lines)
}
