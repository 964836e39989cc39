use serde::Serialize;

use crate::world::{Attachment, Media};

/// An attachment in one of the two vocabularies that webhooks were seen to use.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum AttachmentBody<'a> {
    /// The keys captured with WhatsApp.
    Webhook(WebhookKeys<'a>),
    /// The keys of the REST objects, with strings for flags, as in UniPile's own sample.
    Rest(RestKeys<'a>),
}

#[derive(Debug, Serialize)]
pub(super) struct WebhookKeys<'a> {
    attachment_id: &'a str,
    attachment_type: &'static str,
    attachment_url: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mimetype: Option<&'a str>,
    unavailable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_note: Option<bool>,
}

#[derive(Debug, Serialize)]
pub(super) struct RestKeys<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mimetype: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<PixelSize>,
    sticker: &'static str,
    unavailable: &'static str,
}

#[derive(Debug, Serialize)]
struct PixelSize {
    height: &'static str,
    width: &'static str,
}

impl<'a> AttachmentBody<'a> {
    pub(super) fn new(attachment: &'a Attachment, rest: bool) -> Self {
        if rest {
            Self::Rest(rest_keys(attachment))
        } else {
            Self::Webhook(webhook_keys(attachment))
        }
    }
}

fn webhook_keys(attachment: &Attachment) -> WebhookKeys<'_> {
    let known = !attachment.unavailable;
    WebhookKeys {
        attachment_id: &attachment.id,
        attachment_type: type_name(attachment.media),
        attachment_url: (),
        attachment_size: known.then_some(attachment.bytes),
        attachment_name: attachment.name.as_deref(),
        mimetype: known.then(|| attachment.mimetype()),
        unavailable: attachment.unavailable,
        voice_note: (attachment.media == Media::Voice).then_some(true),
    }
}

fn rest_keys(attachment: &Attachment) -> RestKeys<'_> {
    let known = !attachment.unavailable;
    let has_size = known && matches!(attachment.media, Media::Image | Media::Video);
    RestKeys {
        id: &attachment.id,
        kind: type_name(attachment.media),
        url: format!("att://{}", attachment.id),
        file_size: known.then_some(attachment.bytes),
        file_name: attachment.name.as_deref(),
        mimetype: known.then(|| attachment.mimetype()),
        size: has_size.then_some(PixelSize { height: "900", width: "1200" }),
        sticker: "false",
        unavailable: if attachment.unavailable { "true" } else { "false" },
    }
}

pub(crate) fn type_name(media: Media) -> &'static str {
    match media {
        Media::Image => "img",
        Media::Video => "video",
        Media::Voice | Media::Audio => "audio",
        Media::Document => "file",
    }
}
