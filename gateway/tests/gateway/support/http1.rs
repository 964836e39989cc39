//! HTTP/1.1 written by hand, and gRPC-Web read by hand.

use std::{collections::HashMap, net::SocketAddr};

use base64::Engine;
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    h2c::framed,
    soon,
    token::{self, NOBODY},
};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Sends the request and reads until the connection closes.
pub(crate) async fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    soon("an answer", stream.read_to_end(&mut answer)).await.unwrap();
    parse(&answer)
}

/// A request with a length, on a connection of its own.
pub(crate) async fn request(
    address: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = vec![
        format!("{line} HTTP/1.1"),
        "host: gateway".to_owned(),
        "connection: close".to_owned(),
        format!("content-length: {}", body.len()),
    ];
    head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    let head = head.join("\r\n") + "\r\n\r\n";
    exchange(address, &head, body).await
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers: HashMap<_, _> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let rest = &answer[end + 4..];
    let chunked = headers.get("transfer-encoding").is_some_and(|v| v == "chunked");
    Answer {
        status: status.parse().unwrap(),
        body: if chunked { dechunk(rest) } else { rest.to_vec() },
        headers,
    }
}

fn dechunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

/// A gRPC-Web call in the binary or the text form, with a good token unless the headers say
/// otherwise.
pub(crate) async fn web_call(
    address: SocketAddr,
    path: &str,
    text_form: bool,
    headers: &[(&str, &str)],
    text: &str,
) -> Web {
    let kind = if text_form { "application/grpc-web-text" } else { "application/grpc-web+proto" };
    let mut all = vec![("content-type", kind), ("accept", kind), ("x-grpc-web", "1")];
    let good = token::good();
    if headers.iter().all(|(name, _)| *name != NOBODY.0) {
        all.push((NOBODY.0, &good));
    }
    all.extend(headers.iter().filter(|header| **header != NOBODY));
    let mut body = framed(text).to_vec();
    if text_form {
        body = base64::prelude::BASE64_STANDARD.encode(body).into_bytes();
    }
    let answer = request(address, &format!("POST {path}"), &all, &body).await;
    Web::read(answer, text_form)
}

/// What a gRPC-Web client understands of an answer.
#[derive(Debug)]
pub(crate) struct Web {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) messages: Vec<String>,
    /// The trailers, from the frame at the body's end.
    pub(crate) trailers: HashMap<String, String>,
}

impl Web {
    fn read(answer: Answer, text_form: bool) -> Self {
        let body = if text_form { decode_groups(&answer.body) } else { answer.body };
        let (messages, trailers) = frames(&body);
        Self { status: answer.status, headers: answer.headers, messages, trailers }
    }
}

/// Messages and trailers of a gRPC-Web body.
pub(crate) fn frames(mut body: &[u8]) -> (Vec<String>, HashMap<String, String>) {
    let (mut messages, mut trailers) = (Vec::new(), HashMap::new());
    while let [flag, a, b, c, d, rest @ ..] = body {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (frame, after) = rest.split_at(length);
        if flag & 0x80 == 0 {
            assert!(trailers.is_empty(), "a message after the trailers");
            messages.push(String::decode(frame).unwrap());
        } else {
            let text = String::from_utf8(frame.to_vec()).unwrap();
            let pairs = text.split_terminator("\r\n").map(|line| line.split_once(':').unwrap());
            trailers.extend(pairs.map(|(k, v)| (k.to_owned(), v.trim().to_owned())));
        }
        body = after;
    }
    assert!(body.is_empty(), "half a frame at the end");
    (messages, trailers)
}

/// Base64 whose parts are padded one by one, as gRPC-Web's text form allows.
fn decode_groups(text: &[u8]) -> Vec<u8> {
    let groups = text.chunks(4).map(|group| base64::prelude::BASE64_STANDARD.decode(group));
    groups.flat_map(Result::unwrap).collect()
}
