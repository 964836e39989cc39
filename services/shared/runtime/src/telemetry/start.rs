//! Sets the process's subscriber, once.

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::io::IsTerminal;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::panics;
use crate::config::{LogFormat, TelemetryConfig};

/// Telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log_filter` cannot be read.
    #[error("`telemetry.log_filter` is not a filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// `telemetry.otlp_endpoint` cannot be used.
    #[error("`telemetry.otlp_endpoint` cannot be used: {0}")]
    Endpoint(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Someone else has set the subscriber already.
    #[error("telemetry is already running")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Running telemetry. Flush it at the end of `main`.
#[derive(Debug)]
#[must_use = "what is not flushed may be lost"]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Starts logging to standard error and, when configured, exporting traces. Must be called
    /// inside a tokio runtime, which the exporter's connection lives on.
    ///
    /// # Errors
    ///
    /// When the filter or the endpoint cannot be used, or telemetry runs already.
    pub fn start(service: &str, config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let filter = EnvFilter::try_new(&config.log_filter)?;
        let provider = provider(service, config)?;
        let traces = provider
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("channel")));
        tracing_subscriber::registry().with(filter).with(traces).with(lines(config)).try_init()?;
        panics::log_them();
        Ok(Self(provider))
    }

    /// Sends what is left to send.
    pub async fn flush(self) {
        let Some(provider) = self.0 else { return };
        // Blocks until the exporter is done, which needs the runtime's other threads.
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

fn lines<S>(config: &TelemetryConfig) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines =
        fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

fn provider(
    service: &str,
    config: &TelemetryConfig,
) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    if config.otlp_endpoint.is_empty() {
        return Ok(None);
    }
    let exporter =
        SpanExporter::builder().with_tonic().with_endpoint(config.otlp_endpoint.clone()).build()?;
    let fresh = Sampler::TraceIdRatioBased(config.trace_sample_ratio);
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(fresh)))
        .with_resource(resource(service, config))
        .build();
    Ok(Some(provider))
}

fn resource(service: &str, config: &TelemetryConfig) -> Resource {
    let mut attributes = vec![KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    if !config.service_instance.is_empty() {
        attributes.push(KeyValue::new("service.instance.id", config.service_instance.clone()));
    }
    Resource::builder().with_service_name(service.to_owned()).with_attributes(attributes).build()
}
