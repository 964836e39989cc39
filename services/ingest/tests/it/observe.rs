//! What people who run it can see.

use channel_runtime::telemetry::Metrics;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{SECRET, config, message, start};

#[tokio::test]
async fn the_trace_of_a_webhook_is_stored_with_it() {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(layer);
    // For all tests of this process: callsites remember what a thread without a subscriber said.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let running = start(config()).await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = running.request("/").header("unipile-auth", SECRET);
    let request = request.header("traceparent", parent).body(message("a", "m"));
    request.send().await.unwrap();
    let stored = running.inbox(&[]).await.remove(0).trace.unwrap();
    assert_eq!(stored[3..35], parent[3..35]);
    assert_ne!(stored, parent);
}

#[tokio::test]
async fn the_metrics_tell_how_fast_how_many_and_what_became_of_them() {
    let metrics = Metrics::install().unwrap();
    let running = start(config()).await;
    running.send(message("a", "m")).await;
    running.send("{").await;
    let wrong = running.request("/").header("unipile-auth", "wrong");
    wrong.send().await.unwrap();
    let text = metrics.render();
    for expected in [
        "channel_ingest_ack_seconds_count",
        "channel_ingest_batch_size_count",
        r#"channel_ingest_webhooks_total{by="webhook",kind="received",outcome="applied",reason=""}"#,
        r#"channel_ingest_webhooks_total{by="webhook",kind="rejected",outcome="quarantined",reason="TRUNCATED"}"#,
        r#"channel_ingest_refused_total{reason="WEBHOOK_SECRET_WRONG"}"#,
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}
