//! Row 10: the whole program, from nothing to open doors, and what it takes when nothing happens.

use crate::cpu;
use crate::env::Env;
use crate::stats::{float, millis};
use crate::table::Line;
use anyhow::{Context as _, ensure};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

pub(super) const NOTE: &str = "The release binary `channel` without a command, in an empty folder: all \
    roles, SQLite and the simulator in one process. From the start of the process to its first line \
    of output, which comes when all doors are open; resident memory three seconds later.";

const STARTS: usize = 3;
const REACH_SECONDS: f64 = 0.5;
const REACH_MIB: f64 = 60.0;
const SETTLE: Duration = Duration::from_secs(3);

pub(super) async fn run(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let line = Line::new(10, "start of the whole program, idle memory");
    let program = std::env::current_exe()?.with_file_name("channel");
    if !program.is_file() {
        let why =
            "no release binary `channel` beside this program; `cargo build --release` makes it";
        return Ok(vec![line.skipped(why)]);
    }
    let (mut slowest, mut largest) = (0.0_f64, 0.0_f64);
    for start in 0..STARTS {
        let folder = env.folder().join(format!("start-{start}"));
        std::fs::create_dir(&folder)?;
        let mut command = Command::new(&program);
        command.args(["--listen", "127.0.0.1:0"]).current_dir(&folder);
        for door in ["SERVER", "ADMIN"] {
            command.env(format!("CHANNEL_{door}__LISTEN"), "127.0.0.1:0");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let began = Instant::now();
        let mut child = command.kill_on_drop(true).spawn()?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let first = lines.next_line().await?;
        let seconds = began.elapsed().as_secs_f64();
        ensure!(first.is_some(), "the program ended: {:?}", child.wait().await?);
        // It goes on talking, and ends when nobody listens.
        let listening =
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        tokio::time::sleep(SETTLE).await;
        let bytes = cpu::resident(child.id().context("the program ended")?)?;
        child.kill().await?;
        listening.await?;
        slowest = slowest.max(seconds);
        largest = largest.max(float(usize::try_from(bytes / 1024)?) / 1024.0);
    }
    let reached = slowest < REACH_SECONDS && largest < REACH_MIB;
    Ok(vec![
        line.measured(format!(
            "{} ms, {largest:.0} MiB (worst of {STARTS})",
            millis(slowest * 1e6)
        ))
        .reach(format!("< {REACH_SECONDS} s, < {REACH_MIB} MB"), reached)
        .number("seconds", slowest)
        .number("mib", largest),
    ])
}
