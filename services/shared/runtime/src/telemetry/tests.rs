use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tower_http::trace::MakeSpan;
use tracing_subscriber::layer::SubscriberExt;

use super::{GrpcMakeSpan, Metrics, continue_from, traceparent_of_current_span};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn with_traces(test: impl FnOnce()) {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), test);
}

#[test]
fn a_span_goes_on_in_the_trace_it_was_given_and_passes_it_on() {
    with_traces(|| {
        let span = tracing::info_span!("work");
        continue_from(&span, Some(PARENT));
        let passed_on = span.in_scope(traceparent_of_current_span).unwrap();
        assert_eq!(&passed_on[3..35], TRACE);
        assert_ne!(passed_on, PARENT);
    });
}

#[test]
fn nonsense_starts_a_trace_of_its_own() {
    with_traces(|| {
        for nonsense in [None, Some(""), Some("00-zz-zz-01"), Some("\u{fc}")] {
            let span = tracing::info_span!("work");
            continue_from(&span, nonsense);
            let own = span.in_scope(traceparent_of_current_span).unwrap();
            assert_ne!(&own[3..35], TRACE);
        }
    });
}

#[test]
fn without_traces_there_is_nothing_to_pass_on() {
    assert_eq!(traceparent_of_current_span(), None);
}

#[test]
fn a_call_goes_on_in_its_callers_trace() {
    with_traces(|| {
        let request = http::Request::post("http://host/channel.query.v1.QueryService/Watch")
            .header("traceparent", PARENT)
            .body(())
            .unwrap();
        let span = GrpcMakeSpan.make_span(&request);
        assert_eq!(&span.in_scope(traceparent_of_current_span).unwrap()[3..35], TRACE);
    });
}

#[test]
fn the_recorder_is_installed_once_and_shared() {
    let (first, second) = (Metrics::install().unwrap(), Metrics::install().unwrap());
    metrics::histogram!("channel_telemetry_test_seconds").record(0.003);
    let text = first.render();
    assert!(text.contains(r#"channel_telemetry_test_seconds_bucket{le="0.005"} 1"#), "{text}");
    assert!(second.render().contains("channel_telemetry_test_seconds_count 1"));
}
