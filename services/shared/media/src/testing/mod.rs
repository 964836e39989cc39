//! A real S3 service, for tests only: Ceph's gateway (`radosgw`) over a cluster in memory.
//!
//! One cluster for each test program; each test opens a [`Door`] of its own, which it may shut. All of it lies in a
//! temporary folder and does not outlive the program, however that ends: shells that hold the processes wait for the
//! end of a pipe from us. Without Ceph a test fails; it is never skipped.

use crate::{MediaConfig, MediaStoreKind, S3Config};
use channel_runtime::config::Secret;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as ObjectPath;
use object_store::signer::Signer as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The key's id.
pub const KEY: &str = "the-key";
/// The key.
pub const SECRET: &str = "a-secret-of-the-tests";

const REGION: &str = "default";
/// How long a process may take to listen.
const PATIENCE: Duration = Duration::from_mins(2);

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static BUCKETS: AtomicU32 = AtomicU32::new(0);

/// A cluster, which goes when the pipe to its shell closes.
#[derive(Debug)]
struct Cluster {
    folder: PathBuf,
    _guard: Child,
}

impl Cluster {
    fn start() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("channel-ceph.{}", std::process::id()));
        let script = include_str!("cluster.sh");
        let port = free_port()?.port().to_string();
        let mut command = Command::new("bash");
        command.args(["-c", script, "cluster.sh"]).arg(&folder).args([&port, KEY, SECRET]);
        let mut guard = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let mut line = String::new();
        let said = guard.stdout.take().map(BufReader::new);
        said.ok_or(io::ErrorKind::BrokenPipe)?.read_line(&mut line)?;
        if line.trim() == "ready" {
            return Ok(Self { folder, _guard: guard });
        }
        let mut why = String::new();
        guard.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?.read_to_string(&mut why)?;
        Err(io::Error::other(format!("Ceph does not start: {why}")))
    }
}

/// A gateway of the cluster, with a bucket that nobody else uses.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    bucket: String,
    guard: Option<Child>,
}

impl Door {
    /// Opens one, with an empty bucket.
    ///
    /// # Panics
    ///
    /// When there is no Ceph, or it does not do what it is told.
    pub async fn open() -> Self {
        match tokio::task::spawn_blocking(Self::new).await {
            Ok(Ok(door)) => match door.make_bucket().await {
                Ok(()) => door,
                Err(error) => stop(&error),
            },
            Ok(Err(error)) => stop(&error),
            Err(error) => stop(&error),
        }
    }

    fn new() -> io::Result<Self> {
        let number = BUCKETS.fetch_add(1, Ordering::Relaxed);
        let mut door =
            Self { address: free_port()?, bucket: format!("files-{number}"), guard: None };
        door.reopen()?;
        Ok(door)
    }

    /// The configuration of a program that keeps its files here.
    #[must_use]
    pub fn config(&self) -> MediaConfig {
        let s3 = S3Config {
            bucket: self.bucket.clone(),
            region: REGION.into(),
            endpoint: self.endpoint(),
            prefix: "of/channel".into(),
            access_key_id: KEY.into(),
            secret_access_key: Secret::new(SECRET.to_owned()),
            allow_http: true,
        };
        MediaConfig { kind: MediaStoreKind::S3, s3, ..MediaConfig::default() }
    }

    /// Where the service is.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the service as a crash would. What lies in the bucket stays.
    pub fn shut(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            // Nothing is left to do about a guard that cannot be waited for.
            let _ = guard.wait();
        }
    }

    /// Starts the service again at the same address.
    ///
    /// # Errors
    ///
    /// When it does not listen.
    pub fn reopen(&mut self) -> io::Result<()> {
        let cluster = CLUSTER.get_or_init(|| Cluster::start().unwrap_or_else(|error| stop(&error)));
        let script = "radosgw -f -n client.admin -c \"$1\" --rgw-frontends=\"beast endpoint=$2\" \
                      </dev/null >/dev/null 2>&1 & cat >/dev/null; kill -9 $!; wait";
        let mut command = Command::new("bash");
        command.args(["-c", script, "door"]).arg(cluster.folder.join("ceph.conf"));
        command.arg(self.address.to_string()).stdin(Stdio::piped()).stdout(Stdio::null());
        self.guard = Some(command.stderr(Stdio::null()).process_group(0).spawn()?);
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if begun.elapsed() > PATIENCE {
                return Err(io::Error::other("radosgw does not listen"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Makes the bucket, which a program never does.
    async fn make_bucket(&self) -> io::Result<()> {
        let store = AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_bucket_name(&self.bucket)
            .with_region(REGION)
            .with_access_key_id(KEY)
            .with_secret_access_key(SECRET)
            .with_allow_http(true)
            .build()?;
        let signed = store.signed_url(http::Method::PUT, &ObjectPath::from(""), PATIENCE).await?;
        let target = format!("{}?{}", signed.path(), signed.query().unwrap_or_default());
        let address = self.address;
        let answer = tokio::task::spawn_blocking(move || put(address, &target)).await??;
        let made = answer.starts_with("HTTP/1.1 200");
        made.then_some(()).ok_or_else(|| io::Error::other(format!("no bucket: {answer}")))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
    }
}

fn put(address: SocketAddr, target: &str) -> io::Result<String> {
    let mut wire = TcpStream::connect(address)?;
    let head = format!("PUT {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    wire.write_all(format!("{head}content-length: 0\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    wire.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[expect(clippy::panic, reason = "a test without its service must fail, and say why")]
fn stop(why: &dyn std::fmt::Display) -> ! {
    panic!("the tests need Ceph's radosgw: {why}")
}
