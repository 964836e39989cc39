//! The one line that stands for a message in a list.

use crate::fact::{Attachment, AttachmentKind};
use crate::marks;
use crate::message::ContentKind;

/// The longest preview, in characters.
pub const LENGTH: usize = 140;

/// How much of a text is looked at, in characters: far more than is shown, and little work whatever is sent.
const LOOKED_AT: usize = 600;

/// The preview of a message: its text on one line without marks, else what it carries.
#[must_use]
pub fn line(kind: ContentKind, text: Option<&str>, attachments: &[Attachment]) -> String {
    let text =
        text.map(|text| one_line(&marks::plain(beginning(text)))).filter(|text| !text.is_empty());
    match kind {
        ContentKind::Deleted => "This message was deleted".into(),
        ContentKind::Unsupported => "Unsupported message".into(),
        ContentKind::Event => text.unwrap_or_else(|| "System message".into()),
        ContentKind::Text => text.unwrap_or_default(),
        ContentKind::Media => match (label(attachments), text) {
            (label, Some(text)) => cut(&format!("{label}: {text}")),
            (label, None) => label.into(),
        },
    }
}

fn label(attachments: &[Attachment]) -> &'static str {
    match attachments.first().map(|file| file.kind) {
        Some(AttachmentKind::Image) => "Photo",
        Some(AttachmentKind::Video) => "Video",
        Some(AttachmentKind::Audio) => "Audio",
        Some(AttachmentKind::Voice) => "Voice message",
        Some(AttachmentKind::Sticker) => "Sticker",
        Some(AttachmentKind::Gif) => "GIF",
        Some(AttachmentKind::Document) => "Document",
        Some(AttachmentKind::Other) | None => "Attachment",
    }
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end])
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > LENGTH {
            break;
        }
    }
    cut(&line)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_one_line_of_bounded_length() {
        let long = "word\n".repeat(100);
        let line = line(ContentKind::Text, Some(&long), &[]);
        assert!(line.chars().count() <= LENGTH + 1 && !line.contains('\n'), "{line}");
    }

    #[test]
    fn marks_are_not_shown() {
        assert_eq!(line(ContentKind::Text, Some("*Hello*\n_you_"), &[]), "Hello you");
    }

    #[test]
    fn media_is_named_before_its_caption() {
        let photo = Attachment { kind: AttachmentKind::Image, ..Attachment::default() };
        let photo = std::slice::from_ref(&photo);
        assert_eq!(line(ContentKind::Media, None, photo), "Photo");
        assert_eq!(line(ContentKind::Media, Some("the sea"), photo), "Photo: the sea");
    }
}
