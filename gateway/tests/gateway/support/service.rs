//! A tiny service in the place of the real ones. What it is asked for is the request's text.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio_stream::{Stream, StreamExt};
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    client,
    codegen::http::{self, uri::PathAndQuery},
    server::{Grpc, NamedService, ServerStreamingService, UnaryService},
    service::Routes,
    transport::Channel,
};
use tonic_prost::ProstCodec;
use tower::Service;

use super::{files, token};

pub(crate) fn routes() -> Routes {
    Routes::new(Query).add_service(Ingest)
}

/// How many floods have been asked for their fifth message: more than a stream's window holds.
pub(crate) static FLOODING: AtomicUsize = AtomicUsize::new(0);

/// Lets requests of the text `wait` end.
pub(crate) static GATE: Mutex<Option<tokio::sync::oneshot::Receiver<()>>> = Mutex::new(None);

const FLOOD_MESSAGE_BYTES: usize = 16 * 1024;

#[derive(Clone)]
struct Query;

impl NamedService for Query {
    const NAME: &'static str = "channel.query.v1.QueryService";
}

#[derive(Clone)]
struct Ingest;

impl NamedService for Ingest {
    const NAME: &'static str = "channel.ingest.v1.IngestService";
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

fn serve(request: http::Request<Body>) -> Answer {
    Box::pin(async move {
        let path = request.uri().path().to_owned();
        if path.ends_with("/GetAttachment") {
            return Ok(Grpc::new(ProstCodec::default())
                .server_streaming(files::File, request)
                .await);
        }
        let mut grpc = Grpc::new(ProstCodec::default());
        Ok(match path.rsplit('/').next() {
            Some("Watch") => grpc.server_streaming(Many, request).await,
            Some("ListChats" | "Replay" | "DeliverWebhook") => grpc.unary(One, request).await,
            _ => Status::unimplemented("no such method").into_http(),
        })
    })
}

macro_rules! serves {
    ($service:ty) => {
        impl Service<http::Request<Body>> for $service {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Answer;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Answer {
                serve(request)
            }
        }
    };
}
serves!(Query);
serves!(Ingest);

struct One;

impl UnaryService<String> for One {
    type Response = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Status>> + Send>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        Box::pin(async move {
            match request.into_inner().as_str() {
                "hang" => std::future::pending().await,
                "wait" => {
                    let gate = GATE.lock().unwrap().take().unwrap();
                    gate.await.ok();
                    Ok(Response::new("waited".to_owned()))
                }
                "big" => Ok(Response::new("x".repeat(1024 * 1024))),
                "fail" => Err(Status::with_details(
                    Code::FailedPrecondition,
                    "not today",
                    vec![1, 2, 3].into(),
                )),
                text => Ok(Response::new(format!("you said {text}"))),
            }
        })
    }
}

struct Many;

type Messages = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

impl ServerStreamingService<String> for Many {
    type Response = String;
    type ResponseStream = Messages;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Messages>, Status>> + Send>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let messages: Messages = match request.into_inner().as_str() {
            "hang" => return Box::pin(std::future::pending()),
            "forever" => {
                Box::pin(tokio_stream::once(Ok("first".to_owned())).chain(tokio_stream::pending()))
            }
            "flood" => Box::pin(flood()),
            count => Box::pin(count_to(count.parse().unwrap())),
        };
        Box::pin(std::future::ready(Ok(Response::new(messages))))
    }
}

fn flood() -> impl Stream<Item = Result<String, Status>> {
    let mut sent = 0;
    tokio_stream::iter(std::iter::repeat_with(move || {
        sent += 1;
        if sent == 5 {
            FLOODING.fetch_add(1, Ordering::SeqCst);
        }
        Ok("x".repeat(FLOOD_MESSAGE_BYTES))
    }))
}

fn count_to(end: usize) -> impl Stream<Item = Result<String, Status>> {
    tokio_stream::iter((1..=end).map(|n| Ok(format!("{n:01024}"))))
}

/// A native client of the service.
pub(crate) struct Caller(client::Grpc<Channel>);

impl Caller {
    pub(crate) async fn connect(address: std::net::SocketAddr) -> Self {
        let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.connect_timeout(Duration::from_secs(10)).connect().await.unwrap();
        Self::over(channel)
    }

    pub(crate) fn over(channel: Channel) -> Self {
        Self(client::Grpc::new(channel))
    }

    pub(crate) async fn one(&mut self, path: &'static str, text: &str) -> Result<String, Status> {
        self.0.ready().await.unwrap();
        let (path, codec) = (PathAndQuery::from_static(path), ProstCodec::default());
        let request = authorized(text);
        self.0.unary(request, path, codec).await.map(Response::into_inner)
    }

    pub(crate) async fn many(
        &mut self,
        path: &'static str,
        text: &str,
    ) -> Result<tonic::Streaming<String>, Status> {
        self.0.ready().await.unwrap();
        let (path, codec) = (PathAndQuery::from_static(path), ProstCodec::default());
        let request = authorized(text);
        let response = self.0.server_streaming(request, path, codec).await?;
        Ok(response.into_inner())
    }
}

fn authorized(text: &str) -> Request<String> {
    let mut request = Request::new(text.to_owned());
    request.metadata_mut().insert("authorization", token::good().parse().unwrap());
    request
}
