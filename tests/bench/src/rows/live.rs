//! Row 5: from a webhook to its event on open streams, one webhook at a time.

use crate::child::Part;
use crate::database::Kind;
use crate::env::{Disk, Env};
use crate::product::{self, Doors, IntakeKind, SECRET};
use crate::stats::{millis, thousands};
use crate::table::Line;
use crate::watch::{Pace, Watched};

pub(super) const NOTE: &str = "From the first byte of the webhook's request to the event at the \
    client of a gRPC stream; all streams watch the account that is written to, and every delivery \
    counts. One webhook at a time, the next 10 ms after the last stream has the one before. \
    The reference is the answer to the same webhook: one commit, over HTTP. All streams' clients are \
    one thread on the same cores, which is part of the time with 100 streams and more.";

/// Milliseconds at the 99th percentile, for each number of streams.
const REACH: [f64; 3] = [3.0, 5.0, 20.0];

pub(super) async fn run(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let mut lines = vec![];
    for kind in Kind::BOTH {
        for (streams, reach) in env.sizes.streams.into_iter().zip(REACH) {
            let events = env.sizes.events;
            let crowd = Crowd { kind, streams, accounts: 1, pace: Pace::Idle, events, rate: 0.0 };
            let watched = crowd.watch(env).await?;
            lines.push(line(&crowd, watched, reach));
        }
    }
    Ok(lines)
}

fn line(crowd: &Crowd, watched: Watched, reach: f64) -> Line {
    let Watched { answered, seen, missing } = watched;
    let ratio = seen.p50 / answered.p50;
    // The median is promised for a stream; with many it is mostly the clients' own time.
    let median = ratio <= 3.0 || crowd.streams > 1;
    let quick = seen.p99 <= reach * 1_000.0 && missing == 0;
    let goal = if crowd.streams > 1 { String::new() } else { "p50 ≤ 3 commits, ".to_owned() };
    let count = match crowd.streams {
        1 => "1 stream".to_owned(),
        many => format!("{} streams", thousands(crate::stats::float(many))),
    };
    Line::new(5, format!("webhook → event, idle, {count}, {}", crowd.kind.name()))
        .measured(format!("p50 {} ms, p99 {} ms", millis(seen.p50), millis(seen.p99)))
        .reference(format!(
            "one commit {} ms, p99 {} ms",
            millis(answered.p50),
            millis(answered.p99)
        ))
        .ratio(ratio)
        .reach(format!("{goal}p99 ≤ {reach} ms"), median && quick)
        .number("p50_us", seen.p50)
        .number("p99_us", seen.p99)
        .number("max_us", seen.max)
        .number("commit_p50_us", answered.p50)
        .number("missing", crate::stats::float(missing))
}

/// Streams that watch, and webhooks that they wait for.
pub(super) struct Crowd {
    pub(super) kind: Kind,
    pub(super) streams: usize,
    pub(super) accounts: usize,
    pub(super) pace: Pace,
    pub(super) events: usize,
    /// In a second, when they are paced.
    pub(super) rate: f64,
}

impl Crowd {
    /// Starts product and streams, lets them run, and ends them.
    pub(super) async fn watch(&self, env: &mut Env) -> anyhow::Result<Watched> {
        let place = env.database(self.kind, Disk::Own)?;
        let (product, doors) = product::start(&place, IntakeKind::Batched, None).await?;
        let mut streams = self.open(doors).await?;
        streams.go().await?;
        let watched = streams.hear().await?;
        streams.end().await?;
        product.end().await?;
        Ok(watched)
    }

    /// Only starts the streams, and waits until all are open.
    pub(super) async fn open(&self, doors: Doors) -> anyhow::Result<Part> {
        let mut streams = self.start(doors)?;
        let _: String = streams.hear().await?;
        streams.go().await?;
        let _: String = streams.hear().await?;
        Ok(streams)
    }

    /// Only starts the streams' process.
    pub(super) fn start(&self, doors: Doors) -> anyhow::Result<Part> {
        let arguments = [
            "watch".to_owned(),
            format!("--webhooks={}", doors.webhooks),
            format!("--grpc={}", doors.grpc),
            format!("--secret={SECRET}"),
            format!("--streams={}", self.streams),
            format!("--accounts={}", self.accounts),
            format!("--pace={}", self.pace.name()),
            format!("--events={}", self.events),
            format!("--rate={}", self.rate),
        ];
        Part::start(arguments, None)
    }
}
