//! The webhook address: plain HTTP, as UniPile speaks it.
//!
//! The answer is 200 only after the webhook is durable, whatever became of it: the sender could do
//! nothing about a body that makes no sense. UniPile takes "200" literally.

mod answer;
mod body;
mod headers;
pub(crate) mod hosted;

pub(crate) use headers::worth_keeping;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::post;
use channel_runtime::supervise::spawn_owned;
use channel_runtime::telemetry::continue_from;
use channel_store::intake::Verdict;
use http::HeaderName;
use tracing::Instrument;

use crate::admission::{Admission, Entry};
use crate::error::Refusal;

/// Where webhooks arrive; the last part is the one that may be unguessable.
const BARE: [&str; 2] = ["/api/v1/webhooks/unipile", "/api/v1/webhooks/unipile/"];
const WITH_TOKEN: [&str; 2] =
    ["/api/v1/webhooks/unipile/{token}", "/api/v1/webhooks/unipile/{token}/"];

/// The unguessable part, by its name: a gateway in the same process has matched the path before, and what it
/// called the parts comes along.
#[derive(serde::Deserialize)]
struct Guarded {
    token: String,
}

type Token = Result<Path<Guarded>, PathRejection>;

/// What cannot be decoded is nobody's token.
fn token_of(token: Token) -> String {
    token.map_or_else(|_| String::new(), |Path(Guarded { token })| token)
}

/// What the routes share.
#[derive(Clone)]
struct Shim {
    admission: Arc<Admission>,
    secret_header: HeaderName,
}

pub(crate) fn router(admission: Arc<Admission>, secret_header: HeaderName) -> Router {
    let bare = async |State(shim): State<Shim>, request: Request| shim.serve(None, request).await;
    let with_token = async |State(shim): State<Shim>, token: Token, request: Request| {
        shim.serve(Some(token_of(token)), request).await
    };
    let mut router = Router::new();
    for path in BARE {
        router = router.route(path, post(bare));
    }
    for path in WITH_TOKEN {
        router = router.route(path, post(with_token));
    }
    router
        .method_not_allowed_fallback(answer::not_allowed)
        .fallback(answer::not_found)
        .with_state(Shim { admission, secret_header })
}

impl Shim {
    async fn serve(&self, token: Option<String>, request: Request) -> Response {
        let span = tracing::info_span!("webhook", otel.kind = "server");
        let traceparent = request.headers().get("traceparent");
        continue_from(&span, traceparent.and_then(|it| it.to_str().ok()));
        let answer = match self.admit(token.as_deref(), &request) {
            Ok(entry) => self.clone().take_owned(entry, request).instrument(span).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = &answer {
            self.admission.counters.refused(refusal);
        }
        answer::of(answer)
    }

    fn admit(&self, token: Option<&str>, request: &Request) -> Result<Entry, Refusal> {
        let secrets = request.headers().get_all(&self.secret_header);
        let secrets = secrets.iter().map(http::HeaderValue::as_bytes);
        self.admission.credentials.check(secrets, token)?;
        self.admission.enter()
    }

    /// A sender that hangs up once its body is here cancels nothing: the server drops this future, and
    /// the work goes on without it.
    async fn take_owned(self, entry: Entry, request: Request) -> Result<Verdict, Refusal> {
        let retry_after = self.admission.retry_after;
        let taken = spawn_owned(async move { self.take(&entry, request).await }).await;
        taken.unwrap_or(Err(Refusal::NotStored { retry_after }))
    }

    async fn take(&self, entry: &Entry, request: Request) -> Result<Verdict, Refusal> {
        let (parts, body) = request.into_parts();
        let body = body::read(body, self.admission.body_limit, entry.deadline).await?;
        let headers = worth_keeping(&parts.headers);
        self.admission.accept(entry, body, headers).await
    }
}
