//! The first minute of a newcomer: an empty folder, no settings.

use anyhow::{Context, Result, ensure};
use channel_tests::program::{Setup, executable};
use channel_tests::until::until;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_folder_becomes_a_living_channel() {
    first_minute().await.unwrap();
}

async fn first_minute() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let program = Setup::demo(&data)?.start().await?;
    let mode = std::fs::metadata(data.join("token"))?.permissions().mode();
    ensure!(mode & 0o777 == 0o600, "others may read the token: {mode:o}");

    let mut watch = Watch::start(&data, &program.url())?;
    let first = watch.next().await?;
    ensure!(
        first["account_id"].is_string() || first["accountId"].is_string(),
        "no account: {first}"
    );
    watch.stop().await?;
    let mut again = Watch::start(&data, &program.url())?;
    again.next().await?;
    again.stop().await?;

    until("the demo has chats", || async {
        let listed = run(&data, &program.url(), &["inbox", "list"]).await;
        listed.is_ok().then_some(())
    })
    .await?;
    let second = Setup::demo(&data)?.start().await;
    ensure!(second.is_err(), "two processes opened one folder");
    program.stop().await?;
    Ok(())
}

/// `channel watch --json` at work.
struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn start(data: &Path, url: &str) -> Result<Self> {
        let mut child = command(data, url, &["watch", "--json"])?
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { child, lines })
    }

    /// The next change.
    async fn next(&mut self) -> Result<Value> {
        let line = self.lines.next_line().await?.context("the watching ended")?;
        Ok(serde_json::from_str(&line)?)
    }

    async fn stop(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

async fn run(data: &Path, url: &str, arguments: &[&str]) -> Result<String> {
    let output = command(data, url, arguments)?.output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn command(data: &Path, url: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(executable()?);
    command.env_clear().args(arguments).args(["--server", url]).arg("--data").arg(data);
    Ok(command)
}
