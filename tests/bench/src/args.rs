//! The command line: what to measure, and the hidden parts that the program starts of itself.

use crate::load::LoadArgs;
use crate::product::ProductArgs;
use crate::upstream::UpstreamArgs;
use crate::watch::WatchArgs;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Prints the measurements as a Markdown table.
#[derive(Debug, Parser)]
#[command(name = "channel-bench", about, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    /// Only these rows, by number: `--rows 1,5`.
    #[arg(long, value_delimiter = ',')]
    pub(crate) rows: Option<Vec<u8>>,
    /// How long each rate is measured, in seconds.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// Messages in the large database of rows 8 and 9.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) messages: usize,
    /// Messages in the history of rows 13 and 14, in 50 chats.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) past: usize,
    /// Small sizes and short times: shows that every row works, not how fast it is.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Writes all numbers to this file too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Writes the table to this file too.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Where the databases lie while they are measured; the system's temporary folder if not given.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
}

/// Parts that the program starts in processes of their own.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// The product, or the reference in its place.
    #[command(hide = true)]
    Product(ProductArgs),
    /// Senders of webhooks.
    #[command(hide = true)]
    Load(LoadArgs),
    /// Open streams and the sender they wait for.
    #[command(hide = true)]
    Watch(WatchArgs),
    /// The simulator in UniPile's place.
    #[command(hide = true)]
    Upstream(UpstreamArgs),
    /// Prints how long one flush takes.
    #[command(hide = true)]
    Flush {
        /// On the disk of this folder.
        folder: PathBuf,
    },
}
