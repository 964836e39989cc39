//! `POST /v1/uploads`: a file by plain HTTP, for browsers, which cannot stream to a server over gRPC-Web.
//!
//! The body is the file and its `Content-Type` the media type; the query has `account_id`, and may have
//! `file_name` and `voice`. It becomes one call of `MessagingService.UploadAttachment` through the same
//! layers that every gRPC call passes, with the same token, limits and reasons. The answer is the call's
//! answer as JSON.
//!
//! **Invariant:** a body that breaks off never becomes a file.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Json, Router,
    body::{Body, BodyDataStream},
    extract::{Query, State, rejection::QueryRejection},
    response::IntoResponse,
    routing::post,
};
use bytes::Bytes;
use channel_proto::messaging::v1::{
    UploadAttachmentRequest, UploadAttachmentResponse, UploadHeader,
    messaging_service_client::MessagingServiceClient, upload_attachment_request::Part,
};
use channel_runtime::fault::{FieldErrors, reason_of};
use futures::{Stream, StreamExt as _, future::BoxFuture, stream, stream::BoxStream};
use http::{HeaderMap, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tonic::{Code, Status};

use crate::{
    calls::{Calls, carried},
    refusal::{refused, refused_as},
};

/// Where files are taken in.
pub const PATH: &str = "/v1/uploads";

/// The reason when a body breaks off.
const BROKEN: &str = "UPLOAD_BROKEN";

/// Most bytes of a piece, as the contract has it.
const PIECE: usize = 1024 * 1024;

/// Adds the address to what is not gRPC.
pub(crate) fn route(calls: Calls) -> Router {
    Router::new().route(PATH, post(upload)).with_state(calls)
}

/// What the query says of a file.
#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    account_id: String,
    #[serde(default)]
    file_name: String,
    #[serde(default)]
    voice: bool,
}

/// The file as stored, in the JSON form of the contract's answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    upload_id: String,
    kind: &'static str,
    mime_type: String,
    /// 64-bit numbers are text in protobuf's JSON.
    size_bytes: String,
    expires_at: Option<String>,
}

async fn upload(
    State(calls): State<Calls>,
    named: Result<Query<Named>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let named = match named {
        Ok(Query(named)) => named,
        Err(error) => return refused(&FieldErrors::of("query", error.body_text()).into()),
    };
    let broken = Arc::new(Notify::new());
    let parts = parts(file(named, &headers), body.into_data_stream(), Arc::clone(&broken));
    let mut request = tonic::Request::new(parts);
    *request.metadata_mut() = carried(&headers);
    let answer = tokio::select! {
        biased;
        () = broken.notified() => Err(Status::aborted("the file did not come whole")),
        answer = call(calls, request) => answer,
    };
    match answer {
        Ok(stored) => Json(stored_json(stored.into_inner())).into_response(),
        Err(status) if status.code() == Code::Aborted && reason_of(&status).is_none() => {
            refused_as(StatusCode::BAD_REQUEST, BROKEN.to_owned(), &status)
        }
        Err(status) => refused(&status),
    }
}

fn file(named: Named, headers: &HeaderMap) -> UploadHeader {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mime = text(header::CONTENT_TYPE);
    UploadHeader {
        account_id: named.account_id,
        file_name: named.file_name,
        // What a browser says when it does not know.
        mime_type: if mime == "application/octet-stream" { "" } else { mime }.to_owned(),
        size_bytes: text(header::CONTENT_LENGTH).parse().unwrap_or(0),
        sha256: Bytes::new(),
        voice: named.voice,
    }
}

/// The parts of one file. A type with a name, which the compiler follows across threads where it cannot follow
/// the trait object.
struct Parts(BoxStream<'static, UploadAttachmentRequest>);

impl Stream for Parts {
    type Item = UploadAttachmentRequest;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

/// The header and the pieces. A body that breaks is told; then comes what ends the call with an error, and no end.
fn parts(file: UploadHeader, body: BodyDataStream, broken: Arc<Notify>) -> Parts {
    let part = |part| UploadAttachmentRequest { part: Some(part) };
    let first = stream::once(async move { part(Part::Header(file)) });
    let rest = body.flat_map(move |read| {
        if let Ok(bytes) = read {
            return pieces(bytes).map(move |piece| part(Part::Chunk(piece))).boxed();
        }
        broken.notify_one();
        // A second header is an error: a service in this process ends the call, which it would not notice that
        // nobody waits for.
        let again = part(Part::Header(UploadHeader::default()));
        stream::once(async move { again }).chain(stream::pending()).boxed()
    });
    Parts(first.chain(rest).boxed())
}

fn pieces(mut bytes: Bytes) -> impl Stream<Item = Bytes> {
    stream::iter(std::iter::from_fn(move || {
        let piece = bytes.split_to(bytes.len().min(PIECE));
        (!piece.is_empty()).then_some(piece)
    }))
}

type Asked = tonic::Request<Parts>;
type Answered = Result<tonic::Response<UploadAttachmentResponse>, Status>;

/// Boxed, for a compiler that cannot see through the layers whether the future may change its thread.
fn call(calls: Calls, request: Asked) -> BoxFuture<'static, Answered> {
    let mut client = MessagingServiceClient::new(calls);
    Box::pin(async move { client.upload_attachment(request).await })
}

fn stored_json(stored: UploadAttachmentResponse) -> Stored {
    Stored {
        kind: stored.kind().as_str_name(),
        upload_id: stored.upload_id,
        mime_type: stored.mime_type,
        size_bytes: stored.size_bytes.to_string(),
        expires_at: stored.expires_at.map(|at| at.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn body(reads: Vec<Result<Bytes, axum::Error>>) -> BodyDataStream {
        Body::from_stream(stream::iter(reads)).into_data_stream()
    }

    #[tokio::test]
    async fn a_large_read_is_cut_into_pieces_that_the_contract_allows() {
        let whole = Bytes::from(vec![7; 2 * PIECE + 3]);
        let broken = Arc::new(Notify::new());
        let parts = parts(UploadHeader::default(), body(vec![Ok(whole.clone())]), broken);
        let parts: Vec<_> = parts.filter_map(async |it| it.part).collect().await;
        let sizes = parts.iter().map(|part| match part {
            Part::Header(_) => 0,
            Part::Chunk(bytes) => bytes.len(),
        });
        assert_eq!(sizes.collect::<Vec<_>>(), [0, PIECE, PIECE, 3]);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_has_no_end() {
        let broken = Arc::new(Notify::new());
        let reads = vec![Ok(Bytes::from("half")), Err(axum::Error::new("lost"))];
        let mut parts = parts(UploadHeader::default(), body(reads), Arc::clone(&broken));
        assert!(parts.next().await.is_some() && parts.next().await.is_some());
        let last = parts.next().await.and_then(|it| it.part);
        assert!(matches!(last, Some(Part::Header(_))), "which no file has twice");
        assert!(parts.next().now_or_never().is_none(), "it neither goes on nor ends");
        broken.notified().await;
    }
}
