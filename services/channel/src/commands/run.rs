//! `channel` without a command: all roles in one process.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::ConfigArgs;
use crate::output::Output;
use crate::roles::all::Plan;
use crate::{process, welcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The public address [setting: gateway.listen]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The folder that everything is kept in [setting: store.path]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Refuse to start while migrations are pending [setting: store.migrate]
    #[arg(long)]
    no_migrate: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(args: Args, mut out: Output) -> anyhow::Result<()> {
    let mut sources = args.config;
    if let Some(address) = args.listen {
        sources.set("gateway.listen", address.to_string());
    }
    if let Some(folder) = args.data {
        sources.set("store.path", folder.to_string_lossy());
    }
    if args.no_migrate {
        sources.set("store.migrate", "false");
    }
    let config = sources.load()?;
    let telemetry = config.telemetry.clone();
    let plan = Plan::new(config)?;
    let program = std::env::args().next().unwrap_or_else(|| "channel".to_owned());
    process::run("channel", &telemetry, async move |stage| {
        let (started, ending) = plan.start(stage).await?;
        welcome::show(&started, &program, &mut out)?;
        Ok(ending)
    })
}
