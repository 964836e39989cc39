//! The real program as a process.

use crate::client::{self, AUTH_SECRET};
use crate::until::until;
use anyhow::{Context, Result, ensure};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::{Child, Command};

/// The secret that webhooks carry.
pub const WEBHOOK_SECRET: &str = "the secret of the webhooks of these tests";

/// Where a program keeps everything.
#[derive(Debug, Clone)]
pub enum Backend {
    /// SQLite in a folder.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(String),
}

/// How to start a program, and where it will be found.
#[derive(Debug, Clone)]
pub struct Setup {
    command: Vec<String>,
    environment: Vec<(String, String)>,
    log: Option<PathBuf>,
    /// Where it listens for everybody.
    pub gateway: SocketAddr,
    /// Where it listens for other roles.
    pub server: SocketAddr,
    /// Where it listens for webhooks itself.
    pub webhook: SocketAddr,
    /// Where it tells how it is.
    pub admin: SocketAddr,
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// How it was started.
    pub setup: Setup,
}

impl Setup {
    /// All roles in one process, without the demo, on free ports.
    pub fn whole(backend: &Backend) -> Result<Self> {
        Self::new(&[], backend)
    }

    /// One role in a process of its own.
    pub fn role(role: &str, backend: &Backend) -> Result<Self> {
        Self::new(&["serve", role], backend)
    }

    /// As a newcomer starts it, but on free ports.
    pub fn demo(data: &Path) -> Result<Self> {
        Self::bare(&[], &Backend::Sqlite(data.to_owned()))
    }

    fn new(command: &[&str], backend: &Backend) -> Result<Self> {
        let setup = Self::bare(command, backend)?;
        let webhook = setup.webhook.to_string();
        let server = setup.server.to_string();
        Ok(setup
            .with("DEMO__ENABLED", "false")
            .with("AUTH__SECRET", AUTH_SECRET)
            .with("INGEST__WEBHOOK_SECRET", WEBHOOK_SECRET)
            .with("INGEST__WEBHOOK_LISTEN", &webhook)
            .with("SERVER__LISTEN", &server)
            .with("LIVE__STREAMS_PER_USER", "1000"))
    }

    fn bare(command: &[&str], backend: &Backend) -> Result<Self> {
        let [gateway, server, webhook, admin] = free_ports()?;
        let command = command.iter().map(ToString::to_string).collect();
        let setup =
            Self { command, environment: Vec::new(), log: None, gateway, server, webhook, admin };
        let setup = setup
            .with("GATEWAY__LISTEN", &gateway.to_string())
            .with("ADMIN__LISTEN", &admin.to_string())
            .with("TELEMETRY__LOG_FILTER", "error");
        Ok(match backend {
            Backend::Sqlite(folder) => setup.with("STORE__PATH", &folder.display().to_string()),
            Backend::Postgres(url) => {
                let files = files_beside(url)?.display().to_string();
                let setup = setup.with("STORE__KIND", "postgres").with("STORE__URL", url);
                setup.with("MEDIA__PATH", &files)
            }
        })
    }

    /// With a setting, named as in the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((format!("CHANNEL_{name}"), value.to_owned()));
        self
    }

    /// Writing everything that it can say into a file.
    #[must_use]
    pub fn logging_to(mut self, file: PathBuf) -> Self {
        self.log = Some(file);
        self.with("TELEMETRY__LOG_FILTER", "trace")
    }

    /// Starts the program, which is to end by itself. Returns its exit code, and what it says.
    pub async fn refused(self) -> Result<(Option<i32>, String)> {
        let ended = self.command()?.stderr(Stdio::piped()).output().await?;
        Ok((ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned()))
    }

    /// The same settings, but for the addresses of another setup.
    #[must_use]
    pub fn elsewhere(mut self, other: Self) -> Self {
        self.environment.extend(other.environment);
        Self { command: self.command, environment: self.environment, log: self.log, ..other }
    }

    /// Starts the program and waits until it is ready.
    pub async fn start(self) -> Result<Program> {
        let mut program = self.launch()?;
        let url = format!("http://{}/readyz", program.setup.admin);
        let http = reqwest::Client::new();
        until("the program is ready", || {
            let ended = program.child.try_wait().ok().flatten();
            let probe = http.get(&url).send();
            async move {
                let ready = probe.await.is_ok_and(|answer| answer.status().is_success());
                (ready || ended.is_some()).then_some(())
            }
        })
        .await?;
        ensure!(program.child.try_wait()?.is_none(), "the program ended while it was starting");
        Ok(program)
    }

    fn launch(self) -> Result<Program> {
        let mut command = self.command()?;
        if let Some(log) = &self.log {
            let log = std::fs::OpenOptions::new().append(true).create(true).open(log)?;
            command.stdout(log.try_clone()?).stderr(log);
        }
        let child = command.spawn().context("the program does not start")?;
        Ok(Program { child, setup: self })
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(executable()?);
        command
            .args(&self.command)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        Ok(command)
    }
}

impl Program {
    /// Where everybody comes in.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.setup.gateway)
    }

    /// Where webhooks go.
    #[must_use]
    pub fn webhooks(&self) -> String {
        format!("{}/api/v1/webhooks/unipile/", self.url())
    }

    /// A client that reads.
    pub fn query(&self) -> Result<client::Query> {
        client::query(&self.url())
    }

    /// A client that sends.
    pub fn messaging(&self) -> Result<client::Messaging> {
        client::messaging(&self.url())
    }

    /// Stops the process without its knowing, as a machine that sleeps would.
    pub async fn pause(&self) -> Result<()> {
        signal(&self.child, "-STOP").await
    }

    /// Lets it go on.
    pub async fn go_on(&self) -> Result<()> {
        signal(&self.child, "-CONT").await
    }

    /// A client that looks after the intake.
    pub fn ingest(&self) -> Result<client::Ingest> {
        client::ingest(&self.url())
    }

    /// Ends the process at once, as a crash would.
    pub async fn kill(mut self) -> Result<Setup> {
        self.child.kill().await?;
        Ok(self.setup)
    }

    /// Asks the program to end, and waits until it did.
    pub async fn stop(mut self) -> Result<Setup> {
        signal(&self.child, "-TERM").await?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "the program ended with {status}");
        Ok(self.setup)
    }

    /// What the program says to probes at this path: the status, and the words.
    pub async fn probe(&self, path: &str) -> Result<(u16, String)> {
        let answer = reqwest::get(format!("http://{}{path}", self.setup.admin)).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// The metrics as they are now.
    pub async fn metrics(&self) -> Result<String> {
        let url = format!("http://{}/metrics", self.setup.admin);
        Ok(reqwest::get(url).await?.error_for_status()?.text().await?)
    }
}

/// Sends a signal to a process that was started here.
pub(crate) async fn signal(child: &Child, signal: &str) -> Result<()> {
    let id = child.id().context("the process has ended")?;
    let sent = Command::new("kill").args([signal, &id.to_string()]).status().await?;
    ensure!(sent.success(), "the process cannot be sent {signal}");
    Ok(())
}

/// The folder of files that all programs over one database share.
fn files_beside(url: &str) -> Result<PathBuf> {
    let database = url.rsplit('/').next().unwrap_or_default();
    let database = database.split('?').next().unwrap_or_default();
    let folder = executable()?.with_file_name("files-of-tests");
    Ok(folder.join(format!("{}-{database}", std::process::id())))
}

/// The program beside this test, as cargo built it.
pub fn executable() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.ancestors().nth(2).context("a test without a target folder")?;
    let program = folder.join("channel");
    ensure!(
        Path::new(&program).exists(),
        "{} is not built: run `cargo build --bins` first, or tests/all",
        program.display()
    );
    Ok(program)
}

/// Ports that were free a moment ago; all held at once, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> Result<[SocketAddr; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?;
        held.push(listener);
    }
    Ok(ports)
}
