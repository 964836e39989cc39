//! Open streams over real connections, and a sender whose webhooks they wait for.
//!
//! Sender and streams are in one process, so that one clock tells both ends of the way.

mod board;
mod open;
mod send;

use crate::child::{Orders, report};
use crate::payload::Numbered;
use crate::stats::Summary;
use anyhow::ensure;
use board::Board;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::LocalSet;

/// Who watches what.
#[derive(Debug, Clone, Args)]
pub(crate) struct WatchArgs {
    #[arg(long)]
    pub(crate) webhooks: SocketAddr,
    #[arg(long)]
    pub(crate) grpc: SocketAddr,
    #[arg(long)]
    pub(crate) secret: String,
    #[arg(long)]
    pub(crate) streams: usize,
    /// The streams are spread over these, each watching one.
    #[arg(long)]
    pub(crate) accounts: usize,
    #[arg(long, value_enum)]
    pub(crate) pace: Pace,
    /// How many webhooks.
    #[arg(long)]
    pub(crate) events: usize,
    /// How many in a second, when they are paced.
    #[arg(long)]
    pub(crate) rate: f64,
}

/// When webhooks are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pace {
    /// One at a time, the next a moment after every stream has the one before.
    Idle,
    /// At a rate, whatever becomes of them.
    Paced,
    /// Not at all.
    Never,
}

impl Pace {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Paced => "paced",
            Self::Never => "never",
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// From the first byte of the request to the whole answer.
    pub(crate) answered: Summary,
    /// From the first byte of the request to the event on a stream, over all streams.
    pub(crate) seen: Summary,
    /// Deliveries that did not come.
    pub(crate) missing: usize,
}

/// Opens the streams, says so, and measures when it is told to. The streams stay open until the end.
pub(crate) async fn run(args: WatchArgs) -> anyhow::Result<()> {
    LocalSet::new().run_until(watch(args)).await
}

async fn watch(args: WatchArgs) -> anyhow::Result<()> {
    let texts = Numbered::new(args.accounts)?;
    let board = Rc::new(Board::new(&args));
    let mut orders = Orders::listen();
    // The accounts exist once something is known of them.
    send::announce(&texts, &args).await?;
    report(&"accounts")?;
    ensure!(orders.next().await, "told to end before the streams were open");
    open::all(&texts, &args, &board).await?;
    report(&"open")?;
    ensure!(orders.next().await, "told to end before the start");
    match args.pace {
        Pace::Idle => send::one_by_one(&texts, &args, &board).await?,
        Pace::Paced => send::paced(&texts, &args, &board).await?,
        Pace::Never => tokio::time::sleep(Duration::from_secs(1)).await,
    }
    report(&board.watched()?)?;
    while orders.next().await {}
    Ok(())
}
