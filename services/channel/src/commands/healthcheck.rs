//! `channel healthcheck`: for containers, which have no other program to ask with.

use std::time::Duration;

use anyhow::{Context, bail};
use channel_runtime::http::{self, HttpOptions};

use super::url;
use crate::config::ConfigArgs;
use crate::output::Output;
use crate::process::{self, reachable_address};

/// Before a container's own patience ends.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The admin address to ask [default: the setting admin.listen]
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    let url = match &args.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => configured(&args.config)?,
    };
    process::runtime()?.block_on(ask(&format!("{url}/readyz"), out))
}

fn configured(config: &ConfigArgs) -> anyhow::Result<String> {
    let address = config.load()?.admin.listen;
    if address.port() == 0 {
        bail!("`admin.listen` takes any free port; name the address with --url");
    }
    Ok(url(reachable_address(address)))
}

async fn ask(url: &str, mut out: Output) -> anyhow::Result<()> {
    let options =
        HttpOptions { connect_timeout: PATIENCE, timeout: PATIENCE, ..HttpOptions::default() };
    let client = http::client(&options)?;
    let request = client.get(url).build().context("the URL cannot be used")?;
    let answer = http::send(&client, "healthcheck", request).await;
    let answer = answer.with_context(|| format!("nobody answers at {url}"))?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    if !status.is_success() {
        bail!("not ready: {}", body.trim());
    }
    Ok(out.line("ready")?)
}
