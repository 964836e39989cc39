use serde::Serialize;

use crate::webhook::type_name;
use crate::world::{Attachment, Media};

/// A file of a message. Which of the optional fields are there depends on the type.
#[derive(Debug, Serialize)]
pub(crate) struct AttachmentView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
    unavailable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mimetype: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<PixelSize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sticker: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gif: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_note: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct PixelSize {
    width: u32,
    height: u32,
}

impl<'a> From<&'a Attachment> for AttachmentView<'a> {
    fn from(attachment: &'a Attachment) -> Self {
        let known = !attachment.unavailable;
        let media = attachment.media;
        let visible = matches!(media, Media::Image | Media::Video);
        let audible = matches!(media, Media::Voice | Media::Audio);
        let (width, height) = if known { (1_200, 900) } else { (0, 0) };
        let name = attachment.name.as_deref().unwrap_or("file");
        Self {
            id: &attachment.id,
            file_size: known.then_some(attachment.bytes),
            unavailable: attachment.unavailable,
            mimetype: known.then(|| attachment.mimetype()),
            url: (known && media == Media::Image).then(|| format!("att://{}", attachment.id)),
            kind: type_name(media),
            size: visible.then_some(PixelSize { width, height }),
            sticker: (media == Media::Image).then_some(false),
            gif: (media == Media::Video).then_some(false),
            duration: (known && audible).then_some(1 + attachment.bytes / 2_400),
            voice_note: audible.then_some(media == Media::Voice),
            file_name: (media == Media::Document).then_some(name),
        }
    }
}
