//! A command line of the program, as somebody types it.

use crate::client;
use crate::program::{Program, executable, signal};
use anyhow::{Context, Result, ensure};
use channel_runtime::identity::Role;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A command that runs against a program. Dropping it kills it.
#[derive(Debug)]
pub struct Typed {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// With success, or not.
    pub status: ExitStatus,
    /// The lines that it printed and nobody read before.
    pub lines: Vec<String>,
    /// What it complained about.
    pub complaint: String,
}

impl Typed {
    /// Starts a command, as an administrator of the default tenant.
    pub fn start(program: &Program, arguments: &[&str]) -> Result<Self> {
        let mut child = command(program, arguments)?.spawn().context("it does not start")?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { child, lines })
    }

    /// Runs a command to its end.
    pub async fn run(program: &Program, arguments: &[&str]) -> Result<Ended> {
        Self::start(program, arguments)?.end().await
    }

    /// What a command that succeeds writes.
    pub async fn raw(program: &Program, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = command(program, arguments)?.output().await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }

    /// The next line.
    pub async fn line(&mut self) -> Result<String> {
        self.lines.next_line().await?.context("there are no more lines")
    }

    /// As Ctrl-C does.
    pub async fn interrupt(&self) -> Result<()> {
        signal(&self.child, "-INT").await
    }

    /// Waits for the end.
    pub async fn end(mut self) -> Result<Ended> {
        let mut lines = Vec::new();
        while let Some(line) = self.lines.next_line().await? {
            lines.push(line);
        }
        let mut complaint = String::new();
        let mut errors = self.child.stderr.take().context("no complaints")?;
        errors.read_to_string(&mut complaint).await?;
        Ok(Ended { status: self.child.wait().await?, lines, complaint })
    }
}

fn command(program: &Program, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(executable()?);
    command
        .env_clear()
        .args(arguments)
        .args(["--server", &program.url()])
        .env("CHANNEL_TOKEN", client::token(Role::Admin)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}
