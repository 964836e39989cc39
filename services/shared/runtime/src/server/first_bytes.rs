//! A limit on how long a client may take to say which protocol it speaks.
//!
//! The header timeout of HTTP/1.1 and the pings of HTTP/2 begin only once the protocol is known,
//! so a client that sends nothing, or half of HTTP/2's greeting, would stay for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The length of HTTP/2's greeting (RFC 9113, section 3.4); no HTTP/1.1 request with a host is
/// shorter.
const ENOUGH_BYTES: usize = 24;

/// A connection that must say something soon.
#[derive(Debug)]
pub struct FirstBytes<I> {
    io: I,
    seen: usize,
    expiry: Option<Pin<Box<Sleep>>>,
}

impl<I> FirstBytes<I> {
    /// Reads fail with [`io::ErrorKind::TimedOut`] unless the client says enough within this time.
    pub fn new(io: I, within: Duration) -> Self {
        Self { io, seen: 0, expiry: Some(Box::pin(sleep(within))) }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for FirstBytes<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        self.seen = self.seen.saturating_add(buf.filled().len() - before);
        if self.seen >= ENOUGH_BYTES {
            self.expiry = None;
        }
        let expired = |expiry: &mut Pin<Box<Sleep>>| expiry.as_mut().poll(cx).is_ready();
        if read.is_pending() && self.expiry.as_mut().is_some_and(expired) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for FirstBytes<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn half_a_greeting_is_not_waited_on_for_ever() {
        let (mut client, server) = duplex(64);
        client.write_all(b"PRI * HTTP/2.0").await.unwrap();
        let mut server = FirstBytes::new(server, LIMIT);
        let mut greeting = [0; 24];
        let read = tokio::time::timeout(LIMIT * 2, server.read_exact(&mut greeting)).await;
        assert_eq!(read.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_spoken_may_be_quiet() {
        let (mut client, server) = duplex(64);
        client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut server = FirstBytes::new(server, LIMIT);
        let mut greeting = [0; 24];
        server.read_exact(&mut greeting).await.unwrap();
        let read = tokio::time::timeout(LIMIT * 10, server.read_u8()).await;
        assert!(read.is_err(), "the connection was given up");
    }
}
