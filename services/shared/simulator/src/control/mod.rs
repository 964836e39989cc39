//! The endpoint for whoever runs a test: faults, ledger, waiting, and what people do by hand. All below
//! `/simulator`, with the same key as the API.

mod deeds;
mod files;
mod settings;
mod truth;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};

use crate::api;
use crate::engine::Engine;

/// Most bytes of a file that a contact sends, as text of base64.
const MOST_FILE: usize = 64 * 1024 * 1024;

/// Everything that a simulator serves.
pub(crate) fn everything(engine: Arc<Engine>) -> Router {
    Router::new()
        .nest("/api/v1", api::router())
        .nest("/simulator", router())
        .fallback(api::no_route)
        .with_state(engine)
}

fn router() -> Router<Arc<Engine>> {
    Router::new()
        .route("/hosted/{token}", get(api::hosted_page).post(api::hosted_page_of))
        .route("/hosted/{token}/callback", get(api::hosted_callback))
        .route("/faults", get(settings::faults).post(settings::add).delete(settings::clear))
        .route("/faults/{id}", delete(settings::remove))
        .route("/behaviour", get(settings::behaviour).put(settings::behave))
        .route("/ledger", post(truth::ledger))
        .route("/calls", get(truth::calls))
        .route("/wait", post(truth::wait))
        .route("/messages/{id}", get(truth::message))
        .route("/deliveries", get(truth::deliveries))
        .route("/phone", post(deeds::phone))
        .route("/contact", post(deeds::contact))
        .route("/contact/file", post(files::send).layer(DefaultBodyLimit::max(MOST_FILE)))
        .route("/accounts/{id}/status", post(deeds::status))
        .route("/accounts/{id}/scan", post(deeds::scan))
        .route("/pictures/{id}", post(deeds::picture))
        .route("/chats/{id}/read_only", post(deeds::read_only))
}
