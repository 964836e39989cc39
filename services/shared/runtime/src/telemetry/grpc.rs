//! A span for every call, in the caller's trace.

use http::Request;
use tower_http::classify::{GrpcErrorsAsFailures, SharedClassifier};
use tower_http::trace::{
    DefaultOnBodyChunk, DefaultOnEos, DefaultOnRequest, DefaultOnResponse, MakeSpan, TraceLayer,
};
use tracing::Span;

use super::propagation::{TRACEPARENT, continue_from};

/// Makes the span of a gRPC call and continues the caller's trace.
#[derive(Debug, Clone, Copy, Default)]
pub struct GrpcMakeSpan;

impl<B> MakeSpan<B> for GrpcMakeSpan {
    fn make_span(&mut self, request: &Request<B>) -> Span {
        let path = request.uri().path().trim_start_matches('/');
        let (service, method) = path.split_once('/').unwrap_or((path, ""));
        let span = tracing::info_span!(
            "grpc",
            otel.name = path,
            otel.kind = "server",
            rpc.system = "grpc",
            rpc.service = service,
            rpc.method = method,
        );
        continue_from(&span, request.headers().get(TRACEPARENT).and_then(|it| it.to_str().ok()));
        span
    }
}

/// The layer that [`grpc_trace_layer`] builds. Failures are logged by the fault table, not here.
pub type GrpcTraceLayer = TraceLayer<
    SharedClassifier<GrpcErrorsAsFailures>,
    GrpcMakeSpan,
    DefaultOnRequest,
    DefaultOnResponse,
    DefaultOnBodyChunk,
    DefaultOnEos,
    (),
>;

/// Traces every call; put it outermost, so that refused calls are traced too.
#[must_use]
pub fn grpc_trace_layer() -> GrpcTraceLayer {
    TraceLayer::new_for_grpc().make_span_with(GrpcMakeSpan).on_failure(())
}
