//! Row 6: many streams on many accounts, while webhooks come steadily.

use super::live::Crowd;
use crate::database::Kind;
use crate::env::Env;
use crate::stats::{float, millis, thousands};
use crate::table::Line;
use crate::watch::Pace;

pub(super) const NOTE: &str = "Streams on 50 accounts, each stream on one, and 500 webhooks a second, \
    sent when they are due. One that the sender is late with counts from when it was due.";

const ACCOUNTS: usize = 50;
const PER_SECOND: f64 = 500.0;
/// Milliseconds at the 99th percentile.
const REACH: f64 = 250.0;

pub(super) async fn run(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let streams = env.sizes.streams[2];
    let events = whole(env.sizes.seconds * PER_SECOND);
    let mut lines = vec![];
    for kind in Kind::BOTH {
        let crowd = Crowd {
            kind,
            streams,
            accounts: ACCOUNTS,
            pace: Pace::Paced,
            events,
            rate: PER_SECOND,
        };
        let watched = crowd.watch(env).await?;
        let seen = watched.seen;
        let count = thousands(float(streams));
        let what =
            format!("{count} streams on {ACCOUNTS} accounts, 500 webhooks/s, {}", kind.name());
        let line = Line::new(6, what)
            .measured(format!("p50 {} ms, p99 {} ms", millis(seen.p50), millis(seen.p99)))
            .reference(format!("answered p50 {} ms", millis(watched.answered.p50)))
            .reach(format!("p99 ≤ {REACH} ms"), seen.p99 <= REACH * 1_000.0 && watched.missing == 0)
            .number("p50_us", seen.p50)
            .number("p99_us", seen.p99)
            .number("max_us", seen.max)
            .number("deliveries", float(seen.count))
            .number("missing", float(watched.missing));
        lines.push(line);
    }
    Ok(lines)
}

/// At least one.
pub(super) fn whole(number: f64) -> usize {
    format!("{number:.0}").parse().unwrap_or(1)
}
