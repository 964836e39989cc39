//! `channel config`.

use channel_runtime::config::print;

use crate::config::{ConfigArgs, DEFAULTS};
use crate::output::Output;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print the configuration that applies here, secrets hidden
    Print(ConfigArgs),
    /// Print every setting with its default and its meaning, to start a file of your own
    Default,
}

pub(crate) fn run(command: &Command, mut out: Output) -> anyhow::Result<()> {
    let text = match command {
        Command::Print(args) => print(&args.load()?)?,
        Command::Default => DEFAULTS.to_owned(),
    };
    Ok(out.line(text.trim_end())?)
}
