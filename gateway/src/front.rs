//! Parts gRPC from everything else, by what a request says of its body.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{Router, body::Body};
use channel_runtime::{
    deadline::{DeadlineService, is_grpc},
    identity::IdentityService,
};
use http::{HeaderMap, Request, Response, StatusCode, header};
use tonic_web::GrpcWebService;
use tower::{Service, ServiceExt};

use crate::{proxy::Proxy, webhook::refuse};

/// The forms of gRPC-Web that are translated.
const GRPC_WEB: [&[u8]; 4] = [
    b"application/grpc-web",
    b"application/grpc-web+proto",
    b"application/grpc-web-text",
    b"application/grpc-web-text+proto",
];

/// Parts gRPC from everything else.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) grpc: GrpcWebService<DeadlineService<IdentityService<Proxy>>>,
    pub(crate) http: Router,
}

impl Service<Request<Body>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match Speech::of(request.headers()) {
            Speech::Grpc => {
                let call = self.grpc.clone().oneshot(request);
                Box::pin(async move { call.await.map(|response| response.map(Body::new)) })
            }
            Speech::Unknown => {
                let refused = refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "CONTENT_TYPE_UNKNOWN");
                Box::pin(std::future::ready(Ok(refused)))
            }
            Speech::Http => Box::pin(self.http.clone().oneshot(request)),
        }
    }
}

/// What a request's content type says.
enum Speech {
    Grpc,
    /// It looks like gRPC, and would pass by what is meant for gRPC.
    Unknown,
    Http,
}

impl Speech {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if is_grpc(headers) || GRPC_WEB.contains(&kind) {
            Self::Grpc
        } else if kind.starts_with(b"application/grpc") {
            Self::Unknown
        } else {
            Self::Http
        }
    }
}
