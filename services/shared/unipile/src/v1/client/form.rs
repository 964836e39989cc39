//! Multipart bodies: fields, and files that are read while they are sent.

use crate::upstream::{Failure, FileStream, Outgoing, OutgoingFile};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use reqwest::multipart::{self, Part};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The longest file name, in characters.
const NAME_MAX: usize = 200;

/// A form to be sent.
pub(super) struct Form<'a> {
    fields: Vec<(&'static str, String)>,
    content: &'a Outgoing,
    typing: Duration,
    fault: Fault,
}

/// What went wrong with a file, told by its stream.
type Fault = Arc<OnceLock<String>>;

impl<'a> Form<'a> {
    pub(super) fn new(content: &'a Outgoing) -> Self {
        let (fields, fault) = (Vec::new(), Fault::default());
        Self { fields, content, typing: Duration::ZERO, fault }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Shows "typing" before it sends, which makes the call take that much longer.
    pub(super) fn typing(self, typing: Duration) -> Self {
        let form = self.with("typing_duration", typing.as_millis().to_string());
        Self { typing, ..form }
    }

    pub(super) fn has_files(&self) -> bool {
        !self.content.files.is_empty() || self.content.voice.is_some()
    }

    pub(super) fn extra_time(&self) -> Duration {
        self.typing
    }

    pub(super) fn fault(&self) -> Option<Failure> {
        self.fault.get().map(|cause| Failure::File { cause: cause.clone() })
    }

    /// The body, with all files opened.
    pub(super) async fn open(&self) -> Result<multipart::Form, Failure> {
        let mut form = multipart::Form::new();
        for (name, value) in &self.fields {
            form = form.text(*name, value.clone());
        }
        if let Some(text) = self.content.text.as_ref().filter(|text| !text.is_empty()) {
            form = form.text("text", text.clone());
        }
        for file in &self.content.files {
            form = form.part("attachments", self.part(file).await?);
        }
        if let Some(voice) = &self.content.voice {
            form = form.part("voice_message", self.part(voice).await?);
        }
        Ok(form)
    }

    async fn part(&self, file: &OutgoingFile) -> Result<Part, Failure> {
        let opened = file.source.open().await;
        let bytes = opened.map_err(|error| Failure::File { cause: error.kind().to_string() })?;
        let body = reqwest::Body::wrap_stream(exactly(file.length, bytes, self.fault.clone()));
        let part = || file_name(&file.name);
        let stream = Part::stream_with_length(body, file.length).file_name(part());
        // The part is lost with a media type that is none, so that one is tried on another first.
        let mime = match Part::text("").mime_str(&file.mime) {
            Ok(_) => file.mime.as_str(),
            Err(_) => "application/octet-stream",
        };
        stream.mime_str(mime).map_err(|_| Failure::Invalid("a media type that is none"))
    }
}

/// A name that stays inside its header.
fn file_name(name: &str) -> String {
    let harmless = |c: char| if c.is_control() || "\"\\/".contains(c) { '_' } else { c };
    let name: String = name.chars().take(NAME_MAX).map(harmless).collect();
    if name.trim().is_empty() { "file".to_owned() } else { name }
}

/// The bytes of a file. If they cannot be read, or are more or fewer than announced, the stream fails, and
/// with it the request, whose length was announced too.
fn exactly(
    length: u64,
    bytes: FileStream,
    fault: Fault,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold(Some((bytes, length)), move |state| {
        let fault = fault.clone();
        async move {
            let (mut bytes, left) = state?;
            let next = match bytes.next().await {
                Some(Ok(chunk)) => left
                    .checked_sub(chunk.len() as u64)
                    .map(|left| Some((chunk, left)))
                    .ok_or_else(|| "longer than announced".to_owned()),
                Some(Err(error)) => Err(error.kind().to_string()),
                None if left > 0 => Err("shorter than announced".to_owned()),
                None => Ok(None),
            };
            match next {
                Ok(None) => None,
                Ok(Some((chunk, left))) => Some((Ok(chunk), Some((bytes, left)))),
                Err(cause) => {
                    let _ = fault.set(cause.clone());
                    Some((Err(io::Error::other(cause)), None))
                }
            }
        }
    })
}
