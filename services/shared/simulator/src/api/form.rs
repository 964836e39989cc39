//! Bodies of the two routes that take files.

use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use std::sync::Arc;

use super::error::Problem;
use crate::engine::{Behaviour, Engine, File, NewMessage};
use crate::world::Media;

/// A form: fields by name, which may repeat, and files.
#[derive(Debug, Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
    files: Vec<File>,
}

impl FromRequest<Arc<Engine>> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, engine: &Arc<Engine>) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
            return Err(Problem::media_type("multipart/form-data"));
        }
        let parts = Multipart::from_request(request, engine).await;
        let mut parts = parts.map_err(|_| Problem::malformed("the form has no boundary"))?;
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|_| unreadable())? {
            form.add(part).await?;
        }
        Ok(form)
    }
}

fn unreadable() -> Problem {
    Problem::malformed("the form cannot be read")
}

impl Form {
    async fn add(&mut self, part: Field<'_>) -> Result<(), Problem> {
        let name = part.name().unwrap_or_default().trim_end_matches("[]").to_owned();
        let voice = name == "voice_message";
        if voice || matches!(&*name, "attachments" | "video_message") {
            let (file_name, kind) = (part.file_name().map(str::to_owned), mimetype(&part));
            let bytes = part.bytes().await.map_err(|_| unreadable())?;
            self.files.push(file(voice, file_name, kind, bytes));
        } else {
            self.fields.push((name, part.text().await.map_err(|_| unreadable())?));
        }
        Ok(())
    }

    /// A field. Empty ones count as left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All fields of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.fields.iter().filter(move |(key, value)| key == name && !value.is_empty());
        named.map(|(_, value)| &**value)
    }

    /// The message that is to be sent.
    pub(super) fn message(&mut self, behaviour: &Behaviour) -> Result<NewMessage, Problem> {
        let text = self.get("text").map(str::to_owned);
        if text.is_none() && self.files.is_empty() {
            return Err(Problem::missing("text or attachments"));
        }
        check_text(text.as_deref().unwrap_or_default(), behaviour)?;
        if self.files.iter().any(|file| file.bytes.len() > behaviour.largest_file) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "content_too_large"));
        }
        if self.files.iter().any(|file| file.bytes.is_empty()) {
            return Err(Problem::invalid("a file is empty"));
        }
        Ok(NewMessage { text, files: std::mem::take(&mut self.files), ..NewMessage::default() })
    }
}

/// Whether a text can be sent.
pub(super) fn check_text(text: &str, behaviour: &Behaviour) -> Result<(), Problem> {
    if text.chars().count() > behaviour.longest_text {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "too_many_characters"));
    }
    Ok(())
}

fn mimetype(part: &Field<'_>) -> String {
    part.content_type().unwrap_or("application/octet-stream").to_owned()
}

fn file(voice: bool, name: Option<String>, mimetype: String, bytes: Bytes) -> File {
    let media = match mimetype.split('/').next() {
        _ if voice => Media::Voice,
        Some("image") => Media::Image,
        Some("video") => Media::Video,
        Some("audio") => Media::Audio,
        _ => Media::Document,
    };
    File { media, name, mimetype, bytes }
}
