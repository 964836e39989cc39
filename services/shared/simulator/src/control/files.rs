//! Files that contacts send by hand.

use axum::Json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::deeds::Written;
use crate::api::{Ask, Body, Problem};
use crate::engine::{ContactFile, File};
use crate::world::Media;

/// A file that a contact sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sending {
    chat_id: String,
    /// What the sender says that it is.
    mimetype: String,
    name: Option<String>,
    /// In Base64.
    bytes: String,
    /// How many bytes it is said to have; by default so many as it has.
    told: Option<u64>,
    #[serde(default)]
    unavailable: bool,
}

/// A contact sends a file.
pub(super) async fn send(ask: Ask, Body(it): Body<Sending>) -> Result<Json<Written>, Problem> {
    let chat = ask.chat(&it.chat_id)?;
    let bytes = STANDARD.decode(&it.bytes).map_err(|_| Problem::not_found())?;
    let told = it.told.unwrap_or(bytes.len() as u64);
    let media = match it.mimetype.split('/').next() {
        Some("image") => Media::Image,
        Some("video") => Media::Video,
        Some("audio") => Media::Audio,
        _ => Media::Document,
    };
    let file = File { media, name: it.name, mimetype: it.mimetype, bytes: bytes.into() };
    let sent = ContactFile { file, told, unavailable: it.unavailable };
    let message_id = ask.engine.contact_sends(chat, sent).ok_or_else(Problem::not_found)?;
    Ok(Json(Written { message_id }))
}
