//! A throw-away PostgreSQL server, safe as in production: it flushes every commit.

use anyhow::{Context as _, bail, ensure};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What differs from the defaults: memory as on a small server, and no checkpoint in the middle of a
/// measurement.
const SETTINGS: [&str; 5] = [
    "max_connections=300",
    "shared_buffers=512MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=1h",
    "listen_addresses=",
];

/// A running server in a folder of its own.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    programs: PathBuf,
    folder: PathBuf,
    databases: u32,
}

impl Server {
    /// Starts a server below `parent`. `preload` goes before its C library; `settings` are added.
    ///
    /// To be called on the main thread: the server ends with the thread that started it.
    pub(crate) fn start(
        parent: &Path,
        preload: Option<&Path>,
        settings: &[&str],
    ) -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in(parent)?.keep();
        if is_root()? {
            finish(Command::new("chown").arg("postgres:postgres").arg(&folder))?;
        }
        let data = folder.join("data");
        let mut init = as_owner(programs.join("initdb"))?;
        finish(init.args(["-N", "-A", "trust", "-U", "postgres", "--locale=C", "-D"]).arg(&data))?;
        let mut serve = as_owner("env")?;
        if let Some(library) = preload {
            serve.arg(format!("LD_PRELOAD={}", library.display()));
        }
        serve.arg(programs.join("postgres")).arg("-D").arg(&data);
        serve.arg("-k").arg(&folder);
        for setting in SETTINGS.iter().chain(settings) {
            serve.args(["-c", setting]);
        }
        let log = std::fs::File::create(folder.with_extension("log"))?;
        serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = serve.spawn().context("PostgreSQL does not start")?;
        let server = Self { child, programs, folder, databases: 0 };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Makes an empty database and returns its URL.
    pub(crate) fn database(&mut self) -> anyhow::Result<String> {
        self.databases += 1;
        let name = format!("bench_{}", self.databases);
        let mut create = as_owner(self.programs.join("createdb"))?;
        finish(create.arg("-h").arg(&self.folder).args(["-U", "postgres", &name]))?;
        let folder = self.folder.display();
        Ok(format!("postgres://postgres@localhost/{name}?host={folder}&sslmode=disable"))
    }

    /// The process that all others of the server are children of.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_ready(&self) -> anyhow::Result<()> {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let mut ask = Command::new(self.programs.join("pg_isready"));
            let ready = ask.arg("-q").arg("-h").arg(&self.folder).status()?;
            if ready.success() {
                return Ok(());
            }
            if Instant::now() > end {
                let log = std::fs::read_to_string(self.folder.with_extension("log"));
                bail!("PostgreSQL does not start: {}", log.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A crash: nothing in it is worth writing back. What fails here leaves a folder in the
        // temporary one.
        if let Ok(mut stop) = as_owner(self.programs.join("pg_ctl")) {
            let data = self.folder.join("data");
            let stopped = finish(stop.args(["-m", "immediate", "-s", "stop", "-D"]).arg(data));
            if stopped.is_err() {
                let _ = self.child.kill();
            }
        }
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The newest PostgreSQL that Debian's packages have put here, else the one on the path.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(number).map(|path| path.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file())
        .context("there is no PostgreSQL server; install the package `postgresql`")
}

/// The version, for the table.
pub(crate) fn version() -> anyhow::Result<String> {
    let said = Command::new(programs()?.join("postgres")).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&said.stdout).trim().replace("postgres (PostgreSQL) ", ""))
}

/// A command of the user who owns the server, which refuses to be root's. It gets a signal when the
/// thread that started it ends.
fn as_owner(program: impl AsRef<OsStr>) -> anyhow::Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]).current_dir("/");
    if is_root()? {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program);
    Ok(command)
}

fn is_root() -> anyhow::Result<bool> {
    let said = Command::new("id").arg("-u").output()?;
    Ok(said.stdout.trim_ascii() == b"0")
}

fn finish(command: &mut Command) -> anyhow::Result<()> {
    let done = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
