//! Traces leave the process. In a test binary of its own, for the subscriber is the process's.

use channel_runtime::config::TelemetryConfig;
use channel_runtime::telemetry::{Telemetry, continue_from, traceparent_of_current_span};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let sent = self.0.send(request.into_inner());
        sent.map_err(|_| Status::unavailable("the test has ended"))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushing_sends_the_spans_in_the_trace_that_they_continue() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut received) = mpsc::unbounded_channel();
    let collector = TraceServiceServer::new(Collector(sender));
    let server = tonic::transport::Server::builder().add_service(collector);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

    let config = TelemetryConfig { otlp_endpoint: endpoint, ..TelemetryConfig::default() };
    let telemetry = Telemetry::start("channel-test", &config).unwrap();
    assert!(Telemetry::start("again", &TelemetryConfig::default()).is_err());
    let span = tracing::info_span!("webhook.apply");
    continue_from(&span, Some(PARENT));
    let passed_on = span.in_scope(traceparent_of_current_span).unwrap();
    drop(span);
    telemetry.flush().await;

    let export = received.recv().await.unwrap();
    let resource = &export.resource_spans[0];
    let names: Vec<_> = resource.resource.as_ref().unwrap().attributes.iter().collect();
    assert!(names.iter().any(|it| format!("{it:?}").contains("channel-test")), "{names:?}");
    let span = &resource.scope_spans[0].spans[0];
    assert_eq!(span.name, "webhook.apply");
    assert_eq!(hex(&span.trace_id), PARENT[3..35]);
    assert_eq!(hex(&span.parent_span_id), PARENT[36..52]);
    assert_eq!(hex(&span.span_id), passed_on[36..52]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
