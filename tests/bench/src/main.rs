//! Measures the receive, read and send paths, each beside its reference from the same run.
//!
//! The program plays several parts, each in a process of its own, so that what the product needs is
//! counted apart from what it takes to load it:
//!
//! | part | what it does |
//! |---|---|
//! | [`product`] | the real roles over a real database, or the reference: one transaction for each webhook |
//! | [`load`] | senders of webhooks, each with one request under way |
//! | [`watch`] | open streams, and a sender whose webhooks they wait for |
//! | [`upstream`] | the simulator in UniPile's place |
//! | [`rows`] | one file for each row of the table: starts the parts and reads their numbers |
//!
//! Run it with `cargo run --release -p channel-bench`; `--help` tells the rest.

mod args;
mod child;
mod cpu;
mod database;
mod env;
mod flush;
mod history;
mod load;
mod machine;
mod memory;
mod payload;
mod postgres;
mod product;
mod rows;
mod stats;
mod table;
mod upstream;
mod watch;

use anyhow::Context as _;
use args::{Args, Part};
use clap::Parser as _;
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    channel_runtime::http::install_crypto();
    let args = Args::parse();
    match args.part {
        Some(Part::Product(part)) => runtime(true)?.block_on(product::run(part)),
        Some(Part::Load(part)) => runtime(false)?.block_on(load::run(part)),
        Some(Part::Watch(part)) => runtime(false)?.block_on(watch::run(part)),
        Some(Part::Upstream(part)) => runtime(false)?.block_on(upstream::run(part)),
        Some(Part::Flush { folder }) => {
            child::report(&machine::flush_micros(&folder)?)?;
            Ok(())
        }
        None => runtime(true)?.block_on(measure(args)),
    }
}

/// What puts load on the product has one thread, so that it can take one core at most.
fn runtime(many_threads: bool) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = if many_threads {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build().context("no runtime")
}

async fn measure(args: Args) -> anyhow::Result<()> {
    let mut env = env::Env::new(&args)?;
    let machine = machine::Machine::look(env.folder())?;
    let table = rows::run(&mut env, args.rows.as_deref()).await?;
    let markdown = table.markdown(&machine, &args);
    if let Some(file) = &args.json {
        std::fs::write(file, serde_json::to_vec_pretty(&table.json(&machine))?)?;
    }
    if let Some(file) = &args.markdown {
        std::fs::write(file, &markdown)?;
    }
    std::io::stdout().write_all(markdown.as_bytes())?;
    table.check()
}
