//! An HTTP/2 client that shows what is on the wire, and can refuse to read.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::{RecvStream, client::SendRequest};
use http::{HeaderMap, Request, Response, header};
use prost::Message;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::token::{self, NOBODY};

/// A message in gRPC's five-byte framing.
pub(crate) fn framed(text: &str) -> Bytes {
    let body = text.to_owned().encode_to_vec();
    let length = u32::try_from(body.len()).unwrap();
    [&[0][..], &length.to_be_bytes(), &body].concat().into()
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: http::StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
}

#[derive(Clone)]
pub(crate) struct Client(SendRequest<Bytes>);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    pub(crate) async fn over<I>(io: I) -> Self
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (send, connection) = h2::client::handshake(io).await.unwrap();
        tokio::spawn(connection);
        Self(send)
    }

    /// Sends a call, and gives back the answer's body untouched: until it is read, its window
    /// stays shut.
    pub(crate) async fn begin(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        text: &str,
    ) -> Response<RecvStream> {
        let mut request = Request::post(format!("http://gateway{path}"))
            .header(header::TE, "trailers")
            .header(header::CONTENT_TYPE, "application/grpc")
            .header(header::AUTHORIZATION, token::good());
        if headers.contains(&NOBODY) {
            request.headers_mut().unwrap().remove(header::AUTHORIZATION);
        }
        for (name, value) in headers.iter().filter(|header| **header != NOBODY) {
            request
                .headers_mut()
                .unwrap()
                .insert(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        let mut send = self.0.clone().ready().await.unwrap();
        let (response, mut body) = send.send_request(request.body(()).unwrap(), false).unwrap();
        // A refusal may end the stream before its body is sent; the answer tells either way.
        let body = body.send_data(framed(text), true);
        response.await.unwrap_or_else(|error| panic!("no answer: {error}; the body: {body:?}"))
    }

    /// Opens a call and takes it back, unless the gateway has had enough of this connection.
    pub(crate) async fn begin_and_cancel(&self, path: &str) -> Result<(), h2::Error> {
        let request = Request::post(format!("http://gateway{path}"))
            .header(header::TE, "trailers")
            .header(header::CONTENT_TYPE, "application/grpc")
            .header(header::AUTHORIZATION, token::good());
        let mut send = self.0.clone().ready().await?;
        let (_, mut body) = send.send_request(request.body(()).unwrap(), false)?;
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        body.send_reset(h2::Reason::CANCEL);
        Ok(())
    }

    pub(crate) async fn call(&self, path: &str, headers: &[(&str, &str)], text: &str) -> Answer {
        let (parts, mut stream) = self.begin(path, headers, text).await.into_parts();
        let mut body = Vec::new();
        while let Some(data) = stream.data().await {
            let data = data.unwrap();
            stream.flow_control().release_capacity(data.len()).unwrap();
            body.extend_from_slice(&data);
        }
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            trailers: stream.trailers().await.unwrap().unwrap_or_default(),
        }
    }
}
