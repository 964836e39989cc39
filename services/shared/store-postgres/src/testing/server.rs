//! Starting and stopping a server.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Good for tests only: a crash of the machine loses everything.
const SETTINGS: [(&str, &str); 8] = [
    ("listen_addresses", ""),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("max_connections", "300"),
    ("shared_buffers", "128MB"),
    ("max_wal_size", "2GB"),
    ("log_min_messages", "warning"),
    ("timezone", "UTC"),
];

/// Why there is no server.
#[derive(Debug)]
pub struct ServerError(String);

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServerError {}

/// A running server in a folder of its own. It ends, and the folder goes, when this is dropped or the
/// program ends.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    /// Stops the server when the pipe to it closes.
    guard: Child,
}

impl Server {
    /// Starts a server with these settings beside those for tests, such as `("fsync", "on")`.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed or does not start.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        let programs = programs()?;
        let folder = output(as_owner("mktemp").args(["-d", "/tmp/channel-postgres.XXXXXX"]))?;
        let folder = PathBuf::from(folder.trim());
        let guard = guard(&programs, &folder)?;
        // From here on the guard cleans up, whatever happens.
        let server = Self { programs, folder, guard };
        server.init()?;
        server.configure(settings)?;
        server.resume()?;
        Ok(server)
    }

    /// The URL of a database on this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display();
        format!("postgres://postgres@localhost/{database}?host={folder}&sslmode=disable")
    }

    /// Stops it as a crash would: nothing is written back, connections break.
    ///
    /// # Errors
    ///
    /// When it does not stop.
    pub fn crash(&self) -> Result<(), ServerError> {
        self.control(&["-m", "immediate", "stop"])
    }

    /// Starts it again after [`crash`](Self::crash).
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn resume(&self) -> Result<(), ServerError> {
        let log = self.folder.join("log");
        let log = log.display().to_string();
        self.control(&["-w", "-t", "60", "-l", &log, "start"]).map_err(|error| {
            let log = as_owner("cat").arg(&log).output().map(|cat| cat.stdout);
            let log = String::from_utf8_lossy(&log.unwrap_or_default()).into_owned();
            ServerError(format!("{error}\n{log}"))
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn init(&self) -> Result<(), ServerError> {
        let mut init = as_owner(self.programs.join("initdb"));
        init.args(["-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D"]);
        output(init.arg(self.data())).map(|_| ())
    }

    fn configure(&self, settings: &[(&str, &str)]) -> Result<(), ServerError> {
        let folder = self.folder.display().to_string();
        let sockets = [("unix_socket_directories", folder.as_str())];
        let all = SETTINGS.iter().chain(&sockets).chain(settings);
        let lines = all.flat_map(|(name, value)| [name, " = '", value, "'\n"]);
        let lines: String = lines.collect();
        // Through a shell of the owner's, because the file is the owner's.
        let mut append = as_owner("sh");
        append.args(["-c", "printf %s \"$1\" >> \"$2\"", "sh", &lines]);
        output(append.arg(self.data().join("postgresql.conf"))).map(|_| ())
    }

    fn control(&self, arguments: &[&str]) -> Result<(), ServerError> {
        let mut control = as_owner(self.programs.join("pg_ctl"));
        control.arg("-s").arg("-D").arg(self.data()).args(arguments);
        // A server that inherits a pipe would keep it open.
        control.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match control.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(ServerError(format!("pg_ctl {arguments:?}: {status}"))),
            Err(error) => Err(failed(&control, &error)),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Nothing is left to do about a guard that cannot be waited for.
        let _ = self.guard.wait();
    }
}

/// A shell in a process group of its own, which no signal to ours reaches.
fn guard(programs: &Path, folder: &Path) -> Result<Child, ServerError> {
    let script =
        "cat > /dev/null; \"$1/pg_ctl\" -s -D \"$2/data\" -m immediate stop; rm -rf \"$2\"";
    let mut command = as_owner("sh");
    command.args(["-c", script, "sh"]).arg(programs).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn().map_err(|error| failed(&command, &error))
}

/// The newest PostgreSQL that Debian's packages have put here, else the one on the path.
fn programs() -> Result<PathBuf, ServerError> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(number).map(|path| path.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file())
        .ok_or_else(|| {
            let message = "initdb is neither under /usr/lib/postgresql nor on the path; install \
                the package `postgresql`";
            ServerError(message.into())
        })
}

/// A command of the user who owns the server, which refuses to be root's.
fn as_owner(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

fn output(command: &mut Command) -> Result<String, ServerError> {
    let Output { status, stdout, stderr } =
        command.output().map_err(|error| failed(command, &error))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&stderr);
    Err(ServerError(format!("{command:?}: {status}\n{stderr}")))
}

fn failed(command: &Command, error: &io::Error) -> ServerError {
    ServerError(format!("{command:?}: {error}"))
}
