//! Parts of the bench in processes of their own: started from here, told apart by their arguments.
//!
//! A part prints one JSON value a line. It ends when its standard input does, so that none outlives us.

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

/// No part takes longer than this to say its next word.
const PATIENCE: Duration = Duration::from_mins(3);

/// A part that runs.
#[derive(Debug)]
pub(crate) struct Part {
    child: Child,
    words: Lines<BufReader<ChildStdout>>,
    input: Option<ChildStdin>,
}

impl Part {
    /// Starts a part with these arguments; `preload` goes before its C library.
    pub(crate) fn start<A: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = A>,
        preload: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        if let Some(library) = preload {
            command.env("LD_PRELOAD", library);
        }
        let mut child = command.spawn().context("cannot start a part")?;
        let output = child.stdout.take().context("no output")?;
        let input = child.stdin.take();
        Ok(Self { child, words: BufReader::new(output).lines(), input })
    }

    pub(crate) fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the part has ended")
    }

    /// Waits for the next thing that the part says.
    pub(crate) async fn hear<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let line = tokio::time::timeout(PATIENCE, self.words.next_line());
        let Some(line) = line.await.context("a part says nothing")?? else {
            bail!("a part ended before its time: {:?}", self.child.wait().await?);
        };
        serde_json::from_str(&line).with_context(|| format!("a part said {line}"))
    }

    /// Lets the part go on.
    pub(crate) async fn go(&mut self) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("the part was told to end")?;
        input.write_all(b"go\n").await?;
        Ok(input.flush().await?)
    }

    /// Tells the part to end, and waits for it.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let status = ended.context("a part does not end")??;
        if !status.success() {
            bail!("a part failed: {status}");
        }
        Ok(())
    }
}

/// Says something to whoever started this part.
pub(crate) fn report<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    Ok(out.flush()?)
}

/// The other end of [`Part::go`] and [`Part::end`].
#[derive(Debug)]
pub(crate) struct Orders(mpsc::UnboundedReceiver<()>);

impl Orders {
    /// Listens on a thread of its own, which ends with the process: a read cannot be cancelled.
    pub(crate) fn listen() -> Self {
        let (orders, heard) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lines() {
                if line.is_err() || orders.send(()).is_err() {
                    return;
                }
            }
        });
        Self(heard)
    }

    /// Waits to be let on; false when it is time to end.
    pub(crate) async fn next(&mut self) -> bool {
        self.0.recv().await.is_some()
    }
}
