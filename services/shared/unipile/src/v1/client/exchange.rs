//! Sending a call: breaker, time limit, span, metrics.

use super::call::Call;
use super::read::Odd;
use super::route::Repeat;
use super::{Client, answer, failure};
use crate::upstream::{Answer, Download, Failure, Page, UpstreamError};
use crate::v1::wire::json::Object;
use bytes::Bytes;
use channel_runtime::http;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use reqwest::Response;
use std::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

impl Client {
    /// Calls, and reads the JSON object that comes back.
    pub(super) async fn object<T: Send>(
        &self,
        call: Call<'_>,
        read: impl Fn(&Object<'_>) -> Result<T, Odd> + Send + Sync,
    ) -> Answer<T> {
        let (call, read) = (&call, &read);
        let once = || async move { answer::object(self.exchange(call).await?, read).await };
        self.retrying(call, || self.watched(call, once())).await
    }

    /// Calls, and reads the page that comes back.
    pub(super) async fn page<T: Send>(
        &self,
        call: Call<'_>,
        read: impl Fn(&Object<'_>) -> Result<Page<T>, Odd> + Send + Sync,
    ) -> Answer<Page<T>> {
        let route = call.route.name;
        let page = self.object(call, read).await?;
        if page.skipped > 0 {
            metrics::counter!("channel_unipile_items_skipped_total", "route" => route)
                .increment(page.skipped as u64);
        }
        Ok(page)
    }

    /// Calls; any success will do.
    pub(super) async fn done(&self, call: Call<'_>) -> Answer<()> {
        let call = &call;
        let once = async {
            answer::nothing(self.exchange(call).await?).await;
            Ok(())
        };
        self.watched(call, once).await
    }

    /// Calls, and passes the bytes on as they come.
    pub(super) async fn download(&self, call: Call<'_>) -> Answer<Download> {
        let call = &call;
        let once = || async move { self.within_limit(self.exchange(call).await?) };
        let response = self.retrying(call, || self.watched(call, once())).await?;
        let mime = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        Ok(Download {
            mime: mime.map(ToOwned::to_owned),
            length: response.content_length(),
            body: capped(response, call.route.name, self.options.download_limit),
        })
    }

    fn within_limit(&self, response: Response) -> Result<Response, Failure> {
        let limit = self.options.download_limit;
        match response.content_length() {
            Some(length) if length > limit => Err(Failure::TooLarge { limit }),
            _ => Ok(response),
        }
    }

    /// One exchange, up to the head of a success.
    async fn exchange(&self, call: &Call<'_>) -> Result<Response, Failure> {
        let request = call.request(self).await?;
        let client = match call.route.repeat {
            Repeat::Freely => &self.reads,
            Repeat::Never => &self.changes,
        };
        let sent = http::send(client, call.route.name, request).await;
        let response = sent.map_err(|error| {
            // The file's fault shows as a broken connection.
            call.file_fault().unwrap_or_else(|| failure::of_transport(&error))
        })?;
        answer::success(self, response).await
    }

    /// One attempt, if the breaker lets it through, in a span and measured.
    async fn watched<T>(
        &self,
        call: &Call<'_>,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Answer<T> {
        let route = call.route.name;
        let span = tracing::info_span!(
            "unipile.call",
            route,
            account = call.account.map(tracing::field::display),
            status = Empty,
            outcome = Empty,
            milliseconds = Empty,
        );
        let started = Instant::now();
        let result = self.guarded(call, work).instrument(span.clone()).await;
        let result = result.map_err(|failure| UpstreamError { route, failure });
        let outcome = result.as_ref().map_or_else(UpstreamError::reason, |_| "ok");
        let took = started.elapsed();
        if let Some(status) = result.as_ref().err().and_then(UpstreamError::status) {
            span.record("status", status);
        }
        span.record("outcome", outcome);
        span.record("milliseconds", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        span.in_scope(|| tracing::debug!(outcome, "UniPile was called"));
        let labels = [("route", route), ("outcome", outcome)];
        metrics::counter!("channel_unipile_calls_total", &labels).increment(1);
        metrics::histogram!("channel_unipile_call_seconds", &labels).record(took.as_secs_f64());
        result
    }

    async fn guarded<T>(
        &self,
        call: &Call<'_>,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let permit = self.breakers.admit(call.account);
        let permit = permit.map_err(|retry_in| Failure::Paused { retry_in })?;
        let result = work.await;
        if let Some(outcome) = failure::outcome(&result) {
            permit.settle(outcome);
        }
        result
    }
}

/// The bytes as they come, up to the limit.
fn capped(
    response: Response,
    route: &'static str,
    limit: u64,
) -> BoxStream<'static, Result<Bytes, UpstreamError>> {
    let chunks = response.bytes_stream();
    let parts = stream::unfold(Some((chunks, limit)), move |state| async move {
        let (mut chunks, left) = state?;
        let chunk = chunks.next().await?;
        let chunk = chunk.map_err(|error| failure::of_transport(&error.without_url()));
        let part = chunk.and_then(|chunk| {
            let left = left.checked_sub(chunk.len() as u64).ok_or(Failure::TooLarge { limit })?;
            Ok((chunk, left))
        });
        Some(match part {
            Ok((chunk, left)) => (Ok(chunk), Some((chunks, left))),
            Err(failure) => (Err(UpstreamError { route, failure }), None),
        })
    });
    parts.boxed()
}
