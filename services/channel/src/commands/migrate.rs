//! `channel migrate`.

use crate::config::{Config, ConfigArgs};
use crate::output::Output;
use crate::store::{Opened, pending};
use crate::{keys, process};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say what would be applied
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    let mut config = args.config.load()?;
    config.check_store()?;
    config.store.migrate = true;
    process::runtime()?.block_on(migrate(&config, args.dry_run, out))
}

async fn migrate(config: &Config, dry_run: bool, mut out: Output) -> anyhow::Result<()> {
    keys::private_folder(&config.store.path)?;
    let pending = pending(&config.store).await?;
    if pending.is_empty() {
        return Ok(out.line("the database is up to date")?);
    }
    if !dry_run {
        // Opening applies them, under the store's own lock.
        Opened::open(&config.store).await?.close().await;
    }
    let done = if dry_run { "pending" } else { "applied" };
    for name in pending {
        out.line(format!("{done}  {name}"))?;
    }
    Ok(())
}
