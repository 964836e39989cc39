//! For tests: what a server does with somebody who falls silent.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;

/// What is left of a connection on which only this is ever said.
///
/// Read beside the runtime: its paused clock runs on while the network is under way, and so cannot tell
/// what takes too long.
pub(crate) async fn after_saying(address: SocketAddr, words: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(words.as_bytes()).await?;
    let mut stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let (done, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let read = stream.read_to_end(&mut rest);
        done.send(read.map(|_| rest)).unwrap();
    });
    let rest = end.await.unwrap();
    let held = |error: &std::io::Error| {
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
    };
    assert!(!rest.as_ref().is_err_and(held), "`{words}` holds its place for ever");
    rest
}
