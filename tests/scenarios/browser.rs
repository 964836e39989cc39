//! A real browser on the other side of the gateway.

use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_runtime::identity::Role;
use channel_tests::client::token;
use channel_tests::program::{Setup, WEBHOOK_SECRET};
use std::path::{Path, PathBuf};
use tokio::process::Command;

on_both!(a_page_sees_a_webhook_arrive_and_keeps_the_client_rules);

/// The origin of the page; the browser finds it on its own machine.
const ORIGIN: &str = "http://page.localhost";

async fn a_page_sees_a_webhook_arrive_and_keeps_the_client_rules(world: World) -> Result<()> {
    let program = Setup::whole(&world.backend)?
        .with("GATEWAY__CORS__ALLOWED_ORIGINS", ORIGIN)
        .start()
        .await?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let run = Command::new(node(&root))
        .arg(root.join("tests/browser/run.mjs"))
        .args(["--gateway", &program.url(), "--token", &token(Role::Agent)?])
        .args(["--webhook", &program.webhooks(), "--secret", WEBHOOK_SECRET])
        .kill_on_drop(true)
        .output()
        .await
        .context("node does not start: run tests/setup")?;
    let said = String::from_utf8_lossy(&run.stdout);
    ensure!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    let checks = said.lines().filter(|line| line.starts_with("ok ")).count();
    ensure!(checks >= 10, "only {checks} checks: {said}");
    program.stop().await?;
    Ok(())
}

/// The one that tests/setup installed, else the machine's.
fn node(root: &Path) -> PathBuf {
    let installed = root.join("target/tools/bin/node");
    if installed.exists() { installed } else { "node".into() }
}
