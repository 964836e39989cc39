//! The only door to the outside: one way to build a client, one way to send.

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use tracing::Instrument;

/// Makes aws-lc-rs the process's TLS provider. Safe to call again.
pub fn install_crypto() {
    // An error means that one is installed already, which is what was wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// How an outbound client behaves.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// The limit for connecting, TLS included.
    pub connect_timeout: Duration,
    /// The limit for a whole request, body included.
    pub timeout: Duration,
    /// The limit between two reads of a body; `None` leaves only `timeout`.
    pub read_timeout: Option<Duration>,
    /// Idle connections kept per host.
    pub idle_per_host: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            read_timeout: None,
            idle_per_host: 16,
        }
    }
}

/// Builds a client that follows no redirects: a redirect could carry a key to another host.
///
/// # Errors
///
/// When the machine's TLS roots cannot be read.
pub fn client(options: &HttpOptions) -> Result<reqwest::Client, reqwest::Error> {
    install_crypto();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("whatsapp-channel/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .pool_max_idle_per_host(options.idle_per_host)
        .tcp_keepalive(Duration::from_secs(30));
    if let Some(read_timeout) = options.read_timeout {
        builder = builder.read_timeout(read_timeout);
    }
    builder.build()
}

/// Sends a request in a span, and measures it as `channel_http_client_seconds`.
///
/// `operation` names the call. The address is never recorded, for it may hold ids and keys.
///
/// # Errors
///
/// The client's own, with the address taken out.
pub async fn send(
    client: &reqwest::Client,
    operation: &'static str,
    request: reqwest::Request,
) -> Result<reqwest::Response, reqwest::Error> {
    let method = request.method().to_string();
    let span = tracing::info_span!(
        "http.send",
        otel.kind = "client",
        operation,
        http.request.method = method,
        http.response.status_code = tracing::field::Empty,
    );
    let started = Instant::now();
    let result = client.execute(request).instrument(span.clone()).await;
    let outcome = match &result {
        Ok(response) => response.status().as_u16().to_string(),
        Err(error) => failure(error).to_owned(),
    };
    span.record("http.response.status_code", outcome.as_str());
    metrics::histogram!("channel_http_client_seconds", "operation" => operation, "outcome" => outcome)
        .record(started.elapsed().as_secs_f64());
    result.map_err(reqwest::Error::without_url)
}

fn failure(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "connect"
    } else if error.is_timeout() {
        "timeout"
    } else {
        "broken"
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::response::Redirect;
    use axum::routing::get;

    use super::*;

    async fn serve(router: Router) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        address
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let elsewhere = get(async || Redirect::to("http://127.0.0.1:1/"));
        let address = serve(Router::new().route("/", elsewhere)).await;
        let client = client(&HttpOptions::default()).unwrap();
        let request = client.get(format!("http://{address}/")).build().unwrap();
        let response = send(&client, "test", request).await.unwrap();
        assert_eq!(response.status().as_u16(), 303);
    }

    #[tokio::test]
    async fn an_error_never_repeats_the_address() {
        let client = client(&HttpOptions::default()).unwrap();
        let request = client.get("http://127.0.0.1:1/?key=hunter2").build().unwrap();
        let error = send(&client, "test", request).await.unwrap_err();
        assert!(error.is_connect());
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_given_up() {
        let never = get(async || std::future::pending::<()>().await);
        let address = serve(Router::new().route("/", never)).await;
        let options = HttpOptions { timeout: Duration::from_millis(50), ..HttpOptions::default() };
        let client = client(&options).unwrap();
        let request = client.get(format!("http://{address}/")).build().unwrap();
        assert!(send(&client, "test", request).await.unwrap_err().is_timeout());
    }
}
