//! Senders of webhooks: raw HTTP/1.1 on kept connections, one request under way on each.
//!
//! All requests are made before the clock starts, and one thread sends them, so that little of the
//! machine goes to sending.

use crate::child::{Orders, report};
use crate::payload;
use crate::stats::{Summary, Times, float};
use anyhow::{Context as _, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::Instant;

/// Who sends what, and how long.
#[derive(Debug, Clone, Args)]
pub(crate) struct LoadArgs {
    #[arg(long)]
    pub(crate) webhooks: SocketAddr,
    #[arg(long)]
    pub(crate) secret: String,
    #[arg(long)]
    pub(crate) senders: usize,
    #[arg(long)]
    pub(crate) accounts: usize,
    #[arg(long)]
    pub(crate) warmup: f64,
    #[arg(long)]
    pub(crate) seconds: f64,
    /// Requests that are made beforehand; sending ends with them.
    #[arg(long)]
    pub(crate) most: usize,
}

/// What was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Loaded {
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    pub(crate) times: Summary,
    pub(crate) refused: usize,
}

/// The phases that the part announces.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Phase {
    Ready { body_bytes: f64 },
    Measuring,
    Done(Loaded),
}

/// What the senders share.
struct Shared {
    requests: Vec<Vec<u8>>,
    next: Cell<usize>,
    stop: Cell<bool>,
    refused: Cell<usize>,
    last: Cell<Instant>,
    times: RefCell<Times>,
}

/// Sends when it is told to.
pub(crate) async fn run(args: LoadArgs) -> anyhow::Result<()> {
    let requests: Vec<_> = payload::day(args.accounts, 1)
        .take(args.most)
        .map(|event| payload::request(&args.secret, &event.body))
        .collect();
    let bytes: usize = requests.iter().map(Vec::len).sum();
    report(&Phase::Ready { body_bytes: float(bytes) / float(requests.len()) })?;
    ensure!(Orders::listen().next().await, "told to end before the start");
    let shared = Rc::new(Shared {
        requests,
        next: Cell::new(0),
        stop: Cell::new(false),
        refused: Cell::new(0),
        last: Cell::new(Instant::now()),
        times: RefCell::default(),
    });
    let local = LocalSet::new();
    let loaded = local.run_until(measure(shared, &args)).await?;
    report(&Phase::Done(loaded))
}

async fn measure(shared: Rc<Shared>, args: &LoadArgs) -> anyhow::Result<Loaded> {
    let mut senders = vec![];
    for _ in 0..args.senders {
        let connection = Connection::open(args.webhooks).await?;
        senders.push(tokio::task::spawn_local(send(connection, Rc::clone(&shared))));
    }
    tokio::time::sleep(Duration::from_secs_f64(args.warmup)).await;
    shared.times.borrow_mut().clear();
    report(&Phase::Measuring)?;
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(args.seconds);
    while Instant::now() < end && shared.next.get() < shared.requests.len() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    shared.stop.set(true);
    for sender in senders {
        sender.await??;
    }
    let seconds = shared.last.get().duration_since(began).as_secs_f64();
    let times = shared.times.borrow();
    Ok(Loaded {
        seconds,
        per_second: float(times.len()) / seconds,
        times: times.summary(),
        refused: shared.refused.get(),
    })
}

async fn send(mut connection: Connection, shared: Rc<Shared>) -> anyhow::Result<()> {
    while !shared.stop.get() {
        let at = shared.next.replace(shared.next.get() + 1);
        let Some(request) = shared.requests.get(at) else { break };
        let began = Instant::now();
        if connection.post(request).await? != 200 {
            shared.refused.set(shared.refused.get() + 1);
        }
        let ended = Instant::now();
        shared.last.set(ended);
        shared.times.borrow_mut().add(ended - began);
    }
    Ok(())
}

/// One kept connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(to: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(to).await.context("the product does not listen")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads the whole answer. Returns its status.
    pub(crate) async fn post(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await?;
            ensure!(read > 0, "the connection was closed");
            if let Some(status) = complete(&self.answer)? {
                return Ok(status);
            }
        }
    }
}

/// The status of an answer that is all there.
fn complete(answer: &[u8]) -> anyhow::Result<Option<u16>> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&answer[..head])?;
    let status = text.split(' ').nth(1).context("no status")?.parse()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let length = length.transpose()?.unwrap_or_default();
    Ok((answer.len() >= head + 4 + length).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn an_answer_counts_when_its_body_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        for cut in 0..answer.len() {
            assert_eq!(complete(&answer[..cut]).unwrap(), None);
        }
        assert_eq!(complete(answer).unwrap(), Some(200));
    }
}
