//! UniPile's HTTP API v1, served from the same world as the webhooks.

mod accounts;
mod acts;
mod ask;
mod attachments;
mod attendees;
mod call;
mod chats;
mod config;
mod connect;
mod error;
mod form;
mod hosted;
mod messages;
mod page;
mod patch;
mod portrait;
mod resolve;
mod send;
mod server;
mod start_chat;
mod users;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use serde_json::json;

use crate::engine::Engine;

pub(crate) use ask::{Ask, Body};
pub use config::ApiConfig;
pub(crate) use error::Problem;
pub(crate) use hosted::{
    callback as hosted_callback, page as hosted_page, page_of as hosted_page_of,
};
pub(crate) use server::serve;

/// A request with several large files; each file has a limit of its own.
const LARGEST_BODY: usize = 128 * 1024 * 1024;

/// All routes below `/api/v1`.
pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
        .merge(account_routes())
        .merge(chat_routes())
        .merge(message_routes())
        .merge(attendee_routes())
        .route("/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/webhooks/{id}", delete(webhooks::remove))
        .fallback(no_route)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

fn account_routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/accounts", get(accounts::list).post(connect::connect))
        .route(
            "/accounts/{id}",
            get(accounts::one).post(connect::reconnect).delete(accounts::remove),
        )
        .route("/accounts/{id}/restart", post(connect::restart))
        .route("/accounts/{id}/sync", get(accounts::sync))
        .route("/hosted/accounts/link", post(hosted::link))
        .route("/users/{identifier}", get(users::profile))
}

fn chat_routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/chats", get(chats::list).post(start_chat::start))
        .route("/chats/{id}", get(chats::one).patch(patch::patch))
        .route("/chats/{id}/sync", get(chats::sync))
        .route("/chats/{id}/attendees", get(attendees::of_chat))
        .route("/chats/{id}/messages", get(messages::of_chat).post(send::send))
}

fn message_routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/messages", get(messages::list))
        .route("/messages/{id}", get(messages::one).patch(acts::edit).delete(acts::remove))
        .route("/messages/{id}/forward", post(acts::forward))
        .route("/messages/{id}/reaction", post(acts::react_singular))
        .route("/messages/{id}/reactions", post(acts::react_plural))
        .route("/messages/{id}/attachments/{attachment}", get(attachments::download))
}

fn attendee_routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/chat_attendees", get(attendees::list))
        .route("/chat_attendees/{id}", get(attendees::one))
        .route("/chat_attendees/{id}/picture", get(attendees::picture))
        .route("/chat_attendees/{id}/chats", get(chats::of_attendee))
        .route("/chat_attendees/{id}/messages", get(messages::of_attendee))
}

/// A path that is no route is not answered with an error of UniPile's, but with one of the server
/// that it runs on.
pub(crate) async fn no_route(request: Request) -> Response {
    let message = format!("Cannot {} {}", request.method(), request.uri().path());
    let body = json!({ "message": message, "error": "Not Found", "statusCode": 404 });
    (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
}
