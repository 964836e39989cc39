//! The public webhook address. Forwards to ingest's HTTP shim, byte for byte; the secret, the
//! JSON and the answer are ingest's business.

use std::{
    convert::Infallible,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, response::IntoResponse};
use http::{Request, Response, StatusCode, Uri, Version, header, uri};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Service, ServiceExt};

use crate::{GatewayError, config::WebhookConfig, hop, tls};

/// The paths that are forwarded; what follows the last one is the unguessable part.
pub(crate) const PATHS: [&str; 3] =
    ["/api/v1/webhooks/unipile", "/api/v1/webhooks/unipile/", "/api/v1/webhooks/unipile/{*rest}"];

/// When a sender should try again after ingest was away.
const RETRY_AFTER_SECS: u32 = 5;

type HttpClient = Client<HttpsConnector<HttpConnector>, Body>;

/// Where ingest's HTTP shim is.
#[derive(Clone)]
pub enum Shim {
    /// In this process.
    Local(Router),
    /// At an address.
    Remote(Box<RemoteShim>),
}

/// A shim in another process.
#[derive(Clone)]
pub struct RemoteShim {
    client: HttpClient,
    scheme: uri::Scheme,
    authority: uri::Authority,
}

impl RemoteShim {
    /// A shim at `url`, which has no path of its own: the public path is kept.
    ///
    /// # Errors
    ///
    /// When the URL is not `http(s)://host[:port]`, or the certificates are not usable.
    pub fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, GatewayError> {
        let refuse = || GatewayError::config("upstreams.webhook", &"must be http(s)://host[:port]");
        let parts = url.parse::<Uri>().map_err(|_| refuse())?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(refuse());
        };
        let bare = parts.path_and_query.is_none_or(|path| path == "/");
        let https = scheme == uri::Scheme::HTTPS;
        if !bare || !(https || scheme == uri::Scheme::HTTP) {
            return Err(refuse());
        }
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_connect_timeout(Some(Duration::from_secs(3)));
        http.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::http_client(https, ca_file)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            scheme,
            authority,
        })
    }

    async fn call(self, mut request: Request<Body>) -> Response<Body> {
        let path = request.uri().path_and_query().cloned();
        let target = Uri::builder()
            .scheme(self.scheme)
            .authority(self.authority)
            .path_and_query(path.unwrap_or_else(|| uri::PathAndQuery::from_static("/")))
            .build();
        let Ok(target) = target else {
            return refuse(StatusCode::BAD_REQUEST, "WEBHOOK_PATH_INVALID");
        };
        *request.uri_mut() = target;
        *request.version_mut() = Version::HTTP_11;
        hop::strip(request.headers_mut());
        match self.client.request(request).await {
            Ok(mut response) => {
                hop::strip(response.headers_mut());
                response.map(Body::new)
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(upstream = "webhook", error, "a webhook could not be forwarded");
                try_again("UPSTREAM_UNREACHABLE")
            }
        }
    }
}

/// The service behind the webhook paths.
#[derive(Clone)]
pub struct Forward {
    shim: Shim,
    max_body_bytes: usize,
    timeout: Duration,
}

impl Forward {
    /// Forwards to `shim` within the limits of `config`.
    #[must_use]
    pub fn new(shim: Shim, config: &WebhookConfig) -> Self {
        Self {
            shim,
            max_body_bytes: config.max_body_bytes,
            timeout: Duration::from_secs(config.timeout_seconds),
        }
    }

    async fn forward(self, request: Request<Body>) -> Response<Body> {
        let announced = request.body().size_hint().lower();
        if announced > self.max_body_bytes as u64 {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "WEBHOOK_TOO_LARGE");
        }
        let overflow = Arc::new(AtomicBool::new(false));
        let limit = self.max_body_bytes;
        let request = request.map(|body| limited(body, limit, Arc::clone(&overflow)));
        let call = async {
            match self.shim {
                Shim::Local(router) => match router.oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                },
                Shim::Remote(remote) => remote.call(request).await,
            }
        };
        let answer = tokio::time::timeout(self.timeout, call).await;
        if overflow.load(Ordering::Acquire) {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "WEBHOOK_TOO_LARGE");
        }
        answer.unwrap_or_else(|_| try_again("UPSTREAM_TIMEOUT"))
    }
}

/// The same bytes, failing where they exceed the limit and remembering why.
fn limited(body: Body, limit: usize, overflow: Arc<AtomicBool>) -> Body {
    if body.size_hint().exact().is_some() {
        return body;
    }
    Body::new(Limited::new(body, limit).map_err(move |error| {
        if error.is::<LengthLimitError>() {
            overflow.store(true, Ordering::Release);
        }
        error
    }))
}

impl Service<Request<Body>> for Forward {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.forward(request).await) })
    }
}

/// An answer of the gateway itself: JSON with the stable reason.
pub(crate) fn refuse(status: StatusCode, reason: &'static str) -> Response<Body> {
    let body = format!("{{\"reason\":\"{reason}\"}}");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn try_again(reason: &'static str) -> Response<Body> {
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, reason);
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECS.into());
    response
}
