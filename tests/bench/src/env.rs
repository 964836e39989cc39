//! What the rows share: folders, servers, sizes.

use crate::args::Args;
use crate::database::Kind;
use crate::{flush, postgres};
use anyhow::Context as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Which disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// The machine's own.
    Own,
    /// One whose flush takes a millisecond.
    Slow,
}

impl Disk {
    pub(crate) const BOTH: [Self; 2] = [Self::Own, Self::Slow];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Own => "own disk",
            Self::Slow => "flush of 1 ms",
        }
    }
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) warmup: f64,
    pub(crate) seconds: f64,
    /// Webhooks of which the way to open streams is timed.
    pub(crate) events: usize,
    /// Numbers of streams that wait for them.
    pub(crate) streams: [usize; 3],
    pub(crate) idle_streams: usize,
    /// Messages in the small and the large database.
    pub(crate) messages: [usize; 2],
    /// How often each list is read.
    pub(crate) reads: usize,
    /// Accounts, and messages that wait in each.
    pub(crate) outbox: [usize; 2],
    /// Chats of an account with a past, and messages in each.
    pub(crate) history: [usize; 2],
}

impl Sizes {
    fn new(args: &Args) -> Self {
        let full = Self {
            warmup: 1.0,
            seconds: args.seconds,
            events: 200,
            streams: [1, 100, 1_000],
            idle_streams: 10_000,
            messages: [10_000.min(args.messages), args.messages],
            reads: 200,
            outbox: [200, 50],
            history: [50, args.past.div_ceil(50)],
        };
        if !args.quick {
            return full;
        }
        Self {
            warmup: 0.2,
            seconds: args.seconds.min(0.6),
            events: 20,
            streams: [1, 20, 100],
            idle_streams: 500,
            messages: [1_000, 5_000],
            reads: 20,
            outbox: [10, 5],
            history: [5, 300],
        }
    }
}

/// Folders and servers of one run.
#[derive(Debug)]
pub(crate) struct Env {
    // First, so that the servers end before their folder goes.
    own: Option<postgres::Server>,
    slow: Option<postgres::Server>,
    preload: Option<PathBuf>,
    folder: TempDir,
    databases: u32,
    pub(crate) sizes: Sizes,
}

impl Env {
    pub(crate) fn new(args: &Args) -> anyhow::Result<Self> {
        let parent = args.folder.clone().unwrap_or_else(std::env::temp_dir);
        // The database server's user must find its own folder in it.
        let folder = tempfile::Builder::new()
            .prefix("channel-bench-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in(parent)?;
        let sizes = Sizes::new(args);
        Ok(Self { own: None, slow: None, preload: None, folder, databases: 0, sizes })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What must go before the C library of whatever writes to this disk.
    pub(crate) fn preload(&mut self, disk: Disk) -> anyhow::Result<Option<PathBuf>> {
        if disk == Disk::Own {
            return Ok(None);
        }
        if self.preload.is_none() {
            self.preload = Some(flush::build(self.folder.path())?);
        }
        Ok(self.preload.clone())
    }

    /// The same for a product that has the database in it, or has not.
    pub(crate) fn preload_of(&mut self, kind: Kind, disk: Disk) -> anyhow::Result<Option<PathBuf>> {
        match kind {
            Kind::Postgres => Ok(None),
            Kind::Sqlite => self.preload(disk),
        }
    }

    /// Where a fresh, empty database is.
    pub(crate) fn database(&mut self, kind: Kind, disk: Disk) -> anyhow::Result<String> {
        match kind {
            Kind::Postgres => self.server(disk)?.database(),
            Kind::Sqlite => {
                self.databases += 1;
                let folder = self.folder.path().join(format!("sqlite-{}", self.databases));
                Ok(folder.to_str().context("an odd temporary folder")?.to_owned())
            }
        }
    }

    /// The PostgreSQL server over this disk.
    pub(crate) fn server(&mut self, disk: Disk) -> anyhow::Result<&mut postgres::Server> {
        let preload = self.preload(disk)?;
        let place = match disk {
            Disk::Own => &mut self.own,
            Disk::Slow => &mut self.slow,
        };
        if place.is_none() {
            let server = postgres::Server::start(self.folder.path(), preload.as_deref(), &[])?;
            *place = Some(server);
        }
        place.as_mut().context("the server has just been started")
    }
}
