//! Files. Two vocabularies occur, `attachment_type` and `type`, and neither is complete.

use super::json::{Node, Object};
use super::lenient;
use channel_domain::fact::{Attachment, AttachmentKind};

/// WhatsApp puts one file into a message; the rest of an endless list is left out.
const ATTACHMENTS_MAX: usize = 64;

/// The files of a message: a list, a single object (as UniPile's own sample has it), or nothing. Of two
/// with one id, the first counts.
pub(in crate::v1) fn attachments(root: &Object<'_>) -> Vec<Attachment> {
    let listed: &[Node<'_>] = match root.get("attachments") {
        Some(Node::List(list)) => list,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    let mut files: Vec<Attachment> = Vec::new();
    for file in listed.iter().filter_map(attachment).take(ATTACHMENTS_MAX) {
        let file = with_id(file, files.len());
        if files.iter().all(|known| known.id != file.id) {
            files.push(file);
        }
    }
    files
}

/// A file without an id cannot be fetched, but it was sent, and is shown as unavailable.
fn with_id(file: Attachment, position: usize) -> Attachment {
    if !file.id.is_empty() {
        return file;
    }
    Attachment { id: format!("missing:{position}"), unavailable: true, ..file }
}

/// One file, its id empty if it has none; nothing if no field says anything.
fn attachment(node: &Node<'_>) -> Option<Attachment> {
    let Node::Object(object) = node else {
        return None;
    };
    let mime = object.pick(&["mimetype", "attachment_mimetype", "mime_type"], lenient::name);
    let name = object.pick(&["attachment_name", "file_name", "filename"], lenient::name);
    let unavailable = object.pick(&["unavailable"], lenient::flag);
    let size = object.pick(&["attachment_size", "file_size", "size"], lenient::count);
    let file = Attachment {
        id: object.pick(&["attachment_id", "id"], lenient::id).unwrap_or_default(),
        kind: kind(object, mime.as_deref(), name.is_some()),
        mime,
        size,
        name,
        width: pixels(object, "width"),
        height: pixels(object, "height"),
        duration_seconds: object.pick(&["duration", "attachment_duration"], lenient::measure),
        unavailable: unavailable.unwrap_or(false),
        fetch: None,
    };
    (file != Attachment::default()).then_some(file)
}

/// `size` and `attachment_size` are bytes, or an object of pixels.
fn pixels(object: &Object<'_>, side: &str) -> Option<u32> {
    let mut sizes = ["size", "attachment_size"].into_iter();
    let nested = sizes.find_map(|key| object.object(key)?.pick(&[side], lenient::measure));
    nested.or_else(|| object.pick(&[side], lenient::measure))
}

/// The kind, by media type first: UniPile may call a picture a `file`.
fn kind(object: &Object<'_>, mime: Option<&str>, named: bool) -> AttachmentKind {
    let is = |flag| object.pick(&[flag], lenient::flag) == Some(true);
    let claimed = object.pick(&["attachment_type", "type"], lenient::name);
    let claimed = claimed.map(|kind| kind.trim().to_ascii_lowercase());
    let by_mime = mime.and_then(by_mime);
    match by_mime.unwrap_or_else(|| by_type(claimed.as_deref(), named)) {
        AttachmentKind::Image if is("sticker") => AttachmentKind::Sticker,
        AttachmentKind::Image | AttachmentKind::Video if is("gif") => AttachmentKind::Gif,
        AttachmentKind::Audio if is("voice_note") => AttachmentKind::Voice,
        kind => kind,
    }
}

fn by_mime(mime: &str) -> Option<AttachmentKind> {
    let (family, _) = mime.split_once('/')?;
    match family.trim().to_ascii_lowercase().as_str() {
        "image" => Some(AttachmentKind::Image),
        "video" => Some(AttachmentKind::Video),
        "audio" => Some(AttachmentKind::Audio),
        _ => None,
    }
}

fn by_type(claimed: Option<&str>, named: bool) -> AttachmentKind {
    match claimed {
        Some("img" | "image") => AttachmentKind::Image,
        Some("video") => AttachmentKind::Video,
        Some("audio") => AttachmentKind::Audio,
        Some("voice_note" | "voice" | "ptt") => AttachmentKind::Voice,
        Some("sticker") => AttachmentKind::Sticker,
        Some("gif") => AttachmentKind::Gif,
        Some("file" | "document") => AttachmentKind::Document,
        None if named => AttachmentKind::Document,
        _ => AttachmentKind::Other,
    }
}
