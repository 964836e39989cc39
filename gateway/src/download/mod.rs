//! `GET` and `HEAD` of `/v1/attachments`: a file by plain HTTP, for `<img>`, `<video>`, downloads and programs.
//!
//! With a token, `?account_id=…&message_id=…&attachment_id=…` names the file as `QueryService.GetAttachment` does, and
//! `&variant=thumbnail` its small picture.
//! Without one, `/v1/attachments/{link}` is what `CreateAttachmentLink` answered; the query service checks it, this
//! process cannot. Both become calls through the same layers that every gRPC call passes, and a stream of bytes that
//! is read as fast as the browser takes it.
//!
//! **Invariant:** nothing that is served here runs in a browser, whatever it is and however it is opened.
//! **Invariant:** a file that breaks off in the middle breaks the connection; it never looks whole.
//! **Invariant:** no address is written to a log: it may hold a link.

mod answer;
mod conditions;
mod select;
mod source;

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    routing::get,
};
use channel_runtime::fault::FieldErrors;
use http::{HeaderMap, Method, Response};

use crate::{
    calls::{Calls, carried},
    config::CorsConfig,
    refusal::refused,
};
use answer::Answers;
use conditions::Conditions;
use source::{Named, Source};

/// Where files are served to those who have a token.
pub const PATH: &str = "/v1/attachments";
/// Where they are served to those who have a link.
const LINK_PATH: &str = "/v1/attachments/{link}";

#[derive(Clone)]
struct Downloads {
    calls: Calls,
    answers: Answers,
}

/// The addresses.
pub(crate) fn route(calls: Calls, cors: &CorsConfig) -> Router {
    let downloads = Downloads { calls, answers: Answers::new(cors) };
    Router::new().route(PATH, get(named)).route(LINK_PATH, get(linked)).with_state(downloads)
}

async fn named(
    State(downloads): State<Downloads>,
    named: Result<Query<Named>, QueryRejection>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    let named = match named {
        Ok(Query(named)) => named,
        Err(error) => return refused(&FieldErrors::of("query", error.body_text()).into()),
    };
    let source = Source::named(downloads.calls, named, carried(&headers));
    serve(&source, &downloads.answers, &method, &headers).await
}

async fn linked(
    State(downloads): State<Downloads>,
    Path(link): Path<String>,
    method: Method,
    mut headers: HeaderMap,
) -> Response<Body> {
    // The link says who reads. A token beside it says nothing, and must not spoil it.
    headers.remove(http::header::AUTHORIZATION);
    let source = Source::linked(downloads.calls, link, carried(&headers));
    serve(&source, &downloads.answers, &method, &headers).await
}

async fn serve(
    source: &Source,
    answers: &Answers,
    method: &Method,
    headers: &HeaderMap,
) -> Response<Body> {
    let conditions = Conditions::of(method, headers);
    match select::select(source, &conditions).await {
        Ok(selected) => answers.answer(selected),
        Err(status) => refused(&status),
    }
}
