//! The layer that knows the caller, or refuses the call.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{Either, Ready, ready};
use http::{HeaderMap, Request, Response, header};
use tower::{Layer, Service};

use super::{Identity, TokenError, TokenVerifier};
use crate::fault::to_status;

/// Puts an [`Identity`] into the extensions of every request, or answers UNAUTHENTICATED.
#[derive(Debug, Clone)]
pub struct IdentityLayer {
    verifier: Arc<TokenVerifier>,
    open: Arc<[String]>,
}

impl IdentityLayer {
    /// Every path needs a token.
    #[must_use]
    pub fn new(verifier: Arc<TokenVerifier>) -> Self {
        Self { verifier, open: Arc::from([]) }
    }

    /// Paths that begin like one of `prefixes` need none, such as `/grpc.health.v1.Health/`.
    #[must_use]
    pub fn leave_open(mut self, prefixes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.open = prefixes.into_iter().map(Into::into).collect();
        self
    }

    fn identify<B>(&self, request: &Request<B>) -> Result<Option<Identity>, TokenError> {
        let found = bearer(request.headers()).and_then(|token| self.verifier.verify(token));
        let path = request.uri().path();
        match found {
            Err(_) if self.open.iter().any(|prefix| path.starts_with(prefix)) => Ok(None),
            other => other.map(Some),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let value = headers.get(header::AUTHORIZATION).ok_or(TokenError::Missing)?;
    let text = value.to_str().map_err(|_| TokenError::Invalid)?;
    // RFC 9110 §11.1: the scheme's case does not matter.
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(TokenError::Missing),
    }
}

impl<S> Layer<S> for IdentityLayer {
    type Service = IdentityService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        IdentityService { inner, layer: self.clone() }
    }
}

/// The service that [`IdentityLayer`] makes.
#[derive(Debug, Clone)]
pub struct IdentityService<S> {
    inner: S,
    layer: IdentityLayer,
}

impl<S, B, R> Service<Request<B>> for IdentityService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<R>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.layer.identify(&request) {
            Ok(identity) => {
                if let Some(identity) = identity {
                    request.extensions_mut().insert(identity);
                }
                Either::Left(self.inner.call(request))
            }
            Err(error) => {
                metrics::counter!("channel_auth_refused_total", "reason" => crate::fault::Fault::reason(&error))
                    .increment(1);
                Either::Right(ready(Ok(to_status(&error).into_http())))
            }
        }
    }
}
