//! What every request brings: the key, the query, and the connection that it came over.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::error::Problem;
use crate::engine::Engine;

/// The connection of a request; cancelled, it breaks.
#[derive(Debug, Clone)]
pub(crate) struct Connection(pub(crate) CancellationToken);

/// A request whose key is right.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) engine: Arc<Engine>,
    pub(crate) connection: Option<Connection>,
    pub(crate) host: String,
    query: Vec<(String, String)>,
}

impl Ask {
    /// A parameter of the query. Empty ones count as left out.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let given = self.query.iter().find(|(key, value)| key == name && !value.is_empty());
        given.map(|(_, value)| &**value)
    }
}

impl FromRequestParts<Arc<Engine>> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, engine: &Arc<Engine>) -> Result<Self, Problem> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        if header("x-api-key") != Some(&engine.api.key) {
            return Err(Problem::missing_credentials());
        }
        let host = header("host").unwrap_or("localhost").to_owned();
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let query = form_urlencoded::parse(query).map(owned).collect();
        let connection = parts.extensions.get::<Connection>().cloned();
        Ok(Self { engine: Arc::clone(engine), connection, host, query })
    }
}

fn owned((key, value): (Cow<'_, str>, Cow<'_, str>)) -> (String, String) {
    (key.into_owned(), value.into_owned())
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Engine>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, engine: &Arc<Engine>) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
            return Err(Problem::media_type("application/json"));
        }
        let bytes = Bytes::from_request(request, engine).await;
        let bytes = bytes.map_err(|_| Problem::malformed("the body cannot be read"))?;
        let value = serde_json::from_slice::<serde_json::Value>(&bytes);
        let value = value.map_err(|_| Problem::malformed("the body is no JSON"))?;
        serde_json::from_value(value).map(Self).map_err(|error| Problem::invalid(error.to_string()))
    }
}
