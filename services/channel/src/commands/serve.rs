//! `channel serve`: one role in a process of its own.

use crate::config::ConfigArgs;
use crate::process;
use crate::roles::apart::{Plan, Role};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The role
    #[arg(value_enum)]
    role: Role,
    /// Refuse to start while migrations are pending [setting: store.migrate]
    #[arg(long)]
    no_migrate: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let mut sources = args.config;
    if args.no_migrate {
        sources.set("store.migrate", "false");
    }
    let config = sources.load()?;
    let telemetry = config.telemetry.clone();
    let plan = Plan::new(args.role, config)?;
    process::run(args.role.service(), &telemetry, async move |stage| plan.start(stage).await)
}
