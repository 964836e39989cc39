//! Row 14: live webhooks beside an import.

use super::crowd::whole;
use super::live::Crowd;
use crate::child::Part;
use crate::database::Kind;
use crate::env::{Disk, Env};
use crate::history::Past;
use crate::product::{self, IntakeKind};
use crate::stats::{float, millis, thousands};
use crate::table::Line;
use crate::watch::{Pace, Watched};
use anyhow::ensure;
use std::time::{Duration, Instant};

pub(super) const NOTE: &str = "From the webhook's first byte to the event at its stream, 200 webhooks a second for 50 \
    accounts, a stream each, while the history of another account is read in by the same process. The reference is the \
    same without the history. How many messages a second are read in meanwhile; the import alone is row 13.";

const ACCOUNTS: usize = 50;
const PER_SECOND: f64 = 200.0;
/// Milliseconds at the 99th percentile.
const REACH: f64 = 15.0;

pub(super) async fn run(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let past = Past::new(env.sizes.history).await?;
    let mut lines = vec![];
    for kind in Kind::BOTH {
        let events = whole(env.sizes.seconds * PER_SECOND);
        let (pace, rate) = (Pace::Paced, PER_SECOND);
        let crowd = Crowd { kind, streams: ACCOUNTS, accounts: ACCOUNTS, pace, events, rate };
        let alone = crowd.watch(env).await?;
        let (beside, imported) = watch_beside(env, &crowd, &past).await?;
        lines.push(line(kind, &alone, &beside, &imported));
    }
    past.end().await?;
    Ok(lines)
}

/// What was read in while the webhooks came.
struct Imported {
    per_second: f64,
    /// Whether there was something to read in until the last of them.
    throughout: bool,
}

async fn watch_beside(
    env: &mut Env,
    crowd: &Crowd,
    past: &Past,
) -> anyhow::Result<(Watched, Imported)> {
    let place = env.database(crowd.kind, Disk::Own)?;
    let more = past.arguments();
    let (mut product, doors) = product::start_with(&place, IntakeKind::Batched, None, more).await?;
    let mut streams = crowd.open(doors).await?;
    let (before, began) = (until_under_way(&mut product).await?, Instant::now());
    streams.go().await?;
    let watched = streams.hear().await?;
    let (after, seconds) = (read_in(&mut product).await?, began.elapsed().as_secs_f64());
    streams.end().await?;
    product.end().await?;
    let throughout = after < past.messages;
    Ok((watched, Imported { per_second: float(after - before) / seconds, throughout }))
}

/// How many messages have been read in.
async fn read_in(product: &mut Part) -> anyhow::Result<usize> {
    product.go().await?;
    product.hear().await
}

/// Waits for the first messages.
async fn until_under_way(product: &mut Part) -> anyhow::Result<usize> {
    let began = Instant::now();
    loop {
        let read = read_in(product).await?;
        if read > 0 {
            return Ok(read);
        }
        ensure!(began.elapsed() < Duration::from_secs(30), "nothing is read in");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn line(kind: Kind, alone: &Watched, beside: &Watched, imported: &Imported) -> Line {
    let is_quick = beside.seen.p99 <= REACH * 1_000.0 && beside.missing == 0;
    let until = if imported.throughout { "" } else { " (it ended before the webhooks did)" };
    let text = |watched: &Watched| {
        format!("p50 {} ms, p99 {} ms", millis(watched.seen.p50), millis(watched.seen.p99))
    };
    let rate = thousands(imported.per_second);
    Line::new(14, format!("200 webhooks/s beside an import, {}", kind.name()))
        .measured(format!("{}; {rate} imported/s{until}", text(beside)))
        .reference(format!("{} without", text(alone)))
        .ratio(beside.seen.p99 / alone.seen.p99)
        .reach(format!("p99 ≤ {REACH} ms"), is_quick && imported.throughout)
        .number("p50_us", beside.seen.p50)
        .number("p99_us", beside.seen.p99)
        .number("max_us", beside.seen.max)
        .number("missing", float(beside.missing))
        .number("alone_p50_us", alone.seen.p50)
        .number("alone_p99_us", alone.seen.p99)
        .number("imported_per_second", imported.per_second)
}
